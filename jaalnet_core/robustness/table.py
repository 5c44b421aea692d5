"""Studies of robustness as Markdown, made from their files and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jaalnet_core.errors import DataError
from jaalnet_core.files import atomic_path
from jaalnet_core.report_page import markdown_table
from jaalnet_core.robustness.study import LOST, Study, read_study

PAGE = "README.md"
HEADING = ["disturbance", "strength", "Dice (95%)", "difference (95%)", "lost"]

_READING = f"""\
Dice per image in percent, network and pixels at the size given; 95% bootstrap intervals over the pictures. Difference:
to the same pictures undisturbed, in points, paired. Lost: pictures whose Dice falls by more than {100 * LOST:.0f}
points. Pictures are disturbed at the network's size, in strengths that were fixed before any network was scored; hairs
are drawn, where the picture's id says, with what draws the synthetic set's. A turned picture's corners show what nobody
photographed: only pixels of the photograph are counted, and the comparison there is with the outline of the upright
picture, turned along; its Dice counts the same pixels. Nothing here is another camera or another skin: disturbances
that a program can draw are the milder half of the trouble."""

_FILES = """\
Each JSON beside this page holds the counted pixels of every picture under every condition, the weights' SHA-256, the
command and the machine. The data folder is named by `JAALNET_DATA`. `jaalnet report` rebuilds this page."""


def study_table(study: Study) -> str:
    """One study as a Markdown table: the undisturbed pictures, then every disturbance in three strengths."""
    rows = [["none", "", study.dice().percent(), "", ""]]
    for one in study.conditions:
        cells = [study.dice(one).percent(), study.difference(one).points(), f"{100 * study.lost(one):.0f} %"]
        rows.append([one.disturbance, one.says, *cells])
    return markdown_table(HEADING, rows)


def page_text(studies: Mapping[str, Study]) -> str:
    """The whole page, one section a study; the names are those of the files.

    Raises:
        DataError: there is none.
    """
    if not studies:
        raise DataError("studies: found none, expected the JSON files of `jaalnet robustness`.")
    parts = ["# The same weights on disturbed pictures", _READING.replace("\n", " ")]
    for name, study in studies.items():
        parts += [f"## {name}", _about(study), _worst(study), study_table(study)]
    commands = [study.command for study in studies.values() if study.command]
    parts += ["## Files and commands", _FILES.replace("\n", " "), "\n".join(["```sh", *commands, "```"])]
    return "\n\n".join(parts) + "\n"


def read_studies(folder: Path) -> dict[str, Study]:
    """Every study in `folder` by its file's name, in the names' order.

    Raises:
        DataError: a file is damaged.
    """
    return {path.stem: read_study(path) for path in sorted(Path(folder).glob("*.json"))}


def write_page(folder: Path) -> Path:
    """Rebuild `folder/README.md` from the studies in `folder`.

    Raises:
        DataError: there are none, or one is damaged.
    """
    folder = Path(folder)
    studies = read_studies(folder)
    if not studies:
        raise DataError(f"{folder}: found no studies there, expected the JSON files of `jaalnet robustness`.")
    with atomic_path(folder / PAGE) as temporary:
        temporary.write_text(page_text(studies), encoding="utf-8")
    return folder / PAGE


def _about(study: Study) -> str:
    environment = study.environment
    machine = environment.get("gpu") or f"{environment.get('cpu_cores', '?')} CPU cores"
    return (
        f"{len(study.ids)} pictures ({study.data}), network {study.size}, threshold {study.threshold:g}. Weights "
        f"`{study.weights_sha256 or 'unknown'}`; revision {environment.get('git_revision') or 'unknown'}, {machine}, "
        f"torch {environment.get('torch', 'unknown')}."
    )


def _worst(study: Study) -> str:
    """A sentence: at its strongest, which disturbance costs how much, the dearest first."""
    strongest = {one.disturbance: study.difference(one) for one in study.conditions}  # the last level stays
    ranked = sorted(strongest.items(), key=lambda item: item[1][0])
    costs = ", ".join(f"{name} {100 * mean:+.1f}" for name, (mean, _, high) in ranked if high < 0)
    kept = ", ".join(name for name, (_, _, high) in ranked if high >= 0)
    said = f"At full strength, in points of Dice: {costs}." if costs else "At full strength nothing costs Dice."
    return f"{said} No loss beyond chance: {kept}." if kept and costs else said
