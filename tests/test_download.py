"""ISBI2016 downloaded end to end from a server on this machine: the happy path and everything that goes wrong."""

from __future__ import annotations

import collections
import hashlib
import io
import json
import shutil
import stat
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from archive_server import ArchiveServer, Served
from filelock import FileLock
from PIL import Image

from jaalnet_core.cli import main
from jaalnet_core.data import download as download_module
from jaalnet_core.data.archive import ArchiveLimits
from jaalnet_core.data.download import DownloadSettings, download
from jaalnet_core.data.layout import find_layout
from jaalnet_core.data.official_archives import ARCHIVES, HOSTS
from jaalnet_core.data.resuming_downloader import CHUNK, ResumingDownloader
from jaalnet_core.errors import DataError, SettingsError

TRAIN, TRAIN_MASKS, TEST, TEST_MASKS = (archive.folder for archive in ARCHIVES)
ZIP = f"{TRAIN}.zip"


def _picture(seed: int, *, mask: bool = False) -> bytes:
    values = np.random.default_rng(seed).integers(0, 256, (96, 120, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray((values[..., 0] > 127).astype(np.uint8) * 255 if mask else values).save(
        out, "PNG" if mask else "JPEG", quality=95
    )
    return out.getvalue()


def _zip(files: dict[str, bytes], link: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, (stat.S_IFLNK if name == link else stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _official(first_id: int, ids: int, folder: str, seed: int = 0) -> dict[str, bytes]:
    ending = "_Segmentation.png" if folder.endswith("GroundTruth") else ".jpg"
    mask = ending.endswith("png")
    return {
        f"{folder}/ISIC_{number:07d}{ending}": _picture(number + seed, mask=mask)
        for number in range(first_id, first_id + ids)
    }


ARCHIVE_BYTES = {
    f"{folder}.zip": _zip(_official(first, count, folder))
    for folder, first, count in ((TRAIN, 1183, 4), (TRAIN_MASKS, 1183, 4), (TEST, 3, 2), (TEST_MASKS, 3, 2))
}


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download_module, "ResumingDownloader", partial(ResumingDownloader, sleep=lambda _: None))
    with ArchiveServer() as server:
        server.files = {name: Served(content) for name, content in ARCHIVE_BYTES.items()}
        yield server


@pytest.fixture
def fetch(server, tmp_path):
    def call(**settings):
        settings = {"out": tmp_path / "data", "url_base": server.url, "attempts": 2, "timeout": 5, **settings}
        return download(DownloadSettings(**settings), progress=False)

    return call


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def _store(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "archives").iterdir() if path.name != ".lock")


def _actions(fetched) -> list[str]:
    return [part.action for part in fetched]


def test_four_archives_become_a_data_folder(fetch, data):
    fetched = fetch()
    assert [(part.folder.name, part.action, part.files) for part in fetched] == [
        (TRAIN, "downloaded", 4),
        (TRAIN_MASKS, "downloaded", 4),
        (TEST, "downloaded", 2),
        (TEST_MASKS, "downloaded", 2),
    ]
    assert fetched[0].remark == "the official archive holds 900"
    layout = find_layout(data)
    assert layout.kind == "official"
    assert [sample.id for sample in layout.train] == ["ISIC_0001183", "ISIC_0001185", "ISIC_0001186"]
    assert layout.dropped == ("ISIC_0001184",)
    assert all(sample.mask for sample in layout.train + layout.test)
    assert _store(data) == sorted([*ARCHIVE_BYTES, "checksums.json"])
    entry = json.loads((data / "archives" / "checksums.json").read_text())[ZIP]
    assert entry["sha256"] == hashlib.sha256(ARCHIVE_BYTES[ZIP]).hexdigest()
    assert (entry["size"], entry["files"]) == (len(ARCHIVE_BYTES[ZIP]), 4)
    assert sorted(path.name for path in data.iterdir()) == sorted(["archives", *(a.folder for a in ARCHIVES)])


def test_a_second_call_causes_no_traffic(fetch, server):
    fetch()
    server.asked.clear()
    for settings in ({}, {"verify": True}, {"keep_archives": False}, {"verify": True}):
        assert _actions(fetch(**settings)) == ["reused"] * 4
    assert server.asked == []


def test_archives_are_kept_or_not_and_restore_a_lost_folder(fetch, server, data):
    fetch()
    shutil.rmtree(data / TRAIN)
    server.asked.clear()
    assert _actions(fetch()) == ["unpacked", "reused", "reused", "reused"]
    assert server.asked == []
    fetch(keep_archives=False)
    assert _store(data) == ["checksums.json"]
    shutil.rmtree(data / TRAIN)
    assert _actions(fetch(keep_archives=False)) == ["downloaded", "reused", "reused", "reused"]
    assert _store(data) == ["checksums.json"]


def test_archives_put_there_by_hand_are_used(fetch, server, data):
    (data / "archives").mkdir(parents=True)
    for name, content in ARCHIVE_BYTES.items():
        (data / "archives" / name).write_bytes(content)
    assert _actions(fetch()) == ["unpacked"] * 4
    assert server.asked == []


def test_folders_unpacked_by_hand_are_used(fetch, server, data):
    for content in ARCHIVE_BYTES.values():
        zipfile.ZipFile(io.BytesIO(content)).extractall(data)
    assert _actions(fetch()) == ["reused"] * 4
    assert "nothing to compare" in fetch(verify=True)[0].remark
    assert server.asked == []


def test_a_cut_download_is_taken_up_by_the_next_call(fetch, server, data):
    half = len(ARCHIVE_BYTES[ZIP]) // 2
    assert half > CHUNK
    server.files[ZIP].cuts = [half, 0, 0]
    with pytest.raises(DataError, match=rf"{ZIP}: not downloaded; call again later.*\.part holds"):
        fetch()
    assert _store(data) == [f"{ZIP}.part", f"{ZIP}.part.json"]
    assert not (data / TRAIN).exists()
    kept = (data / "archives" / f"{ZIP}.part").stat().st_size
    assert kept >= half - CHUNK
    assert ARCHIVE_BYTES[ZIP].startswith((data / "archives" / f"{ZIP}.part").read_bytes())
    server.asked.clear()
    assert _actions(fetch()) == ["downloaded"] * 4
    assert server.asked[0][1] == f"bytes={kept}-"
    assert find_layout(data).test


def test_a_server_without_ranges_and_with_cuts(fetch, server, data):
    for served in server.files.values():
        served.ranges, served.cuts = False, [len(served.content) // 2]
    assert _actions(fetch()) == ["downloaded"] * 4
    assert (data / "archives" / ZIP).read_bytes() == ARCHIVE_BYTES[ZIP]


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.99])
def test_an_archive_truncated_on_the_server_never_gets_its_name(fetch, server, data, keep):
    server.files[ZIP].content = ARCHIVE_BYTES[ZIP][: int(keep * len(ARCHIVE_BYTES[ZIP]))]
    with pytest.raises(DataError, match=rf"{server.url}{ZIP}: .*not a complete zip or tar archive"):
        fetch()
    assert _store(data) == [f"{ZIP}.rejected"]
    server.files[ZIP].content = ARCHIVE_BYTES[ZIP]
    assert _actions(fetch()) == ["downloaded"] * 4


def test_damage_inside_the_archive_is_found_and_not_recorded(fetch, server, data):
    content = bytearray(ARCHIVE_BYTES[ZIP])
    content[200] ^= 0xFF  # inside the first picture: the directory at the end is sound
    server.files[ZIP].content = bytes(content)
    with pytest.raises(DataError, match="not a complete zip"):
        fetch()
    assert _store(data) == [f"{ZIP}.rejected"]
    assert not (data / TRAIN).exists()
    server.files[ZIP].content = ARCHIVE_BYTES[ZIP]
    assert _actions(fetch()) == ["downloaded"] * 4


@pytest.mark.parametrize(
    ("files", "link", "reason"),
    [
        ({"../evil.png": b"1"}, "", r"'\.\.' would leave"),
        ({"/tmp/evil.png": b"1"}, "", "absolute path"),
        ({"C:\\evil.png": b"1"}, "", "drive letter"),
        ({f"{TRAIN}/link": b"/etc/passwd"}, f"{TRAIN}/link", "a link or a device"),
        ({f"{TRAIN}/a.jpg": b"1", f"{TRAIN}/A.JPG": b"2"}, "", "differ only by case"),
    ],
)
def test_hostile_archives_write_nothing(fetch, server, data, tmp_path, files, link, reason):
    server.files[ZIP].content = _zip({f"{TRAIN}/ISIC_0000000.jpg": b"1", **files}, link)
    with pytest.raises(DataError, match=rf"refused, nothing was unpacked: .*{reason}"):
        fetch()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert [path.name for path in data.iterdir()] == ["archives"]
    assert _store(data) == [f"{ZIP}.rejected"]


def test_a_bomb_is_refused_by_the_settings_limits(fetch, server, data):
    server.files[ZIP].content = _zip({f"{TRAIN}/a.bmp": bytes(3_000_000)})
    with pytest.raises(DataError, match="-fold when unpacked"):
        fetch(limits=ArchiveLimits(ratio_from_mb=1))
    assert not (data / TRAIN).exists()


def test_another_archive_than_recorded_names_both_hashes(fetch, server, data):
    fetch(keep_archives=False)
    shutil.rmtree(data / TRAIN)
    new = _zip(_official(1183, 4, TRAIN, seed=99))
    server.files[ZIP].content = new
    with pytest.raises(DataError) as caught:
        fetch()
    for content in (new, ARCHIVE_BYTES[ZIP]):
        assert hashlib.sha256(content).hexdigest() in str(caught.value)
    assert f"remove '{ZIP}' from {data / 'archives' / 'checksums.json'}" in str(caught.value)
    assert _store(data) == [f"{ZIP}.rejected", "checksums.json"]
    assert not (data / TRAIN).exists()


def test_a_kept_archive_that_changed_is_not_unpacked(fetch, data):
    fetch()
    shutil.rmtree(data / TRAIN)
    (data / "archives" / ZIP).write_bytes(_zip(_official(1183, 4, TRAIN, seed=99)))
    with pytest.raises(DataError, match=r"SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64} .*Delete it and call again"):
        fetch()
    assert not (data / TRAIN).exists()


def test_a_damaged_archive_put_there_by_hand_says_how_to_go_on(fetch, data):
    (data / "archives").mkdir(parents=True)
    (data / "archives" / ZIP).write_bytes(ARCHIVE_BYTES[ZIP][:2000])
    with pytest.raises(DataError, match=r"not a complete zip.*Delete it and call again"):
        fetch()


def test_verify_finds_what_changed(fetch, server, data):
    fetch()
    picture = data / TRAIN / "ISIC_0001183.jpg"
    content = bytearray(picture.read_bytes())
    content[len(content) // 2] ^= 1
    picture.write_bytes(content)
    (data / TRAIN / "ISIC_0001185.jpg").unlink()
    with pytest.raises(
        DataError, match=r"2 of 4 files are not as in .*ISIC_0001183\.jpg differs, ISIC_0001185\.jpg is"
    ):
        fetch(verify=True)
    remark = fetch()[0].remark  # without --verify it is reused, and the missing file is seen
    assert "holds other files than the 4" in remark
    (data / "archives" / ZIP).unlink()
    with pytest.raises(DataError, match="delete the folder and call again to restore it"):
        fetch(verify=True)
    server.asked.clear()
    shutil.rmtree(data / TRAIN)
    fetch()
    assert [asked[0] for asked in server.asked] == [ZIP]


def test_verify_finds_a_changed_archive(fetch, data):
    fetch()
    with (data / "archives" / ZIP).open("r+b") as file:
        file.write(b"XX")
    with pytest.raises(DataError, match="SHA-256"):
        fetch(verify=True)


def test_the_second_host_stands_in(server, fetch, monkeypatch, data):
    monkeypatch.setattr(download_module, "HOSTS", (server.url + "gone/", server.url))
    assert _actions(fetch(url_base=None)) == ["downloaded"] * 4
    assert [asked[0] for asked in server.asked[:2]] == [f"gone/{ZIP}", ZIP]


def test_the_second_host_stands_in_for_a_damaged_archive_too(server, fetch, monkeypatch, data):
    monkeypatch.setattr(download_module, "HOSTS", (server.url + "bad", server.url))
    damaged = bytearray(ARCHIVE_BYTES[ZIP])
    damaged[200] ^= 0xFF
    server.files[f"bad/{ZIP}"] = Served(bytes(damaged))
    assert _actions(fetch(url_base=None)) == ["downloaded"] * 4
    assert (data / "archives" / ZIP).read_bytes() == ARCHIVE_BYTES[ZIP]


def test_every_host_that_failed_is_named_with_its_reason(server, fetch, monkeypatch, data):
    monkeypatch.setattr(download_module, "HOSTS", (server.url + "one/", server.url + "two/"))
    with pytest.raises(DataError, match=rf"{ZIP}: not downloaded; .*one/{ZIP}: .* 404 .*two/{ZIP}: .* 404"):
        fetch(url_base=None)
    assert _store(data) == []


def test_the_official_names_and_hosts():
    assert [base.split("/")[2] for base in HOSTS] == [
        "isic-challenge-data.s3.amazonaws.com",
        "isic-archive.s3.amazonaws.com",
    ]
    assert all(base.endswith("/2016/") for base in HOSTS)
    assert [archive.files for archive in ARCHIVES] == [900, 900, 379, 379]
    assert sum(archive.rough_mb for archive in ARCHIVES) == 840


def _disk(monkeypatch, free_mb: float) -> None:
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, int(free_mb * 1e6)))


