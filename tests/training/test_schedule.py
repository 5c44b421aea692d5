"""Schedules against their definitions and against torch's own."""

from __future__ import annotations

import pytest
import torch

from jaalnet_core.training.schedule import schedule_factor

TOTAL = 200


def curve(name: str) -> list[float]:
    return [schedule_factor(name, step, TOTAL) for step in range(TOTAL + 1)]


def test_constant_and_linear():
    assert set(curve("constant")) == {1.0}
    linear = curve("linear")
    assert linear[:101] == [1.0] * 101
    assert linear[150] == pytest.approx(0.5)
    assert linear[-1] == 0.0


def torch_rates(make) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for _ in range(TOTAL):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def test_cosine_is_torchs():
    expected = torch_rates(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, TOTAL))
    assert curve("cosine")[:TOTAL] == pytest.approx(expected, abs=1e-6)


def test_one_cycle_is_torchs_but_for_rounding_to_whole_steps():
    expected = torch_rates(
        lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 1.0, TOTAL, pct_start=0.25, final_div_factor=1e9)
    )
    assert curve("one-cycle")[:TOTAL] == pytest.approx(expected, abs=0.02)
    assert max(curve("one-cycle")) == 1.0
    assert curve("one-cycle")[0] == pytest.approx(1 / 25)


def test_a_step_beyond_the_end_stays_at_the_end():
    assert schedule_factor("cosine", 2 * TOTAL, TOTAL) == pytest.approx(0.0)


def test_an_unknown_schedule_is_named():
    with pytest.raises(ValueError, match="staircase"):
        schedule_factor("staircase", 0, 1)
