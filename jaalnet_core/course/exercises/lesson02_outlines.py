"""Judges of lesson 2 about lines: a mask's outline, Canny's edges of a scaled picture, and how near two outlines "
"are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from jaalnet_core.course.exercises.diagnosing import diagnosed
from jaalnet_core.course.exercises.recognising import recognise
from jaalnet_core.course.judging import Wrong, agrees, call, close, expect, generator, same_shape

LOW, HIGH = 10, 100


def judge_outline_of(outline_of: Callable[[Tensor, int], Tensor]) -> None:
    """2.2: the outline of a mask, of any odd width."""
    draw = generator()
    for width in (3, 5, 7, int(draw.choice([9, 11]))):
        batch = int(draw.integers(2, 4))
        height, columns = (int(n) for n in draw.choice(np.arange(16, 30), 2, replace=False))
        mask = torch.stack([_blob(draw, height, columns) for _ in range(batch)])[:, None]
        found = call(outline_of, mask.clone(), width)
        what = f"the outline of width {width} for masks of {tuple(mask.shape)}"
        same_shape(found, mask.shape, what)
        right = _grown(mask, width) - _shrunk(mask, width)
        framed = functional.pad(mask, (width // 2,) * 4)
        reach = min(2 * width + 1, 2 * min(height, columns) - 1)
        mistakes = {
            "the frame is drawn where it cuts a lesion. Beyond the picture there is nothing, neither lesion nor skin: "
            "padding must win neither the maximum nor the minimum.": _cropped(
                _grown(framed, width) - _shrunk(framed, width), width // 2
            ),
            "it reaches `width` pixels to each side; the window itself is `width` pixels wide.": _grown(mask, reach)
            - _shrunk(mask, reach),
            "that is the outer half: the lesion's own pixels beside the skin belong to it too.": _grown(mask, width)
            - mask,
            "that is the inner half: the skin's pixels beside the lesion belong too.": mask - _shrunk(mask, width),
            "that is the outline of width 3, whatever `width` says.": _grown(mask, 3) - _shrunk(mask, 3),
            "that is the dilated mask: take away the eroded one.": _grown(mask, width),
            "that is the mask itself.": mask,
            "lesion and skin are exchanged.": 1 - right,
        }
        for words, value in mistakes.items():
            if agrees(found, value) and not agrees(value, right):
                raise Wrong(f"{what} is wrong: {words}")
        close(found, right, what)


def _blob(draw: np.random.Generator, height: int, width: int) -> Tensor:
    """A lesion that the frame cuts, with a speck beside it."""
    mask = np.zeros((height, width), np.uint8)
    axes = (int(draw.integers(6, 9)), int(draw.integers(5, 8)))
    cv2.ellipse(mask, (int(draw.integers(2, 5)), height // 2), axes, float(draw.uniform(0, 90)), 0, 360, 1, -1)
    mask[int(draw.integers(1, height - 1)), width - 2] = 1
    return torch.from_numpy(mask).float()


def _grown(mask: Tensor, width: int) -> Tensor:
    """The largest value in each window of `width` by `width` pixels; OpenCV's border never wins."""
    kernel = np.ones((width, width), np.uint8)
    flat = mask.reshape(-1, *mask.shape[-2:]).numpy()
    return torch.from_numpy(np.stack([cv2.dilate(one, kernel) for one in flat])).reshape(mask.shape)


def _shrunk(mask: Tensor, width: int) -> Tensor:
    return 1 - _grown(1 - mask, width)


def _cropped(mask: Tensor, reach: int) -> Tensor:
    return mask[..., reach:-reach, reach:-reach]


