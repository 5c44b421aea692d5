"""A run's report: what was trained, what it scored in every averaging, and pictures of its best and its worst.

    write_report(run, {"test": evaluation.to_json()}, data, Path("reports") / run.name)

The folder then holds README.md, metrics.json, curves.png, outlines.png and dice.png.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
import torch

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import DataError, SettingsError
from jaalnet_core.evaluation import choose_device, predict_probabilities
from jaalnet_core.figures import (
    best_median_worst,
    contact_sheet,
    dice_histogram,
    read_log,
    save_figure,
    training_curves,
)
from jaalnet_core.files import atomic_path, write_json
from jaalnet_core.metrics import scores
from jaalnet_core.report_page import RunRecord, page
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.weights import load_lf_net

PAGE_NAME = "README.md"
METRICS_NAME = "metrics.json"
WEIGHTS_NAME = "best.safetensors"
_COLUMNS = 5  # pictures a row of the contact sheet


def write_report(
    run: Path,
    evaluations: Mapping[str, Mapping[str, Any]],
    data: LesionData,
    out: Path,
    *,
    baselines: Mapping[str, Mapping[str, Any]] | None = None,
    device: str = "auto",
) -> Path:
    """Write the report of one run; what an earlier report in the same folder said is replaced.

    Args:
        run: a training run's folder, with `settings.json` and `best.safetensors`.
        evaluations: name, such as `test`, to what `Evaluation.to_json` returned; the first is the headline.
        data: the set that was scored: the contact sheet shows its pictures.
        out: the report's own folder, such as `reports/<run>`; made if it is missing.
        baselines: name to evaluation JSON of other methods on the same images.
        device: where the shown outlines are computed.

    Returns:
        `out`.

    Raises:
        CheckpointError: `best.safetensors` is missing or damaged.
        DataError: `run` is no run's folder, or none of the evaluations is about pictures of `data`.
        SettingsError: no evaluation was given.
    """
    if not evaluations:
        raise SettingsError("evaluations: found none, expected at least one, such as {'test': evaluation.to_json()}.")
    run, out = Path(run), Path(out)
    record = read_run(run)
    pictures: dict[str, str] = {}
    headline, first = next(iter(evaluations.items()))
    arrays, dice = _scored_pictures(first, data)
    predictions, shown = _outlines_to_show(run, arrays, dice, first, device)
    sheet = contact_sheet(
        arrays.take(shown), predictions, dice[shown], columns=_COLUMNS, title=f"{record.name}: {data.name}, {headline}"
    )
    save_figure(sheet, out / "outlines.png")
    pictures["outlines.png"] = (
        "Best, median and worst outlines by Dice: the expert's solid and blue, the network's dashed and yellow."
    )
    save_figure(dice_histogram(dice, title=f"Dice of each image, {headline}"), out / "dice.png")
    pictures["dice.png"] = f"Dice of each image: mean {dice.mean():.3f}, median {np.median(dice):.3f}."
    if record.log:
        save_figure(training_curves(record.log, title=record.name), out / "curves.png")
        pictures["curves.png"] = "Training: losses, DA-Net's opinion of real and fake pairs, and validation scores."
    write_json(
        out / METRICS_NAME,
        {
            "run": record.name,
            "data": data.name,
            "checkpoint_sha256": sha256(run / WEIGHTS_NAME),
            "evaluations": dict(evaluations),
            "baselines": dict(baselines or {}),
        },
    )
    text = page(
        record,
        evaluations,
        data_name=data.name,
        notes=[without_path(note, data.root) for note in data.notes],
        pictures=pictures,
        baselines=baselines or {},
    )
    with atomic_path(out / PAGE_NAME) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return out


def read_run(run: Path) -> RunRecord:
    """What a run's folder says about the run; only `settings.json` has to be there.

    Raises:
        DataError: there is none, or a file in it is damaged.
        SettingsError: the settings were written by another version.
    """
    values = _json(run / "settings.json")
    if values is None:
        raise DataError(
            f"{run}: holds no settings.json, expected the folder of a training run, such as checkpoints/<run>."
        )
    try:
        settings = TrainSettings.from_json(values).resolved()
    except SettingsError as error:
        raise SettingsError(f"{run / 'settings.json'}: {error}") from error
    if settings.start_from is not None and settings.start_from.is_absolute():  # nobody's folders in a report
        settings = replace(settings, start_from=Path(*settings.start_from.parts[-2:]))
    environment = dict(_json(run / "environment.json", {"command": (str, NoneType)}) or {})
    for folder in (settings.data, settings.out):
        if folder and environment.get("command"):
            environment["command"] = without_path(environment["command"], Path(folder))
    log = run / "log.csv"
    return RunRecord(
        name=run.resolve().name,
        settings=settings,
        data=_json(run / "data.json", {"name": str, "sha256": str, "train": int, "notes": list}) or {},
        environment=environment,
        log=read_log(log) if log.exists() else {},
        stated=frozenset(values),
    )


def stored_evaluations(run: Path, out: Path, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The evaluations in an earlier report's `metrics.json`, if they are about these weights and pictures.

    Args:
        run: the run's folder.
        out: the report's folder.
        ids: of the pictures to be scored.

    Returns:
        Name to evaluation JSON; empty when there is no report, or one of other weights or pictures.
    """
    try:
        stored = json.loads((out / METRICS_NAME).read_text(encoding="utf-8"))
        if stored["checkpoint_sha256"] != sha256(run / WEIGHTS_NAME):
            return {}
        found = stored["evaluations"]
        return {name: found[name] for name in found if [image["id"] for image in found[name]["images"]] == list(ids)}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a missing or foreign file only means that the work is done again


