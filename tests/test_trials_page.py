"""The protocol's table of trials: what it says of each, and when a verdict may be given."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from published_copy import REPOSITORY

from jaalnet_core.course.quoted import quoted_numbers
from jaalnet_core.errors import DataError
from jaalnet_core.figures.validation_curves import validation_curves
from jaalnet_core.files import write_json
from jaalnet_core.trials import Outcome, Prediction, Trial
from jaalnet_core.trials_page import BEGIN, CURVES, SeedSpread, seed_spread, trials_block, trials_files, verdict

PUBLISHED = REPOSITORY / "reports" / "published"
SPREAD = SeedSpread((91.0, 90.5, 90.0))


def a_trial(folder: Path, dice: float | None = 92.0, *, run: int = 3, against: int | None = 0, predicted=93.0) -> Trial:
    outcome = None if dice is None else Outcome(dice, 2, run, 3, "ab", {}, {})
    prediction = None if predicted is None else Prediction(predicted, "a reason")
    trial = Trial(folder, folder.name[3:], "jaalnet train", against, "2026-01-31", prediction, outcome)
    folder.mkdir(parents=True)
    write_json(folder / "trial.json", trial.to_json())
    if outcome is not None:
        (folder / "log.csv").write_text(f"epoch,validation_dice\n1,0.5\n2,{dice / 100}\n3,0.6\n")
    return trial


@pytest.fixture
def published(tmp_path) -> Path:
    (tmp_path / "ablation-tiny-64").mkdir()
    for seed in range(3):
        shutil.copy(PUBLISHED / "ablation-tiny-64" / f"course-seed{seed}.json", tmp_path / "ablation-tiny-64")
    (tmp_path / "protocol.md").write_text("# Protocol\n\n<!-- trials -->\n<!-- /trials -->\n")
    a_trial(tmp_path / "trials" / "00-recipe", 91.0, against=None, predicted=None)
    return tmp_path


@pytest.mark.parametrize(
    ("dice", "said"),
    [(92.0, "undecided (+1.00 to trial 0)"), (92.01, "better (+1.01"), (89.99, "worse (-1.01"), (None, "not run")],
)
def test_only_beyond_the_seeds_spread_is_a_trial_better_or_worse(tmp_path, dice, said):
    base = a_trial(tmp_path / "00-recipe", 91.0, against=None)
    assert verdict(base, None, SPREAD) == "base"
    assert verdict(a_trial(tmp_path / "01-x", dice), base, SPREAD).startswith(said)


def test_a_partial_run_has_no_verdict(tmp_path):
    base = a_trial(tmp_path / "00-recipe", 91.0, against=None)
    partial = a_trial(tmp_path / "01-x", 95.0, run=2)
    assert verdict(partial, base, SPREAD) == "not finished"
    assert verdict(base, partial, SPREAD).startswith("undecided: trial 1")
    assert verdict(base, replace(partial, outcome=None), SPREAD).startswith("undecided: trial 1")


def test_the_table_says_prediction_outcome_and_by_how_much_it_failed(published):
    a_trial(published / "trials" / "01-finer", 92.5)
    a_trial(published / "trials" / "02-wider", 92.75, run=2)
    a_trial(published / "trials" / "03-deeper", None)
    block = trials_block(published)
    assert "| [0](trials/00-recipe/trial.json) | recipe | none written | 91.00 (2) |  | base |" in block
    assert (
        "| [1](trials/01-finer/trial.json) | finer | 93: a reason | 92.50 (2) | -0.50 | better (+1.50 to trial 0) |"
        in block
    )
    assert "| 92.75 (2) in the first 2 of 3 epochs | -0.25 | not finished |" in block
    assert "| [3](trials/03-deeper/trial.json) | deeper | 93: a reason |  |  | not run |" in block
    assert "trial 0, 1, 2](trials/curves.png)" in block


def test_the_picture_is_made_of_the_logs(published):
    page, picture = trials_files(published)
    assert BEGIN in page.text
    assert picture.path == published / "trials" / CURVES
    assert picture.numbers == {"0 recipe": ([1, 2, 3], [0.5, 0.91, 0.6])}
    picture.write()
    assert picture.is_current()


def test_a_comparison_with_a_trial_that_is_not_there_is_named(published):
    a_trial(published / "trials" / "01-finer", against=7)
    with pytest.raises(DataError, match="trial 7"):
        trials_block(published)


def test_no_trials_or_no_seeds_are_named(published):
    shutil.rmtree(published / "trials")
    with pytest.raises(DataError, match="no trial"):
        trials_block(published)
    for seed in (1, 2):
        (published / "ablation-tiny-64" / f"course-seed{seed}.json").unlink()
    with pytest.raises(DataError, match="found 1 runs"):
        seed_spread(published)


def test_the_protocols_prose_quotes_the_seeds_as_their_files_have_them():
    prose = (PUBLISHED / "protocol.md").read_text(encoding="utf-8").split(BEGIN)[0]
    quoted = [number for number, _, _ in quoted_numbers(prose) if "." in number]
    spread = {f"{dice:.2f}" for dice in seed_spread(PUBLISHED).best}
    assert spread <= set(quoted)


def test_every_curve_has_its_ring_and_its_words():
    runs = {"0 base": ([1, 2, 3], [0.2, 0.9, 0.8]), "1 other": ([1], [0.7])}
    figure = validation_curves(runs, title="Trials")
    (axes,) = figure.axes
    drawn = [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in axes.lines[::2]]
    assert drawn == [([1, 2, 3], pytest.approx([20, 90, 80])), ([1], pytest.approx([70]))]
    rings = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines[1::2]]
    assert rings == [(2, pytest.approx(90)), (1, pytest.approx(70))]
    assert axes.get_ylim() == pytest.approx((62, 91))
    assert "1 other: 1 epochs, best 70.00 in epoch 1" in figure.alt
    styles = {(line.get_color(), str(line.get_linestyle())) for line in axes.lines[::2]}
    assert len(styles) == 2
    with pytest.raises(ValueError, match="at least one"):
        validation_curves({"empty": ([], [])})