def judge_edge_map(edge_map: Callable[[Tensor], Tensor], cause: Any) -> None:
    """2.3: Canny on values in -1..1 cast to bytes (system.md, public implementations)."""
    diagnosed(
        cause,
        "d",
        {
            "a": "OpenCV's Canny takes bytes, so values in -1..1 never reach it, whatever the thresholds. Look at "
            "what does.",
            "b": "permute moves the axes and cvtColor reads them in that order: print the shape of `picture`, it is "
            "right.",
            "c": "the channels do come as red, green, blue here; another order would change the edges a little, not "
            "lose them all.",
        },
    )
    draw = generator()
    for _ in range(3):
        height, width = (int(n) for n in draw.choice(np.arange(72, 100), 2, replace=False))
        pictures = np.stack([_discs(draw, height, width, darkest) for darkest in (80, -5, 190)])
        images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
        kept = images.clone()
        found = call(edge_map, images)
        same_shape(found, (3, 1, height, width), f"the edge map for images of {tuple(images.shape)}")
        expect(torch.equal(images, kept), "the images handed in were changed in place: LF-Net needs them next.")
        _judge_edges(found.detach().float(), pictures)


def _discs(draw: np.random.Generator, height: int, width: int, darkest: int) -> np.ndarray:
    """Skin that grows brighter downwards, with a disc on it; `(H, W, 3)` bytes.

    The skin passes the middle, the least or the largest of the bytes, so slowly that it has no edge there, except where
    values wrap around. On skin of medium brightness lies another disc, which a swap of red and blue hides.
    """
    rows, columns = np.indices((height, width))
    skin = np.linspace(darkest, darkest + 60, height)[:, None, None] + draw.integers(0, 11, 3)  # (H, 1, 3)
    picture = np.broadcast_to(skin, (height, width, 3)).copy()
    radius, row = draw.uniform(9, 12), height / 2 + draw.uniform(-4, 4)
    contrast = draw.integers(60, 75) * (1 if darkest < 0 else -1)
    picture[(rows - row) ** 2 + (columns - width * 0.27) ** 2 < radius**2] += contrast
    if darkest == 80:
        picture[(rows - row) ** 2 + (columns - width * 0.73) ** 2 < radius**2] += np.array([100, 11, -60])
    return picture.round().clip(0, 255).astype(np.uint8)


def _canny(pictures: np.ndarray, low: float = LOW, high: float = HIGH, code: int = cv2.COLOR_RGB2GRAY) -> Tensor:
    edges = [cv2.Canny(cv2.cvtColor(picture, code), low, high) > 0 for picture in pictures]
    return torch.from_numpy(np.stack(edges))[:, None].float()


def _judge_edges(found: Tensor, pictures: np.ndarray) -> None:
    expect(
        not found.max() > 1,
        f"the edge map reaches {float(found.max()):.0f}, expected 0 and 1: OpenCV marks edges with 255.",
    )
    expect(bool(((found == 0) | (found == 1)).all()), "the edge map holds values between 0 and 1.")
    right, scaled = _canny(pictures), (torch.from_numpy(pictures).float() / 127.5 - 1).numpy()
    hits = int((found * right).sum())
    expect(
        hits > 0.05 * right.sum() or found.sum() > right.sum(),
        f"hardly an edge is left, {hits} of {int(right.sum())} edge pixels: what Canny gets is still nearly all one "
        "byte. -1 must become 0, and 1 must become 255, before the cast.",
    )
    mistakes = {
        "times 255 the values leave the bytes and wrap around. From -1 to 1 it is two, so the factor is 127.5.": _canny(
            _wrapped(scaled * 255)
        ),
        "from 0 to 2 times 255 the values leave the bytes and wrap around: the factor is 127.5.": _canny(
            _wrapped((scaled + 1) * 255)
        ),
        "values in -1..1 times 127.5 are negative below the middle and wrap around: add 1 first.": _canny(
            _wrapped(scaled * 127.5)
        ),
        "red and blue have changed places: the images are RGB.": _canny(pictures, code=cv2.COLOR_BGR2GRAY),
        "the thresholds were changed as well: bytes want 10 and 100.": _canny(pictures, LOW / 127.5, HIGH / 127.5),
        "1 and 0 are exchanged: everything but the edges is marked.": 1 - right,
    }
    if _dice(found, right) > 0.9:  # rounding may move an edge pixel here and there
        return
    words = max(mistakes, key=lambda words: _dice(found, mistakes[words]))
    if _dice(found, mistakes[words]) > 0.9:
        raise Wrong(f"the edges are not those of the photograph's bytes: {words}")
    raise Wrong(
        f"{int(found.sum())} edge pixels, of which {hits} are among the {int(right.sum())} that Canny finds on the "
        "photograph's own bytes, 0..255, with thresholds 10 and 100."
    )


