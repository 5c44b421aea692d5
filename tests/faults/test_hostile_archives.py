"""The short form of the studies of archives, and that they would notice."""

from __future__ import annotations

import tarfile
import zipfile

from hostile_archives import STUDIES, refuse, survive
from promise import promises_hold

test_the_promise_holds = promises_hold(STUDIES)


def careless(archive, target, *, progress):
    """What many a script does."""
    target.mkdir()
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                (target / info.filename).parent.mkdir(parents=True, exist_ok=True)
                (target / info.filename).write_bytes(opened.read(info))
    else:
        with tarfile.open(archive) as opened:
            opened.extractall(target, filter="fully_trusted")


def test_a_careless_unpacking_breaks_both_promises(tmp_path):
    lines = refuse(60, tmp_path, careless).broken
    assert any("written outside" in line for line in lines)
    assert any("unpacked" in line for line in lines)
    assert any("something stayed" in line for line in survive(40, tmp_path, careless).broken)
