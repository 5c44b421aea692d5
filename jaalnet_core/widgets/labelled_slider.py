"""A slider that says its name: the browser's own, with a label that screen readers find, unlike ipywidgets' sliders."""

from __future__ import annotations

import anywidget
import traitlets

_SCRIPT = """
export default {
  render({ model, el }) {
    const row = document.createElement("div"), name = document.createElement("span");
    const input = Object.assign(document.createElement("input"), { type: "range" });
    const shown = document.createElement("span");
    row.className = "jaalnet-slider"; row.dataset.lmSuppressShortcuts = "true";
    name.textContent = model.get("description"); input.setAttribute("aria-label", model.get("description"));
    name.setAttribute("aria-hidden", "true"); shown.setAttribute("aria-hidden", "true");
    row.append(name, input, shown); el.append(row);
    const show = () => {
      for (const part of ["min", "max", "step", "value"]) input[part] = model.get(part);
      shown.textContent = model.get("value").toFixed(model.get("digits"));
      input.setAttribute("aria-valuetext", shown.textContent);
    };
    input.addEventListener("input", () => { model.set("value", Number(input.value)); model.save_changes(); });
    input.addEventListener("keydown", (event) => event.stopPropagation());
    model.on("change", show); show();
  },
};
"""
_LOOK = """
.jaalnet-slider { display: flex; align-items: center; gap: 8px; width: min(34em, 95%); margin: 2px; }
.jaalnet-slider span:first-child { flex: 0 0 11em; text-align: right; overflow-wrap: anywhere; }
.jaalnet-slider input { flex: 1 1 8em; min-width: 4em; }
.jaalnet-slider span:last-child { flex: 0 0 2.5em; }
"""


class LabelledSlider(anywidget.AnyWidget):
    """A number between two ends, moved by mouse, finger or arrow keys.

    Attributes:
        value: the number.
        min, max, step: its ends, and what an arrow key adds.
        description: its name, shown and read out.
        digits: decimals shown.
    """

    _esm = _SCRIPT
    _css = _LOOK

    value = traitlets.Float().tag(sync=True)
    min = traitlets.Float(0.0).tag(sync=True)
    max = traitlets.Float(1.0).tag(sync=True)
    step = traitlets.Float(1.0).tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)
    digits = traitlets.Int(0).tag(sync=True)

    @traitlets.validate("value")
    def _within(self, proposal: dict) -> float:
        return min(max(proposal["value"], self.min), self.max)