def _wrapped(values: np.ndarray) -> np.ndarray:
    return values.astype(np.int64).astype(np.uint8)


def _dice(one: Tensor, other: Tensor) -> float:
    return float(2 * (one * other).sum() / (one.sum() + other.sum()))


def judge_outline_agreement(outline_agreement: Callable[[Tensor, Tensor, int], float]) -> None:
    """2.4: how well two outlines agree when a few pixels do not matter."""
    draw = generator()
    for trial in range(8):
        height, width = (int(n) for n in draw.choice(np.arange(14, 26), 2, replace=False))
        reach = trial % 4
        truth, drawn = (torch.from_numpy(draw.random((height, width)) < share).float() for share in (0.05, 0.03))
        truth[0, 0] = drawn[-1, :3] = drawn[0, reach + 1] = 1  # something just out of reach
        truth[5, 5] = drawn[5, 5] = 1
        if trial == 7:
            drawn = truth.clone()
        found = call(outline_agreement, drawn.clone(), truth.clone(), reach)
        right, mistakes = _agreement_and_mistakes(drawn, truth, reach)
        recognise(found, right, mistakes, f"with a reach of {reach} the agreement")
    none, some = torch.zeros(height, width), drawn
    for words, pair, value in (
        ("both maps are empty", (none, none), 1.0),
        ("nothing is drawn, though there is an outline", (none, some), 0.0),
        ("something is drawn, though there is no outline", (some, none), 0.0),
        ("nothing drawn lies within reach of the outline", (_corner(none, 0), _corner(none, -1)), 0.0),
    ):
        _judge_rule(outline_agreement, words, pair, value)


def _corner(empty: Tensor, place: int) -> Tensor:
    marked = empty.clone()
    marked[place, place] = 1
    return marked


def _judge_rule(outline_agreement: Callable[..., float], words: str, pair: tuple[Tensor, Tensor], value: float) -> None:
    try:
        found = call(outline_agreement, *(one.clone() for one in pair), 2)
    except Wrong as raised:
        raise Wrong(f"where {words}, {raised} The task says {value:g}.") from raised
    expect(agrees(found, value), f"where {words}, the agreement is {float(found):.3g}, expected {value:g}.")


def _agreement_and_mistakes(drawn: Tensor, truth: Tensor, reach: int) -> tuple[float, dict[str, Any]]:
    def share(one: Tensor, other: Tensor, width: int) -> float:
        return float((one * _grown(other, width)).sum() / one.sum())

    def both(width: int) -> float:
        p, r = share(drawn, truth, width), share(truth, drawn, width)
        return 2 * p * r / (p + r) if p + r else 0.0

    width = 2 * reach + 1
    p, r = share(drawn, truth, width), share(truth, drawn, width)
    return both(width), {
        "that is the share of the drawn pixels near the outline; the outline's own pixels must be asked as well.": p,
        "that is the share of the outline that something is drawn near; the drawn pixels must be asked as well.": r,
        "that is the plain mean of the two shares. Take the harmonic mean, which is low as soon as one is.": (p + r)
        / 2,
        "that is the product of the two shares.": p * r,
        "that is Dice, as if the reach were 0.": _dice(drawn, truth),
        "the window is too small: `reach` rows to both sides make 2 * reach + 1 rows.": both(reach | 1),
        "the window is too large: it reaches twice as far.": both(4 * reach + 1),
        "that is Dice of the two widened outlines. Widen one at a time, and ask the other's own pixels.": _dice(
            _grown(drawn, width), _grown(truth, width)
        ),
    }
