"""Judges of lesson 1 about pixels: a mask enlarged, an augmentation of picture and mask, and a data set of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from jaalnet_core.course.exercises.lesson01_files import another_process
from jaalnet_core.course.judging import Wrong, agrees, call, close, expect, generator, same_shape

DRAWS = 2000  # enough to tell one half from two thirds


def judge_enlarge_mask(enlarge_mask: Callable[[np.ndarray, int], np.ndarray]) -> None:
    """1.1: a mask enlarged by nearest pixels."""
    draw = generator()
    for _ in range(4):
        height, factor = (int(n) for n in draw.integers(3, 7, 2))
        width = height + int(draw.integers(1, 5))
        mask = draw.integers(0, 2, (height, width)).astype(np.uint8)
        mask[0, :2], mask[1, 0] = (1, 0), 0  # something for every mistake to show on
        right = np.kron(mask, np.ones((factor, factor), np.uint8))
        found = call(enlarge_mask, mask.copy(), factor)
        what = f"a mask of shape {mask.shape} enlarged {factor} times"
        if tuple(getattr(found, "shape", ())) == (width * factor, height * factor):
            raise Wrong(f"{what} has shape {found.shape}, expected {right.shape}: OpenCV wants the width first.")
        same_shape(found, right.shape, what)
        found = np.asarray(found)
        between = np.setdiff1d(found, (0, 1))
        expect(
            not between.size,
            f"{what} holds {between[:1].round(3)}, expected 0 and 1 alone: interpolation invents answers, nearest "
            "pixels do not.",
        )
        expect(
            not np.array_equal(found, np.tile(mask, (factor, factor))),
            "the whole mask is there several times, side by side: each pixel must become a block, in its own place.",
        )
        smooth = cv2.resize(mask.astype(np.float32), (width * factor, height * factor))
        cut = [smooth >= 0.5, smooth > 0.5, smooth > 0, smooth >= 1]
        expect(
            np.array_equal(found, right) or not any(np.array_equal(found, one) for one in cut),
            "that is a bilinear mask, cut to 0 and 1 again: corners are rounded, and the lesion may grow or shrink. "
            f"Each pixel must become a block of {factor}x{factor} equal ones.",
        )
        close(found, right, what)
        expect(found.dtype == np.uint8, f"the enlarged mask is {found.dtype}, expected uint8 as it was.")


def judge_turn_and_brighten(turn_and_brighten: Callable[..., tuple[Tensor, Tensor]]) -> None:
    """1.3: one of eight turns for picture and mask together, brightness for the picture alone."""
    draw = generator()
    side = int(draw.integers(4, 7))
    image = torch.as_tensor(draw.uniform(0.05, 0.8, (3, side, side)), dtype=torch.float32)
    turns = torch.zeros(8, 1, side, side)
    while len(turns.unique(dim=0)) < 8:  # no two of the mask's turns are alike
        mask = torch.as_tensor(draw.integers(0, 2, (1, side, side)), dtype=torch.float32)
        turns = _eight_turns(mask)
    source, images = torch.Generator().manual_seed(int(draw.integers(2**31))), _eight_turns(image)
    drawn = []
    for _ in range(DRAWS):
        drawn.append(_drawn(call(turn_and_brighten, image.clone(), mask.clone(), source), images, turns))
        if len(drawn) == 50:
            _judge_together(drawn)
    _judge_together(drawn)
    _judge_draws([turn for turn, _, _ in drawn], np.array([factor for _, _, factor in drawn]))
    _judge_source_and_range(turn_and_brighten, draw, side)


def _eight_turns(x: Tensor) -> Tensor:
    """`(8, C, H, W)`: number `4 * mirrored + quarter turns`."""
    return torch.stack([torch.rot90(one, k, (-2, -1)) for one in (x, x.flip(-1)) for k in range(4)])


def _drawn(found: Any, images: Tensor, masks: Tensor) -> tuple[int, int, float]:
    """Which of the eight turns the image has made, which the mask, and the factor of brightness."""
    expect(isinstance(found, (tuple, list)) and len(found) == 2, "expected two tensors: `return image, mask`.")
    image, mask = found
    same_shape(image, images.shape[1:], "the image")
    same_shape(mask, masks.shape[1:], "the mask")
    ratio = (image / images).flatten(1)  # (8, 3 * H * W), constant for the turn that it is
    spread = ratio.amax(1) - ratio.amin(1)
    turn = int(spread.argmin())
    if spread[turn] > 1e-4:
        flipped = torch.stack([images.flip(1), *(images.roll(n, 1) for n in (1, 2))]).flatten(0, 1)
        swapped = (image / flipped).flatten(1)
        if bool(((swapped.amax(1) - swapped.amin(1)) < 1e-4).any()):
            raise Wrong("red, green and blue have changed places: axis 0 holds the channels, the last two the pixels.")
        raise Wrong(
            "the image is none of its eight turns times one factor. Is brightness one number for the whole picture, "
            "and are only the last two axes turned?"
        )
    factor = float(ratio[turn].mean())
    expect(
        not set(mask.unique().tolist()) - {0.0, 1.0},
        f"the mask holds {float(mask.max()):.3f}, expected 0 and 1 alone: brightness ({factor:.3f} this time) belongs "
        "to the picture, not to the answer.",
    )
    alike = (mask == masks).flatten(1).all(1)
    expect(bool(alike.any()), "the mask is none of its own eight turns.")
    return turn, int(alike.int().argmax()), factor


def _judge_together(drawn: list[tuple[int, int, float]]) -> None:
    if all(of_image == of_mask for of_image, of_mask, _ in drawn):
        return
    if all(of_mask == 0 for _, of_mask, _ in drawn):
        raise Wrong("the mask stayed as it was while its picture was turned: turn both.")
    if all(of_image == 0 for of_image, _, _ in drawn):
        raise Wrong("the picture stayed as it was while its mask was turned: turn both.")
    raise Wrong("the mask was turned otherwise than its picture. Draw the numbers once, and use them for both.")


def _judge_draws(turns: list[int], factors: np.ndarray) -> None:
    count = np.bincount(turns, minlength=8)
    mirrored, quarters = count[4:].sum() / len(turns), (count[:4] + count[4:]) / len(turns)
    expect((count > 0).sum() > 1, "every draw gave the same turn: nothing is drawn, or always the same.")
    if abs(mirrored - 0.5) > 0.06 and not (count == 0).any():
        raise Wrong(f"mirrored in {mirrored:.0%} of {len(turns)} draws, expected about half.")
    expect(
        not (count == 0).any(),
        f"in {len(turns)} draws only {(count > 0).sum()} of the eight turns came up: four quarter turns, each "
        "mirrored and not. `torch.randint(n, …)` draws from 0 to n - 1.",
    )
    expect(
        np.abs(quarters - 0.25).max() < 0.055,
        f"a picture was turned by 0, 1, 2, 3 quarters in {', '.join(f'{q:.0%}' for q in sorted(quarters))} of the "
        "draws (sorted), expected about a quarter each.",
    )
    expect(np.ptp(factors) > 1e-4, f"brightness is {factors[0]:.3f} in every draw, expected another one each time.")
    low, high = factors.min(), factors.max()
    expect(
        abs(low - 0.8) < 0.02 and abs(high - 1.2) < 0.02,
        f"brightness lies between {low:.3f} and {high:.3f} in {len(turns)} draws, expected 0.8 to 1.2.",
    )
    expect(abs(factors.mean() - 1) < 0.02, f"brightness is {factors.mean():.3f} in the mean, expected 1: drawn evenly.")
    by_turn = np.array([factors[np.array(turns) == turn].mean() for turn in range(8)])
    expect(np.abs(by_turn - 1).max() < 0.06, "brightness depends on the turn: draw a number of its own for it.")


def _judge_source_and_range(turn_and_brighten: Callable[..., Any], draw: np.random.Generator, side: int) -> None:
    """Draws come from the generator given, bright pictures stay in 0..1, and the learner's tensors as they were."""
    image = torch.as_tensor(draw.uniform(0.3, 1.0, (3, side, side)), dtype=torch.float32)
    mask = torch.as_tensor(draw.integers(0, 2, (1, side, side)), dtype=torch.float32)
    kept = image.clone(), mask.clone()
    for seed in draw.integers(0, 2**31, 30).tolist():
        first, again = (call(turn_and_brighten, image, mask, torch.Generator().manual_seed(seed)) for _ in range(2))
        expect(
            torch.equal(image, kept[0]) and torch.equal(mask, kept[1]),
            "the tensors handed in were changed in place: the next epoch would start from a changed picture.",
        )
        expect(
            agrees(tuple(first), tuple(again)),
            "two generators of the same seed gave different results: draw every number with `generator=generator`.",
        )
        expect(
            float(first[0].max()) <= 1,
            f"a bright picture reaches {float(first[0].max()):.3f}, expected values in 0..1: clamp after brightening.",
        )
        right = (image * (first[0].min() / image.min())).clamp(0, 1)
        in_order = [x.flatten().sort().values for x in (first[0], right)]
        close(*in_order, "a bright picture, its values in order", 1e-4)


