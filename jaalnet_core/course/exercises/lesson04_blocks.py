"""Judges of lesson 4's fault, a gate that multiplies itself, and of a block of one's own, one summary for all."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaalnet_core.attention import SpatialGate
from jaalnet_core.course.exercises.diagnosing import diagnosed
from jaalnet_core.course.judging import agrees, call, close, expect, generator, same_shape

NOT_THE_INPUT = {
    "b": "even a gate of 1 everywhere would let all features through: the output would still depend on their order.",
    "c": "a spatial gate is one number a place, so its summary must leave the places alone and pool the channels.",
    "d": "the ReLU cuts off sums below 0 only, and the output does not change at any place.",
}


def judge_gated_residual(gated_residual, cause) -> None:
    """4.4: the cause, then the function against the package's gate with the same convolution."""
    diagnosed(cause, "a", NOT_THE_INPUT)
    random = generator()
    for kernel_size in (7, 3, 5):
        channels, height, width = (int(one) for one in random.permutation(range(5, 12))[:3])
        features, shortcut = torch.randn(2, 2, channels, height, width)
        gate = SpatialGate(kernel_size)
        conv = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2)
        conv.load_state_dict(gate.conv.state_dict())
        what = f"the output for features of shape {tuple(features.shape)}"
        with torch.no_grad():
            found = call(gated_residual, features.clone(), shortcut.clone(), conv)
            same_shape(found, features.shape, what)
            expected = (gate(features) + shortcut).relu()
            if not agrees(found, expected):
                _name_gate_mistake(found, features, shortcut, gate, what)
                close(found, expected, what)


def _name_gate_mistake(found: Tensor, features: Tensor, shortcut: Tensor, gate: SpatialGate, what: str) -> None:
    opened = gate.gate(features)  # (B, 1, H, W)
    logits = torch.logit(opened)
    mistakes = {
        "it is still what the code as found gives: the gate times itself": opened * opened + shortcut,
        "the gate is added to the features, expected multiplied": features + opened + shortcut,
        "the gate multiplies the shortcut, expected the features": features + opened * shortcut,
        "the gate multiplies features and shortcut; the shortcut should pass ungated": opened * (features + shortcut),
        "the gate alone is added, and the features are lost still": opened + shortcut,
        "the features are multiplied by the gate twice": features * opened**2 + shortcut,
        "1 + gate is the rule of lesson 2's contour gates; this one multiplies by the gate": features * (1 + opened)
        + shortcut,
        "the gate lacks its sigmoid": features * logits + shortcut,
        "the sigmoid squashes the gated features, expected the gate": torch.sigmoid(features * logits) + shortcut,
        "the shortcut is missing": features * opened,
        "there is no gate left": features + shortcut,
    }
    for reason, value in mistakes.items():
        expect(not agrees(found, value.relu(), 1e-4), f"{what} is not right: {reason}.")
    expect(not agrees(found, opened * features + shortcut), f"{what} is not right: the ReLU at the end is missing.")


def judge_global_context(global_context) -> None:
    """4.5: the identity at first, a gradient for gamma, then one summary for all, from random weights."""
    random = generator()
    for _ in range(3):
        channels, height, width = (int(one) for one in random.permutation(range(4, 10))[:3])
        features = torch.randn(2, channels, height, width)
        module = call(global_context, channels)
        expect(isinstance(module, nn.Module), "the class should be an nn.Module.")
        key, value, bias = _parts(module, channels)
        what = f"the output for features of shape {tuple(features.shape)}"
        found = call(module, features.clone())
        same_shape(found, features.shape, what)
        _expect_identity(module, found, features)
        with torch.no_grad():
            for weight in module.parameters():
                weight.copy_(torch.randn_like(weight) / (channels**0.5 if weight.ndim > 1 else 1.0))
            module.gamma.fill_(gamma := float(random.uniform(0.3, 0.8)))
            found = call(module, features.clone())
            _compare_context(found, features, key, (value, bias), gamma, what)


def _parts(module: nn.Module, channels: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """Weights of key and value, told apart by their shapes, and the value's bias if there is one."""
    expect(
        isinstance(getattr(module, "gamma", None), nn.Parameter) and module.gamma.numel() == 1,
        "the module needs a parameter of one number with the name gamma: self.gamma = nn.Parameter(torch.zeros(1)).",
    )
    convolutions = [part for part in module.modules() if isinstance(part, nn.Conv2d)]
    shapes = sorted(tuple(part.weight.shape) for part in convolutions)
    expected = [(1, channels, 1, 1), (channels, channels, 1, 1)]
    expect(
        shapes == expected,
        f"with {channels} channels, the weights of its convolutions have the shapes {shapes}, expected {expected}: one "
        "score a position, and a value with as many channels as the features.",
    )
    key, value = sorted(convolutions, key=lambda part: len(part.weight))
    return key.weight, value.weight, value.bias


def _expect_identity(module: nn.Module, found: Tensor, features: Tensor) -> None:
    fresh = "straight after making the module, the output"
    expect(not agrees(found, torch.zeros_like(features)), f"{fresh} is 0: the features themselves are missing.")
    expect(agrees(found, features), f"{fresh} is not the input: gamma must start at 0 and multiply all that is added.")
    module.gamma.grad = None
    expect(found.requires_grad, "gamma gets no gradient: use the parameter itself, not a number made of it.")
    (found * torch.randn_like(found)).sum().backward()
    expect(
        module.gamma.grad is not None and bool(module.gamma.grad.abs().sum() > 0),
        "gamma gets no gradient: use the parameter itself, not a number made of it.",
    )


def _compare_context(
    found: Tensor, features: Tensor, key: Tensor, value: tuple[Tensor, Tensor | None], gamma: float, what: str
) -> None:
    scores = functional.conv2d(features, key)  # (B, 1, H, W); a bias would change no share

    def context(shares: Tensor) -> Tensor:
        return functional.conv2d((shares * features).sum(dim=(2, 3), keepdim=True), *value)

    right = context(scores.flatten(1).softmax(1).reshape(scores.shape))
    if agrees(found, features + gamma * right, 1e-4):
        return
    places = scores[0].numel()
    mistakes = {
        "all positions count alike, a plain mean; the scores should decide": context(
            torch.full_like(scores, 1 / places)
        ),
        "the softmax runs over an axis of length 1, so that every share is 1": context(torch.ones_like(scores)),
        "the softmax runs along each row of the map, expected all positions together": context(scores.softmax(3)),
        "the softmax runs along each column of the map, expected all positions together": context(scores.softmax(2)),
        "there is no softmax: scores are no shares": context(scores),
        "the value convolution is not used": (scores.flatten(1).softmax(1).reshape(scores.shape) * features).sum(
            dim=(2, 3), keepdim=True
        ),
    }
    for reason, summary in mistakes.items():
        expect(not agrees(found, features + gamma * summary, 1e-4), f"{what} is not right: {reason}.")
    expect(not agrees(found, features + right, 1e-4), f"{what} is not right: gamma does not scale the summary.")
    expect(
        not agrees(found, gamma * right + gamma * features, 1e-4), f"{what} is not right: gamma scales the features."
    )
    added = found - features
    expect(
        agrees(added, added[..., :1, :1].expand_as(added), 1e-4),
        f"{what} is not right: what is added differs from place to place, expected one summary for all positions.",
    )
    close(found, features + gamma * right, what, tolerance=1e-4)
