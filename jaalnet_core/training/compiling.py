"""Compiled networks (`--compile`): the same step, its networks translated by torch.compile before they are used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from jaalnet_core.errors import SettingsError


def compile_network(network: nn.Module) -> nn.Module:
    """Have `network` translated when it is first called; its weights, their names and its copies stay as they are."""
    network.compile(dynamic=False)  # a graph for each shape is faster than one for all
    return network


@contextmanager
def only_compiling(first: bool) -> Iterator[None]:
    """Inside, networks are translated where this is the `first` step, and else run as they are or were translated.

    The last batch of an epoch is often smaller: it would have to wait for a translation of its own, longer than
    hundreds of such steps take without one.

    Raises:
        SettingsError: they cannot be translated here.
    """
    from torch._dynamo.exc import TorchDynamoException  # slow to import; needed by compiled runs alone

    try:
        with torch.compiler.set_stance("default" if first else "eager_on_recompile"):
            yield
    except TorchDynamoException as error:
        cause = getattr(error, "inner_exception", error)
        reason = str(cause).strip().split("\n")[0].removesuffix(".")
        raise SettingsError(
            f"--compile: torch.compile cannot translate the networks here ({reason}). On a CPU it needs a C++ "
            "compiler, such as g++; without --compile none is needed."
        ) from error