def judge_augmented_pairs(augmented_pairs: type) -> None:
    """1.5: a data set whose every item is drawn by seed, epoch and index alone."""
    draw = generator()
    height, width = (int(n) for n in draw.choice(np.arange(4, 12), 2, replace=False))
    images = draw.integers(0, 256, (13, height, width, 3)).astype(np.uint8)
    masks = draw.integers(0, 2, (13, height, width)).astype(np.uint8)
    images[:, 0, 0], masks[:, 0, 0] = 255, 1
    seeds = int(draw.integers(5, 90)) + np.arange(2)
    augment = _Augment()

    def read(seed: int, epoch: int, index: int) -> tuple[int, Any]:
        data = call(augmented_pairs, images.copy(), masks.copy(), augment, seed, epoch)
        return augment.draw_of(lambda: call(data.__getitem__, index)), data

    data = call(augmented_pairs, images.copy(), masks.copy(), augment, int(seeds[0]), 0)
    expect(call(data.__len__) == 13, f"len() of a data set of 13 pictures is {len(data)}.")
    _judge_tensors(data, augment, images, masks)
    global_state = torch.get_rng_state()
    place = int(draw.integers(3, 13))
    alone, data = read(int(seeds[0]), 1, place)
    for other in (place - 1, 0, place):
        later = augment.draw_of(lambda: call(data.__getitem__, other))  # noqa: B023
        expect(
            later == read(int(seeds[0]), 1, other)[0],
            f"item {other} is drawn otherwise when another was read before it: seed a fresh generator for every item.",
        )
    expect(
        torch.equal(torch.get_rng_state(), global_state),
        "reading an item seeds or uses the random numbers of the whole program: make a `torch.Generator()` of its own.",
    )
    _judge_distinct({(int(s), e, i): read(int(s), e, i)[0] for s in seeds for e in range(3) for i in range(13)})
    with another_process(augmented_pairs.__getitem__):
        expect(
            read(int(seeds[0]), 1, place)[0] == alone,
            "in another process (a loader's worker) the item is drawn otherwise: Python salts hash() of a text.",
        )