def test_room_for_archives_and_pictures_is_needed_before_the_first_byte(fetch, server, monkeypatch, data):
    _disk(monkeypatch, 1700)
    with pytest.raises(DataError, match=r"takes 1680 MB, 1700 MB are free .* --out"):
        fetch()
    assert server.asked == []
    _disk(monkeypatch, 1740)
    fetch()
    _disk(monkeypatch, 0)
    fetch()  # everything is there: no room needed
    shutil.rmtree(data / TEST)
    (data / "archives" / f"{TEST}.zip").unlink()
    _disk(monkeypatch, 51)  # the recorded sizes count now, not the rough ones
    fetch()


def test_the_servers_own_length_is_checked_too(fetch, server, monkeypatch, data):
    server.files[ZIP].headers = {"Content-Length": str(3_000_000_000)}
    _disk(monkeypatch, 2000)
    with pytest.raises(DataError, match=rf"{ZIP}, packed and unpacked, takes 6000 MB"):
        fetch()
    assert not (data / "archives" / ZIP).exists()


def test_other_pictures_in_the_folder_are_left_alone(fetch, server, data):
    (data / "train").mkdir(parents=True)
    (data / "train" / "a.jpg").write_bytes(_picture(1))
    with pytest.raises(DataError, match=r"holds other pictures already .*--out"):
        fetch()
    assert server.asked == []
    assert [path.name for path in data.iterdir()] == ["train"]


