"""Judges of exercises 6.3 and 6.4: gradients that were never cleared, and an optimiser for one network of two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from jaalnet_core.course.exercises.diagnosing import letter_of
from jaalnet_core.course.exercises.lesson06_game import (
    Game,
    apart,
    copied,
    da_player,
    leave_gradients,
    lf_player,
    same_weights,
)
from jaalnet_core.course.judging import Wrong, agrees, attempted, call, close, expect, generator

_TURNS = {  # 6.3: what the moves of a turn would be, and what is wrong with them
    "real step fake step": "as it was found: no step starts from cleared gradients.",
    "clear real step fake step": "the second step still has the real pairs' gradient in it: clear before the second "
    "backward too.",
    "real step clear fake step": "what was in .grad before the turn goes into the first step. LF-Net's turn passes "
    "through DA-Net and leaves gradients there: clear before the first backward too.",
    "real fake step": "one step on both losses is a fair mend, but what was in .grad before the turn goes into it: "
    "clear first.",
    "clear real step": "nothing is learnt from the fake pairs.",
    "clear fake step": "nothing is learnt from the real pairs.",
    "clear real step clear real step": "both steps learn from the real pairs.",
    "clear fake step clear real step": "the fake pairs come first now; the order was to stay.",
    "clear real fake step step": "two steps are made on the sum of both losses: make two on one loss each, or one.",
}


def judge_turn(answer: Callable[..., Any], cause: Any) -> None:
    """DA-Net's turn, four times: each step made of its own loss alone, whatever was in `.grad` before; and why."""
    attempted(cause)
    shapes = generator()
    for _ in range(4):
        da_net, rate = da_player(), float(shapes.uniform(0.005, 0.02))
        optimizer = torch.optim.SGD(da_net.parameters(), lr=rate)
        real, fake = torch.rand(2, 3, 4, *(4 * int(n) for n in shapes.integers(3, 6, 2)))
        leave_gradients(da_net)
        before = copied(da_net)
        found = call(answer, da_net, optimizer, real.clone(), fake.clone())
        _judge_one_turn(before, da_net, real, fake, rate, found)
    _named(cause, "b", "What does backward do with the gradients that are there already?")


def _judge_one_turn(before: nn.Module, da_net: nn.Module, real: Tensor, fake: Tensor, rate: float, found: Any) -> None:
    expect(
        apart(before, da_net) > 0,
        "not one weight of DA-Net moves: where the gradients are cleared after backward, the step has nothing to use.",
    )
    right = (("clear real step clear fake step", 1.0), ("clear real fake step", 1.0), ("clear real fake step", 0.5))
    for moves, share in right:  # one step on the sum or on the mean of both losses is right as well
        expected, losses = _turn(before, real, fake, share * rate, moves)
        if same_weights(da_net, expected, before):
            if share == 1 or not agrees(found, losses / 2):
                close(found, losses, "the sum of both losses, which the turn returns")
            return
    for moves, words in _TURNS.items():
        if same_weights(da_net, _turn(before, real, fake, rate, moves)[0], before):
            raise Wrong(words)
    raise Wrong(
        "DA-Net does not move as one step on the real pairs' loss and then one on the fake pairs' loss would move it, "
        "nor as one step on both. Apart from the bug, the losses and the optimiser were right: keep them."
    )


def _turn(start: nn.Module, real: Tensor, fake: Tensor, rate: float, moves: str) -> tuple[nn.Module, Tensor]:
    """Where the moves of a turn lead, and the losses met on the way."""
    network, total = copied(start), torch.zeros(())
    for move in moves.split():
        if move == "clear":
            network.zero_grad()
        elif move == "step":
            torch.optim.SGD(network.parameters(), lr=rate).step()
        else:
            loss = (1 - network(real)).relu().mean() if move == "real" else (1 + network(fake)).relu().mean()
            loss.backward()
            total = total + loss.detach()
    return network, total


_GAMES = {  # 6.4: moves that plausible mends make, and what is wrong with them
    "draw clear-g clear-d d g step-d step-g": "DA-Net now moves, but LF-Net's loss pulls at it as well, and that loss "
    "asks DA-Net to call drawings real. It may learn from d_loss alone.",
    "draw d step-d clear-g g step-g": "DA-Net's gradients are never cleared: what LF-Net's loss left in them goes into "
    "DA-Net's next step.",
    "draw clear-d d step-d g step-g": "LF-Net's gradients are never cleared: those of earlier steps go into this one.",
    "draw clear-g clear-d d-undetached step-d g step-g": "DA-Net's loss reaches LF-Net, and asks for drawings that are "
    "easy to recognise: the drawing must be detached in d_loss.",
    "draw clear-g clear-d d-undetached g step-d step-g": "DA-Net's loss reaches LF-Net and LF-Net's loss reaches "
    "DA-Net: detach the drawing in d_loss, and give each loss its own backward.",
}
_FAIR = (
    "draw clear-d d step-d clear-g g step-g",  # LF-Net hears the DA-Net that has just learnt
    "draw clear-g g clear-d d step-d step-g",  # both learn from where both stood
    "draw clear-g g step-g draw clear-d d step-d",  # DA-Net judges a new drawing
)


def judge_game(answer: Callable[..., Any], cause: Any) -> None:
    """A game of two optimisers: each network moves, each by its own loss alone; and why."""
    attempted(cause)
    shapes = generator()
    for _ in range(2):
        lf_net, da_net, rate = lf_player(), da_player(), float(shapes.uniform(0.02, 0.1))
        play = call(answer, lf_net, da_net, rate)
        for _ in range(3):
            size = (int(shapes.integers(2, 4)), *(4 * int(n) for n in shapes.integers(3, 5, 2)))
            images, masks = torch.rand(size[0], 3, *size[1:]), (torch.rand(size[0], 1, *size[1:]) > 0.5).float()
            game = Game(copied(lf_net), copied(da_net), images, masks, _d_loss, _g_loss, rate)
            found = call(play, images.clone(), masks.clone())
            _judge_one_step(game, lf_net, da_net, found)
    _named(cause, "d", "Count which weights move in one step: whose are they?")


def _d_loss(real: Tensor, fake: Tensor) -> Tensor:
    return (1 - real).relu().mean() + (1 + fake).relu().mean()


def _g_loss(drawn: Tensor, masks: Tensor, opinion: Tensor) -> Tensor:
    return (drawn - masks).abs().mean() - opinion.mean()


def _judge_one_step(game: Game, lf_net: nn.Module, da_net: nn.Module, found: Any) -> None:
    for name, old, new in (("DA-Net", game.da_net, da_net), ("LF-Net", game.lf_net, lf_net)):
        expect(
            apart(old, new) > 0,
            f"not one weight of {name} moves in a step: it needs an optimiser that was given its parameters, and that "
            "takes a step.",
        )
    for moves in _FAIR:
        played = game.play(moves)
        if game.leads_to(played, lf_net, da_net):
            close(found, (played.losses["d"], played.losses["g"]), "the two losses that a step returns", 1e-4)
            return
    for moves, words in _GAMES.items():
        if game.leads_to(game.play(moves), lf_net, da_net):
            raise Wrong(words)
    raise Wrong(
        "both networks move, but not each by the learning rate times the gradient of its own loss. Keep the losses and "
        "plain SGD with the rate that is given; each loss has its own clearing, its own backward, its own step."
    )


def _named(cause: Any, letter: str, question: str) -> None:
    expect(letter_of(cause) == letter, f"the code is mended, but the cause is not {cause!r}. {question}")
