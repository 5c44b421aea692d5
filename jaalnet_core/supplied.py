"""What comes with the project beside its code: lessons, trained weights, published results.

In a checkout they lie beside the package; in an installed wheel inside it (`setup.py` puts them there), under the same
names.
"""

from __future__ import annotations

from pathlib import Path

from jaalnet_core.errors import JaalnetError

_PACKAGE = Path(__file__).resolve().parent
IN_WHEEL = "_supplied"  # the folder of the package that a wheel keeps them in


def supplies() -> Path:
    """The folder that holds `notebooks/`, `checkpoints/shipped/` and `reports/published/`."""
    inside = _PACKAGE / IN_WHEEL
    return inside if inside.is_dir() else _PACKAGE.parent


def supplied(path: str) -> Path:
    """A file or folder that comes with the project, such as `reports/published/failing-runs`.

    Looked for in the current folder first, then with the package: a learner's workspace needs no copy.

    Raises:
        JaalnetError: it is in neither.
    """
    for folder in (Path(), supplies()):
        if (folder / path).exists():
            return folder / path
    raise JaalnetError(
        f"{path}: found neither here ({Path.cwd()}) nor with the package ({supplies()}); install the package "
        "again, or work in a clone of the project."
    )
