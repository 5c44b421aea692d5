"""Downloads from bad servers, killed in the middle, onto full disks: nothing half has a real name, and it goes on."""

from __future__ import annotations

import functools
import io
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import requests
from apart import BROKEN, apart
from fault_study import Study, Tally, needs_linux

from jaalnet_core.data import download as download_module
from jaalnet_core.data.download import DownloadSettings, download
from jaalnet_core.data.official_archives import ARCHIVES
from jaalnet_core.data.resuming_downloader import CHUNK, ResumingDownloader

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from archive_server import ArchiveServer, Served

Fetch = Callable[[Path, str], object]
MEGABYTES, SECONDS = 400, 60.0
FILE = f"{ARCHIVES[0].folder}.zip"  # the archive that has the accident; the others come soundly


def packed(seed: int, name: str) -> bytes:
    """An archive of two files, about 12 chunks long."""
    out, rng = io.BytesIO(), random.Random(seed)
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(2):
            archive.writestr(zipfile.ZipInfo(f"{name}/ISIC_{number:07d}.jpg"), rng.randbytes(6 * CHUNK))
    return out.getvalue()


ONE, OTHER = packed(1, ARCHIVES[0].folder), packed(2, ARCHIVES[0].folder)  # two versions of one length
SOUND = {f"{archive.folder}.zip": packed(9, archive.folder) for archive in ARCHIVES[1:]}


def fetch(out: Path, url: str) -> None:
    """The product, not waiting between its attempts."""
    patient = functools.partial(ResumingDownloader, sleep=lambda _: None)
    with mock.patch.object(download_module, "ResumingDownloader", patient):
        download(DownloadSettings(out=out, url_base=url, attempts=3, timeout=1.5), progress=False)


def _chunked(content: bytes) -> bytes:
    return b"%x\r\n" % len(content) + content + b"\r\n0\r\n\r\n"


