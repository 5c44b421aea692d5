"""Names inside archives: what may become a file, and which names would overwrite each other."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaalnet_core.data.member_names import ArchiveError, NameRegister, safe_member_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ISIC_0000000.jpg", "ISIC_0000000.jpg"),
        ("./folder//picture.png", "folder/picture.png"),
        ("folder\\picture.png", "folder/picture.png"),
        ("folder/", "folder"),
        ("Häute/läsion 1.jpg", "Häute/läsion 1.jpg"),
        ("..hidden/a..b", "..hidden/a..b"),
    ],
)
def test_ordinary_names_become_relative_paths(name, expected):
    assert safe_member_name(name) == PurePosixPath(expected)


@pytest.mark.parametrize("name", ["", ".", "./"])
def test_the_root_itself_is_no_member(name):
    assert safe_member_name(name) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../outside.png", r"'\.\.'"),
        ("a/b/../../../outside.png", r"'\.\.'"),
        ("..\\outside.png", r"'\.\.'"),
        ("/etc/passwd", "absolute"),
        ("\\\\server\\share\\file", "absolute"),
        ("C:/windows/file", "drive letter"),
        ("C:file", "drive letter"),
        ("picture.png:stream", "colon"),
        ("a/.. /b", "full stop"),
        ("mask.png.", "full stop"),
        ("a/.../b", "full stop"),
        ("nul", "reserved"),
        ("a/COM1.txt", "reserved"),
        ("a\x00b.png", "control"),
        ("a\nb.png", "control"),
        ("a" * 256, "longer"),
        ("é" * 128, "longer"),
        ("/".join("a" * 40), "deep"),
        ("\udcff.png", "not valid text"),
    ],
)
def test_names_that_could_leave_or_mislead_are_refused(name, reason):
    with pytest.raises(ArchiveError, match=reason):
        safe_member_name(name)


@given(st.text(st.sampled_from("ab./\\:C ~\x00é"), max_size=20))
def test_no_accepted_name_leaves_the_target_on_any_system(name):
    try:
        path = safe_member_name(name)
    except ArchiveError:
        return
    if path is not None:
        assert Path("/target").joinpath(path).resolve().is_relative_to("/target")
        on_windows = PureWindowsPath("C:/target") / PureWindowsPath(str(path))
        assert on_windows.is_relative_to("C:/target")
        assert ".." not in on_windows.parts


def test_files_of_one_folder_do_not_collide():
    register = NameRegister()
    register.add(PurePosixPath("set"), folder=True)
    register.add(PurePosixPath("set/a.png"), folder=False)
    register.add(PurePosixPath("set/b.png"), folder=False)
    register.add(PurePosixPath("other/a.png"), folder=False)
    register.add(PurePosixPath("set"), folder=True)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("set/a.png", "set/a.png", "twice"),
        ("set/a.png", "set/A.PNG", "only by case"),
        ("set/a.png", "SET/b.png", "only by case"),
        ("straße.png", "STRASSE.png", "only by case"),
        ("l\u00e4sion.png", "la\u0308sion.png", "accents"),
        ("set", "set/a.png", "a file and a folder"),
        ("set/a.png", "set", "a file and a folder"),
    ],
)
def test_members_that_would_overwrite_each_other_are_refused(first, second, reason):
    register = NameRegister()
    register.add(PurePosixPath(first), folder=False)
    with pytest.raises(ArchiveError, match=reason):
        register.add(PurePosixPath(second), folder=False)
