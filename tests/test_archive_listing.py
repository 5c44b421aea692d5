"""Archives judged before they are unpacked: kinds of members, sizes, ratios, damage."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from pathlib import PurePosixPath

import pytest

from jaalnet_core.data.archive_listing import ArchiveLimits, inspect_archive, is_archive, open_archive
from jaalnet_core.data.member_names import ArchiveError


def _zip(path, entries, compression=zipfile.ZIP_STORED):
    """Entries are (name or ZipInfo, bytes)."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def _tar(path, infos, mode="w"):
    """Infos are (TarInfo, bytes); the size of the content is filled in unless set."""
    with tarfile.open(path, mode) as archive:
        for info, content in infos:
            info.size = info.size or len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def _tar_info(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def _zip_info(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def test_files_are_listed_in_order_with_size_and_crc(tmp_path):
    archive = _zip(tmp_path / "a.zip", [("set/", b""), ("set/b.png", b"123"), ("set/a.png", b"")])
    members = inspect_archive(archive)
    assert [member.path for member in members] == [PurePosixPath("set/b.png"), PurePosixPath("set/a.png")]
    assert [(member.size, member.crc) for member in members] == [(3, 0x884863D2), (0, 0)]


def test_litter_of_other_systems_is_left_out(tmp_path):
    names = ["__MACOSX/set/._a.png", "set/.DS_Store", "set/Thumbs.db", "set/a.png"]
    archive = _zip(tmp_path / "a.zip", [(name, b"1") for name in names])
    assert [str(member.path) for member in inspect_archive(archive)] == ["set/a.png"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tars_of_every_packing_are_listed(tmp_path, mode):
    archive = _tar(
        tmp_path / "a.tar", [(_tar_info("./set", tarfile.DIRTYPE), b""), (_tar_info("./set/a"), b"xyz")], mode
    )
    assert is_archive(archive)
    assert [(str(member.path), member.size) for member in inspect_archive(archive)] == [("set/a", 3)]


@pytest.mark.parametrize("content", [b"", b"not an archive" * 100, b"PK\x03\x04 torn", b"\x1f\x8b torn", b"BZh torn"])
def test_other_files_are_not_archives(tmp_path, content):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    assert not is_archive(path)
    with pytest.raises(ArchiveError, match=r"a\.zip: not a complete zip or tar"):
        inspect_archive(path)


def test_a_missing_file_is_named(tmp_path):
    assert not is_archive(tmp_path / "a.zip")
    with pytest.raises(ArchiveError, match=r"a\.zip: no such file"):
        inspect_archive(tmp_path / "a.zip")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_zip_links_and_devices_are_refused(tmp_path, kind):
    archive = _zip(tmp_path / "a.zip", [(_zip_info("evil", kind | 0o777), b"/etc/passwd")])
    with pytest.raises(ArchiveError, match=r"a\.zip: refused.*'evil': a link or a device"):
        inspect_archive(archive)


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.GNUTYPE_SPARSE,
    ],
)
def test_tar_links_devices_and_sparse_files_are_refused(tmp_path, kind):
    archive = _tar(tmp_path / "a.tar", [(_tar_info("good"), b"1"), (_tar_info("evil", kind, "good"), b"")])
    with pytest.raises(ArchiveError, match=r"'evil': a link, a device or sparse"):
        inspect_archive(archive)


@pytest.mark.parametrize("name", ["../evil", "/evil", "C:/evil", "a\\..\\..\\evil"])
def test_both_kinds_refuse_names_that_leave_the_target(tmp_path, name):
    for archive in (
        _zip(tmp_path / "a.zip", [(name, b"1")]),
        _tar(tmp_path / "a.tar", [(_tar_info(name), b"1")]),
    ):
        with pytest.raises(ArchiveError, match="refused, nothing was unpacked"):
            inspect_archive(archive)


def test_a_name_cut_by_a_nul_is_refused(tmp_path):
    archive = _zip(tmp_path / "a.zip", [("good.png~.exe", b"1")])
    archive.write_bytes(archive.read_bytes().replace(b"~", b"\x00"))
    with pytest.raises(ArchiveError, match="control characters"):
        inspect_archive(archive)


def test_duplicates_and_case_collisions_are_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        archive = _zip(tmp_path / "a.zip", [("a.png", b"1"), ("a.png", b"2")])
    with pytest.raises(ArchiveError, match="appears twice"):
        inspect_archive(archive)
    archive = _tar(tmp_path / "a.tar", [(_tar_info("a.png"), b"1"), (_tar_info("A.png"), b"2")])
    with pytest.raises(ArchiveError, match="differ only by case"):
        inspect_archive(archive)


def test_encrypted_members_are_refused(tmp_path):
    archive = _zip(tmp_path / "a.zip", [("a.png", b"1")])
    raw = bytearray(archive.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 0x1  # general purpose flags of the central directory
    archive.write_bytes(raw)
    with pytest.raises(ArchiveError, match=r"'a\.png': encrypted"):
        inspect_archive(archive)


@pytest.mark.parametrize(("packing", "number"), [(zipfile.ZIP_BZIP2, 12), (zipfile.ZIP_LZMA, 14)])
def test_zip_packings_that_are_unpacked_without_a_bound_are_refused(tmp_path, packing, number):
    """A kilobyte of bzip2 that announces 1,000 bytes would become gigabytes in memory before it is found out."""
    archive = _zip(tmp_path / "a.zip", [("a.png", b"1")], packing)
    with pytest.raises(ArchiveError, match=f"packed by method {number}; use plain 'deflate'"):
        inspect_archive(archive)


def test_an_archive_without_files_is_refused(tmp_path):
    with pytest.raises(ArchiveError, match="holds no files"):
        inspect_archive(_zip(tmp_path / "a.zip", [("folder/", b"")]))
    with pytest.raises(ArchiveError, match="holds no files"):
        inspect_archive(_tar(tmp_path / "a.tar", []))


def test_each_limit_holds_and_what_lies_at_it_passes(tmp_path):
    archive = _zip(tmp_path / "a.zip", [("a", b"1" * 3_000), ("b", b"2" * 2_000)])
    inspect_archive(archive, limits=ArchiveLimits(max_files=2, max_file_mb=0.003, max_total_mb=0.005))
    for limits, reason in (
        (ArchiveLimits(max_files=1), "more than 1 files"),
        (ArchiveLimits(max_file_mb=0.0029), "'a': 0 MB, at most 0.0029 allowed"),
        (ArchiveLimits(max_total_mb=0.0049), "more than 0.0049 MB unpacked"),
    ):
        with pytest.raises(ArchiveError, match=reason):
            inspect_archive(archive, limits=limits)


def test_the_real_set_is_far_inside_the_default_limits():
    limits = ArchiveLimits()
    assert limits.max_files > 10 * 900
    assert limits.max_total_mb > 10 * 840


def test_bombs_are_refused_and_small_well_packed_masks_are_not(tmp_path):
    zeros = bytes(2_000_000)
    limits = ArchiveLimits(ratio_from_mb=1)
    for archive in (
        _zip(tmp_path / "a.zip", [("a", zeros)], zipfile.ZIP_DEFLATED),
        _tar(tmp_path / "a.tgz", [(_tar_info("a"), zeros)], "w:gz"),
    ):
        assert len(inspect_archive(archive)) == 1  # 2 MB lie below the default threshold of 50 MB
        with pytest.raises(ArchiveError, match=r"grows \d+-fold"):
            inspect_archive(archive, limits=limits)


def test_many_small_members_make_a_bomb_too(tmp_path):
    entries = [(f"{index}", bytes(200_000)) for index in range(20)]
    archive = _zip(tmp_path / "a.zip", entries, zipfile.ZIP_DEFLATED)
    with pytest.raises(ArchiveError, match=r"the archive grows \d+-fold"):
        inspect_archive(archive, limits=ArchiveLimits(ratio_from_mb=1))


def test_a_tar_header_cannot_ask_for_gigabytes_of_memory(tmp_path):
    # An extended header is read whole by tarfile, with the length it claims.
    info = _tar_info("x", tarfile.XHDTYPE)
    info.size = 8 << 30
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
    with pytest.raises(ArchiveError, match="a header that claims 8589934592 bytes"):
        inspect_archive(path)


def test_a_tar_cut_between_two_members_is_noticed(tmp_path):
    archive = _tar(tmp_path / "a.tar", [(_tar_info("a"), b"1"), (_tar_info("b"), b"2")])
    whole = archive.read_bytes()
    archive.write_bytes(whole[: 4 * 512] + bytes(512))  # without the second block of zeros: complete
    assert len(inspect_archive(archive)) == 2
    for damaged in (whole[:1024], whole[:1024] + b"\x01" + whole[1025:]):
        archive.write_bytes(damaged)
        with pytest.raises(ArchiveError, match="cut off or damaged after 1024 bytes"):
            inspect_archive(archive)


def test_a_negative_size_does_not_loop(tmp_path):
    # Base-256 sizes may be negative: tarfile would step back and read the same header for ever.
    raw = bytearray(_tar_info("a").tobuf(tarfile.GNU_FORMAT))
    raw[124:136] = b"\xff" * 10 + b"\xfc\x00"
    raw[148:156] = b"%06o\0 " % (sum(raw[:148]) + 8 * 32 + sum(raw[156:512]))
    path = tmp_path / "a.tar"
    path.write_bytes(bytes(raw) + bytes(1024))
    with pytest.raises(ArchiveError, match="a negative size"):
        inspect_archive(path)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_extended_headers_without_end_are_damage_and_no_traceback(tmp_path, kind):
    # tarfile reads what follows an extended header by calling itself
    content = b"12 path=abc\n" if kind == tarfile.XHDTYPE else b"abc\0"
    info = _tar_info("long", kind)
    info.size = len(content)
    path = tmp_path / "a.tar"
    path.write_bytes((info.tobuf(tarfile.GNU_FORMAT) + content.ljust(512, b"\0")) * 3000 + bytes(1024))
    assert not is_archive(path)
    with pytest.raises(ArchiveError, match=r"a\.tar: not a complete zip or tar archive"):
        inspect_archive(path)


def test_a_directory_of_a_million_entries_is_not_read(tmp_path):
    entry = (
        struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0) + b"one_name"
    )
    directory = entry * 1_000_000
    path = tmp_path / "a.zip"
    path.write_bytes(directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0))
    with pytest.raises(ArchiveError, match="a directory of 54000000 bytes, at most 16000000 are read"):
        inspect_archive(path)


