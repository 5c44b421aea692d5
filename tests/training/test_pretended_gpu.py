"""What a step does on a GPU, as far as it can be seen without one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "pretended_gpu.py"


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    process = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr[-2000:]
    return json.loads(process.stdout)


@pytest.mark.parametrize("recipe", ["course", "published"])
@pytest.mark.parametrize(("precision", "features"), [("32-true", "float32"), ("bf16-mixed", "bfloat16")])
def test_an_epoch_stays_on_the_gpu_and_looks_at_no_number(recipe, precision, features, found) -> None:
    steps = found[f"{recipe} {precision}"]
    assert len(steps) == 2
    for step in steps:
        assert step == {
            "batch": ["cuda:0 torch.float32"],
            "features": [f"cuda:0 torch.{features}"],
            "losses": ["cuda:0 torch.float32"],
            "averages": ["cuda:0 torch.float64"],
            "averaged weights": ["cuda:0 torch.float32", "cuda:0 torch.int64"],  # and counters of batches
            "mask": ["cuda:0 torch.float32"],
        }


def test_a_step_that_leaves_the_gpu_or_waits_for_it_is_seen(found) -> None:
    assert "two devices, cuda:0 and cpu" in found["off_the_device"]
    assert found["looked_at"].startswith("DataDependentOutputException")