def accident(rng: random.Random, elsewhere: str) -> tuple[str, Served]:
    """What is wrong with the server, in words, and how it serves the file."""
    cut = rng.randrange(len(ONE))
    tag = {"ETag": '"one"'}
    bare = {"Content-Length": None}
    cases = {
        "cut once": Served(ONE, cuts=[cut]),
        "cut thrice": Served(ONE, cuts=sorted(rng.randrange(len(ONE) // 3) for _ in range(3)), headers=dict(tag)),
        "cut, and Range ignored": Served(ONE, cuts=[cut], ranges=False),
        "cut for ever": Served(ONE, cuts=[rng.randrange(3)] * 40, ranges=False),
        "stalled once": Served(ONE, stalls=1),
        "not found": Served(ONE, statuses=[404] * 40),
        "forbidden": Served(ONE, statuses=[403] * 40),
        "500, then well": Served(ONE, statuses=[500, 503]),
        "another host": Served(b"", statuses=[302] * 40, headers={"Location": f"{elsewhere}{FILE}"}),
        "redirected in a ring": Served(b"", statuses=[302] * 200, headers={"Location": f"/{FILE}"}),
        "redirected to a file": Served(b"", statuses=[302] * 40, headers={"Location": "file:///etc/hostname"}),
        "a page of HTML": Served(b"<html>Please log in</html>" * rng.randint(1, 9)),
        "empty": Served(b""),
        "shorter on the server": Served(ONE[:cut]),
        "a length too long": Served(ONE, headers={"Content-Length": str(len(ONE) + 1 + cut)}, ranges=False),
        "a length too short": Served(ONE, headers={"Content-Length": str(cut)}, ranges=False),
        "no length, cut": Served(ONE, headers=dict(bare), cuts=[cut], ranges=False),
        "in chunks": Served(_chunked(ONE), headers=bare | {"Transfer-Encoding": "chunked"}, ranges=False),
        "in chunks, cut": Served(_chunked(ONE)[:cut], headers=bare | {"Transfer-Encoding": "chunked"}, ranges=False),
        "packed by the server": Served(ONE, headers={"Content-Encoding": "gzip"}),
        "a bit wrong": Served(ONE[:cut] + bytes([ONE[cut] ^ 1]) + ONE[cut + 1 :]),
        "another range than asked for": Served(ONE, cuts=[cut], headers={"Content-Range": "bytes 0-5/6"}),
    }
    return rng.choice(list(cases.items()))


def judged(out: Path) -> str | None:
    """What is wrong with the data folder: something half, or joined from two, under a real name; None if nothing."""
    for archive in ARCHIVES:
        name = f"{archive.folder}.zip"
        path, folder = out / "archives" / name, out / archive.folder
        versions = (ONE, OTHER) if name == FILE else (SOUND[name],)
        if path.exists() and path.read_bytes() not in versions and not _is_whole(path):
            return f"{path.name} is not whole"
        if folder.exists():
            found = {file.name: file.read_bytes() for file in folder.iterdir()}
            contents = [_content(version) for version in versions]
            if found not in contents:
                return f"{folder.name} holds {sorted(found)}, not what any version of its archive holds"
    return None


def _content(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {Path(name).name: archive.read(name) for name in archive.namelist()}


def _is_whole(path: Path) -> bool:
    """Whether everything was there that the server announced: its directory stands at the end of a zip."""
    return zipfile.is_zipfile(path) and path.stat().st_size == len(ONE)


def _killed(out: Path, url: str, rng: random.Random, fetch: Fetch) -> None:
    """Fetch, and die by SIGKILL before or after the nth step: a chunk, a note, a new name, an unpacked file."""
    countdown = [rng.randint(1, 60)]

    def dying(function: Callable) -> Callable:
        @functools.wraps(function)
        def step(*arguments, **options):
            countdown[0] -= 1
            if countdown[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*arguments, **options)
            countdown[0] -= 1
            if countdown[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return step

    def chunks(response: requests.Response, size: int):
        for chunk in original(response, size):
            dying(lambda: None)()
            yield chunk

    original = requests.Response.iter_content
    requests.Response.iter_content = chunks
    for place, name in ((os, "replace"), (Path, "write_text"), (Path, "rename"), (Path, "open"), (os, "fsync")):
        setattr(place, name, dying(getattr(place, name)))
    fetch(out, url)


def _on_a_full_disk(out: Path, url: str, rng: random.Random, fetch: Fetch) -> None:
    """Fetch with room for files of so many bytes only."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (rng.randrange(1000, len(ONE)),) * 2)
    fetch(out, url)


def study(kind: str, times: int, folder: Path, fetch: Fetch = fetch) -> Tally:
    """One accident a try, then a call while all is well: it must end with everything whole, or say what to do."""
    tally = Tally()
    with mock.patch.dict(os.environ, {"NO_PROXY": "*"}), ArchiveServer() as server, ArchiveServer() as elsewhere:
        elsewhere.files = {FILE: Served(ONE)}
        for number in range(times):
            out = Path(tempfile.mkdtemp(dir=folder)) / "data"
            rng = random.Random(number)
            server.files = {name: Served(content) for name, content in SOUND.items()}
            what, server.files[FILE] = kind, Served(ONE, headers={"ETag": '"one"'} if rng.random() < 0.5 else {})
            call: Callable[[], object] = functools.partial(fetch, out, server.url)
            if kind == "killed":
                call = functools.partial(_killed, out, server.url, rng, fetch)
            elif kind == "full disk":
                call = functools.partial(_on_a_full_disk, out, server.url, rng, fetch)
            else:
                what, server.files[FILE] = accident(rng, elsewhere.url.replace("127.0.0.1", "localhost"))
            first = _said(call)
            if not (first.startswith(BROKEN) and not (kind == "killed" and "ended with -9" in first)):
                first = first.removeprefix(BROKEN)
                problem = judged(out)
                server.files[FILE] = Served(*_next(rng))
                second = _said(functools.partial(fetch, out, server.url))
                if second == "a clear error":  # it names a file to delete, or has set it aside as .rejected
                    (out / "archives" / FILE).unlink(missing_ok=True)
                    second = _said(functools.partial(fetch, out, server.url))
                problem = problem or judged(out) or (None if second == "done" else f"the next call: {second}")
                if problem is None and len(list(out.iterdir())) != 5:
                    problem = f"found {sorted(path.name for path in out.iterdir())}"
            else:
                problem = first
            if problem:
                tally.broke(f"try {number}, {what}: {problem}")
            elif first == "done":
                tally.kept("arrived whole all the same")
            else:
                tally.kept(
                    "a clear error, then whole by the next call" if first == "a clear error" else "killed, gone on"
                )
            shutil.rmtree(out.parent, ignore_errors=True)
    return tally


def _next(rng: random.Random) -> tuple:
    """What the server holds at the next call: the same, or another version of the same length."""
    return (ONE,) if rng.random() < 0.7 else (OTHER, True, [], [], {"ETag": '"other"'})


def _said(call: Callable[[], object]) -> str:
    def one() -> str:
        call()
        return "done"

    return next(apart([one], megabytes=MEGABYTES, seconds=SECONDS))


_PROMISE = "nothing half under a real name; it arrives whole, at once or by the next call, or the error says what to do"
STUDIES = [
    Study("Downloads", fault, _PROMISE, short, long, functools.partial(study, kind), needs_linux)
    for kind, short, long, fault in (
        (
            "bad server",
            12,
            200,
            "a bad server: cut, stalled, 403, 404, 500, redirected (to another host, in a ring, to a file), a wrong "
            "length, in chunks, packed, empty, HTML, a wrong bit; and another version by the next call",
        ),
        ("killed", 8, 150, "SIGKILL at a random step of a download: a chunk, a note, a renaming, an unpacked file"),
        ("full disk", 4, 50, "no room on the disk after a random number of bytes of a download"),
    )
]