def test_a_place_that_no_file_has_is_damage(tmp_path):
    archive = _zip(tmp_path / "a.zip", [("a.png", b"1")])
    raw = bytearray(archive.read_bytes())
    central = raw.index(b"PK\x01\x02")
    extra = struct.pack("<2HQ", 1, 8, (1 << 63) - 1)  # zip64: where the member begins
    raw[central + 42 : central + 46] = b"\xff" * 4
    raw[central + 30 : central + 32] = len(extra).to_bytes(2, "little")
    raw[central + 46 + 5 : central + 46 + 5] = extra
    end = raw.index(b"PK\x05\x06")
    raw[end + 12 : end + 16] = (end - central).to_bytes(4, "little")
    archive.write_bytes(raw)
    with pytest.raises(ArchiveError, match=r"a\.zip: not a complete zip"), open_archive(archive) as opened:
        opened.read("a.png")


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_wrong_checksum_behind_a_packed_tar_is_noticed(tmp_path, mode):
    archive = _tar(tmp_path / "a.tar", [(_tar_info("a"), bytes(range(256)) * 9)], mode)
    raw = bytearray(archive.read_bytes())
    # the stream's own checksum: of gzip before the length, of bzip2 in its last bytes, of xz before index and footer
    raw[{"w:gz": -6, "w:bz2": -3, "w:xz": -30}[mode]] ^= 0x10
    archive.write_bytes(raw)
    with pytest.raises(ArchiveError, match=r"a\.tar: not a complete zip or tar"):
        inspect_archive(archive)


def test_what_follows_a_tars_last_file_is_bounded(tmp_path):
    archive = _tar(tmp_path / "a.tar", [(_tar_info("a"), b"1")])
    whole = archive.read_bytes()
    archive.write_bytes(whole + bytes(1 << 20))
    assert len(inspect_archive(archive)) == 1
    archive.write_bytes(whole + bytes(5 << 20))
    with pytest.raises(ArchiveError, match="more than 4194304 bytes behind the last file"):
        inspect_archive(archive)
