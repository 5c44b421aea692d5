"""Unpacking: complete or not at all, and never outside the target."""

from __future__ import annotations

import collections
import errno
import io
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaalnet_core.data.archive import ArchiveError, ArchiveLimits, extract_archive
from jaalnet_core.errors import DataError

FILES = {"set/a.png": b"first" * 50_000, "set/deep/b.png": b"", "set/inner.zip": b"PK not opened"}


def _pack(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        mode = {".tar": "w", ".gz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}[path.suffix]
        with tarfile.open(path, mode) as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(content), 0o4777
                archive.addfile(info, io.BytesIO(content))
    return path


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_every_kind_is_unpacked_whole(tmp_path, suffix):
    archive = _pack(tmp_path / f"pictures.{suffix}", FILES)
    written = extract_archive(archive, tmp_path / "out" / "pictures", progress=False)
    assert _content(tmp_path / "out" / "pictures") == FILES
    assert written == tuple(tmp_path / "out" / "pictures" / name for name in FILES)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["pictures"]


def test_permissions_are_the_users_own_not_the_archives(tmp_path):
    extract_archive(_pack(tmp_path / "a.tar", FILES), tmp_path / "out", progress=False)
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "file").touch()
    for made, fresh in (("out", "fresh"), ("out/set/a.png", "fresh/file")):
        assert stat.S_IMODE((tmp_path / made).stat().st_mode) == stat.S_IMODE((tmp_path / fresh).stat().st_mode)


def test_a_single_folder_of_the_targets_name_becomes_the_target(tmp_path):
    archive = _pack(tmp_path / "set.zip", {**FILES, "__MACOSX/set/._a.png": b"litter"})
    written = extract_archive(archive, tmp_path / "out" / "set", progress=False, single_folder=True)
    assert sorted(_content(tmp_path / "out" / "set")) == ["a.png", "deep/b.png", "inner.zip"]
    assert all(path.is_file() for path in written)
    extract_archive(archive, tmp_path / "other", progress=False, single_folder=True)
    assert sorted(path.name for path in (tmp_path / "other").iterdir()) == ["set"]


def test_one_file_named_like_the_target_is_no_folder(tmp_path):
    extract_archive(_pack(tmp_path / "a.zip", {"set": b"1"}), tmp_path / "set", progress=False, single_folder=True)
    assert _content(tmp_path / "set") == {"set": b"1"}


def test_an_empty_target_is_filled_and_a_full_one_is_left_alone(tmp_path):
    archive = _pack(tmp_path / "a.zip", FILES)
    (tmp_path / "out").mkdir()
    extract_archive(archive, tmp_path / "out", progress=False)
    with pytest.raises(DataError, match="expected a new or empty folder"):
        extract_archive(archive, tmp_path / "out", progress=False)
    with pytest.raises(DataError, match="expected a new or empty folder"):
        extract_archive(archive, archive, progress=False)
    assert _content(tmp_path / "out") == FILES


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize("evil", ["../evil", "/tmp/evil", "set/../../evil", "..\\evil"])
def test_a_traversal_writes_nothing_at_all(tmp_path, suffix, evil):
    archive = _pack(tmp_path / f"a.{suffix}", {"set/good.png": b"1", evil: b"2"})
    with pytest.raises(ArchiveError, match="refused, nothing was unpacked"):
        extract_archive(archive, tmp_path / "out" / "set", progress=False)
    assert [path.name for path in tmp_path.rglob("*")] == [archive.name]


def test_a_file_below_a_symlink_cannot_escape(tmp_path):
    (tmp_path / "outside").mkdir()
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "outside")
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("link/evil"))
    with pytest.raises(ArchiveError, match="'link': a link"):
        extract_archive(tmp_path / "a.tar", tmp_path / "out", progress=False)
    assert not any((tmp_path / "outside").iterdir())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_truncated_archives_leave_nothing(tmp_path, suffix):
    files = {f"set/{index}.png": os.urandom(20_000) for index in range(3)}
    whole = _pack(tmp_path / f"whole.{suffix}", files).read_bytes()
    archive = tmp_path / f"a.{suffix}"
    for keep in (0.3, 0.6, 0.8):
        archive.write_bytes(whole[: int(len(whole) * keep)])
        with pytest.raises(ArchiveError, match="not a complete zip or tar archive"):
            extract_archive(archive, tmp_path / "out", progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == [archive.name, f"whole.{suffix}"]


def test_one_flipped_byte_is_found_by_the_crc(tmp_path):
    archive = _pack(tmp_path / "a.zip", {"a.png": os.urandom(50_000)})
    raw = bytearray(archive.read_bytes())
    raw[25_000] ^= 1
    archive.write_bytes(raw)
    with pytest.raises(ArchiveError, match=r"a\.zip: not a complete zip"):
        extract_archive(archive, tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_a_member_larger_than_announced_is_not_written_out(tmp_path):
    archive = _pack(tmp_path / "a.zip", {"a.bin": bytes(3_000_000)})
    raw = bytearray(archive.read_bytes())
    central = raw.index(b"PK\x01\x02")
    raw[central + 24 : central + 28] = (100).to_bytes(4, "little")  # the unpacked size it claims
    archive.write_bytes(raw)
    with pytest.raises(ArchiveError):
        extract_archive(archive, tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_a_member_smaller_than_announced_is_an_error(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_STORED) as opened:
        opened.writestr("a.bin", b"12345")
    raw = bytearray((tmp_path / "a.zip").read_bytes())
    central = raw.index(b"PK\x01\x02")
    raw[central + 24 : central + 28] = (9).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(raw)
    with pytest.raises(ArchiveError, match=r"'a\.bin': 5 bytes found, 9 announced"):
        extract_archive(tmp_path / "a.zip", tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_limits_reach_the_extraction(tmp_path):
    archive = _pack(tmp_path / "a.zip", FILES)
    with pytest.raises(ArchiveError, match="more than 1 files"):
        extract_archive(archive, tmp_path / "out", progress=False, limits=ArchiveLimits(max_files=1))


def test_too_little_room_is_said_before_anything_is_written(tmp_path, monkeypatch):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 1_000_000))
    with pytest.raises(DataError, match=r"has 1 MB free; free some room"):
        extract_archive(_pack(tmp_path / "a.zip", FILES), tmp_path / "new" / "out", progress=False)
    assert not (tmp_path / "new").exists()


def test_a_disk_that_fills_up_leaves_nothing(tmp_path, monkeypatch):
    real_open = Path.open

    def full(self, mode="r", *arguments):
        if mode == "xb":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_open(self, mode, *arguments)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DataError, match=r"No space left on device.*nothing of it was kept"):
        extract_archive(_pack(tmp_path / "a.zip", FILES), tmp_path / "out" / "set", progress=False)
    assert not any((tmp_path / "out").iterdir())


@settings(max_examples=60, deadline=None)
@given(suffix=st.sampled_from(["zip", "tar", "tar.gz"]), data=st.data())
def test_random_damage_is_an_error_or_harmless(suffix, data):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = _pack(folder / f"a.{suffix}", {"set/a.png": b"12345" * 20, "set/b.png": b"67"})
        raw = bytearray(archive.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        archive.write_bytes(raw)
        try:
            extract_archive(archive, folder / "out" / "set", progress=False)
        except DataError:
            assert not any((folder / "out").glob("*"))
        assert {path.name for path in folder.iterdir()} <= {archive.name, "out"}
