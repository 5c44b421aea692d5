"""Every fault of the house, tried many times: the table of docs/reliability.md.

    make soak                                               all of them, the long form
    python tests/faults/fault_table.py --only Killed        one area; the other rows stay as they were
    python tests/faults/fault_table.py --page               only the page again, from the counts on file

The counts lie in reports/published/faults.json. The short form of every row runs in `make test`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fault_study import Study

from jaalnet_core.files import write_json
from jaalnet_core.training.folder import environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COUNTS = ROOT / "reports" / "published" / "faults.json"
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- counts: begin (make soak) -->", "<!-- counts: end -->"
TOPICS = tuple(
    sorted(path.stem.removeprefix("test_") for path in HERE.glob("test_*.py") if path.stem != "test_reliability_page")
)


def all_studies() -> list[Study]:
    """The studies of every topic: `test_TOPIC.py` tests the `STUDIES` of `TOPIC.py`."""
    return [study for topic in TOPICS for study in importlib.import_module(topic).STUDIES]


def row_of(study: Study, times: int) -> dict[str, Any]:
    """Try a fault so many times, and what is kept of it."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = study.run(times, Path(folder))
    here = environment()
    return {
        "area": study.area,
        "fault": study.fault,
        "promise": study.promise,
        "times": tally.times,
        "outcomes": dict(tally.outcomes.most_common()),
        "broken": tally.broken,
        "seconds": round(time.monotonic() - started, 1),
        "revision": here["git_revision"],
        "python": here["python"],
        "torch": here["torch"],
        "platform": here["platform"],
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown, in the order of their areas."""
    lines = ["| area | fault | promise | tried | outcomes |", "|---|---|---|---|---|"]
    for row in sorted(rows, key=lambda row: row["area"]):
        outcomes = "; ".join(f"{count:,} {words}" for words, count in row["outcomes"].items())
        lines.append(f"| {row['area']} | {row['fault']} | {row['promise']} | {row['times']:,} | {outcomes} |")
    total, broken = sum(row["times"] for row in rows), sum(len(row["broken"]) for row in rows)
    lines += ["", f"{total:,} tries in all; {broken:,} of them broke a promise."]
    return "\n".join(lines)


def page(text: str, rows: list[dict[str, Any]]) -> str:
    """The page with its table renewed."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(rows)}\n{END}{after}"


def on_file() -> list[dict[str, Any]]:
    return json.loads(COUNTS.read_text(encoding="utf-8")) if COUNTS.is_file() else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="an area, or a part of a fault's name")
    parser.add_argument("--short", action="store_true", help="few tries; prints, and writes nothing")
    parser.add_argument("--page", action="store_true", help="only write the page again")
    options = parser.parse_args()
    rows = {row["fault"]: row for row in on_file()}
    broken = 0
    for study in [] if options.page else all_studies():
        if options.only and options.only != study.area and options.only not in study.fault:
            continue
        if lacking := study.lacking():
            print(f"{study.area}: {study.fault}: not tried, {lacking}", flush=True)
            continue
        row = rows[study.fault] = row_of(study, study.short if options.short else study.long)
        print(f"{study.area}: {study.fault}: {row['times']} tries in {row['seconds']} s, {row['outcomes']}", flush=True)
        for line in row["broken"][:5]:
            print(f"    {line}", flush=True)
        broken += len(row["broken"])
        if not options.short:
            write_json(COUNTS, list(rows.values()))
    if not options.short:
        known = {study.fault for study in all_studies()}
        kept = [row for row in rows.values() if row["fault"] in known]
        write_json(COUNTS, kept)
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), kept), encoding="utf-8")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
