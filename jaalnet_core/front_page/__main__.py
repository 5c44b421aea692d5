"""Make the records of the front page anew: `python -m jaalnet_core.front_page training look`.

`training` trains the smallest networks on synthetic pictures for minutes; `look` takes seconds. `jaalnet report` draws
the README's picture and animation from what they leave in `reports/published/front-page`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from jaalnet_core.files import write_json
from jaalnet_core.front_page.files import RECORDS
from jaalnet_core.front_page.record import LOOK, TRAINING, make_look_record, make_training_record

MAKERS = {"training": (TRAINING, make_training_record), "look": (LOOK, make_look_record)}


def main(names: Sequence[str], root: Path = Path()) -> int:
    """Make the records of these names in the project's folder; 2 where there is no such record."""
    if not names or not set(names) <= set(MAKERS):
        print(f"found {' '.join(names) or 'nothing'}, expected one or more of: {' '.join(MAKERS)}", file=sys.stderr)
        return 2
    for name in names:
        file, make = MAKERS[name]
        path = root / RECORDS / file
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, make())
        print(f"written: {path.as_posix()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
