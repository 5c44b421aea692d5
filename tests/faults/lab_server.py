"""A real JupyterLab, started by `jaalnet lab`: where it listens, and what it answers to those without its token."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from fault_study import Study, Tally

from jaalnet_core.cli.lab import Settings, lab_command

STARTS_WITHIN = 300.0  # seconds, on a busy machine
OPEN_ADDRESS = {"ServerApp": {"ip": "0.0.0.0"}}  # a line that many have in their own Jupyter configuration


@dataclass(frozen=True)
class Knock:
    """A request that must be refused, or (`may`) must be answered.

    Attributes:
        token: what is sent in place of the token; None sends none.
    """

    what: str
    method: str = "GET"
    path: str = "/api/contents"
    token: Callable[[str], str] | None = None
    header: bool = False
    host: str | None = None
    may: bool = False


KNOCKS = (
    Knock("without a token"),
    Knock("with an empty token", token=lambda token: ""),
    Knock("with a wrong token", token=lambda token: "0" * len(token)),
    Knock("with all but the token's last letter", token=lambda token: token[:-1]),
    Knock("with a wrong token in a header", token=lambda token: token[::-1], header=True),
    Knock("for a kernel, without a token", "POST", "/api/kernels"),
    Knock("for a terminal, without a token", "POST", "/api/terminals"),
    Knock("to write a file, without a token", "PUT", "/api/contents/new.txt"),
    Knock("to delete a file, without a token", "DELETE", "/api/contents/00_start.ipynb"),
    Knock("for a file, without a token", path="/files/00_start.ipynb"),
    Knock("for the page itself, without a token", path="/lab"),
    Knock("to stop the server, without a token", "POST", "/api/shutdown"),
    Knock("under a foreign name, with the token", token=lambda token: token, host="lessons.example"),
    Knock("with the token", token=lambda token: token, may=True),
    Knock("with the token in a header", token=lambda token: token, header=True, may=True),
)


@dataclass(frozen=True)
class Server:
    """A JupyterLab that runs."""

    process: psutil.Process
    port: int
    token: str

    def answer(self, knock: Knock, address: str = "localhost") -> tuple[int, str]:
        """Status and where a redirect leads, of one request."""
        sent = None if knock.token is None else knock.token(self.token)
        path, headers = knock.path, {"Host": f"{knock.host or 'localhost'}:{self.port}"}
        if sent is not None and knock.header:
            headers["Authorization"] = f"token {sent}"
        elif sent is not None:
            path += f"?token={sent}"
        connection = http.client.HTTPConnection(address, self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(
                knock.method, path, body="{}" if knock.method in ("POST", "PUT") else None, headers=headers
            )
            response = connection.getresponse()
            response.read()
            return response.status, response.getheader("Location", "")

    def listening(self) -> set[str]:
        """The addresses at which the server and all its processes wait for connections."""
        found = set()
        for process in (self.process, *self.process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                sockets = process.net_connections(kind="inet")
                found |= {one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN}
        return found


@contextlib.contextmanager
def running_lab(folder: Path, configuration: dict[str, object]) -> Iterator[Server]:
    """JupyterLab as `jaalnet lab --no-browser` starts it, for a user with this Jupyter configuration of their own."""
    notebooks = folder / "notebooks"
    notebooks.mkdir(parents=True)
    (notebooks / "00_start.ipynb").write_text(
        json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    (folder / "config").mkdir()
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(configuration))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    environment |= {"HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder / "config")}
    environment |= {"JUPYTER_RUNTIME_DIR": str(folder / "runtime"), "JUPYTER_DATA_DIR": str(folder / "data")}
    command = lab_command(Settings(notebooks=notebooks, port=_free_port(), browser=False))
    with (folder / "log").open("w") as log:
        started = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield _when_up(started, folder)
        finally:
            started.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.wait(30)
            started.kill()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _when_up(started: subprocess.Popen, folder: Path) -> Server:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and started.poll() is None:
        for file in (folder / "runtime").glob("jpserver-*.json"):
            with contextlib.suppress(ValueError, OSError):
                told = json.loads(file.read_text())
                server = Server(psutil.Process(started.pid), told["port"], told["token"])
                server.answer(KNOCKS[0])
                return server
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start: {(folder / 'log').read_text()[-2000:]}")


def knock(times: int, folder: Path) -> Tally:
    """So many requests to two servers: a user without a Jupyter configuration, and one whose own opens the address."""
    tally = Tally()
    for number, configuration in enumerate(({}, OPEN_ADDRESS)):
        share = times // 2 + (times % 2 if number else 0)
        with running_lab(folder / f"{number}", configuration) as server:
            for turn in range(share):
                _judge(tally, server, KNOCKS[(turn + number * share) % len(KNOCKS)])
            for address in _addresses_outside():
                with contextlib.suppress(OSError):
                    status, _ = server.answer(KNOCKS[0], address)
                    tally.broke(f"answered {status} at {address}")
            if open_ones := [ip for ip in server.listening() if not ipaddress.ip_address(ip).is_loopback]:
                tally.broke(f"listens at {', '.join(open_ones)}")
    return tally


def _judge(tally: Tally, server: Server, request: Knock) -> None:
    status, location = server.answer(request)
    refused = status in (401, 403, 405) or (status == 302 and "/login" in location)
    if request.may and status == 200:
        tally.kept("with the token: answered")
    elif not request.may and refused:
        tally.kept("refused")
    else:
        tally.broke(f"{request.what}: answered {status} {location}")


def _addresses_outside() -> list[str]:
    """This machine's addresses in its networks."""
    found = [one.address for card in psutil.net_if_addrs().values() for one in card if one.family == socket.AF_INET]
    return [address for address in found if not ipaddress.ip_address(address).is_loopback]


STUDIES = [
    Study(
        "JupyterLab",
        "Requests to a running JupyterLab without its token, with a wrong one, under a foreign name",
        "refused; it listens on this machine only, whatever address the user's own Jupyter configuration names",
        2 * len(KNOCKS),
        300,
        knock,
    )
]
