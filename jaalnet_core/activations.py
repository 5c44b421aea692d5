"""Look inside a network: record what chosen modules return during a forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn


@contextmanager
def record(network: nn.Module, *names: str) -> Iterator[dict[str, Tensor]]:
    """A dictionary that fills with the named modules' outputs, detached, as long as the block lasts::

        with record(lf_net, "encoder.0", "contour.3.gate") as seen:
            lf_net(images)
        seen["encoder.0"].shape

    A module that runs several times leaves its last output. Outputs that are no tensor are left out.

    Args:
        names: as in `network.named_modules()`.

    Raises:
        KeyError: a name that the network does not have; the message lists those that come nearest.
    """
    modules = dict(network.named_modules())
    if unknown := [name for name in names if name not in modules]:
        parent = unknown[0].rpartition(".")[0]
        near = [name for name in modules if name.rpartition(".")[0] == parent and name][:12]
        raise KeyError(f"{unknown[0]!r} is no module of {type(network).__name__}; beside it are {', '.join(near)}")
    seen: dict[str, Tensor] = {}

    def keep(name: str):
        def hook(_module: nn.Module, _inputs: tuple, output: object) -> None:
            if isinstance(output, Tensor):
                seen[name] = output.detach()

        return hook

    handles = [modules[name].register_forward_hook(keep(name)) for name in names]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
