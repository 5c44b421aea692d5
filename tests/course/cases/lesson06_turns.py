"""Answers to exercises 6.3 and 6.4 of lesson 6: a turn of DA-Net, and a game of two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from exercise_cases import Cases, Fault
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from jaalnet_core.da_net import pair
from jaalnet_core.losses import discriminator_loss


def hinge(logits: Tensor, sign: int) -> Tensor:
    return torch.relu(1 - sign * logits).mean()


def turn_of(moves: str) -> Callable[..., float]:
    """A turn that makes these moves: clear, real, fake (forward and backward), step."""

    def turn(da_net: nn.Module, optimizer: Optimizer, real_pairs: Tensor, fake_pairs: Tensor) -> float:
        total = 0.0
        for move in moves.split():
            if move in ("real", "fake"):
                loss = hinge(da_net(real_pairs), 1) if move == "real" else hinge(da_net(fake_pairs), -1)
                loss.backward()
                total += loss.item()
            elif move == "clear":
                optimizer.zero_grad()
            else:
                optimizer.step()
        return total

    return turn


def by_loop(da_net: nn.Module, optimizer: Optimizer, real_pairs: Tensor, fake_pairs: Tensor) -> Tensor:
    losses = []
    for pairs, sign in ((real_pairs, 1), (fake_pairs, -1)):
        da_net.zero_grad(set_to_none=False)
        losses.append(hinge(da_net(pairs), sign))
        losses[-1].backward()
        optimizer.step()
    return sum(losses)


def by_autograd(da_net: nn.Module, optimizer: Optimizer, real_pairs: Tensor, fake_pairs: Tensor) -> Tensor:
    """One step on the mean of both losses."""
    loss = (hinge(da_net(real_pairs), 1) + hinge(da_net(fake_pairs), -1)) / 2
    weights = list(da_net.parameters())
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        weight.grad = gradient
    optimizer.step()
    return loss


def returns_one_loss(da_net: nn.Module, optimizer: Optimizer, real_pairs: Tensor, fake_pairs: Tensor) -> float:
    turn_of("clear real step")(da_net, optimizer, real_pairs, fake_pairs)
    return turn_of("clear fake step")(da_net, optimizer, real_pairs, fake_pairs)


def targets_exchanged(da_net: nn.Module, optimizer: Optimizer, real_pairs: Tensor, fake_pairs: Tensor) -> float:
    total = 0.0
    for pairs, sign in ((real_pairs, -1), (fake_pairs, 1)):
        optimizer.zero_grad()
        loss = hinge(da_net(pairs), sign)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total


def turn_by_package(da_net: nn.Module, optimizer: Optimizer, real_pairs: Tensor, fake_pairs: Tensor) -> float:
    optimizer.zero_grad()
    loss = discriminator_loss(da_net(real_pairs), True, "hinge") + discriminator_loss(
        da_net(fake_pairs), False, "hinge"
    )
    loss.backward()
    optimizer.step()
    return loss.item()


MENDED = turn_of("clear real step clear fake step")
TURN = Cases(
    right={
        "a loop": (by_loop, "b"),
        "one step on both": (turn_of("clear real fake step"), "B"),
        "one step on the mean": (by_autograd, "b)"),
        "cleared afterwards as well": (turn_of("clear real step clear fake step clear"), "b"),
    },
    wrong={
        "as it was found": Fault((turn_of("real step fake step"), "b"), "as it was found"),
        "cleared at the beginning only": Fault(
            (turn_of("clear real step fake step"), "b"), "clear before the second backward too"
        ),
        "cleared between only": Fault(
            (turn_of("real step clear fake step"), "b"), "clear before the first backward too"
        ),
        "cleared after each step": Fault(
            (turn_of("real step clear fake step clear"), "b"), "LF-Net's turn passes through DA-Net"
        ),
        "cleared before the step": Fault((turn_of("real clear step fake clear step"), "b"), "not one weight of DA-Net"),
        "one step, not cleared": Fault((turn_of("real fake step clear"), "b"), "is a fair mend, but what was in"),
        "two steps on the sum": Fault((turn_of("clear real fake step step"), "b"), "two steps are made on the sum"),
        "fake pairs forgotten": Fault((turn_of("clear real step"), "b"), "nothing is learnt from the fake"),
        "targets exchanged": Fault((targets_exchanged, "b"), "the losses and the optimiser were right"),
        "returns the last loss": Fault((returns_one_loss, "b"), "the sum of both losses, which the turn returns"),
        "mended, another cause": Fault((MENDED, "a"), "but the cause is not 'a'"),
    },
    own={"the package's loss": (turn_by_package, "b")},
    equivalent={
        "return (real_loss + fake_loss).item()  ->  return real_loss + fake_loss": "a tensor of one number is a number"
    },
)

ITEMS = "return (d_loss.item(), g_loss.item())"
TENSORS = {
    f"{ITEMS}  ->  return ({returned})": "a tensor of one number is a number"
    for returned in ("d_loss, g_loss.item()", "d_loss.item(), g_loss")
}


def losses_of(lf_net: nn.Module, da_net: nn.Module, images: Tensor, masks: Tensor, detach: bool = True) -> list[Tensor]:
    drawn = torch.sigmoid(lf_net(images))
    shown = drawn.detach() if detach else drawn
    d_loss = hinge(da_net(pair(images, masks)), 1) + hinge(da_net(pair(images, shown)), -1)
    return [d_loss, (drawn - masks).abs().mean() - da_net(pair(images, drawn)).mean()]


def game_of(
    optimizers: Callable[[nn.Module, nn.Module, float], Sequence[Optimizer]], detach: bool = True
) -> Callable[..., Any]:
    """A game in which both losses are summed, and all optimisers clear and step together."""

    def make_game(lf_net: nn.Module, da_net: nn.Module, rate: float) -> Callable[..., Any]:
        chosen = optimizers(lf_net, da_net, rate)

        def play(images: Tensor, masks: Tensor) -> tuple[float, float]:
            d_loss, g_loss = losses_of(lf_net, da_net, images, masks, detach)
            for optimizer in chosen:
                optimizer.zero_grad()
            (d_loss + g_loss).backward()
            for optimizer in chosen:
                optimizer.step()
            return d_loss.item(), g_loss.item()

        return play

    return make_game


def frozen_meanwhile(lf_net: nn.Module, da_net: nn.Module, rate: float) -> Callable[..., Any]:
    optimizers = {net: SGD(net.parameters(), lr=rate) for net in (lf_net, da_net)}

    def learn(network: nn.Module, loss: Tensor) -> float:
        optimizers[network].zero_grad()
        loss.backward()
        optimizers[network].step()
        return loss.item()

    def play(images: Tensor, masks: Tensor) -> list[float]:
        drawn = lf_net(images).sigmoid()
        real, fake = da_net(pair(images, masks)), da_net(pair(images, drawn.detach()))
        d_loss = learn(da_net, hinge(real, 1) + hinge(fake, -1))
        for weight in da_net.parameters():
            weight.requires_grad_(False)
        g_loss = learn(lf_net, (drawn - masks).abs().mean() - da_net(pair(images, drawn)).mean())
        da_net.requires_grad_(True)
        return [d_loss, g_loss]

    return play


def both_at_once(lf_net: nn.Module, da_net: nn.Module, rate: float) -> Callable[..., Any]:
    """One optimiser for both, each gradient taken of its own loss alone."""
    weights = [*lf_net.parameters(), *da_net.parameters()]
    optimizer = SGD(weights, lr=rate)

    def play(images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        d_loss, g_loss = losses_of(lf_net, da_net, images, masks)
        mine = torch.autograd.grad(g_loss, list(lf_net.parameters()), retain_graph=True)
        theirs = torch.autograd.grad(d_loss, list(da_net.parameters()))
        for weight, gradient in zip(weights, [*mine, *theirs], strict=True):
            weight.grad = gradient
        optimizer.step()
        return d_loss, g_loss

    return play


def generator_first(lf_net: nn.Module, da_net: nn.Module, rate: float) -> Callable[..., Any]:
    lf_sgd, da_sgd = SGD(lf_net.parameters(), rate), SGD(da_net.parameters(), rate)

    def play(images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        lf_sgd.zero_grad()
        g_loss = losses_of(lf_net, da_net, images, masks)[1]
        g_loss.backward()
        lf_sgd.step()
        da_sgd.zero_grad()
        d_loss = losses_of(lf_net, da_net, images, masks)[0]
        d_loss.backward()
        da_sgd.step()
        return d_loss, g_loss

    return play


def in_turns(moves: str, kind: type[Optimizer] = SGD) -> Callable[..., Any]:
    """A game of these moves: clear-d, d, step-d, and the same with g; d-undetached."""

    def make_game(lf_net: nn.Module, da_net: nn.Module, rate: float) -> Callable[..., Any]:
        optimizers = {"g": kind(lf_net.parameters(), lr=rate), "d": kind(da_net.parameters(), lr=rate)}

        def play(images: Tensor, masks: Tensor) -> tuple[float, float]:
            drawn, met = torch.sigmoid(lf_net(images)), {"d": 0.0, "g": 0.0}
            for move in moves.split():
                kind, _, whose = move.partition("-")
                if kind in ("clear", "step"):
                    optimizers[whose].zero_grad() if kind == "clear" else optimizers[whose].step()
                    continue
                shown = drawn if kind == "g" or whose else drawn.detach()
                fake = da_net(pair(images, shown))
                real = da_net(pair(images, masks))
                loss = (drawn - masks).abs().mean() - fake.mean() if kind == "g" else hinge(real, 1) + hinge(fake, -1)
                loss.backward(retain_graph=True)
                met[kind] = loss.item()
            return met["d"], met["g"]

        return play

    return make_game


def losses_swapped(lf_net: nn.Module, da_net: nn.Module, rate: float) -> Callable[..., Any]:
    play = frozen_meanwhile(lf_net, da_net, rate)
    return lambda images, masks: play(images, masks)[::-1]


def lf_only(lf_net: nn.Module, da_net: nn.Module, rate: float) -> list[Optimizer]:
    return [SGD(lf_net.parameters(), lr=rate)]


def da_only(lf_net: nn.Module, da_net: nn.Module, rate: float) -> list[Optimizer]:
    return [SGD(da_net.parameters(), lr=rate)]


def one_for_both(lf_net: nn.Module, da_net: nn.Module, rate: float) -> list[Optimizer]:
    return [SGD([*lf_net.parameters(), *da_net.parameters()], lr=rate)]


GAME = Cases(
    right={
        "DA-Net frozen meanwhile": (frozen_meanwhile, "d"),
        "one optimiser, gradients taken apart": (both_at_once, "D"),
        "LF-Net first, then a new drawing": (generator_first, "d)"),
    },
    wrong={
        "as it was found": Fault((game_of(lf_only), "d"), "not one weight of DA-Net moves"),
        "DA-Net's optimiser instead": Fault((game_of(da_only), "d"), "not one weight of LF-Net moves"),
        "one optimiser for both, losses summed": Fault(
            (game_of(one_for_both), "d"), "asks DA-Net to call drawings real"
        ),
        "the same, and no detach": Fault(
            (game_of(one_for_both, detach=False), "d"), "LF-Net's loss reaches DA-Net: detach"
        ),
        "DA-Net never cleared": Fault(
            (in_turns("d step-d clear-g g step-g"), "d"), "DA-Net's gradients are never cleared"
        ),
        "LF-Net never cleared": Fault(
            (in_turns("clear-d d step-d g step-g"), "d"), "LF-Net's gradients are never cleared"
        ),
        "no detach, cleared too early": Fault(
            (in_turns("clear-d clear-g d-undetached step-d g step-g"), "d"), "easy to recognise"
        ),
        "DA-Net's optimiser never steps": Fault((in_turns("clear-d d clear-g g step-g"), "d"), "that takes a step"),
        "Adam instead": Fault((in_turns("clear-d d step-d clear-g g step-g", Adam), "d"), "plain SGD with the rate"),
        "losses the other way round": Fault((losses_swapped, "d"), "the two losses that a step returns"),
        "mended, another cause": Fault((frozen_meanwhile, "a"), "but the cause is not 'a'"),
    },
    equivalent=TENSORS,
)