class _Augment:
    """An augmentation for the learner's data set that notes what it was given and drew."""

    def __init__(self) -> None:
        self.given: list[tuple[Any, Any]] = []
        self.draws: list[int] = []

    def __call__(self, image: Any, mask: Any, generator: Any) -> tuple[Tensor, Tensor]:
        if not isinstance(generator, torch.Generator):
            raise Wrong(f"augment was given a {type(generator).__name__} as its generator, expected a torch.Generator.")
        self.given.append((image, mask))
        self.draws.append(int(torch.randint(2**62, (1,), generator=generator)))
        return image.flip(-1) * 0.5, mask.flip(-1)

    def draw_of(self, read: Callable[[], Any]) -> int:
        self.draws.clear()
        read()
        expect(self.draws, "augment was not called: hand it image, mask and a generator, and return what it returns.")
        expect(len(self.draws) == 1, "augment was called more than once for an item: one call moves both.")
        return self.draws[0]


def _judge_tensors(data: Any, augment: _Augment, images: np.ndarray, masks: np.ndarray) -> None:
    for index in (12, 4):
        augment.given.clear()
        found = call(data.__getitem__, index)
        expect(isinstance(found, (tuple, list)) and len(found) == 2, "an item is two tensors: `return image, mask`.")
        expect(
            augment.given, "augment was not called: hand it image, mask and a generator, and return what it returns."
        )
        image, mask = augment.given[-1]
        right = torch.as_tensor(images[index].transpose(2, 0, 1).copy(), dtype=torch.float32) / 255
        what = f"the image of a picture of shape {images[index].shape}"
        same_shape(image, right.shape, what)
        expect(
            not agrees(image, torch.as_tensor(images[index].reshape(right.shape) / 255)),
            "`reshape` deals the numbers out anew and red is no longer red: move the axes with `permute`.",
        )
        expect(float(image.max()) <= 1, f"{what} reaches {float(image.max()):.0f}, expected 0..1: divide by 255.")
        expect(float(image.max()) > 0.5, f"{what} reaches only {float(image.max()):.4f}, expected 1: divided twice?")
        close(image, right, what)
        same_shape(mask, (1, *masks.shape[1:]), "the mask")
        expect(
            float(mask.max()) == 1,
            f"the mask reaches {float(mask.max()):.4f}, expected 1: its bytes are 0 and 1 already.",
        )
        close(mask, masks[index][None], "the mask")
        for tensor, name in ((image, "image"), (mask, "mask")):
            expect(tensor.dtype == torch.float32, f"the {name} is {tensor.dtype}, expected torch.float32.")
        expected = image.flip(-1) * 0.5, mask.flip(-1)
        expect(agrees(tuple(found), expected), "what augment returned was not returned: the item is another picture.")


def _judge_distinct(drawn: dict[tuple[int, int, int], int]) -> None:
    first: dict[int, tuple[int, int, int]] = {}
    clashes = [(first[value], key) for key, value in drawn.items() if first.setdefault(value, key) != key]
    if not clashes:
        return
    alike = min(clashes, key=lambda pair: sum(a != b for a, b in zip(*pair, strict=True)))
    names = [f"item {i} of epoch {e} with seed {s}" for s, e, i in alike]
    differ = [name for name, a, b in zip(("seed", "epoch", "index"), *alike, strict=True) if a != b]
    why = (
        f"the {differ[0]} does not reach the generator."
        if len(differ) == 1
        else f"{' and '.join(differ)} make up for each other. Give each its own place, as in SeedSequence([…])."
    )
    raise Wrong(f"{names[0]} and {names[1]} are drawn alike: {why}")
