"""Names for the handles of sliders: ipywidgets writes a slider's label beside it, and tells no screen reader of it."""

from __future__ import annotations

import anywidget

_SCRIPT = """
export default {
  render({ el }) {
    el.style.display = "none";
    let watcher;
    const begin = () => {
      const panel = el.parentElement?.closest(".widget-box");
      if (!el.isConnected || !panel) return void (waiting = requestAnimationFrame(begin));
      const name = () => panel.querySelectorAll(".widget-inline-hbox [role=slider]").forEach((handle) => {
        const label = handle.closest(".widget-inline-hbox").querySelector(".widget-label");
        if (label && handle.getAttribute("aria-label") !== label.textContent)
          handle.setAttribute("aria-label", label.textContent);
      });
      watcher = new MutationObserver(name);
      watcher.observe(panel, { childList: true, subtree: true });
      name();
    };
    let waiting = requestAnimationFrame(begin);
    return () => { cancelAnimationFrame(waiting); watcher?.disconnect(); };
  },
};
"""


class ControlNames(anywidget.AnyWidget):
    """Unseen; put into a box with sliders, it gives each slider's handle its label as accessible name."""

    _esm = _SCRIPT
