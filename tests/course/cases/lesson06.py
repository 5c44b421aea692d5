"""Answers to the exercises of lesson 6, right and wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from cases.lesson06_steps import STEP
from cases.lesson06_turns import GAME, TURN
from exercise_cases import Cases, Fault
from torch import Tensor
from torch.nn import functional

from jaalnet_core.losses import discriminator_loss

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def pays(logits: Tensor, sign: int) -> Tensor:
    return functional.relu(1 + sign * logits).mean()


def by_where(real_logits: Tensor, fake_logits: Tensor, second_logits: Tensor) -> Tensor:
    zero = torch.zeros_like(real_logits)
    real = torch.where(real_logits < 1, 1 - real_logits, zero).sum() / real_logits.numel()
    fakes = torch.cat([fake_logits, second_logits])  # as many patches of each
    return 0.5 * real + 0.5 * (1 + fakes).clamp_min(0).mean()


def patch_by_patch(real_logits: Tensor, fake_logits: Tensor, second_logits: Tensor) -> float:
    total = 0.0
    for logits, sign, weight in ((real_logits, -1, 2), (fake_logits, 1, 1), (second_logits, 1, 1)):
        for logit in logits.flatten().tolist():
            total += weight * max(0.0, 1 + sign * logit) / logits.numel()
    return total / 4


def by_package(real_logits: Tensor, fake_logits: Tensor, second_logits: Tensor) -> Tensor:
    fake = sum(discriminator_loss(logits, real=False, kind="hinge") for logits in (fake_logits, second_logits))
    return (discriminator_loss(real_logits, real=True, kind="hinge") + fake / 2) / 2


def weighed(real: float, fake: float, second: float) -> Loss:
    return lambda a, b, c: real * pays(a, -1) + fake * pays(b, 1) + second * pays(c, 1)


LOSS = Cases(
    right={"where, and all fakes at once": by_where, "patch by patch": patch_by_patch},
    wrong={
        "signs exchanged": Fault(
            lambda a, b, c: pays(a, 1) / 2 + pays(b, -1) / 4 + pays(c, -1) / 4, "the signs are exchanged"
        ),
        "no margin": Fault(
            lambda a, b, c: (-a).relu().mean() / 2 + (b.relu().mean() + c.relu().mean()) / 4, "there is no margin"
        ),
        "thirds": Fault(weighed(1 / 3, 1 / 3, 1 / 3), "the three kinds weigh alike"),
        "fakes added up": Fault(weighed(0.5, 0.5, 0.5), "the two fake kinds are added up"),
        "not halved": Fault(weighed(1, 0.5, 0.5), "the halving at the end is missing"),
        "all added up": Fault(weighed(1, 1, 1), "added up without their weights"),
        "second kind forgotten": Fault(weighed(0.5, 0.5, 0), "the second fake kind is missing"),
        "margin after the mean": Fault(
            lambda a, b, c: ((1 - a.mean()).relu() + ((1 + b.mean()).relu() + (1 + c.mean()).relu()) / 2) / 2,
            "the mean comes first",
        ),
        "no clamp": Fault(
            lambda a, b, c: ((1 - a).mean() + ((1 + b).mean() + (1 + c).mean()) / 2) / 2, "pay a negative amount"
        ),
        "cross-entropy": Fault(
            lambda a, b, c: (
                functional.softplus(-a).mean() / 2 + (functional.softplus(b).mean() + functional.softplus(c).mean()) / 4
            ),
            "that is the cross-entropy",
        ),
        "no mean": Fault(
            lambda a, b, c: (1 - a).clamp(min=0) / 2 + (1 + b).clamp(min=0) / 4 + (1 + c).clamp(min=0) / 4,
            "your loss has shape",
        ),
        "a sum over the patches": Fault(
            lambda a, b, c: weighed(0.5, 0.25, 0.25)(a, b, c) * a.numel(), "the patches are added up"
        ),
    },
    own={"the package's hinge": by_package},
)


def by_one_vector(grads: Sequence[Tensor], max_norm: float) -> list[Tensor]:
    vector = torch.cat([grad.reshape(-1) for grad in grads])
    if vector.norm() > max_norm:
        vector = vector * (max_norm / vector.norm())
    pieces = vector.split([grad.numel() for grad in grads])
    return [piece.view_as(grad) for piece, grad in zip(pieces, grads, strict=True)]


def in_place(grads: list[Tensor], max_norm: float) -> list[Tensor]:
    length = math.sqrt(sum(grad.norm().item() ** 2 for grad in grads))
    for grad in grads:
        grad.mul_(min(1.0, max_norm / (length + 1e-6)))
    return grads


def by_factor(factor: Callable[[Sequence[Tensor], float], Tensor | float]) -> Callable[..., list[Tensor]]:
    return lambda grads, max_norm: [grad * factor(grads, max_norm) for grad in grads]


def length_of(grads: Sequence[Tensor]) -> float:
    return float(length_tensor(grads))


def length_tensor(grads: Sequence[Tensor]) -> Tensor:
    return sum((grad**2).sum() for grad in grads).sqrt()


CLIPPING = Cases(
    right={"one vector, cut again": by_one_vector, "in place, with torch's 1e-6": in_place},
    wrong={
        "each on its own": Fault(
            lambda grads, max_norm: [grad * min(1.0, max_norm / grad.norm()) for grad in grads],
            "each tensor is clipped on its own",
        ),
        "entries cut off": Fault(
            lambda grads, max_norm: [grad.clamp(-max_norm, max_norm) for grad in grads],
            "single entries are cut off",
        ),
        "always scaled": Fault(
            by_factor(lambda grads, max_norm: max_norm / max(length_of(grads), 1e-9)), "was made longer"
        ),
        "unit length": Fault(
            by_factor(lambda grads, max_norm: 1 / length_of(grads) if length_of(grads) > max_norm else 1.0),
            "not multiplied by max_norm",
        ),
        "lengths added up": Fault(
            by_factor(lambda grads, max_norm: min(1.0, max_norm / max(1e-9, sum(float(g.norm()) for g in grads)))),
            "the lengths of the tensors were added up",
        ),
        "no root": Fault(
            by_factor(lambda grads, max_norm: min(1.0, max_norm / max(1e-9, length_of(grads) ** 2))),
            "the square root is missing",
        ),
        "never clipped": Fault(lambda grads, max_norm: list(grads), "is left as it is"),
        "zero divided by zero": Fault(
            by_factor(lambda grads, max_norm: length_tensor(grads).clamp(max=max_norm) / length_tensor(grads)),
            "gradients of 0 do not stay 0",
        ),
        "one tensor": Fault(
            lambda grads, max_norm: torch.cat([grad.flatten() for grad in grads]),
            "you return a Tensor, expected a list",
        ),
    },
    equivalent={
        "factor = max_norm / length if length > max_norm else 1.0  ->  "
        "factor = max_norm / length if length >= max_norm else 1.0": "the factor is 1 where both are equal",
    },
)

CASES = {"6.1": LOSS, "6.2": CLIPPING, "6.3": TURN, "6.4": GAME, "6.5": STEP}
