"""From nothing to an honest table: data, adversarial training, evaluation, report. What is there is reused.

outcome = reproduce(ReproduceSettings(profile="fast"))
print(outcome.report / "README.md")
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jaalnet_core.baselines import evaluate_baselines
from jaalnet_core.data.source import SYNTHETIC_FOLDER, LesionData, locate_folder, open_data
from jaalnet_core.data.synthetic import write_dataset
from jaalnet_core.evaluation import Evaluation, ScoreAt, choose_device
from jaalnet_core.profile import Profile, current_profile
from jaalnet_core.report import write_report
from jaalnet_core.reproduce_settings import ReproduceSettings
from jaalnet_core.run_log import read_epochs
from jaalnet_core.scoring import score
from jaalnet_core.training import TrainSettings, train
from jaalnet_core.training.folder import fingerprint
from jaalnet_core.weights import load_lf_net

WEIGHTS = ("best.safetensors", "last.safetensors")
SCORES: dict[str, ScoreAt] = {"test": "network", "test at the masks' own size": "mask"}  # the first is the headline


@dataclass(frozen=True)
class Outcome:
    """What a call of `reproduce` left behind.

    Attributes:
        run: the training's folder.
        report: the report's folder; None after an interruption, which a second call goes on from.
        trained: whether this call trained, or found the run finished.
    """

    run: Path
    report: Path | None
    trained: bool


def reproduce(
    settings: ReproduceSettings, *, profile: Profile | None = None, say: Callable[[str], None] = print
) -> Outcome:
    """Train LF-Net against DA-Net in one profile, score it on the test set, and write the report.

    A finished run is not trained again, an interrupted one goes on, a report that is newer than its run stays.
    The run's name holds a digest of its settings and pictures, so other pictures never meet old weights.

    Args:
        settings: what and where.
        profile: the amounts themselves, instead of those that `settings.profile` names.
        say: takes the few sentences about what happens.

    Raises:
        JaalnetError: the data, the settings or the training failed, with the mend.
    """
    profile = profile or current_profile(settings.profile, default="fast")
    say(f"Profile {profile.name}: {profile.preset} networks at {profile.size}, {profile.epochs} epochs.")
    data = find_data(settings.data, profile)
    train_settings = training_settings(settings, profile)
    name = run_name(data, profile, train_settings)
    run, report = settings.runs / name, settings.reports / name
    trained = not is_finished(run, profile.epochs)
    if trained:
        if not train(replace(train_settings, out=run), data=data, say=say).finished:
            return Outcome(run, None, trained=True)
    else:
        for note in data.notes:
            say(note)
        say(f"Training is finished already: {run}.")
    if is_newer(report / "README.md", run / WEIGHTS[0]):
        say(f"The report is there already: {report}.")
    else:
        evaluations = evaluate(run / WEIGHTS[0], data, profile, settings.device)
        baselines = {method: resampled(each, profile) for method, each in evaluate_baselines(data).items()}
        write_report(run, evaluations, data, report, baselines=baselines, device=settings.device)
    return Outcome(run, report, trained)


def find_data(data: str | None, profile: Profile) -> LesionData:
    """The pictures at the profile's size; synthetic ones, in the profile's number, where there are no others.

    Raises:
        DataError: a folder was named that cannot be used.
    """
    folder = SYNTHETIC_FOLDER if profile.name == "fast" else SYNTHETIC_FOLDER.with_name(f"synthetic-{profile.name}")
    if locate_folder(data) is None and not folder.exists():
        write_dataset(folder, train=profile.synthetic_train, test=profile.synthetic_test)
    return open_data(data, profile.size, synthetic_folder=folder)


def training_settings(settings: ReproduceSettings, profile: Profile) -> TrainSettings:
    """The course's recipe in the profile's amounts."""
    return TrainSettings(
        data=settings.data,
        preset=profile.preset,
        epochs=profile.epochs,
        batch_size=profile.batch_size,
        learning_rate=profile.learning_rate,
        checkpoint_every=profile.checkpoint_every,
        size=profile.size,
        limit=profile.train_limit,
        seed=settings.seed,
        device=settings.device,
        resume=True,
    )


def run_name(data: LesionData, profile: Profile, settings: TrainSettings) -> str:
    """Such as `isbi2016-fast-3f2a9c1e`: data, profile, and a digest of all settings and training pictures."""
    values = {
        key: value for key, value in settings.resolved().to_json().items() if key not in ("data", "out", "device")
    }
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode() + fingerprint(data).encode())
    return f"{data.name.lower()}-{profile.name}-{digest.hexdigest()[:8]}"


def is_finished(run: Path, epochs: int) -> bool:
    """Whether the run's folder holds its last epoch and its weights."""
    if not all((run / name).is_file() for name in (*WEIGHTS, "log.csv")):
        return False
    log = read_epochs(run / "log.csv")
    return bool(log) and log[-1]["epoch"] >= epochs


def is_newer(made: Path, source: Path) -> bool:
    """Whether `made` is there and not older than `source`."""
    return made.is_file() and made.stat().st_mtime >= source.stat().st_mtime


def evaluate(checkpoint: Path, data: LesionData, profile: Profile, device: str = "auto") -> dict[str, Any]:
    """Score on the test set at network size and at the masks' own size: name to evaluation JSON."""
    loaded = load_lf_net(checkpoint, device=str(choose_device(device)))
    return {
        name: resampled(score(loaded, data, score_at=score_at, device=device), profile)
        for name, score_at in SCORES.items()
    }


def resampled(evaluation: Evaluation, profile: Profile) -> dict[str, Any]:
    """The evaluation as JSON, with as many bootstrap samples as the profile asks for."""
    return replace(evaluation, resamples=profile.bootstrap_samples).to_json()
