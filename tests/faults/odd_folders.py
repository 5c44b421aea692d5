"""Folders that hold odd things, through the commands: check, import and predict, in processes of their own."""

from __future__ import annotations

import csv
import json
import os
import stat
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from commands import Ran, run_commands, save_weights
from damaged_files import cut_short, impostor, with_bytes_changed
from fault_study import Study, Tally, needs_linux, needs_root
from odd_files import OddFile
from whole_pictures import KINDS, saved, shown, whole_picture

AREA = "Pictures"
NOBODY = "65534"
_GOOD = ("a good one.png", "zz good.jpg")
NAMES = (
    "with spaces.png",
    "Läsion 痣 №1.png",
    unicodedata.normalize("NFD", "é decomposed.png"),
    "two\nlines.png",
    "-leading dash.png",
    "--out.png",
    "n" * 251 + ".png",
    "ä" * 125 + ".png",
    "UPPER.PNG",
    "two.dots.JPEG.png",
    "semi;colon,comma\"quote'.png",
    "$HOME `id` %s {x}.png",
    "tab\tbell\a.png",
    "trailing dot..png",
    "\udcff not text.png",
    "\u202egnp.evil.png",
)


def commands_on(folder: Path, weights: Path) -> list[list[str]]:
    """`data check`, `predict` and `data import` of `folder/set/test/images`, the way a user would."""
    images = folder / "set" / "test" / "images"
    return [
        ["data", "check", str(folder / "set"), "--json", str(folder / "check.json")],
        ["predict", str(images), "--checkpoint", str(weights), "--out", str(folder / "out"), "--device", "cpu"],
        ["data", "import", str(images), "--out", str(folder / "brought")],
    ]


def make_set(folder: Path, rng: np.random.Generator) -> Path:
    """`folder/set` with two good pictures; returns where more may be put."""
    images = folder / "set" / "test" / "images"
    images.mkdir(parents=True)
    for name in _GOOD:
        (images / name).write_bytes(saved(shown(rng, smallest=20), "PNG"))
    return images


def rows(folder: Path) -> dict[str, dict[str, str]]:
    """The rows of predictions.csv by the file's name."""
    with (folder / "out" / "predictions.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return {Path(row["file"]).name: row for row in csv.DictReader(file)}


def problems(folder: Path) -> dict[str, set[str]]:
    """What `data check` wrote, by file name."""
    found: dict[str, set[str]] = {}
    for problem in json.loads((folder / "check.json").read_text(encoding="utf-8"))["problems"]:
        for file in problem["files"]:
            found.setdefault(Path(file).name, set()).add(problem["kind"])
    return found


def odd_contents(times: int, folder: Path, run: Callable[..., Ran] = run_commands) -> Tally:
    """Folders of 40 odd files beside two good ones: every good one is done, and every bad one named."""
    folder.mkdir(exist_ok=True)
    tally, weights = Tally(), save_weights(folder)
    contents: dict[Path, dict[str, OddFile]] = {}
    for start in range(0, times, 40):
        place = folder / f"folder-{start}"
        images = make_set(place, np.random.default_rng([10, start]))
        files = contents[place] = {}
        for number in range(start, min(start + 40, times)):
            file = _some_file(np.random.default_rng([11, number]), number)
            name = f"odd {number}{file.suffix or '.jpg'}"
            files[name] = file
            (images / name).write_bytes(file.content)
    ran = run([words for place in contents for words in commands_on(place, weights)], folder)
    if ran.broken:
        tally.broke(ran.broken)
        return tally
    for place, files in contents.items():
        _judge_contents(tally, place, files)
    return tally


def _some_file(rng: np.random.Generator, number: int) -> OddFile:
    whole = whole_picture(rng, sorted(KINDS)[number % len(KINDS)])
    return [whole, cut_short(whole, rng), with_bytes_changed(whole, rng), impostor(rng)][number % 4]


def _judge_contents(tally: Tally, place: Path, files: dict[str, OddFile]) -> None:
    table, found = rows(place), problems(place)
    brought = {path.name for path in (place / "brought").rglob("*") if path.is_file()}
    for name in _GOOD:
        if table[name]["status"] != "ok" or "unreadable picture" in found[name] or name not in brought:
            tally.broke(f"{name}, which is good: {table[name]}, {found[name]}")
    for name, file in files.items():
        row, unreadable = table.get(name), "unreadable picture" in found.get(name, ())
        if row is None or name not in brought:
            tally.broke(f"{name} ({file.kind}): passed over in silence")
        elif (row["status"] == "ok") == unreadable:
            tally.broke(f"{name} ({file.kind}): {row['status']} in predict, and check says {found.get(name)}")
        elif row["status"] == "ok" and file.outcome == "refused":
            tally.broke(f"{name} ({file.kind}): outlined")
        elif row["status"] != "ok" and file.outcome == "read":
            tally.broke(f"{name} ({file.kind}): {row['error']}")
        elif row["status"] == "ok" and not (place / "out" / row["mask"]).is_file():
            tally.broke(f"{name} ({file.kind}): no mask was written")
        else:
            tally.kept("outlined" if row["status"] == "ok" else "named by check and predict, the rest done")


def odd_names(times: int, folder: Path, run: Callable[..., Ran] = run_commands) -> Tally:
    """Good pictures under odd names: outlined, checked and imported like any other."""
    folder.mkdir(exist_ok=True)
    tally, weights = Tally(), save_weights(folder)
    named: dict[Path, tuple[str, ...]] = {}
    for start in range(0, times, len(NAMES)):
        place = folder / f"folder-{start}"
        images = make_set(place, np.random.default_rng([12, start]))
        named[place] = NAMES[: times - start]
        for number, name in enumerate(named[place]):
            rng = np.random.default_rng([13, start + number])
            (images / name).write_bytes(saved(shown(rng, smallest=8), "PNG"))
    ran = run([words for place in named for words in commands_on(place, weights)], folder)
    if ran.broken:
        tally.broke(ran.broken)
        return tally
    for place, names in named.items():
        table = rows(place)
        brought = {path.name for path in (place / "brought").rglob("*") if path.is_file()}
        for name in names:
            row = table.get(name)
            if row is None or row["status"] != "ok" or not (place / "out" / row["mask"]).is_file():
                tally.broke(f"{name!r}: {row}")
            elif name not in brought:
                tally.broke(f"{name!r}: not imported")
            else:
                tally.kept("checked, outlined and imported")
    return tally


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _two_links(path: Path) -> None:
    other = path.with_name(f"other {path.name}.link")
    path.symlink_to(other.name)
    other.symlink_to(path.name)


def _folder(path: Path) -> None:
    path.mkdir()
    path.joinpath("inside.png").write_bytes(saved(shown(np.random.default_rng(0), smallest=8), "PNG"))


def _forbidden(path: Path) -> None:
    path.write_bytes(saved(shown(np.random.default_rng(0), smallest=8), "PNG"))
    path.chmod(0)


ENTRIES: dict[str, tuple[Callable[[Path], Any], bool]] = {  # how it is made, and whether it has to be named
    "a link to itself": (_loop, True),
    "two links in a circle": (_two_links, True),
    "a link to nothing": (lambda path: path.symlink_to("nothing.png"), True),
    "a link to a folder": (lambda path: path.symlink_to("."), False),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), True),
    "a folder": (_folder, False),
    "a pipe": (os.mkfifo, True),
    "a device": (lambda path: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5)), True),
    "a file that may not be read": (_forbidden, True),
}


