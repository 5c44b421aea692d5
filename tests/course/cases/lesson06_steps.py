"""Answers to exercise 6.5 of lesson 6: a whole adversarial step with least squares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from cases.lesson06_turns import TENSORS
from exercise_cases import Cases, Fault
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from jaalnet_core.da_net import pair
from jaalnet_core.losses import discriminator_loss

Losses = tuple[Any, Any]
RIGHT = "draw clear-d d clip-d step-d clear-g g clip-g step-g"


def descend(network: nn.Module, optimizer: Optimizer, loss: Tensor, max_norm: float) -> None:
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    clip_grad_norm_(network.parameters(), max_norm)
    optimizer.step()


def with_mse(
    lf_net: nn.Module,
    da_net: nn.Module,
    lf_sgd: Optimizer,
    da_sgd: Optimizer,
    images: Tensor,
    masks: Tensor,
    weight: float,
    max_norm: float,
) -> Losses:
    """Both kinds of pairs in one pass, DA-Net frozen while LF-Net learns."""
    drawn = lf_net(images).sigmoid()
    pairs = torch.cat([pair(images, masks), pair(images, drawn.detach())])
    logits = da_net(pairs)
    targets = torch.zeros_like(logits)
    targets[: len(images)] = 1
    d_loss = functional.mse_loss(logits, targets)
    descend(da_net, da_sgd, d_loss, max_norm)
    da_net.requires_grad_(False)
    opinion = da_net(pair(images, drawn))
    g_loss = functional.l1_loss(drawn, masks) + weight * functional.mse_loss(opinion, torch.ones_like(opinion))
    descend(lf_net, lf_sgd, g_loss, max_norm)
    da_net.requires_grad_(True)
    return d_loss, g_loss


class Step:
    """A step made of moves, with losses that may be exchanged."""

    def __init__(
        self,
        moves: str = RIGHT,
        d_loss: Callable[[Tensor, Tensor], Tensor] = lambda real, fake: (
            ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2
        ),
        opinion: Callable[[Tensor], Tensor] = lambda fake: ((fake - 1) ** 2).mean(),
        region: float = 1.0,
        freeze: bool = False,
    ) -> None:
        self.moves, self.d_loss, self.opinion, self.region, self.freeze = moves, d_loss, opinion, region, freeze

    def __call__(
        self,
        lf_net: nn.Module,
        da_net: nn.Module,
        lf_sgd: Optimizer,
        da_sgd: Optimizer,
        images: Tensor,
        masks: Tensor,
        weight: float,
        max_norm: float,
    ) -> Losses:
        networks, optimizers, met = {"d": da_net, "g": lf_net}, {"d": da_sgd, "g": lf_sgd}, {"d": 0.0, "g": 0.0}
        for move in self.moves.split():
            kind, _, whose = move.partition("-")
            if kind == "draw":
                drawn = torch.sigmoid(lf_net(images))
            elif kind == "clear":
                optimizers[whose].zero_grad()
            elif kind == "clip":
                clip_grad_norm_(networks[whose].parameters(), max_norm)
            elif kind == "step":
                optimizers[whose].step()
            else:
                if kind == "d":
                    shown = drawn if whose else drawn.detach()
                    loss = self.d_loss(da_net(pair(images, masks)), da_net(pair(images, shown)))
                else:
                    da_net.requires_grad_(not self.freeze)
                    opinion = self.opinion(da_net(pair(images, drawn)))
                    loss = self.region * (drawn - masks).abs().mean() + weight * opinion
                loss.backward(retain_graph=whose in ("kept", "undetached"))
                met[kind] = loss.item()
        return met["d"], met["g"]


def opinion_without_weight(*given: Any) -> Losses:
    *rest, weight, max_norm = given
    return Step(opinion=lambda fake: ((fake - 1) ** 2).mean() / weight)(*rest, weight, max_norm)


def one_loss(*given: Any) -> Any:
    return Step()(*given)[1]


def by_package(*given: Any) -> Losses:
    def d_loss(real: Tensor, fake: Tensor) -> Tensor:
        losses = discriminator_loss(real, True, "least-squares"), discriminator_loss(fake, False, "least-squares")
        return sum(losses) / 2

    return Step(d_loss=d_loss)(*given)


STEP = Cases(
    right={
        "all pairs at once, mse_loss, frozen": with_mse,
        "move by move": Step(),
        "not detached, but LF-Net cleared after it": Step(RIGHT.replace(" d ", " d-undetached ")),
        "cleared afterwards as well": Step(f"{RIGHT} clear-d clear-g"),
    },
    wrong={
        "no clipping": Fault(Step(RIGHT.replace("clip-d ", "").replace("clip-g ", "")), "no gradient is clipped"),
        "DA-Net not clipped": Fault(Step(RIGHT.replace("clip-d ", "")), "DA-Net's gradient is not clipped"),
        "LF-Net not clipped": Fault(Step(RIGHT.replace("clip-g ", "")), "LF-Net's gradient is not clipped"),
        "DA-Net not cleared": Fault(Step(RIGHT.replace("clear-d ", "")), "what was in DA-Net's .grad before"),
        "LF-Net not cleared": Fault(Step(RIGHT.replace("clear-g ", "")), "what was in LF-Net's .grad before"),
        "nothing cleared": Fault(Step(RIGHT.replace("clear-d ", "").replace("clear-g ", "")), "no gradient is cleared"),
        "detach forgotten": Fault(
            Step(d_loss=Step().d_loss, moves=RIGHT.replace("d clip-d", "d-leaky clip-d")),
            "must be detached in DA-Net's turn",
        ),
        "detach forgotten, graph kept": Fault(
            Step("draw clear-d clear-g d-undetached clip-d step-d g clip-g step-g"), "DA-Net's loss reaches LF-Net"
        ),
        "LF-Net's turn first": Fault(
            Step("draw clear-g g-kept clip-g step-g clear-d d clip-d step-d"), "listens to DA-Net as it was before"
        ),
        "DA-Net steps last": Fault(
            Step("draw clear-d clear-g d g clip-d clip-g step-d step-g"), "DA-Net steps only after LF-Net's backward"
        ),
        "DA-Net never steps": Fault(Step(RIGHT.replace("step-d ", "")), "DA-Net does not move: its turn"),
        "LF-Net never steps": Fault(Step(RIGHT.replace(" step-g", "")), "LF-Net does not move"),
        "targets exchanged": Fault(
            Step(d_loss=lambda real, fake: (real**2).mean() / 2 + ((fake - 1) ** 2).mean() / 2), "targets are exchanged"
        ),
        "LF-Net wants 0": Fault(Step(opinion=lambda fake: (fake**2).mean()), "an expert's mark, not 0"),
        "weight forgotten": Fault(opinion_without_weight, "without its weight"),
        "no region loss": Fault(Step(region=0.0), "lacks the distance to the expert's mask"),
        "not halved": Fault(
            Step(d_loss=lambda real, fake: ((real - 1) ** 2).mean() + (fake**2).mean()), "the halving is missing"
        ),
        "left frozen": Fault(Step(freeze=True), "DA-Net is frozen after the step"),
        "drawn twice": Fault(Step(RIGHT.replace("clear-g", "draw clear-g")), "draws 2 times in one step"),
        "one loss returned": Fault(one_loss, "expected 2 values"),
    },
    own={"the package's loss": by_package},
    equivalent=TENSORS,
)
