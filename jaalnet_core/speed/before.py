"""The ways in which things were done before a change for speed; within each of these they are done so again."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from unittest import mock

import torch
from torch import Tensor, nn

from jaalnet_core.attention import ChannelGate
from jaalnet_core.batch_norm import BatchNorm2d
from jaalnet_core.depthwise import DepthwiseConv
from jaalnet_core.training import batches
from jaalnet_core.training.shared_norm import SharedBatchNorm2d, sum_over_processes


@contextmanager
def gate_by_amax() -> Iterator[None]:
    """Channel gates take their maxima by `amax`, which searches the map again on the way back."""

    def gate(self: ChannelGate, features: Tensor) -> Tensor:
        average = self.mlp(features.mean(dim=(2, 3)))
        maximum = self.mlp(features.amax(dim=(2, 3)))
        return torch.sigmoid(average + maximum)[:, :, None, None]

    with mock.patch.object(ChannelGate, "gate", gate):
        yield


def dilated_gradients_by_general_kernels() -> AbstractContextManager[object]:
    """Gradients of dilated depthwise convolutions are PyTorch's own."""
    return mock.patch.object(DepthwiseConv, "forward", nn.Conv2d.forward)


def norms_of_few_channels_by_general_kernels() -> AbstractContextManager[object]:
    """Batch norms are PyTorch's own, whatever number of channels they have."""
    return mock.patch.object(BatchNorm2d, "forward", nn.BatchNorm2d.forward)


def optimisers_by_single_weights() -> AbstractContextManager[object]:
    """Optimisers update one weight tensor after another."""
    adam = importlib.import_module("torch.optim.adam")  # torch.optim hides its modules
    return mock.patch.object(adam, "_multi_tensor_adam", adam._single_tensor_adam)


@contextmanager
def all_that_rounds_differently() -> Iterator[None]:
    """Without every change after which trainings are not bit for bit what they were."""
    with dilated_gradients_by_general_kernels(), norms_of_few_channels_by_general_kernels():
        yield


@contextmanager
def norms_by_single_operations() -> Iterator[None]:
    """Shared batch norms are written out, and their gradients left to autograd."""

    def forward(self: SharedBatchNorm2d, features: Tensor) -> Tensor:
        if not self.training:
            return nn.BatchNorm2d.forward(self, features)
        variance, mean = torch.var_mean(features.float(), dim=(0, 2, 3), correction=0)
        moments = torch.stack([mean.double(), variance.double() + mean.double().square()])
        mean, square = _Summed.apply(moments * self.share.part).unbind()
        variance = (square - mean.square()).clamp(min=0)
        self.follow(mean.detach(), variance.detach(), self.share.whole * features.shape[2] * features.shape[3])
        scale = self.weight * torch.rsqrt(variance + self.eps).float()
        shift = self.bias - mean.float() * scale
        return torch.addcmul(shift[:, None, None], features, scale[:, None, None]).to(features.dtype)

    with mock.patch.object(SharedBatchNorm2d, "forward", forward):
        yield


def augmented_one_by_one() -> AbstractContextManager[object]:
    """Pictures come from the loader, one after another, whatever the settings say."""
    return mock.patch.object(batches, "augments_on_device", return_value=False)


def not_compiled() -> AbstractContextManager[object]:
    """Compiled networks run as they were written."""
    return torch.compiler.set_stance("force_eager")


class _Summed(torch.autograd.Function):
    """The sum over all processes, and for the gradient the sum of all gradients."""

    @staticmethod
    def forward(ctx: object, values: Tensor) -> Tensor:
        return sum_over_processes(values)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return sum_over_processes(gradient)
