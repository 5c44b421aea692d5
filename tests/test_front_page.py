"""The README's picture and animation: there, small, moving, and drawn by the code from the records beside them."""

from __future__ import annotations

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from jaalnet_core.derived_files import PLAYS, DerivedAnimation, Frame, drawn_from
from jaalnet_core.errors import DataError
from jaalnet_core.front_page import front_page_files
from jaalnet_core.front_page.__main__ import main
from jaalnet_core.front_page.drawing import frame_figure, look_figure, training_frames, training_in_words
from jaalnet_core.front_page.files import ANIMATION, PICTURE, PICTURES, RECORDS
from jaalnet_core.front_page.record import (
    LOOK,
    TRAINING,
    TrainingRecord,
    make_look_record,
    read_look_record,
    read_training_record,
)

ROOT = Path(__file__).resolve().parents[1]
SHOWN = ROOT / PICTURES / ANIMATION


@pytest.fixture(scope="module")
def record() -> TrainingRecord:
    return read_training_record(ROOT / RECORDS / TRAINING)


@pytest.fixture
def project(tmp_path) -> Path:
    """The records and what was drawn from them, without anything else."""
    for folder in (RECORDS, PICTURES):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_the_animation_is_small_and_has_a_frame_an_epoch(record):
    assert SHOWN.stat().st_size < 1_000_000
    with Image.open(SHOWN) as shown:
        assert (shown.format, shown.is_animated, shown.n_frames) == ("WEBP", True, len(record.snapshots))
        assert shown.n_frames >= 15
        assert shown.info["loop"] == PLAYS == 3
        frames = [np.asarray(frame.convert("RGB"), dtype=float) for frame in ImageSequence.Iterator(shown)]
    moved = [np.abs(after - before).mean() for before, after in pairwise(frames)]
    assert min(moved) > 0.05, "every frame differs from the one before"


def test_its_frames_are_those_that_the_code_draws(record):
    last = training_frames(TrainingRecord(record.pictures, record.snapshots[-1:], record.lines))[0].picture
    with Image.open(SHOWN) as shown:
        shown.seek(shown.n_frames - 1)
        kept = np.asarray(shown.convert("RGB"))
    assert kept.shape == last.shape
    assert np.abs(kept.astype(float) - last).mean() < 8, "WebP loses a little"
    first = frame_figure(record, 0)
    assert first.texts[0].get_text() == f"epoch 1 of {len(record.snapshots)}"


def test_the_record_shows_learning(record):
    assert [one.epoch for one in record.snapshots] == list(range(1, len(record.lines) + 1))
    assert np.mean(record.snapshots[-1].dice) > np.mean(record.snapshots[0].dice) + 0.2
    assert f"over {len(record.lines)} epochs" in training_in_words(record)
    for one in record.snapshots:  # masks and pictures belong together, whatever machine makes the pictures anew
        masks, experts = one.masks.astype(bool), record.pictures.masks.astype(bool)
        both = 2 * (masks & experts).sum((1, 2)) / (masks.sum((1, 2)) + experts.sum((1, 2)))
        np.testing.assert_allclose(both, one.dice, atol=0.01)


def test_the_look_is_what_the_shipped_networks_answer():
    kept, made = json.loads((ROOT / RECORDS / LOOK).read_text()), make_look_record()
    assert made["dice"] == pytest.approx(kept["dice"], abs=1e-3)
    assert (made["pixel"], made["grid"]) == (kept["pixel"], kept["grid"])
    look = read_look_record(ROOT / RECORDS / LOOK)
    assert f"Dice {look.dice:.2f}" in look_figure(look).alt
    assert (ROOT / PICTURES / PICTURE).stat().st_size < 500_000


def test_the_readme_shows_both_with_words_and_leads_to_every_lesson():
    readme = (ROOT / "README.md").read_text()
    shown = {file: alt for alt, file in re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", readme)}
    for name in (PICTURE, ANIMATION):
        assert len(shown[(PICTURES / name).as_posix()]) > 60
    assert readme.index("docs/pictures/") < readme.index("## Three commands") < readme.index("<!-- results -->")
    for lesson in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"):
        assert f"](notebooks/{lesson.name})" in readme, lesson.name


def test_a_changed_record_is_drawn_anew_and_nothing_else(project):
    assert all(file.is_current() for file in front_page_files(project))
    path = project / RECORDS / LOOK
    path.write_text(path.read_text().replace('"dice"', '"dice" '))
    assert [file.path.name for file in front_page_files(project) if not file.is_current()] == [PICTURE]
    for file in front_page_files(project):
        if not file.is_current():
            file.write()
    assert all(file.is_current() for file in front_page_files(project))


def test_an_animation_carries_what_it_was_drawn_from(tmp_path):
    frames = [Frame(np.full((8, 12, 3), value, np.uint8), 100) for value in (0, 120, 250)]
    animation = DerivedAnimation(tmp_path / "a.webp", {"some": 1}, lambda: frames)
    assert not animation.is_current()
    animation.write()
    assert animation.is_current()
    assert not DerivedAnimation(animation.path, {"some": 2}, lambda: frames).is_current()
    assert len(drawn_from(animation.path)) == 64
    with Image.open(animation.path) as shown:
        assert shown.n_frames == 3


def test_a_project_without_records_has_no_front_page(tmp_path):
    assert front_page_files(tmp_path) == []


@pytest.mark.parametrize("text", ["[]", "{", '{"settings": {"size": "64x64"}}'])
def test_a_damaged_record_is_named(tmp_path, text):
    (tmp_path / TRAINING).write_text(text)
    with pytest.raises(DataError, match=r"training\.json"):
        read_training_record(tmp_path / TRAINING)
    with pytest.raises(DataError, match=r"training\.json"):
        read_look_record(tmp_path / TRAINING)


def test_the_maker_knows_its_records(tmp_path, capsys):
    assert main([], tmp_path) == main(["pictures"], tmp_path) == 2
    assert "training look" in capsys.readouterr().err
    assert main(["look"], tmp_path) == 0
    assert read_look_record(tmp_path / RECORDS / LOOK).dice > 0.5
