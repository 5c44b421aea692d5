"""Gates that are forced have no strength, and the slider says so by taking no value."""

from __future__ import annotations

import numpy as np
import torch

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.widgets.gates import AS_THEY_ARE, OPEN, SHUT, gate_panel


def test_strength_takes_values_only_while_it_counts() -> None:
    torch.manual_seed(0)
    pictures = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    panel = gate_panel(build_lf_net("tiny").eval(), LesionArrays(("a",), pictures, np.zeros((1, 32, 32), np.uint8)))
    found = []
    for gates in (AS_THEY_ARE, SHUT, OPEN, AS_THEY_ARE):
        panel.controls["gates"].value = gates
        found.append(panel.controls["strength"].disabled)
    assert found == [False, True, True, False]
