"""Reading published numbers: scale, rounding, and what is no number."""

from __future__ import annotations

import pytest

from jaalnet_core.audit.published import read_numbers
from jaalnet_core.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "percent", "low", "high"),
    [
        ("91.53", True, 0.91525, 0.91535),
        ("91.5", True, 0.9145, 0.9155),
        ("91.50", True, 0.91495, 0.91505),
        ("92", True, 0.915, 0.925),
        ("91,53", True, 0.91525, 0.91535),
        ("0.9153", False, 0.91525, 0.91535),
        (".910", False, 0.9095, 0.9105),
        ("0.50%", True, 0.00495, 0.00505),
        ("100", True, 0.995, 1.0),
        ("1", False, 0.5, 1.0),
        ("1.00", False, 0.995, 1.0),
        ("0", False, 0.0, 0.5),
        (91.53, True, 0.91525, 0.91535),
        (0.9, False, 0.85, 0.95),
        ("9e1", True, 0.895, 0.905),
    ],
)
def test_rounding_is_half_a_unit_of_the_last_digit(text, percent, low, high):
    numbers = read_numbers({"dice": text})
    assert numbers.percent == percent
    assert (numbers["dice"].low, numbers["dice"].high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("text", ["ninety", "", "-3", "101", "nan", "inf", "1.2.3", "0.91 (0.02)"])
def test_what_is_no_score_is_refused_by_name(text):
    with pytest.raises(SettingsError, match="iou: found"):
        read_numbers({"iou": text})


def test_one_scale_for_all():
    with pytest.raises(SettingsError, match=r"accuracy: found 0\.97 beside dice 91\.5.*write 0\.97% if percent"):
        read_numbers({"dice": "91.5", "accuracy": "0.97"})
    assert read_numbers({"dice": "91.5", "specificity": "0.97%"})["specificity"].value == pytest.approx(0.0097)


def test_order_and_selection():
    numbers = read_numbers({"specificity": "90", "dice": "80", "iou": None})
    assert numbers.metrics == ("dice", "specificity")
    assert "iou" not in numbers
    assert numbers.only({"specificity"}).metrics == ("specificity",)


def test_values_are_shown_on_the_scale_given():
    assert read_numbers({"dice": "91.53"}).show(0.84375) == "84.38"
    assert read_numbers({"dice": "91.5321"}).show(0.5) == "50.0000"
    assert read_numbers({"dice": ".91"}).show(0.84375, extra_digits=1) == "0.84375"
