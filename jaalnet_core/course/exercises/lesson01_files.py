"""Judges of lesson 1 about files: which mask belongs to a picture, and which pictures are held back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from jaalnet_core.course.exercises.diagnosing import diagnosed
from jaalnet_core.course.judging import Wrong, call, expect, generator

ENDING = "_Segmentation"
Pairs = list[tuple[Path, Path]]


def judge_pairs(training_pairs: Callable[[list[Path], list[Path]], Pairs], cause: Any) -> None:
    """1.2: pictures and masks that only the sort order keeps together (system.md, public implementations)."""
    diagnosed(
        cause,
        "c",
        {
            "a": "nothing is resized here, and a smeared border would leave the mask on its own lesion.",
            "b": "neither loader shuffles: call it twice and the pairs are the same. Look at the order of each list.",
            "d": "the colours do not matter to who is paired with whom; the names in the table do not match.",
        },
    )
    draw = generator()
    for trial in range(4):
        ids = _awkward_ids(draw)
        without_mask = set(draw.choice(ids, 2, replace=False).tolist()) if trial else set()
        orphans = ["withdrawn", "ISIC_9999999"] if trial else []
        endings = draw.choice([".jpg", ".JPG", ".png"], len(ids))
        files = {id: Path(f"images/{id}{ending}") for id, ending in zip(ids, endings, strict=True)}
        masks = {id: Path(f"masks/{id}{ENDING}.png") for id in [*ids, *orphans] if id not in without_mask}
        order = [list(files.values()), list(masks.values())]
        for paths in order:
            draw.shuffle(paths)  # type: ignore[arg-type]
        _compare_pairs(call(training_pairs, order[0][:], order[1][:]), files, masks, order)


def _awkward_ids(draw: np.random.Generator) -> list[str]:
    """Ids that sort one way as pictures and another way as masks, and that a careless cut damages."""
    stem = str(draw.choice(["mole", "naevus", "lesion"]))
    numbers = draw.choice(10_000, 3, replace=False)
    ids = [
        stem,
        f"{stem}1",
        f"{stem}{draw.integers(10, 99)}",
        f"{stem}.v2",
        f"{stem}.v3",
        f"back_of{ENDING}_{numbers[0]}",
    ]
    ids += [f"{stem}_station", f"{stem}_sta", *(f"ISIC_{number:07d}" for number in numbers)]
    return ids


def _compare_pairs(found: Any, files: dict[str, Path], masks: dict[str, Path], order: list[list[Path]]) -> None:
    try:
        pairs = [(picture, mask) for picture, mask in found]
    except (TypeError, ValueError):
        raise Wrong(f"expected a list of pairs (picture, mask), found {str(found)[:80]!r}.") from None
    own = {files[id]: masks[id] for id in files if id in masks}
    by_place = [list(zip(*map(how, order), strict=False)) for how in (sorted, list)]
    known = {picture: mask for picture, mask in pairs if mask is not None}
    strangers = [(picture, mask) for picture, mask in known.items() if own.get(picture) != mask]
    wrong = next((pair for pair in strangers if pair[0] in own), strangers[0] if strangers else None)
    if wrong and pairs in by_place:
        raise Wrong(
            f"{wrong[0].name} still comes with {wrong[1].name}: entry by entry of two lists. Look each mask up by its "
            "id."
        )
    if wrong and wrong[0] in own:
        goes_on = str(getattr(wrong[1], "stem", "")).startswith(wrong[0].stem)
        raise Wrong(
            f"{_name(wrong[0])} comes with {_name(wrong[1])}, but its own mask is {own[wrong[0]].name}."
            f"{' An id may go on after an underscore or a full stop: take away the suffix alone.' if goes_on else ''}"
        )
    expect(not wrong, f"{_name(wrong and wrong[0])} comes with {_name(wrong and wrong[1])}, but it has no mask.")
    alone = next((picture for picture, mask in pairs if mask is None), None)
    expect(alone is None, f"{_name(alone)} has no mask and comes with None: leave it out.")
    left = sorted((picture for picture in own if picture not in known), key=lambda path: path.stem[:4] != "ISIC")
    left_out = left[0] if left else None  # of two causes, underscores in an id are the more common
    expect(
        left_out is None,
        f"{_name(left_out)} is left out although {_name(own.get(left_out))} is there. {_cut(left_out)}",
    )
    expect(len(pairs) == len(own), f"{len(pairs)} pairs, expected {len(own)}: each picture once.")


def _cut(picture: Path | None) -> str:
    """What has probably become of the id of a picture whose mask was not found."""
    id = picture.stem if picture else ""
    if ENDING in id:
        return f'This id holds "{ENDING}" itself: take it away at the end of the mask\'s name only.'
    if "." in id:
        return "This id holds a full stop: take away only what follows the last one."
    if f"{id}{ENDING}".rstrip(ENDING) != id:
        return "Was the id's own end cut off? `strip` and `rstrip` take away letters, not a word."
    return "An id may hold underscores: take away the suffix alone."


def _name(path: Any) -> str:
    return str(getattr(path, "name", path))


def judge_hold_back(hold_back: Callable[[Path, float], tuple[list[str], list[str]]], cause: Any) -> None:
    """1.4: validation pictures moved to another folder at random on every start (system.md)."""
    diagnosed(
        cause,
        "a",
        {
            "b": "a seed would not save it: the second start draws from what the first has left, so it draws others, "
            "and moves them too.",
            "c": "`sorted` takes care of that: the order in which a folder lists its files does not matter here.",
            "d": "rounding changes the count by one at most; the table shows the count growing with every start.",
        },
    )
    draw = generator()
    with tempfile.TemporaryDirectory() as place:
        folder, share = Path(place), float(draw.uniform(0.35, 0.45))
        (folder / "train").mkdir()
        names = [f"{kind}{n}" for kind in ("ISIC_000", "mole.", "näevus ") for n in draw.choice(9999, 184, False)]
        new = set(draw.choice(names, 41, replace=False).tolist())
        ids = set(names) - new
        _touch(folder, ids)
        first = _halves(hold_back, folder, share, ids)
        expect(
            (again := _halves(hold_back, folder, share, ids)) == first,
            f"a second start held back {len(again - first)} pictures that the first had learnt from: the choice is "
            "drawn afresh. Let the id alone decide.",
        )
        _touch(folder, new)
        moved = (_halves(hold_back, folder, share, ids | new) - new) ^ first
        expect(
            not moved,
            f"with {len(new)} new pictures in the folder, {len(moved)} of the {len(ids)} old ones changed sides: a "
            "seed, or a place in the list, fixes positions and not pictures.",
        )
        with another_process(hold_back):
            other = _halves(hold_back, folder, share, ids | new) - new
        expect(
            other == first,
            "in another process it would hold back other pictures: Python salts hash() of a text afresh in each. "
            "Take hashlib's.",
        )
        _judge_share(hold_back, folder, share, ids | new)


def _judge_share(hold_back: Callable[..., Any], folder: Path, share: float, ids: set[str]) -> None:
    for asked in (share, share / 2):
        found = len(_halves(hold_back, folder, asked, ids)) / len(ids)
        expect(
            abs(found - asked) < 5 * (asked * (1 - asked) / len(ids)) ** 0.5,  # five standard deviations
            f"for a share of {asked:.2f} it holds back {found:.2f} of {len(ids)} pictures: spread the ids evenly over "
            "0..1, then compare with the share.",
        )


def _touch(folder: Path, ids: set[str]) -> None:
    for id in sorted(ids):
        (folder / "train" / f"{id}.jpg").touch()


def _halves(hold_back: Callable[..., Any], folder: Path, share: float, ids: set[str]) -> set[str]:
    """The ids held back, when the answer is in order otherwise."""
    before = sorted(folder.rglob("*"))
    found = call(hold_back, folder, share)
    after = sorted(folder.rglob("*"))
    expect(
        [path for path in before if path.is_file() or path in after] == after,
        f"afterwards there are {sum(path.parent.name == 'train' for path in after)} of {len(ids)} pictures in train: "
        "files were moved or written, so the next start finds another folder. Only say who is held back."
        if before != after
        else "files were changed.",
    )
    expect(
        isinstance(found, (tuple, list)) and len(found) == 2,
        f"expected two lists, `return train, validation`; found {str(found)[:60]}.",
    )
    train, validation = ([str(id) for id in half] for half in found)
    strange = next((id for id in (*train, *validation) if id not in ids), None)
    expect(
        strange is None, f"{str(strange)[-40:]!r} is no id, expected file names without their ending, such as 'mole.7'."
    )
    both = set(train) & set(validation)
    expect(not both, f"{len(both)} ids are in both lists: what is held back must not be learnt from.")
    left = ids - set(train) - set(validation)
    expect(not left, f"{len(left)} of {len(ids)} ids are in neither list.")
    expect(len(train) + len(validation) == len(ids), "an id is in one list twice.")
    return set(validation)


@contextmanager
def another_process(answer: Callable[..., Any]) -> Iterator[None]:
    """Let `hash` of a text be what it might be in another process, for the code of an answer."""
    code: dict[str, Any] = getattr(answer, "__globals__", {})
    if "hash" in code:  # a function of the learner's own
        yield
        return
    code["hash"] = salted_hash
    try:
        yield
    finally:
        del code["hash"]


def salted_hash(value: Any) -> int:
    """Python's `hash`, with another salt for texts."""
    return hash((value, "another salt")) if isinstance(value, (str, bytes)) else hash(value)
