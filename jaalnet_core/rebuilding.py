"""Everything that the project publishes about results, made anew from the files behind it.

    changed = rebuild(Path("."))           # writes what says something else by now
    outdated = rebuild(Path("."), check=True)  # writes nothing

The sources are the JSON and CSV files in `checkpoints/shipped` and `reports/published`. What is made of them: the
cards with their figures, the README's table and pictures, the pages of the comparisons and of the robustness study,
the protocol's table of trials with its figure, the pages on speed and on many processes with their tables.
"""

from __future__ import annotations

from pathlib import Path

from jaalnet_core.ablation.record import read_run_files
from jaalnet_core.ablation.table import PAGE, comparison_page
from jaalnet_core.cards import METRICS, card_files
from jaalnet_core.derived_files import Derived, DerivedText
from jaalnet_core.errors import DataError
from jaalnet_core.front_page import front_page_files
from jaalnet_core.results import readme
from jaalnet_core.robustness import page_text, read_studies
from jaalnet_core.speed.page import speed_files
from jaalnet_core.training.cost import cost_files
from jaalnet_core.trials_page import trials_files
from jaalnet_core.weights import SHIPPED

PUBLISHED = Path("reports") / "published"
COMPARISONS, STUDIES = "ablation-*", "robustness"  # folders in `PUBLISHED`


def rebuild(root: Path, *, check: bool = False) -> list[Path]:
    """Write every published page and figure that its sources no longer bear out.

    Args:
        root: the project's folder.
        check: write nothing.

    Returns:
        The files that were written, or would have been, in `root`.

    Raises:
        DataError: `root` is not the project's folder, or a source is missing or damaged.
    """
    changed = [file for file in derived_files(root) if not file.is_current()]
    if not check:
        for file in changed:
            file.write()
    return [file.path.relative_to(root) for file in changed]


def derived_files(root: Path) -> list[Derived]:
    """Every file in `root` that is made from others, with what it has to say.

    Raises:
        DataError: `root` is not the project's folder, or a source is missing or damaged.
    """
    published = root / PUBLISHED
    if not published.is_dir() or not (root / SHIPPED).is_dir():
        raise DataError(f"{root}: found no {PUBLISHED} or no {SHIPPED}; run this in the project's folder.")
    files: list[Derived] = []
    for folder in sorted(path.parent for path in (root / SHIPPED).glob(f"*/{METRICS}")):
        files += card_files(folder)
    files.append(readme(root))
    for folder in sorted(path for path in published.glob(COMPARISONS) if path.is_dir()):
        files.append(DerivedText(folder / PAGE, comparison_page(read_run_files(folder))))
    if studies := read_studies(published / STUDIES):
        files.append(DerivedText(published / STUDIES / PAGE, page_text(studies)))
    return [*files, *trials_files(published), *speed_files(root), *cost_files(root), *front_page_files(root)]
