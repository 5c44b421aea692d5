"""The search for one confusion table, against tables drawn at random and ranges known in closed form."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jaalnet_core.audit.pooled import find_table, permitted_range
from jaalnet_core.audit.published import read_numbers
from jaalnet_core.audit.rules import RULES
from jaalnet_core.metrics import METRICS

RULE = {rule.name: rule for rule in RULES if rule.pooled}


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.floats(0, 1)] * 4).filter(lambda table: sum(table) > 0.01),
    st.sampled_from(sorted(RULE)),
    st.integers(2, 4),
    st.sets(st.sampled_from(METRICS), min_size=1),
)
def test_a_table_that_exists_is_found_and_shows_the_numbers(table, name, digits, metrics):
    rule = RULE[name]
    values = rule.values(torch.tensor(table, dtype=torch.float64))
    numbers = read_numbers({metric: f"{values[metric].item():.{digits}f}" for metric in metrics})
    found = find_table(numbers, rule)
    assert found is not None
    assert min(found) >= 0
    assert sum(found) == pytest.approx(1)
    shown = rule.values(torch.tensor(found, dtype=torch.float64))
    for one in numbers.published:
        assert one.low - 1e-9 <= shown[one.metric].item() <= one.high + 1e-9


@pytest.mark.parametrize("name", RULE)
def test_what_it_calls_impossible_no_random_table_shows(name):
    """Coarse numbers, so that a table drawn at random would often hit them if it could."""
    generator = torch.Generator().manual_seed(4)
    tables = torch.rand(60_000, 4, generator=generator, dtype=torch.float64) ** 3
    values = torch.stack([RULE[name].values(tables)[metric] for metric in METRICS], dim=1)
    impossible = 0
    for trial in range(40):
        target = torch.rand(5, generator=generator)
        numbers = read_numbers({metric: f"{value:.1f}" for metric, value in zip(METRICS, target, strict=True)})
        low = torch.tensor([one.low for one in numbers.published], dtype=torch.float64)
        high = torch.tensor([one.high for one in numbers.published], dtype=torch.float64)
        hit = ((values >= low) & (values <= high)).all(1).any()
        found = find_table(numbers, RULE[name])
        impossible += found is None
        assert not (hit and found is None), (trial, numbers)
    assert impossible > 10


@pytest.mark.parametrize(
    ("given", "metric", "low", "high"),
    [
        ({"dice": "0.8000"}, "iou", 0.79995 / 1.20005, 0.80005 / 1.19995),
        ({"iou": "0.50"}, "dice", 2 * 0.495 / 1.495, 2 * 0.505 / 1.505),
        ({"sensitivity": "0.900", "specificity": "0.700"}, "accuracy", 0.6995, 0.9005),
        ({"iou": "0.700"}, "sensitivity", 0.6995, 1.0),
        ({"iou": "0.700"}, "accuracy", 0.6995, 1.0),
        ({"iou": "0.700"}, "specificity", 0.0, 1.0),
    ],
)
def test_ranges_known_in_closed_form(given, metric, low, high):
    numbers = read_numbers({**given, metric: "0.5"})
    assert permitted_range(metric, numbers, RULE["pooled"]) == pytest.approx((low, high), abs=2e-5)


def test_the_range_of_a_two_class_mean():
    """Dice (x + y)/2 = 0.8: IoU is least for x = y, greatest for 1 and 0.6."""
    numbers = read_numbers({"dice": "0.80000", "iou": "0.5"})
    low, high = permitted_range("iou", numbers, RULE["two_class_pooled"])
    assert low == pytest.approx(0.8 / 1.2, abs=3e-5)
    assert high == pytest.approx((1 + 0.6 / 1.4) / 2, abs=3e-5)


def test_balanced_accuracy_and_accuracy():
    """Balanced accuracy 0.9 lets accuracy reach 1 (a tiny class half missed) but not fall below 0.8."""
    numbers = read_numbers({"sensitivity": "0.90000", "accuracy": "0.5"})
    low, high = permitted_range("accuracy", numbers, RULE["two_class_pooled"])
    assert (low, high) == pytest.approx((0.8, 1.0), abs=3e-5)
