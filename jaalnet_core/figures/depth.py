"""How much of the gradient arrives at each depth of a stack of blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jaalnet_core.figures.style import BLACK, BLUE, GREEN, TEXT_SIZE, VERMILION, NotebookFigure, dress, new_figure

_LOOKS = ((VERMILION, "-"), (BLUE, "--"), (GREEN, "-."), (BLACK, ":"))


def gradient_by_depth(norms: Mapping[str, Sequence[float]], *, alt: str) -> NotebookFigure:
    """Gradient norms after each block, as multiples of the norm at the last one, on a logarithmic scale.

    Args:
        norms: by the stack's name; the first entry is that of the block next to the input. All above 0.
        alt: what is to be seen, in words.

    Raises:
        ValueError: more stacks than there are ways to draw them apart, or a norm that is not above 0.
    """
    if len(norms) > len(_LOOKS):
        raise ValueError(f"norms: found {len(norms)} stacks, expected at most {len(_LOOKS)}.")
    figure = new_figure(6.0, 2.8, alt=alt)
    axes = figure.subplots()
    dress(axes, "gradient that arrives, as a multiple of the last block's", "block (1 is next to the input)")
    for (name, values), (colour, dash) in zip(norms.items(), _LOOKS, strict=False):
        if not all(value > 0 for value in values):
            raise ValueError(f"norms: found a value in {name!r} that is not above 0, expected gradients' norms.")
        blocks = range(1, len(values) + 1)
        axes.plot(blocks, [value / values[-1] for value in values], color=colour, linestyle=dash, label=name)
    axes.set_yscale("log")
    axes.legend(fontsize=TEXT_SIZE - 1, frameon=False)
    return figure
