"""From a finished run to weights that others may use: the files, their scores, and a card that says what they are."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jaalnet_core.baselines import evaluate_baselines
from jaalnet_core.cards import DA_NET, LF_NET, METRICS, card_files, read_metrics
from jaalnet_core.data.source import LesionData
from jaalnet_core.diagnosis_scores import find_diagnoses
from jaalnet_core.errors import CheckpointError, DataError
from jaalnet_core.evaluation import Evaluation, choose_device
from jaalnet_core.failure_words import failure_lines, failure_summary
from jaalnet_core.files import write_json
from jaalnet_core.report import read_run, sha256, without_path
from jaalnet_core.scoring import places, score
from jaalnet_core.weights import SHIPPED, load_da_net, load_lf_net, save_weights

LARGEST = 16_000_000  # bytes of one file: a clone brings every version of it along
WORST = 10  # test pictures that the card describes


def ship(
    run: Path,
    data: LesionData,
    name: str,
    *,
    notes: Sequence[str] = (),
    out: Path = SHIPPED,
    half: bool = False,
    device: str = "auto",
) -> Path:
    """Copy a run's best LF-Net and its DA-Net to `out/name`, score the copy, and write its card.

    What is scored is the file that is shipped: at network size and at the masks' own size, as it is and with mirror
    images averaged, beside Otsu's threshold and the mean training mask.

    Args:
        run: the folder of a finished run.
        data: the test set to score on, with the training pictures for the mean mask, at the network's size.
        name: of the folder in `out`, such as `small-isbi2016`.
        notes: what else the card has to say about the data.
        half: store float16.

    Raises:
        CheckpointError: weights are missing, or a file is larger than may be shipped.
        DataError: `run` is no run's folder, or a split is empty.
    """
    record = read_run(run)
    folder = out / name
    if not (run / "da_net.safetensors").is_file():
        raise DataError(f"{run}: holds no da_net.safetensors, expected a run that was trained adversarially.")
    for loaded, target in ((load_lf_net(run / "best.safetensors"), LF_NET), (load_da_net(run / DA_NET), DA_NET)):
        save_weights(loaded.network, folder / target, loaded.size, half=half, **loaded.metadata)
        if (size := (folder / target).stat().st_size) > LARGEST:
            (folder / target).unlink()
            raise CheckpointError(
                f"{target}: found {size / 1e6:.1f} MB, expected at most {LARGEST / 1e6:.0f}; use --half."
            )
    evaluations = _scores(folder, data, device)
    write_json(
        folder / METRICS,
        {
            "name": name,
            "data": data.name,
            "trained_on": f"{record.pictures} {record.data['name']} pictures",
            "checkpoint_sha256": sha256(folder / LF_NET),
            "notes": [*(without_path(note, data.root) for note in data.notes), *notes],
            "training": {
                "data": {key: record.data.get(key) for key in ("name", "sha256", "train")},
                "environment": {key: value for key, value in record.environment.items() if key != "command"},
            },
            "evaluations": {title: one.to_json() for title, one in evaluations.items()},
            "baselines": {title: one.to_json() for title, one in evaluate_baselines(data).items()},
            **_closer_look(folder, data, evaluations["test"], device),
        },
    )
    shutil.copyfile(run / "log.csv", folder / "log.csv")
    write_json(folder / "settings.json", replace(record.settings, data=None, out=None, resume=False).to_json())
    _write_card(folder)
    return folder


def look_closer(folder: Path, data: LesionData, *, device: str = "auto") -> None:
    """Measure anew what the card says beyond scores, by diagnosis and failures in words, and write it there.

    The test pictures are predicted once more; the stored scores stay as they are.

    Args:
        folder: of shipped weights, with `metrics.json`.
        data: the set whose test pictures were scored, at the network's size.

    Raises:
        CheckpointError: the weights are missing or damaged.
        DataError: a file is missing or damaged, or the scores are about other pictures or other weights.
    """
    metrics = read_metrics(folder)
    evaluation = Evaluation.from_json(metrics["evaluations"]["test"])
    if evaluation.ids != data.test.ids:
        raise DataError(
            f"{data.root}: holds {len(data.test)} test pictures, and {folder / METRICS} is about {len(evaluation.ids)} "
            "others; name the folder that was scored by --data."
        )
    if (found := sha256(folder / LF_NET)) != metrics["checkpoint_sha256"]:
        raise DataError(
            f"{folder / LF_NET}: found SHA-256 {found}, and {METRICS} is about {metrics['checkpoint_sha256']}; ship "
            "the weights again."
        )
    write_json(folder / METRICS, metrics | _closer_look(folder, data, evaluation, device))
    _write_card(folder)


def _closer_look(folder: Path, data: LesionData, evaluation: Evaluation, device: str) -> dict[str, Any]:
    """The diagnoses of the scored pictures, where they are known, and the failures in words; values for JSON."""
    found = find_diagnoses(data, "test")
    known = None if found is None else {id: found[id] for id in evaluation.ids if id in found}
    network = load_lf_net(folder / LF_NET, choose_device(device)).network
    failures = {
        "worst": failure_lines(network, data, evaluation, n=WORST, diagnoses=known),
        "summary": failure_summary(data, evaluation, known),
    }
    return {"diagnoses": known, "failures": failures}


def _write_card(folder: Path) -> None:
    for file in card_files(folder):
        file.write()


def _scores(folder: Path, data: LesionData, device: str) -> dict[str, Evaluation]:
    loaded = load_lf_net(folder / LF_NET)
    return {
        name + suffix: score(loaded, data, score_at=place, flips=flips, device=device)
        for suffix, flips in {"": False, ", mirror images averaged": True}.items()
        for name, place in places("test").items()
    }
