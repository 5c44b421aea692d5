"""Where a lesson stands, and what it is given to look at."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from lesion_files import a_data_folder

from jaalnet_core import course
from jaalnet_core.errors import CheckpointError
from jaalnet_core.size import Size


def test_begin_seeds_everything_and_goes_to_the_project(tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "notebooks" / "deep").mkdir(parents=True)
    (tmp_path / "notebooks" / "03_a_lesson.ipynb").touch()
    monkeypatch.setenv("JAALNET_PROFILE", "fast")
    monkeypatch.setenv("JAALNET_DATA", "synthetic")
    drawn = []
    for _ in range(2):
        monkeypatch.chdir(tmp_path / "notebooks" / "deep")
        course.begin(3)
        assert Path.cwd() == tmp_path
        drawn.append((random.random(), np.random.rand(), torch.rand(1).item()))
    assert drawn[0] == drawn[1]
    assert "Lesson 03 | profile fast |" in capsys.readouterr().out


def test_where_there_is_no_project_one_stays(tmp_path: Path) -> None:
    assert course.project_folder(tmp_path) == tmp_path
    (tmp_path / "notebooks").mkdir()  # of other things
    assert course.project_folder(tmp_path / "homework") == tmp_path / "homework"


def test_synthetic_pictures_are_the_same_for_everyone_and_splits_do_not_overlap(monkeypatch) -> None:
    monkeypatch.setenv("JAALNET_DATA", "synthetic")
    a, b = course.synthetic_pictures(2, 64), course.synthetic_pictures(2, 64)
    assert np.array_equal(a.images, b.images)
    assert np.array_equal(a.images, course.pictures(2, 64).images)  # those of the test split
    ids = [set(course.pictures(3, 32, split=split).ids) for split in ("train", "validation", "test")]
    assert len(set.union(*ids)) == 9


def test_trained_networks_fit_the_pictures(monkeypatch) -> None:
    monkeypatch.setenv("JAALNET_DATA", "synthetic")
    trained = course.trained()
    assert (trained.name, trained.size) == ("small-synthetic", Size(128, 128))
    assert not trained.lf_net.training
    assert trained.da_net(torch.rand(1, 4, 64, 64)).shape == (1, 1, 8, 8)


def test_unknown_weights_name_those_that_are_there() -> None:
    with pytest.raises(CheckpointError, match="small-isbi2016"):
        course.trained("large-moon")


def test_the_learners_own_pictures_are_used(tmp_path: Path, monkeypatch) -> None:
    a_data_folder(tmp_path, train=2, test=3)
    monkeypatch.setenv("JAALNET_DATA", str(tmp_path))
    assert course.pictures(2, 32).ids == ("l02", "l03")
    assert course.pictures(9, 32).images.shape == (3, 32, 32, 3)
    assert course.trained().name == "small-isbi2016"
