"""What `pyproject.toml` cannot say: a wheel takes along the lessons, trained weights and published results.

They lie beside the package in the repository; in the wheel they lie in it, under `_supplied`, with the same names
(`jaalnet_core/supplied.py` finds them in both). Outputs of the lessons stay behind: they are most of their bytes.
"""

import json
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SUPPLIED = ("notebooks/*.ipynb", "notebooks/README.md", "checkpoints/shipped/*/*", "reports/published/**/*")


class BuildWithSupplies(build_py):
    """The package, and what comes with it."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # a checkout is used as it stands
            return
        target = Path(self.build_lib) / "jaalnet_core" / "_supplied"
        shutil.rmtree(target, ignore_errors=True)
        for pattern in SUPPLIED:
            for path in sorted(ROOT.glob(pattern)):
                if path.is_file() and not any(part.startswith(".") for part in path.relative_to(ROOT).parts):
                    place = target / path.relative_to(ROOT)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(without_outputs(path) if path.suffix == ".ipynb" else path.read_bytes())


def without_outputs(path: Path) -> bytes:
    """A notebook's bytes without outputs and the states of widgets."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


setup(cmdclass={"build_py": BuildWithSupplies})