def odd_entries(times: int, folder: Path, run: Callable[..., Ran] = run_commands) -> Tally:
    """What bears a picture's name and is no file that may be read, seen by a user without an administrator's rights."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="odd-") as made:  # not below pytest's folder, which is closed to others
        top = Path(made)
        weights = save_weights(top)
        places: dict[Path, dict[str, Any]] = {}
        commands = []
        for start in range(0, times, len(ENTRIES)):
            place = top / f"folder-{start}"
            images = make_set(place, np.random.default_rng([14, start]))
            kinds = places[place] = dict(list(ENTRIES.items())[: times - start])
            for number, (make, _) in enumerate(kinds.values()):
                make(images / f"odd {number}.jpg")
            check, predict, bring = commands_on(place, weights)
            predict[1:2] = [*(str(images / f"odd {number}.jpg") for number in range(len(kinds))), str(images)]
            commands += [check, predict, bring]
        for path in (top, *top.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o777)
        ran = run(commands, top, user=NOBODY)
        if ran.broken:
            tally.broke(ran.broken)
            return tally
        for number, (place, kinds) in enumerate(places.items()):
            _judge_entries(tally, place, kinds, ran.results[3 * number + 2])
    return tally


def _judge_entries(tally: Tally, place: Path, kinds: dict[str, Any], bring: dict[str, Any]) -> None:
    table, found = rows(place), problems(place)
    for name in _GOOD:
        if table[name]["status"] != "ok" or found[name] != {"missing mask"}:
            tally.broke(f"{name}, which is good: {table[name]}, {found[name]}")
    # a file that may not be read stops the whole import, by name, and nothing is copied
    if "a file that may not be read" in kinds and (bring["status"] != 1 or "Permission denied" not in bring["printed"]):
        tally.broke(f"import: {bring}")
    for number, (kind, (_, must_be_named)) in enumerate(kinds.items()):
        name = f"odd {number}.jpg"
        row = table.get(name)
        by_check = found.get(name, set()) & {"no file", "unreadable picture"}
        if must_be_named and (row is None or row["status"] != "error" or name not in row["error"]):
            tally.broke(f"{kind}: {row} in predict")
        elif must_be_named and not by_check:
            tally.broke(f"{kind}: not named by check")
        elif not must_be_named and by_check:
            tally.broke(f"{kind}: blamed by check: {by_check}")
        else:
            tally.kept("named, the rest done" if must_be_named else "left alone, as a folder")


STUDIES = [
    Study(
        AREA,
        "odd and damaged pictures in a folder of good ones, through check, predict and import",
        "the good ones are done, each bad one is named; no traceback, under 2 GB",
        40,
        480,
        odd_contents,
        needs_linux,
    ),
    Study(
        AREA,
        f"{len(NAMES)} odd names: spaces, Unicode, a newline, a leading dash, 255 bytes, bytes that are no text",
        "checked, outlined and imported like any other",
        len(NAMES),
        5 * len(NAMES),
        odd_names,
        needs_linux,
    ),
    Study(
        AREA,
        "links in a circle or to nothing, pipes, devices, folders and forbidden files under a picture's name",
        "each is named, nothing waits for ever, the good pictures are done",
        len(ENTRIES),
        5 * len(ENTRIES),
        odd_entries,
        needs_root,
    ),
]
