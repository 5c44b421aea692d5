"""Controls above a figure that follows them: what every widget of the course is built on."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import ipywidgets
from matplotlib.figure import Figure

from jaalnet_core.errors import JaalnetError
from jaalnet_core.figures.style import as_html
from jaalnet_core.widgets.control_names import ControlNames

_LABEL_WIDTH = "11em"


class Panel(ipywidgets.VBox):
    """Controls, the figure that they make, and the same in words.

    Attributes:
        controls: the controls by their names.
        picture: an HTML widget that holds the figure as an `<img>` with a text alternative.
        sentence: an HTML widget with the figure's `alt`, announced by screen readers when it changes.
    """

    def __init__(self, draw: Callable[..., Figure], controls: dict[str, ipywidgets.Widget]) -> None:
        self.controls = controls
        self.picture = ipywidgets.HTML()
        self.sentence = ipywidgets.HTML()
        self._draw = draw
        for control in controls.values():
            make_readable(control)
            control.observe(self.refresh, names="value")
        super().__init__([*controls.values(), self.picture, self.sentence, ControlNames()])
        self.refresh()

    def refresh(self, _change: Any = None) -> None:
        """Draw again with the controls' values; a refusal is said in the panel, not thrown at the learner."""
        try:
            figure = self._draw(**{name: control.value for name, control in self.controls.items()})
        except (JaalnetError, ValueError) as error:
            self.picture.value = ""
            self._say(f"Not possible: {error}")
            return
        self.picture.value = as_html(figure)
        self._say(getattr(figure, "alt", ""))

    def _say(self, words: str) -> None:
        self.sentence.value = f'<p aria-live="polite" style="line-height: 1.4">{html.escape(words)}</p>'


def panel(draw: Callable[..., Figure], **controls: ipywidgets.Widget) -> Panel:
    """Show `draw(**values)` below its controls, again whenever one changes.

    Args:
        draw: takes the controls' values by name and returns a figure whose `alt` says in words what it shows.
            A `JaalnetError` or `ValueError` that it raises is shown as a sentence.
        controls: ipywidgets by the names of `draw`'s arguments; give sliders `continuous_update=False` where
            drawing takes long.
    """
    return Panel(draw, controls)


def make_readable(control: ipywidgets.Widget) -> None:
    """Room for the label, so that no word is cut off, and no `null` where the mouse rests on it."""
    if getattr(control, "description", "") and getattr(control, "tooltip", "") is None:
        control.tooltip = control.description
    if control.has_trait("description") and "description_width" in getattr(control.style, "keys", ()):
        control.style.description_width = _LABEL_WIDTH
    if control.layout.width is None:
        control.layout.width = "min(34em, 95%)"
