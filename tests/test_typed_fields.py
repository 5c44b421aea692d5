"""Values of a file held against a dataclass: each field that does not fit is named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from jaalnet_core.errors import SettingsError
from jaalnet_core.typed_fields import FieldError, from_fields


@dataclass(frozen=True)
class Lamp:
    name: str
    watts: float
    colour: Literal["warm", "cold"] = "warm"
    steps: tuple[int, ...] = (1,)
    limit: int | None = None
    dimmed: bool = False
    notes: dict[str, Any] = field(default_factory=dict)


def test_what_fits_is_made():
    assert from_fields(Lamp, {"name": "a", "watts": 3}) == Lamp("a", 3)
    everything = {"name": "a", "watts": 2.5, "colour": "cold", "steps": [1, 2], "limit": 4, "dimmed": True, "notes": {}}
    assert from_fields(Lamp, everything) == Lamp("a", 2.5, "cold", (1, 2), 4, True, {})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": 3}, r"name is 3, expected str"),
        ({"watts": "three"}, r"watts is 'three', expected float"),
        ({"watts": True}, r"watts is True, expected float"),
        ({"limit": True}, r"limit is True, expected int or nothing \(null\)"),
        ({"limit": 2.5}, r"limit is 2\.5, expected int"),
        ({"colour": "red"}, r"colour is 'red', expected 'warm' or 'cold'"),
        ({"colour": ["warm"]}, r"colour is \['warm'\]"),
        ({"steps": [1, "two"]}, r"steps is \[1, 'two'\], expected a list of int"),
        ({"steps": 3}, r"steps is 3, expected a list of int"),
        ({"dimmed": 1}, r"dimmed is 1, expected bool"),
        ({"notes": []}, r"notes is \[\], expected dict"),
        ({"name": None, "volts": 1}, r"name is None, expected str; unknown volts; written by another version\?"),
        ({"name": "x" * 99}, None),
        ({"limit": "x" * 99}, r"limit is 'x{59}…, expected int"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named(changes, words):
    values = {"name": "a", "watts": 3.0} | changes
    if words is None:
        assert from_fields(Lamp, values).name == values["name"]
        return
    with pytest.raises(FieldError, match=f"^{words}"):
        from_fields(Lamp, values)


def test_what_is_missing_is_named():
    with pytest.raises(SettingsError, match=r"^missing name; missing watts$"):
        from_fields(Lamp, {})


@pytest.mark.parametrize("values", [None, [], "text", 3])
def test_no_object_at_all(values):
    with pytest.raises(FieldError, match="expected an object of named fields"):
        from_fields(Lamp, values)
