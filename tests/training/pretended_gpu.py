"""Steps on a GPU that is only pretended, each with what it met: `python pretended_gpu.py` writes them down as JSON.

PyTorch's fake tensors hold no numbers, but know where they lie, and raise where a GPU would stop or wait: tensors of
two devices in one operation, types that do not go together, a number that is looked at. They cannot show the speed, nor
the way back, for which autograd wants a real device. This is a program of its own because PyTorch may abort when such
tensors are collected.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.losses import REGION_LOSSES
from jaalnet_core.size import Size
from jaalnet_core.training import TrainSettings, batches
from jaalnet_core.training.fabric import Fabric
from jaalnet_core.training.processes import Processes
from jaalnet_core.training.run import Run, build_run

try:
    from lightning_fabric.accelerators import CPUAccelerator
    from lightning_fabric.plugins.precision import MixedPrecision, Precision
    from lightning_fabric.strategies import SingleDeviceStrategy
except ImportError:
    from lightning.fabric.accelerators import CPUAccelerator
    from lightning.fabric.plugins.precision import MixedPrecision, Precision
    from lightning.fabric.strategies import SingleDeviceStrategy

GPU = torch.device("cuda", 0)
SIZE = Size(32, 32)
PICTURES, BATCH = 6, 4  # a whole batch, and the rest of an epoch


class AnyDevice(CPUAccelerator):
    """An accelerator that does not ask whether its device is there."""

    def setup_device(self, device: torch.device) -> None:
        """Nothing is set up."""


def moved(network: nn.Module, *_to: object, **_options: object) -> nn.Module:
    """In the place of `nn.Module.to`, which cannot exchange fake tensors."""
    for module in network.modules():
        for name, value in module.named_parameters(recurse=False):
            if value.device != GPU:
                setattr(module, name, nn.Parameter(value.detach().to(GPU), requires_grad=value.requires_grad))
        for name, value in module.named_buffers(recurse=False):
            setattr(module, name, value.to(GPU))
    return network


def with_numbers(function: Callable) -> Callable:
    """`function` on real tensors: what a run draws on the CPU."""

    def called(*arguments):
        with unset_fake_temporarily():
            return function(*arguments)

    return called


def pretend() -> None:
    """Let PyTorch's mixed precision and the run itself take the GPU for one."""
    torch.cuda.amp.common.amp_definitely_not_available = lambda: False
    torch.cuda.is_bf16_supported = lambda *_, **__: True
    nn.Module.to = moved
    batches.draw = with_numbers(batches.draw)


def run_in(precision: str, recipe: str) -> Run:
    """A run whose backward pass gives every weight a gradient of zeros."""
    plugin = MixedPrecision(precision, device="cuda") if "mixed" in precision else Precision()
    fabric = Fabric(accelerator=AnyDevice(), strategy=SingleDeviceStrategy(device=GPU), plugins=[plugin])
    settings = TrainSettings(preset="tiny", size=SIZE, recipe=recipe, batch_size=BATCH, augment_on="device")
    run = build_run(settings.resolved(), Processes(fabric))

    def backward(_loss: Tensor) -> None:
        for network in (run.step.lf_net, run.step.da_net):
            for weight in network.parameters():
                weight.grad = torch.zeros_like(weight) if weight.requires_grad else weight.grad

    fabric.backward = backward
    return run


def epoch(precision: str, recipe: str) -> list[dict[str, object]]:
    """What lies where, of which type, after each step of an epoch."""
    run = run_in(precision, recipe)
    pictures = LesionArrays(
        tuple(map(str, range(PICTURES))),
        np.zeros((PICTURES, *SIZE, 3), np.uint8),
        np.zeros((PICTURES, *SIZE), np.uint8),
    )
    features: list[Tensor] = []
    run.step.lf_net.module.pool.register_forward_hook(lambda _pool, _inputs, output: features.append(output))
    steps = []
    for images, masks in batches.open_batches(pictures, run.settings, run.processes)(0, 0):
        losses = run.step(images, masks)
        run.averaged.update_parameters(run.step.lf_net.module)
        run.averages.add(losses, len(images))
        averaged = [*run.lf_net.parameters(), *run.lf_net.buffers()]
        parts = {
            "batch": [images, masks],
            "features": features[-1:],
            "losses": losses.values(),
            "averages": run.averages.sums.values(),
            "averaged weights": averaged,
            "mask": [run.lf_net(images)],
        }
        steps.append({name: sorted({f"{t.device} {t.dtype}" for t in tensors}) for name, tensors in parts.items()})
    return steps


def off_the_device(logits: Tensor, _masks: Tensor) -> Tensor:
    """A loss with a tensor that was left on the CPU."""
    return (logits * torch.ones(1)).mean()


def looked_at(logits: Tensor, _masks: Tensor) -> Tensor:
    """A loss for which a GPU would be waited for."""
    return logits.mean() if logits.sum() > 0 else -logits.mean()


def error_of(loss: Callable) -> str:
    """What a step raises whose region loss is `loss`."""
    run = run_in("32-true", "course")
    REGION_LOSSES[run.settings.region_loss] = loss
    try:
        run.step(torch.zeros(2, 3, *SIZE, device=GPU), torch.zeros(2, 1, *SIZE, device=GPU))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def main() -> None:
    """Everything, in one process."""
    gc.disable()
    pretend()
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        found = {
            f"{recipe} {precision}": epoch(precision, recipe)
            for recipe in ("course", "published")
            for precision in ("32-true", "bf16-mixed")
        }
        found |= {loss.__name__: error_of(loss) for loss in (off_the_device, looked_at)}
    json.dump(found, sys.stdout)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
