"""Several kernels of a lesson at once: private memory is each one's own, libraries are counted once."""

from __future__ import annotations

from pathlib import Path

import nbformat
import psutil
import pytest

from jaalnet_core.cli import lessons as command
from jaalnet_core.course import kernel_memory
from jaalnet_core.course.kernel_memory import RoomMemory, Share, measure_room, share_of
from jaalnet_core.course.lessons import find_lessons
from jaalnet_core.errors import JaalnetError

MB = 1_000_000
linux_only = pytest.mark.skipif(not hasattr(psutil.Process().memory_full_info(), "pss"), reason="only Linux tells")


def running_children() -> set[psutil.Process]:
    """This process's own; other tests may have left one that lives as long as it does (multiprocessing's tracker)."""
    return {child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}


def lesson_of(folder: Path, *sources: str):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.metadata["jaalnet"] = {"lesson": 4, "title": "Small", "minutes": 1, "needs": []}
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "04_small.ipynb")
    (lesson,) = find_lessons(folder)
    return lesson


@linux_only
def test_what_every_kernel_holds_and_held_is_counted_for_each(tmp_path: Path) -> None:
    lesson = lesson_of(
        tmp_path,
        "import time, os\nbig = bytearray(os.urandom(1)) * 120_000_000\ntime.sleep(2)\ndel big",
        "kept = bytearray(os.urandom(1)) * 60_000_000",
    )
    before, children = lesson.path.read_bytes(), running_children()
    room = measure_room(lesson, 2)
    assert room.kernels == len(room.at_rest) == len(room.largest_private) == 2
    for share, largest in zip(room.at_rest, room.largest_private, strict=True):
        assert 60 * MB < share.private < 180 * MB
        assert largest > share.private + 30 * MB
        assert 0 < share.library < 200 * MB
        assert share.private < share.proportional < share.private + share.library
    assert max(room.largest_private) < room.largest_together <= sum(room.largest_private)
    assert lesson.path.read_bytes() == before
    assert not running_children() - children


@linux_only
def test_the_kernels_run_in_the_fast_profile_on_synthetic_pictures(tmp_path: Path) -> None:
    source = "import os\nassert (os.environ['JAALNET_PROFILE'], os.environ['JAALNET_DATA']) == ('fast', 'synthetic')"
    assert measure_room(lesson_of(tmp_path, source), 1).kernels == 1


@linux_only
def test_a_cell_that_fails_ends_all_kernels_and_says_so(tmp_path: Path) -> None:
    children = running_children()
    with pytest.raises(JaalnetError, match="ZeroDivisionError"):
        measure_room(lesson_of(tmp_path, "1 / 0"), 2)
    assert not running_children() - children


ROOM = RoomMemory(
    lesson=3,
    kernels=2,
    at_rest=(Share(500 * MB, 390 * MB, 700 * MB), Share(700 * MB, 400 * MB, 900 * MB)),
    largest_private=(800 * MB, 900 * MB),
    largest_together=1500 * MB,
    seconds=12.3,
)


def test_libraries_are_counted_once_however_many_kernels() -> None:
    assert ROOM.estimate(1) == (1000 * MB, 1250 * MB)
    assert ROOM.estimate(30) == ((400 + 30 * 600) * MB, (400 + 30 * 850) * MB)


def test_people_are_told_all_of_it() -> None:
    text = "\n".join(ROOM.lines())
    for said in ("lesson 03, 2 kernels", "private 600 MB", "PSS 800 MB", "private 850 MB", "1500 MB private"):
        assert said in text
    assert "30 kernels: 18.4 GB at rest, 25.9 GB if all" in text


def test_a_system_that_does_not_tell_is_named(monkeypatch) -> None:
    class Silent:
        def memory_full_info(self) -> object:
            return object()

    with pytest.raises(JaalnetError, match="expected Linux"):
        share_of(Silent())


def test_no_kernels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(JaalnetError, match="--kernels: found 0"):
        measure_room(lesson_of(tmp_path, "1"), 0)


def test_the_command_measures_the_lesson_it_was_asked_for(tmp_path: Path, monkeypatch, capsys) -> None:
    lesson = lesson_of(tmp_path, "1")
    asked = []
    monkeypatch.setattr(kernel_memory, "measure_room", lambda *given: asked.append(given) or ROOM)
    assert command.run(command.Settings("memory", notebooks=tmp_path, lesson=4, kernels=3)) == 0
    assert asked == [(lesson, 3)]
    assert "18.4 GB" in capsys.readouterr().out
    with pytest.raises(JaalnetError, match="7"):
        command.run(command.Settings("memory", notebooks=tmp_path, lesson=7))