def test_two_downloads_into_one_folder_do_not_mix(fetch, data):
    (data / "archives").mkdir(parents=True)
    with FileLock(data / "archives" / ".lock"), pytest.raises(DataError, match="another download is writing there"):
        fetch()


def test_leftovers_of_a_killed_call_are_swept(fetch, data):
    (data / f".{TRAIN}.abc.unpacking" / "content").mkdir(parents=True)
    fetch()
    assert not list(data.glob(".*"))


def test_a_file_in_the_way_is_named(fetch, data):
    data.write_bytes(b"")
    with pytest.raises(DataError, match=r"data.*choose another folder with --out"):
        fetch()


@pytest.mark.parametrize(
    "settings", [{"url_base": "file:///x"}, {"url_base": "host/x"}, {"attempts": 0}, {"timeout": 0}]
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(SettingsError, match="expected"):
        DownloadSettings(**settings)


def test_the_command_downloads_and_counts(server, data, capsys):
    arguments = ["data", "download", "--out", str(data), "--url-base", server.url, "--no-keep-archives"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert f"{data}: 3 pictures for training, 2 for testing." in out
    assert "left out of training, the test set holds the same pictures: ISIC_0001184." in out
    assert main(arguments) == 0
    assert capsys.readouterr().out.count("reused") == 4


def test_the_command_says_in_one_line_what_failed(server, data, capsys):
    server.files.clear()
    assert main(["data", "download", "--out", str(data), "--url-base", server.url]) == 1
    assert f"jaalnet data download: {ZIP}: not downloaded" in capsys.readouterr().err


def test_an_interrupted_command_says_how_to_go_on(monkeypatch, data, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("jaalnet_core.cli.data_download.download", interrupt)
    assert main(["data", "download", "--out", str(data)]) == 130
    assert "call again to go on" in capsys.readouterr().out
