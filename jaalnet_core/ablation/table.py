"""The comparison as a page of Markdown, made from the runs' files and from nothing else."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from jaalnet_core.ablation.differences import Row, compare
from jaalnet_core.ablation.record import RunFile, read_run_files
from jaalnet_core.errors import DataError
from jaalnet_core.files import atomic_path
from jaalnet_core.report_page import markdown_table

PAGE = "README.md"
HEADING = [
    "variant",
    "what changes",
    "seeds",
    "Dice, mean ± spread",
    "difference to the base",
    "verdict",
    "parameters",
    "GFLOP a picture",
    "seconds a run",
]

_READING = """\
Dice in percent, per image, of the last epoch's weights (no epoch was chosen). Spread: standard deviation over the
seeds. Difference: to the base, with its 95% bootstrap interval over images (paired) and seeds; an interval that holds
0, or a single seed, leaves the comparison undecided. Of twenty comparisons without any difference one is expected to
look decided. Parameters and GFLOP: of the network that predicts, a forward pass over one picture, counted with a
multiplication and an addition as two operations. Seconds depend on what else the machine did."""

_COMMANDS = """\
Each row is made anew by its command, the data folder named by `JAALNET_DATA`; each file beside this page holds its
run's settings, curve, weights' SHA-256 and the counted pixels of every image. This page itself: `jaalnet ablate
--table` with the same `--out`."""


def comparison_page(runs: Sequence[RunFile], *, base: str = "course", split: str = "validation") -> str:
    """The whole page: what was trained, the table, how to read it, and the command behind every row.

    Raises:
        DataError: there is no run, none of the base, or runs that cannot be compared.
    """
    if not runs:
        raise DataError("runs: found none, expected the JSON files of `jaalnet ablate`.")
    first, images = runs[0], len(runs[0].evaluations[split].ids)
    settings = first.settings
    revisions = sorted({run.environment.get("git_revision") or "unknown" for run in runs})
    return (
        "\n\n".join(
            [
                f"# Comparison at `{settings['preset']}`, {settings['size']}",
                f"{len(runs)} runs of {settings['epochs']} epochs on {first.data['learnt_from']} {first.data['name']} "
                f"pictures, scored on the {images} {split} pictures. Revision {', '.join(revisions)}.",
                comparison_table(compare(runs, base=base, split=split)),
                _READING.replace("\n", " "),
                "## Commands",
                _COMMANDS.replace("\n", " "),
                "\n".join(["```sh", *row_commands(runs), "```"]),
            ]
        )
        + "\n"
    )


def comparison_table(rows: Sequence[Row], *, brief: bool = False) -> str:
    """The rows as a Markdown table, in percent; `brief` leaves out what changes and what it costs."""
    lines = [HEADING, *(_cells(row) for row in rows)]
    if brief:
        lines = [[line[0], *line[2:-3]] for line in lines]
    return markdown_table(lines[0], lines[1:])


def row_commands(runs: Sequence[RunFile]) -> list[str]:
    """One command a variant, with all of its seeds."""
    seeds: dict[str, list[str]] = {}
    for run in runs:
        seeds.setdefault(re.sub(r"--seeds \d+", "--seeds {}", run.command), []).append(str(run.seed))
    return [command.replace("{}", " ".join(found)) for command, found in seeds.items()]


def write_page(folder: Path, *, base: str = "course") -> Path:
    """Rebuild `folder/README.md` from the runs' files in `folder`.

    Raises:
        DataError: there are none, or they cannot be compared.
    """
    runs = read_run_files(folder)
    if not runs:
        raise DataError(f"{folder}: found no results there, expected the JSON files of `jaalnet ablate`.")
    text = comparison_page(runs, base=base)
    with atomic_path(folder / PAGE) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return folder / PAGE


def has_base(folder: Path, base: str) -> bool:
    """Whether `folder` holds a run that the others can be compared with."""
    return any(run.variant == base for run in read_run_files(folder))


def _cells(row: Row) -> list[str]:
    spread = "" if math.isnan(row.spread) else f" ± {100 * row.spread:.2f}"
    cells = [f"`{row.variant}`", row.says, str(len(row.seeds)), f"{100 * row.mean:.2f}{spread}"]
    costs = [f"{row.cost.parameters:,}", f"{row.cost.gflop:.3f}", f"{row.seconds:.0f}"]
    if row.difference is None:
        return [*cells, "", "base", *costs]
    one = row.difference
    change = f"{100 * one.mean:+.2f} ({100 * one.low:+.2f} to {100 * one.high:+.2f})"
    return [*cells, change, one.verdict, *costs]
