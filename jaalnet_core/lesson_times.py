"""What nbval's run of the lessons took, lesson by lesson, read from the JUnit file that pytest writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

SLOWEST = 120  # seconds that one lesson may take alone on two cores, when it is run for its notebook
SLOWEST_BESIDE = 1.5 * SLOWEST  # and with one core, beside another lesson, on a machine that may be busy with more
_SUFFIX = ".ipynb"


def seconds_by_lesson(junit: Path) -> dict[str, float]:
    """Seconds of each notebook's cells together, by the notebook's name without its ending."""
    seconds: dict[str, float] = {}
    for case in ElementTree.parse(junit).iter("testcase"):
        place = case.get("classname", "")
        if place.endswith(_SUFFIX):
            name = place.removesuffix(_SUFFIX).rpartition(".")[2]
            seconds[name] = seconds.get(name, 0.0) + float(case.get("time", 0))
    return seconds


def faults_of_times(seconds: dict[str, float], lessons: Iterable[str], slowest: float = SLOWEST_BESIDE) -> list[str]:
    """What is wrong with a run: a lesson of which no cell ran, or one that took too long.

    Args:
        seconds: what `seconds_by_lesson` read.
        lessons: names of the notebooks that should have run.
    """
    faults = [f"{name}: no cell was run" for name in sorted(set(lessons) - set(seconds))]
    slow = {name: took for name, took in seconds.items() if took > slowest}
    return faults + [f"{name}: took {took:.0f} s, may take {slowest:.0f} s" for name, took in sorted(slow.items())]
