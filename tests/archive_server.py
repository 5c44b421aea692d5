"""A web server on this machine that behaves as badly as a test asks."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """One file and how the server treats it; what is in a list is used up, one entry an answer.

    Attributes:
        content: the file.
        ranges: whether Range is obeyed.
        cuts: send so many bytes of the body, then cut the connection.
        statuses: answer with this status and nothing else.
        headers: further headers of every answer; None removes one.
        stalls: answers whose body never comes.
    """

    content: bytes
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str | None] = field(default_factory=dict)
    stalls: int = 0


class ArchiveServer:
    """Serves `files` (by path, without the slash) and keeps what was asked, as (path, Range, If-Range)."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self.asked: list[tuple[str, str | None, str | None]] = []
        self._released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer._answer(self)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # a client that hangs up is what the tests are about
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        """The address of the server's folder, ending in a slash."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> ArchiveServer:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.lstrip("/")
        self.asked.append((path, request.headers["Range"], request.headers["If-Range"]))
        request.close_connection = True
        served = self.files.get(path, Served(b"", statuses=[404]))
        if served.statuses:
            self._head(request, served.statuses.pop(0), {**served.headers, "Content-Length": "0"})
            return
        status, start, headers = 200, 0, {"Content-Length": str(len(served.content))}
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers["Range"] or "")
        condition = request.headers["If-Range"]
        if served.ranges and wanted and condition in (None, served.headers.get("ETag")):
            start, end = int(wanted[1]), len(served.content)
            if start >= end:
                self._head(request, 416, {"Content-Range": f"bytes */{end}", "Content-Length": "0"})
                return
            status = 206
            headers = {"Content-Length": str(end - start), "Content-Range": f"bytes {start}-{end - 1}/{end}"}
        self._head(request, status, {**headers, **served.headers})
        if request.command == "HEAD":
            return
        if served.stalls:
            served.stalls -= 1
            self._released.wait(5)
            return
        body = served.content[start:]
        request.wfile.write(body[: served.cuts.pop(0)] if served.cuts else body)

    @staticmethod
    def _head(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str | None]) -> None:
        request.send_response(status)
        for name, value in {**headers, "Connection": "close"}.items():
            if value is not None:
                request.send_header(name, value)
        request.end_headers()
