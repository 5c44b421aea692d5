"""Checksums recorded at the first download, and compared ever after."""

from __future__ import annotations

import hashlib
import json

import pytest

from jaalnet_core.data.checksums import Checksum, ChecksumError, ChecksumFile
from jaalnet_core.errors import DataError

SHA256 = hashlib.sha256(b"archive").hexdigest()
CHECKSUM = Checksum(SHA256, 7, "http://host/a.zip", "2026-11-23", 900, 12345)


def test_entries_outlive_the_call_and_stay_readable(tmp_path):
    checksums = ChecksumFile(tmp_path / "checksums.json")
    assert checksums.get("a.zip") is None
    checksums.set("a.zip", CHECKSUM)
    assert ChecksumFile(tmp_path / "checksums.json").get("a.zip") == CHECKSUM
    assert json.loads((tmp_path / "checksums.json").read_text())["a.zip"]["sha256"] == SHA256
    assert [path.name for path in tmp_path.iterdir()] == ["checksums.json"]


def test_the_same_bytes_pass_and_an_unknown_name_is_only_hashed(tmp_path):
    checksums = ChecksumFile(tmp_path / "checksums.json")
    checksums.set("a.zip", CHECKSUM)
    (tmp_path / "a.zip.part").write_bytes(b"archive")
    assert checksums.check(tmp_path / "a.zip.part", "a.zip", mend="") == SHA256
    (tmp_path / "b.zip").write_bytes(b"")
    assert checksums.check(tmp_path / "b.zip", "b.zip", mend="") == hashlib.sha256().hexdigest()


def test_a_difference_names_both_hashes_where_from_and_the_mend(tmp_path):
    checksums = ChecksumFile(tmp_path / "checksums.json")
    checksums.set("a.zip", CHECKSUM)
    (tmp_path / "a.zip").write_bytes(b"archivE")
    with pytest.raises(ChecksumError) as caught:
        checksums.check(tmp_path / "a.zip", "a.zip", mend="Do this.")
    for part in (SHA256, hashlib.sha256(b"archivE").hexdigest(), "http://host/a.zip", "2026-11-23", "Do this."):
        assert part in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a.zip": 1}', '{"a.zip": {"sha256": "x"}}'])
def test_a_damaged_file_is_named_with_its_mend(tmp_path, text):
    (tmp_path / "checksums.json").write_text(text)
    with pytest.raises(DataError, match=r"checksums\.json: not a list of checksums .*delete it"):
        ChecksumFile(tmp_path / "checksums.json")


def test_a_wrong_typed_field_is_named(tmp_path):
    entry = {"sha256": "0", "size": "large", "url": "u", "date": "d", "files": 1, "unpacked_size": 1}
    (tmp_path / "checksums.json").write_text(json.dumps({"a.zip": entry}), encoding="utf-8")
    with pytest.raises(DataError, match=r"checksums\.json: .*size is 'large', expected int"):
        ChecksumFile(tmp_path / "checksums.json")


def test_brackets_without_end_are_no_traceback(tmp_path):
    (tmp_path / "checksums.json").write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(DataError, match=r"checksums\.json: not a list of checksums"):
        ChecksumFile(tmp_path / "checksums.json")
