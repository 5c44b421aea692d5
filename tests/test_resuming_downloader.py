"""Downloads over bad connections, against a server on this machine."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pooch
import pytest
from archive_server import ArchiveServer, Served

from jaalnet_core.data import resuming_downloader
from jaalnet_core.data.partial_file import PartialFile
from jaalnet_core.data.resuming_downloader import DownloadError, ResumingDownloader
from jaalnet_core.errors import DataError

CONTENT = os.urandom(600_000)
CHUNK = resuming_downloader.CHUNK  # cuts fall between two chunks, so that what was kept is known to the byte


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ArchiveServer() as server:
        yield server


@pytest.fixture
def waits():
    return []


@pytest.fixture
def fetch(waits):
    return ResumingDownloader(attempts=3, timeout=5, progress=False, sleep=waits.append)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_under_its_name_alone(server, fetch, tmp_path):
    server.files["a.zip"] = Served(CONTENT)
    assert fetch(server.url + "a.zip", tmp_path / "new" / "a.zip") is None
    assert (tmp_path / "new" / "a.zip").read_bytes() == CONTENT
    assert _names(tmp_path / "new") == ["a.zip"]
    assert server.asked == [("a.zip", None, None)]


def test_a_cut_connection_is_taken_up_where_it_broke(server, fetch, waits, tmp_path):
    server.files["a.zip"] = Served(CONTENT, cuts=[12 * CHUNK, 6 * CHUNK])
    fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert [asked[1] for asked in server.asked] == [None, f"bytes={12 * CHUNK}-", f"bytes={18 * CHUNK}-"]
    assert waits == [1, 1]  # each attempt brought something: the patience starts afresh


def test_a_server_that_ignores_range_still_gets_there(server, fetch, tmp_path):
    server.files["a.zip"] = Served(CONTENT, ranges=False, cuts=[24 * CHUNK, 6 * CHUNK, 30 * CHUNK])
    fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert [asked[1] for asked in server.asked] == [None, *[f"bytes={24 * CHUNK}-"] * 2, f"bytes={30 * CHUNK}-"]


def test_no_growth_ends_the_patience_and_keeps_the_part(server, fetch, waits, tmp_path):
    server.files["a.zip"] = Served(CONTENT, ranges=False, cuts=[6 * CHUNK] * 9)
    with pytest.raises(
        DownloadError,
        match=r"the connection was cut \(attempts without a new byte: 3\); .*a\.zip\.part holds 0\.1 of 0\.6 MB",
    ):
        fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert len(server.asked) == 4  # the first brought something, the three after it nothing
    assert waits == [1, 1, 2]
    assert _names(tmp_path) == ["a.zip.part", "a.zip.part.json"]


def test_a_later_call_goes_on_from_the_part(server, fetch, tmp_path):
    server.files["a.zip"] = Served(CONTENT, headers={"ETag": '"one"'}, cuts=[9 * CHUNK, 0, 0, 0])
    with pytest.raises(DownloadError):
        fetch(server.url + "a.zip", tmp_path / "a.zip")
    server.asked.clear()
    fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert server.asked == [("a.zip", f"bytes={9 * CHUNK}-", '"one"')]
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_another_version_on_the_server_is_never_glued_to_the_old_one(server, fetch, tmp_path):
    server.files["a.zip"] = Served(CONTENT, headers={"ETag": '"one"'}, cuts=[9 * CHUNK, 0, 0, 0])
    with pytest.raises(DownloadError):
        fetch(server.url + "a.zip", tmp_path / "a.zip")
    new = os.urandom(100_000)  # shorter than what was there
    server.files["a.zip"] = Served(new, headers={"ETag": '"two"'})
    fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == new


@pytest.mark.parametrize("length", [100_000, 600_000])
def test_a_server_that_overlooks_if_range_does_not_join_two_versions(server, fetch, tmp_path, monkeypatch, length):
    server.files["a.zip"] = Served(CONTENT, headers={"ETag": '"one"'}, cuts=[9 * CHUNK, 0, 0, 0])
    with pytest.raises(DownloadError):
        fetch(server.url + "a.zip", tmp_path / "a.zip")
    new = os.urandom(length)
    served = server.files["a.zip"] = Served(new, headers={"ETag": '"two"'})
    answer = server._answer

    def overlooking(request):
        del request.headers["If-Range"]
        answer(request)

    monkeypatch.setattr(server, "_answer", overlooking)
    fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == served.content


def test_a_kill_between_two_versions_leaves_none_of_the_old_bytes(server, fetch, tmp_path, monkeypatch):
    server.files["a.zip"] = Served(CONTENT, headers={"ETag": '"one"'}, cuts=[9 * CHUNK, 0, 0, 0])
    with pytest.raises(DownloadError):
        fetch(server.url + "a.zip", tmp_path / "a.zip")
    new = os.urandom(600_000)
    server.files["a.zip"] = Served(new, headers={"ETag": '"two"'})
    with monkeypatch.context() as killed:

        def kill(*_):
            raise KeyboardInterrupt

        killed.setattr(PartialFile, "receive", kill)
        with pytest.raises(KeyboardInterrupt):
            fetch(server.url + "a.zip", tmp_path / "a.zip")
    fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == new


def test_a_mirror_goes_on_with_the_same_file_and_restarts_with_another(server, fetch, tmp_path):
    server.files["a.zip"] = Served(CONTENT, headers={"ETag": '"one"'}, cuts=[9 * CHUNK, 0, 0, 0])
    with pytest.raises(DownloadError):
        fetch(server.url + "a.zip", tmp_path / "a.zip")
    (tmp_path / "b.zip.part").write_bytes(CONTENT[: 9 * CHUNK])
    (tmp_path / "b.zip.part.json").write_bytes((tmp_path / "a.zip.part.json").read_bytes())
    server.asked.clear()
    server.files["mirror/a.zip"] = Served(CONTENT)
    fetch(server.url + "mirror/a.zip", tmp_path / "a.zip")
    assert server.asked == [("mirror/a.zip", f"bytes={9 * CHUNK}-", None)]
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    longer = os.urandom(700_000)
    server.files["mirror/b.zip"] = Served(longer)
    fetch(server.url + "mirror/b.zip", tmp_path / "b.zip")
    assert (tmp_path / "b.zip").read_bytes() == longer


def test_a_complete_part_of_a_killed_call_only_needs_its_name(server, fetch, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    server.files["a.zip"] = Served(CONTENT)
    fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert len(server.asked) == 1


def test_a_part_longer_than_the_file_starts_afresh(server, fetch, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT + b"more")
    server.files["a.zip"] = Served(CONTENT)
    fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 403, 410, 401])
def test_a_refusal_is_not_repeated(server, fetch, waits, tmp_path, status):
    server.files["a.zip"] = Served(CONTENT, statuses=[status])
    with pytest.raises(DownloadError, match=rf"/a\.zip: the server answered {status}"):
        fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert (len(server.asked), waits, _names(tmp_path)) == (1, [], [])


def test_a_busy_server_is_given_the_time_it_asks_for(server, fetch, waits, tmp_path):
    served = Served(CONTENT, statuses=[503, 429], headers={"Retry-After": "7"})
    server.files["a.zip"] = served
    fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert waits == [7, 7]
    served.statuses, served.headers = [500], {"Retry-After": "86400"}
    fetch(server.url + "a.zip", tmp_path / "b.zip")
    assert waits[2:] == [60]


def test_a_stalled_server_counts_as_cut(server, waits, tmp_path):
    server.files["a.zip"] = Served(CONTENT, stalls=1)
    ResumingDownloader(timeout=0.3, progress=False, sleep=waits.append)(server.url + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert waits == [1]


def test_a_server_that_always_stalls_is_named(server, tmp_path):
    server.files["a.zip"] = Served(CONTENT, stalls=9)
    fetch = ResumingDownloader(attempts=2, timeout=0.2, progress=False, sleep=lambda _: None)
    with pytest.raises(
        DownloadError, match=r"the server stalled \(attempts without a new byte: 2\); nothing has arrived yet"
    ):
        fetch(server.url + "a.zip", tmp_path / "a.zip")


def test_nobody_at_the_address(fetch, waits, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening: refuses at once
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}/a.zip"
        with pytest.raises(DownloadError, match=r"no connection \(attempts without a new byte: 3\)"):
            fetch(url, tmp_path / "a.zip")
    assert waits == [1, 2]


def test_an_address_that_is_none_is_not_repeated(fetch, waits, tmp_path):
    with pytest.raises(DownloadError, match=r"nothing://a\.zip"):
        fetch("nothing://a.zip", tmp_path / "a.zip")
    assert waits == []


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Content-Range": "bytes 0-599999/600000"}, "asked for the bytes from 1000, got bytes 0-"),
        ({"Content-Range": None}, "asked for the bytes from 1000, got None"),
        ({"Content-Encoding": "gzip"}, r"repacks the file \(gzip\)"),
    ],
)
def test_answers_that_would_misplace_bytes_are_refused(server, fetch, tmp_path, headers, reason):
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:1000])
    server.files["a.zip"] = Served(CONTENT, headers=headers)
    with pytest.raises(DownloadError, match=reason):
        fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip.part").read_bytes() == CONTENT[:1000]


def test_an_announced_length_that_never_comes_is_an_error(server, fetch, tmp_path):
    server.files["a.zip"] = Served(CONTENT, ranges=False, headers={"Content-Length": "700000"})
    with pytest.raises(
        DownloadError, match=r"the connection was cut \(attempts without a new byte: 3\); .* holds 0\.6 of 0\.7 MB"
    ):
        fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_without_a_length_the_end_of_the_connection_is_the_end(server, fetch, tmp_path):
    server.files["a.zip"] = Served(CONTENT, headers={"Content-Length": None})
    fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_the_lengths_are_told_before_the_first_byte(server, tmp_path):
    told = []

    def before(total, have):
        told.append((total, have))
        raise DataError("too little room")

    (tmp_path / "a.zip.part").write_bytes(CONTENT[:1000])
    server.files["a.zip"] = Served(CONTENT)
    with pytest.raises(DataError, match="too little room"):
        ResumingDownloader(progress=False, before=before)(server.url + "a.zip", tmp_path / "a.zip")
    assert told == [(600_000, 1000)]
    assert (tmp_path / "a.zip.part").stat().st_size == 1000


def test_a_full_disk_keeps_the_part_and_says_so(server, fetch, tmp_path, monkeypatch):
    server.files["a.zip"] = Served(CONTENT)
    real_open = Path.open

    class Full:
        """A file on a disk with room for 300,000 bytes."""

        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, data):
            room = 300_000 - self.file.tell()
            self.file.write(data[:room])
            if len(data) > room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def open_limited(self, mode="r", *args, **kwargs):
        file = real_open(self, mode, *args, **kwargs)
        return Full(file) if self.name == "a.zip.part" else file

    with monkeypatch.context() as limited:
        limited.setattr(Path, "open", open_limited)
        with pytest.raises(
            DataError, match=r"No space left on device.*holds 0\.3 of 0\.6 MB\. Free some room and call"
        ):
            fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip.part").read_bytes() == CONTENT[:300_000]
    fetch(server.url + "a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert server.asked[-1][1] == "bytes=300000-"


def test_it_is_a_downloader_for_pooch(server, fetch, tmp_path):
    server.files["a.bin"] = Served(CONTENT, cuts=[250_000])
    (tmp_path / "known").write_bytes(CONTENT)
    known = pooch.file_hash(str(tmp_path / "known"))
    store = pooch.create(path=tmp_path / "store", base_url=server.url, registry={"a.bin": known, "b.bin": known})
    assert store.is_available("a.bin", downloader=fetch)
    assert not store.is_available("b.bin", downloader=fetch)
    assert Path(store.fetch("a.bin", downloader=fetch)).read_bytes() == CONTENT
