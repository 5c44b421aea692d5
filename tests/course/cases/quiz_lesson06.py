"""The answers to the quiz of lesson 6, worked out by torch and the package."""

from __future__ import annotations

import torch

from jaalnet_core.losses import discriminator_loss
from jaalnet_core.training import TrainSettings
from jaalnet_core.training.averaging import average_weights
from jaalnet_core.training.run import build_run


def added_up() -> torch.Tensor:
    weight = torch.zeros(1, requires_grad=True)
    for _ in range(3):
        (2 * weight).sum().backward()
    return weight.grad


def shortened() -> torch.Tensor:
    weight = torch.zeros(2)
    weight.grad = torch.tensor([3.0, 4.0])
    torch.nn.utils.clip_grad_norm_([weight], 1.0)
    return weight.grad[0]


def passes() -> int:
    run = build_run(TrainSettings(preset="tiny", device="cpu", schedule="constant").resolved())
    run.set_learning_rates(total_steps=1)
    count = []
    run.step.da_net.register_forward_hook(lambda *_: count.append(1))
    run.step(torch.rand(2, 3, 32, 32), (torch.rand(2, 1, 32, 32) > 0.5).float())
    return len(count)


def average() -> torch.Tensor:
    network = torch.nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(10)
    averaged = average_weights(network, 0.9)
    averaged.update_parameters(network)
    averaged.n_averaged.fill_(10_000)  # the warming up of the first steps is over
    network.weight.data.fill_(20)
    averaged.update_parameters(network)
    return averaged.module.weight.detach()


TRUTH = {
    1: lambda: discriminator_loss(torch.tensor([0.25]), real=True, kind="hinge"),
    2: added_up,
    3: shortened,
    4: passes,
    5: average,
}
