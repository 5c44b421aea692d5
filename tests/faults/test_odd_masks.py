"""Odd masks end in what was drawn, or in a clear error; and the studies that say so can fail."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from odd_files import READ_MASK, read_all
from odd_masks import BESIDE, STUDIES, corpus, masks_beside
from promise import on_linux, promises_hold

from jaalnet_core.data.check import check_data

test_the_promise_holds = promises_hold(STUDIES)


@on_linux
def test_a_reader_that_takes_any_grey_for_lesion_is_found_out(tmp_path: Path) -> None:
    tally = read_all(corpus(23, 5), tmp_path, reader="spoilt_readers:takes_any_grey", channels=1)
    kinds = " ".join(tally.broken)
    assert all(kind in kinds for kind in ("soft", "three-valued", "dim"))
    assert "0 and 255" not in kinds


@on_linux
def test_a_mask_that_must_be_read_may_not_be_refused(tmp_path: Path) -> None:
    files = (dataclasses.replace(file, outcome="read") for file in corpus(23, 5))
    assert any("dim" in line for line in read_all(files, tmp_path, reader=READ_MASK, channels=1).broken)


def test_a_check_that_sees_nothing_is_found_out(tmp_path: Path) -> None:
    def blind(root: Path):
        return dataclasses.replace(check_data(root, progress=False), problems=())

    broken = " ".join(masks_beside(len(BESIDE), tmp_path, blind).broken)
    assert all(kind in broken for kind in ("inverted", "dim", "full", "half the size", "cut short"))


def test_training_that_takes_everything_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jaalnet_core.data.preprocess._same_proportions", lambda *shapes: True)
    broken = masks_beside(len(BESIDE), tmp_path).broken
    assert [line.split(":")[0] for line in broken] == ["turned by 90 degrees", "of a part of the picture"]
