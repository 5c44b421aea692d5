"""A GPU works ahead of the program until a number is looked at: a step looks once, when it is checked for NaN."""

from __future__ import annotations

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from jaalnet_core.size import Size
from jaalnet_core.training import TrainSettings
from jaalnet_core.training.finite import not_finite
from jaalnet_core.training.run import build_run


class Looks(TorchDispatchMode):
    """Counts what makes a number of Python's out of a tensor, or sizes that hang on its numbers."""

    names = ("_local_scalar_dense", "is_nonzero", "nonzero", "masked_select", "equal")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function._schema.name.removeprefix("aten::") in self.names:
            self.found.append(str(function))
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("recipe", ["course", "published"])
def test_a_step_looks_at_no_number(recipe, monkeypatch):
    run = build_run(TrainSettings(preset="tiny", recipe=recipe, size=Size(32, 32), device="cpu").resolved())
    for optimizer in (run.step.lf_optimizer, run.step.da_optimizer):
        # on a CPU Adam reads its own counter of steps, which stays on the CPU where the weights are elsewhere
        monkeypatch.setattr(optimizer, "step", lambda: None)
    images, masks = torch.rand(2, 3, 32, 32), (torch.rand(2, 1, 32, 32) > 0.5).float()
    run.step(images, masks)
    with Looks() as looks:
        losses = run.step(images, masks)
        run.averages.add(losses, 2)
    assert looks.found == []
    with Looks() as looks:  # the counter itself: it does see a look
        bool(losses["region"] > 0)
    assert len(looks.found) == 1


def test_the_check_for_nan_reads_once(monkeypatch):
    reads = []
    for name in ("item", "tolist", "__bool__", "__float__"):
        real = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda self, real=real, name=name: (reads.append(name), real(self))[1])
    network = torch.nn.Linear(2, 2)
    assert not_finite({str(i): torch.tensor(1.0) for i in range(5)}, {"a": network, "b": network}) == []
    assert reads == ["tolist"]
