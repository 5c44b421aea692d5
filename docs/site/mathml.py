"""Formulas as MathML, which browsers draw and read aloud by themselves: no script, nothing to load."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

LOG = logging.getLogger(__name__)


def _markup(writer: Any, node: nodes.Element, display: str) -> str:
    try:
        return convert(node.astext(), display=display)
    except Exception as error:  # the converter raises many kinds
        LOG.warning("the formula %r cannot be converted: %r", node.astext(), error, location=node)
        return f"<code>{writer.encode(node.astext())}</code>"


def inline_formula(writer: Any, node: nodes.Element) -> None:
    """A formula in a line."""
    writer.body.append(_markup(writer, node, "inline"))
    raise nodes.SkipNode


def displayed_formula(writer: Any, node: nodes.Element) -> None:
    """A formula on a line of its own, which scrolls where the page is too narrow for it."""
    writer.body.append(f'<div class="formula" tabindex="0">{_markup(writer, node, "block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the renderer `mathml` to Sphinx."""
    app.add_html_math_renderer("mathml", (inline_formula, None), (displayed_formula, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
