"""What many processes cost, on paper: the model's arithmetic, and the page that shows it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from jaalnet_core.errors import DataError
from jaalnet_core.files import write_json
from jaalnet_core.size import Size
from jaalnet_core.training import TrainSettings
from jaalnet_core.training.cost import BEGIN, END, FIGURES, PAGE, Cost, collectives, cost_files, page, read_cost, tables
from jaalnet_core.training.run import build_run

ROOT = Path(__file__).resolve().parents[2]
COST = Cost(
    image=0.1,
    shared=0.12,
    collectives=100,
    latency=0.001,
    gradients=4_000_000,
    bandwidth=1e9,
    pair=1.8,
    pictures=16,
    picture_bytes=65536,
    about={"command": "python", "machine": "a desk", "torch": "2", "backend": "gloo", "rounds": 5, "load": 0.1},
)


def test_a_step_is_arithmetic_waiting_and_a_ring():
    assert COST.step(1) == pytest.approx(1.6)
    assert COST.step(2) == pytest.approx(1.92 + 0.1 + 0.004)
    assert COST.step(64) == pytest.approx(1.92 + 0.1 + 2 * 63 / 64 * 0.004)
    assert COST.step(2, pictures=8) == pytest.approx(0.96 + 0.1 + 0.004)


def test_an_epoch_ends_with_a_whole_step():
    assert COST.epoch(1, 859) == pytest.approx(54 * 1.6)
    assert COST.epoch(2, 33) == pytest.approx(2 * COST.step(2))


def test_the_messages_of_a_step_are_counted():
    """Two for every batch norm and forward pass, three of the loop, and a bucket of gradients for each network."""
    course = TrainSettings(preset="tiny", size=Size(32, 32), device="cpu").resolved()
    run = build_run(course)
    norms = sum("running_mean" in name for name in run.lf_net.state_dict())
    assert collectives(run) == 3 + 2 * norms + 1 + 1
    published = dataclasses.replace(TrainSettings(recipe="published", preset="tiny", device="cpu")).resolved()
    run = build_run(published)
    judge = sum("running_mean" in name for name in run.da_net.state_dict())
    assert judge > 0
    assert collectives(run) == 3 + 2 * norms + 1 + 4 * 2 * judge + 1


def test_the_page_takes_its_tables_from_the_figures(tmp_path):
    (tmp_path / PAGE.parent).mkdir()
    (tmp_path / PAGE).write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"cluster-cost.json: cannot be read .*training\.cost"):
        page(tmp_path)
    (tmp_path / FIGURES.parent).mkdir(parents=True)
    write_json(tmp_path / FIGURES, dataclasses.asdict(COST))
    assert read_cost(tmp_path / FIGURES) == COST
    page(tmp_path).write()
    text = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert text == f"before\n{BEGIN}\n{tables(COST)}\n{END}\nafter\n"
    assert "| 1 | 1.4 min |" in text
    assert "66 GB" in text  # a million pictures in the memory of each process
    assert page(tmp_path).is_current()


def test_a_project_without_the_page_has_nothing_to_rewrite(tmp_path):
    assert cost_files(tmp_path) == []
    assert [file.path for file in cost_files(ROOT)] == [ROOT / PAGE]
