"""Judge of exercise 6.5: one adversarial step with least-squares losses, both gradients clipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from jaalnet_core.course.exercises.lesson06_game import Game, apart, copied, da_player, leave_gradients, lf_player
from jaalnet_core.course.judging import Wrong, agrees, call, close, expect, generator

_RIGHT = "draw clear-d d clip-d step-d clear-g g clip-g step-g"
_WRONG = {  # moves, and what is wrong with them
    "draw clear-d d step-d clear-g g step-g": "no gradient is clipped to max_norm.",
    "draw clear-d d clip-d step-d clear-g g step-g": "LF-Net's gradient is not clipped.",
    "draw clear-d d step-d clear-g g clip-g step-g": "DA-Net's gradient is not clipped.",
    "draw d clip-d step-d clear-g g clip-g step-g": "what was in DA-Net's .grad before goes into its step: clear it "
    "right before its backward.",
    "draw clear-d d clip-d step-d g clip-g step-g": "what was in LF-Net's .grad before goes into its step: clear it "
    "right before its backward.",
    "draw d clip-d step-d g clip-g step-g": "no gradient is cleared: what was in .grad before goes into both steps.",
    "draw clear-g g clip-g clear-d d clip-d step-d step-g": "LF-Net listens to DA-Net as it was before its turn: "
    "DA-Net learns first, then LF-Net asks it.",
    "draw clear-d clear-g d-undetached clip-d step-d g clip-g step-g": "DA-Net's loss reaches LF-Net: the drawing must "
    "be detached in DA-Net's turn, or LF-Net's gradients be cleared after it.",
    "draw clear-d clear-g d g clip-d clip-g step-d step-g": "DA-Net steps only after LF-Net's backward, whose gradient "
    "it then has as well. Finish DA-Net's turn first.",
    "draw clear-d clear-g d-undetached g clip-d clip-g step-d step-g": "both losses are summed or share their "
    "gradients: DA-Net learns from LF-Net's loss, and LF-Net from DA-Net's. Give each its own turn.",
    "draw clear-d d clip-d step-d": "LF-Net does not move: its turn lacks a step, or the drawing was detached there "
    "too.",
    "draw clear-g g clip-g step-g": "DA-Net does not move: its turn lacks a step.",
}


def judge_step(answer: Callable[..., Any]) -> None:
    """Both networks arrive where the step leads, with leftovers in `.grad`, with and without anything to clip."""
    shapes = generator()
    for trial in range(4):
        lf_net, da_net = lf_player(int(shapes.integers(3, 6))), da_player(int(shapes.integers(5, 9)))
        rate, weight = float(shapes.uniform(0.05, 0.2)), float(shapes.uniform(0.2, 0.8))
        size = (int(shapes.integers(2, 4)), *(4 * int(n) for n in shapes.integers(2, 5, 2)))
        images, masks = torch.rand(size[0], 3, *size[1:]), (torch.rand(size[0], 1, *size[1:]) > 0.5).float()
        leave_gradients(lf_net, da_net)
        max_norm = 0.1 if trial % 2 else 100.0
        game = Game(copied(lf_net), copied(da_net), images, masks, _d_loss, _g_loss(weight), rate, max_norm)
        optimizers = [torch.optim.SGD(network.parameters(), lr=rate) for network in (lf_net, da_net)]
        found = _step(answer, lf_net, da_net, *optimizers, images.clone(), masks.clone(), weight, max_norm)
        _judge_one(game, lf_net, da_net, found, weight)
        expect(
            all(parameter.requires_grad for parameter in da_net.parameters()),
            "DA-Net is frozen after the step and would never learn again: da_net.requires_grad_(True) at the end.",
        )
        draws = int(lf_net[1].num_batches_tracked)
        expect(draws == 1, f"LF-Net draws {draws} times in one step; draw once, and show the drawing in both turns.")


def _step(answer: Callable[..., Any], *given: Any) -> Any:
    try:
        return call(answer, *given)
    except Wrong as wrong:
        if "backward through the graph a second time" in str(wrong):
            raise Wrong(
                "PyTorch refuses to go backward through one graph a second time. DA-Net's backward went through the "
                "drawing into LF-Net and used its graph up: the drawing must be detached in DA-Net's turn."
            ) from wrong
        raise


def _d_loss(real: Tensor, fake: Tensor) -> Tensor:
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def _g_loss(weight: float, target: float = 1.0) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    return lambda drawn, masks, opinion: (drawn - masks).abs().mean() + weight * (opinion - target).square().mean()


def _judge_one(game: Game, lf_net: nn.Module, da_net: nn.Module, found: Any, weight: float) -> None:
    right = game.play(_RIGHT)
    if game.leads_to(right, lf_net, da_net):
        close(found, (right.losses["d"], right.losses["g"]), "what the step returns, both losses", 1e-4)
        return
    for moves, words in _WRONG.items():
        played = game.play(moves)
        if game.leads_to(played, lf_net, da_net) and not game.leads_to(played, right.lf_net, right.da_net):
            raise Wrong(words)
    _wrong_losses(game, lf_net, da_net, weight)
    expect(apart(game.da_net, da_net) > 0, "not one weight of DA-Net moves in the step.")
    expect(apart(game.lf_net, lf_net) > 0, "not one weight of LF-Net moves in the step.")
    close(found, (right.losses["d"], right.losses["g"]), "the losses of the step (DA-Net's, LF-Net's)", 1e-4)
    right_da = agrees(apart(da_net, right.da_net), 0.0, 1e-6)
    raise Wrong(
        f"both losses are right, but {'LF-Net' if right_da else 'DA-Net'} does not arrive where its own gradient, "
        "clipped to max_norm, would bring it."
    )


def _wrong_losses(game: Game, lf_net: nn.Module, da_net: nn.Module, weight: float) -> None:
    """Raise where the moves were right, but made with another loss."""
    others = {
        "DA-Net's targets are exchanged: real pairs should get 1, fake ones 0.": {
            "d_loss": lambda real, fake: _d_loss(fake, real)
        },
        "LF-Net wants its drawing to get 1, an expert's mark, not 0.": {"g_loss": _g_loss(weight, 0.0)},
        "DA-Net's opinion goes into LF-Net's loss without its weight.": {"g_loss": _g_loss(1.0)},
        "LF-Net's loss lacks DA-Net's opinion: nothing adversarial happens.": {"g_loss": _g_loss(0.0)},
        "LF-Net's loss lacks the distance to the expert's mask.": {
            "g_loss": lambda drawn, masks, opinion: weight * (opinion - 1).square().mean()
        },
        "DA-Net's loss is the mean of real and fake: the halving is missing.": {
            "d_loss": lambda a, b: 2 * _d_loss(a, b)
        },
    }
    for words, change in others.items():
        other = Game(**{**vars(game), **change})
        if other.leads_to(other.play(_RIGHT), lf_net, da_net):
            raise Wrong(words)