def _scored_pictures(evaluation: Mapping[str, Any], data: LesionData) -> tuple[LesionArrays, np.ndarray]:
    """The pictures that an evaluation is about, and the Dice of each, in its order."""
    images = evaluation["images"]
    arrays = data.pictures([image["id"] for image in images])
    rows = [[image[column] for column in ("tp", "fp", "fn", "tn")] for image in images]
    return arrays, scores(torch.tensor(rows, dtype=torch.int64))["dice"].numpy()


def _outlines_to_show(
    run: Path, arrays: LesionArrays, dice: np.ndarray, evaluation: Mapping[str, Any], device: str
) -> tuple[np.ndarray, np.ndarray]:
    """Masks `(K, H, W)` of the K pictures of the contact sheet, and which those are."""
    chosen_device = choose_device(device)
    loaded = load_lf_net(run / WEIGHTS_NAME, chosen_device)
    if loaded.size != arrays.size:
        raise SettingsError(
            f"data: the pictures are {arrays.size}, {run / WEIGHTS_NAME} was trained at {loaded.size}; open the data "
            "at that size."
        )
    shown = np.sort(np.concatenate(list(best_median_worst(dice, _COLUMNS).values())))
    images, _ = arrays.take(shown).tensors()
    probabilities = predict_probabilities(
        loaded.network, images, flips=bool(evaluation.get("flips", False)), device=chosen_device
    )
    return (probabilities[:, 0] > evaluation.get("threshold", 0.5)).numpy(), shown


def _json(path: Path, types: Mapping[str, type | tuple[type, ...]] | None = None) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected the JSON that training wrote.") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: found {type(value).__name__}, expected the JSON object that training wrote.")
    for name, kind in (types or {}).items():
        if name in value and not isinstance(value[name], kind):
            raise DataError(f"{path}: {name} is {repr(value[name])[:60]}, expected what training wrote.")
    return value


def sha256(path: Path) -> str:
    """The digest that names a weights file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def without_path(text: str, folder: Path) -> str:
    """`text` with a folder's path cut to its name: a report may be handed on, one's folders need not."""
    for path in (str(folder.absolute()), str(folder)):
        if "/" in path or "\\" in path:
            text = text.replace(path, folder.name)
    return text
