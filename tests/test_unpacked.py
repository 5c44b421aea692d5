"""A folder compared with the archive it came from."""

from __future__ import annotations

import zipfile

import pytest

from jaalnet_core.data.archive import ArchiveLimits, extract_archive
from jaalnet_core.data.unpacked import check_unpacked, folder_content
from jaalnet_core.errors import DataError


@pytest.fixture(params=["set/", ""], ids=["one folder inside", "files at the top"])
def folder_and_archive(request, tmp_path):
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for index in range(5):
            opened.writestr(f"{request.param}{index}.png", b"%d" % index * 10)
    extract_archive(archive, tmp_path / "set", progress=False, single_folder=True)
    return tmp_path / "set", archive


def test_content_is_counted_below_a_folder_that_need_not_exist(folder_and_archive, tmp_path):
    assert folder_content(folder_and_archive[0]) == (5, 50)
    assert folder_content(tmp_path / "missing") == (0, 0)


def test_an_untouched_folder_passes_and_further_files_may_lie_beside(folder_and_archive):
    folder, archive = folder_and_archive
    check_unpacked(folder, archive, ArchiveLimits(), progress=False)
    (folder / "notes.txt").write_text("mine")
    check_unpacked(folder, archive, ArchiveLimits(), progress=False)


def test_every_kind_of_difference_is_counted_and_the_first_named(folder_and_archive):
    folder, archive = folder_and_archive
    (folder / "0.png").unlink()
    (folder / "1.png").write_bytes(b"1" * 9)
    (folder / "2.png").write_bytes(b"X" * 10)
    with pytest.raises(DataError, match=r"3 of 5 .*\(0\.png is missing, 1\.png differs, 2\.png differs\); delete"):
        check_unpacked(folder, archive, ArchiveLimits(), progress=False)
    (folder / "3.png").unlink()
    with pytest.raises(DataError, match=r"4 of 5 .*2\.png differs, \.\.\.\)"):
        check_unpacked(folder, archive, ArchiveLimits(), progress=False)
