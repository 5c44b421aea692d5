"""Panels of the lessons as still pictures: the site has no kernel that could move them.

A notebook that was run keeps the state of its widgets. A page shows what the panel showed then, picture and sentence,
and names the controls that it has in JupyterLab. Nothing of ipywidgets is loaded.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
REFERENCE = "IPY_MODEL_"
BOXES = {"HBoxModel": "beside", "GridBoxModel": "beside"}  # every other box shows its children below each other

Models = Mapping[str, Mapping[str, Any]]


def still(model_id: str, models: Models) -> str:
    """The HTML of one panel, empty when its state holds nothing to see.

    Args:
        models: the saved state of every widget of the notebook, by its id.
    """
    body = _shown(model_id, models)
    if not body.strip():
        return ""
    named = ", ".join(html.escape(name) for name in dict.fromkeys(controls(model_id, models)))
    words = f"Here it stands still; in JupyterLab it follows {named}." if named else "As it stood when the run ended."
    return f'<figure class="still-widget">{body}<figcaption>{words}</figcaption></figure>'


def controls(model_id: str, models: Models) -> Iterator[str]:
    """The names of a panel's controls, in their order, with the range that a slider has."""
    for model in _walk(model_id, models):
        state = model["state"]
        if "label" in state and "source" in state:
            yield "a click on the picture, or the arrow keys"
        name = state.get("description")
        if not name or not any(key in state for key in ("value", "index")) or model["model_name"] in _MUTE:
            continue
        ends = [state[end] for end in ("min", "max") if isinstance(state.get(end), int | float)]
        yield f"{name} ({ends[0]:g} to {ends[1]:g})" if len(ends) == 2 else name


# shown by themselves, so not named below the panel
_MUTE = {"HTMLModel", "LabelModel", "CheckboxModel", "FloatProgressModel", "IntProgressModel"}


def _walk(model_id: str, models: Models) -> Iterator[Mapping[str, Any]]:
    model = models.get(model_id.removeprefix(REFERENCE))
    if model is not None:
        yield model
        for child in model["state"].get("children", ()):
            yield from _walk(child, models)


def _shown(model_id: str, models: Models) -> str:
    model = models.get(model_id.removeprefix(REFERENCE))
    if model is None:
        return ""
    state, name = model["state"], model["model_name"]
    if name in ("HTMLModel", "HTMLMathModel", "LabelModel"):
        value = str(state.get("value", ""))
        words = html.escape(value) if name == "LabelModel" else _quiet(value)
        return f"<div>{words}</div>" if words.strip() else ""
    if name == "CheckboxModel":
        return f"<span>{'☑' if state.get('value') else '☐'} {html.escape(state.get('description', ''))}</span>"
    if str(state.get("source", "")).startswith("data:image/"):
        return _clickable(state)
    children = [shown for child in state.get("children", ()) if (shown := _shown(child, models))]
    if not children:
        return ""
    return f'<div class="{BOXES.get(name, "below")}">{"".join(children)}</div>'


def _clickable(state: Mapping[str, Any]) -> str:
    """A picture to click on, with its cross where it was left."""
    picture = f'<img src="{state["source"]}" alt="{html.escape(state.get("alt", ""), quote=True)}" width="224">'
    place, size = state.get("value"), state.get("size")
    if not (isinstance(place, list) and isinstance(size, list) and len(place) == len(size) == 2):
        return picture
    down, right = (100 * (at + 0.5) / side for at, side in zip(place, size, strict=True))
    cross = f'<span aria-hidden="true" style="top: {down:.1f}%; left: {right:.1f}%">+</span>'
    return f'<div class="marked">{picture}{cross}</div>'


def _quiet(value: str) -> str:
    """A sentence that no longer changes is not announced."""
    return re.sub(r'\s(aria-live|role)="[^"]*"', "", value)


def with_stills(notebook: dict[str, Any]) -> list[str]:
    """Put still panels in the place of a notebook's widgets, in place.

    Returns:
        what is wrong: a line for each panel whose picture the notebook did not keep.
    """
    models = notebook["metadata"].pop("widgets", {}).get(STATE, {}).get("state", {})
    faults = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            view = output.get("data", {}).get(VIEW)
            if view is None:
                continue
            shown = still(view["model_id"], models)
            if not shown:
                line = "".join(cell["source"]).strip().splitlines()[-1]
                faults.append(f"the panel of {line!r} was not kept; run: jaalnet lessons run N")
            output["data"] = {"text/html": [shown]}
    return faults
