"""A file is there whole, or it is the one from before."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from jaalnet_core.files import atomic_path, new_path, write_json


def test_the_file_takes_its_name_when_the_block_ends_well(tmp_path):
    target = tmp_path / "deep" / "a.txt"
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
        assert temporary.suffix == ".txt"
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_a_failure_leaves_the_file_from_before_and_nothing_else(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail():
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_json_that_cannot_be_written_leaves_the_one_from_before(tmp_path):
    target = tmp_path / "a.json"
    write_json(target, {"a": 1})
    with pytest.raises(TypeError):
        write_json(target, {"a": object()})
    assert json.loads(target.read_text()) == {"a": 1}


def write_new(path: Path, text: str, meanwhile: str = "") -> None:
    with new_path(path) as temporary:
        temporary.write_text(text)
        if meanwhile:
            path.write_text(meanwhile)


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def unsupported(*_: object) -> None:
    raise OSError(95, "Operation not supported")


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "none, as on a USB stick"])
def test_a_new_file_never_takes_the_place_of_another(tmp_path: Path, monkeypatch, links: bool) -> None:
    if not links:
        monkeypatch.setattr(os, "link", unsupported)
    write_new(tmp_path / "a.txt", "first")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a.txt", "second")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "b.txt", "second", meanwhile="somebody else's")
    assert texts(tmp_path) == {"a.txt": "first", "b.txt": "somebody else's"}


def test_rows_of_numbers_stay_on_a_line_and_mean_the_same(tmp_path):
    value = {"rows": [[1, -2, 3], [40, 5, 6]], "words": ["a", "[1,  2]"], "none": [], "fractions": [0.5, 1.5]}
    path = tmp_path / "rows.json"
    write_json(path, value, rows=True)
    assert json.loads(path.read_text()) == value
    assert "    [1, -2, 3],\n    [40, 5, 6]\n" in path.read_text()
    write_json(path, value)
    assert "    [\n      1,\n" in path.read_text()
