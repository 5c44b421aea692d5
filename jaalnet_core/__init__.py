"""JAAL-Net: a joint attention and adversarial network that outlines skin lesions, and its course.

What a researcher needs most stands here, and is imported when it is first asked for: torch takes seconds, and
`jaalnet --help` does without.
"""

import os
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Threads that share an operation spin while they wait for each other; where two such programs share the cores, that
# takes a time slice for each of thousands of operations. GNU OpenMP reads this when torch is loaded (docs/speed.md).
SPINS = "3000"
if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = SPINS

_MODULES = {
    "AdversarialStep": "training.step",
    "DANet": "da_net",
    "DANetSettings": "da_net",
    "JaalnetError": "errors",
    "LFNet": "lf_net",
    "LFNetSettings": "lf_net",
    "Size": "size",
    "TrainSettings": "training",
    "from_pretrained": "pretrained",
    "open_data": "data.source",
    "outline_lesion": "prediction",
    "predict_pictures": "prediction",
    "train": "training",
}
__all__ = [
    "__version__",
    *_MODULES,
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
