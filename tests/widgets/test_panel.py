"""The panel under every widget: it follows its controls, speaks, and survives a refusal."""

from __future__ import annotations

import ipywidgets
import pytest

from jaalnet_core.errors import SettingsError
from jaalnet_core.figures.style import new_figure
from jaalnet_core.widgets.control_names import ControlNames
from jaalnet_core.widgets.panel import panel


def drawn(count: int, name: str):
    if count > 5:
        raise SettingsError("count: found 6 <of> 5, expected at most 5.")
    if name == "broken":
        raise ZeroDivisionError
    return new_figure(2, 1, alt=f"{count} times {name}")


@pytest.fixture
def widget():
    return panel(
        drawn,
        count=ipywidgets.IntSlider(value=2, max=9, description="how many times, in words"),
        name=ipywidgets.Dropdown(options=["x & y", "broken"]),
    )


def test_it_draws_at_once_and_again_after_every_change(widget) -> None:
    assert 'alt="2 times x &amp; y"' in widget.picture.value
    assert "2 times x &amp; y</p>" in widget.sentence.value
    widget.controls["count"].value = 3
    assert 'alt="3 times x &amp; y"' in widget.picture.value


def test_the_sentence_is_announced(widget) -> None:
    assert 'aria-live="polite"' in widget.sentence.value


def test_a_refusal_is_a_sentence_and_the_next_value_draws_again(widget) -> None:
    widget.controls["count"].value = 6
    assert widget.picture.value == ""
    assert "Not possible: count: found 6 &lt;of&gt; 5" in widget.sentence.value
    widget.controls["count"].value = 5
    assert "5 times" in widget.picture.value


def test_a_fault_of_ours_is_not_hidden(widget) -> None:
    with pytest.raises(ZeroDivisionError):
        widget.controls["name"].value = "broken"


def test_labels_have_room(widget) -> None:
    assert widget.controls["count"].style.description_width == "11em"
    assert widget.controls["count"].layout.width
    assert widget.controls["count"].tooltip == "how many times, in words"
    assert widget.children[:-1] == (*widget.controls.values(), widget.picture, widget.sentence)
    assert isinstance(widget.children[-1], ControlNames)
