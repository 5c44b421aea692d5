"""Training a list of variants with several seeds, one after the other; what is finished is not repeated.

    outcome = ablate(AblationSettings(variants=("course", "without-adversary"), seeds=(0, 1, 2)))

Every run sees the same pictures for the same number of epochs, and the weights of its last epoch are scored on the
validation pictures. No epoch is chosen: choosing the best one by the pictures that give the score would flatter it.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jaalnet_core.ablation.cost import cost_of
from jaalnet_core.ablation.record import RunFile, read_run_file, run_name
from jaalnet_core.ablation_settings import AblationSettings, Variant
from jaalnet_core.data.source import LesionData, open_data
from jaalnet_core.errors import CheckpointError, SettingsError
from jaalnet_core.profile import current_profile
from jaalnet_core.report import sha256
from jaalnet_core.run_log import read_epochs
from jaalnet_core.scoring import score
from jaalnet_core.scoring_log import Scoring, log_scoring, today
from jaalnet_core.training import TrainSettings, train
from jaalnet_core.training.folder import environment, fingerprint
from jaalnet_core.weights import load_segmenter

AMOUNTS = ("preset", "size", "epochs", "batch_size", "learning_rate", "limit")
WEIGHTS = "last.safetensors"
# settings of a training that say where it ran, not what it was
NOT_IN_RECORD = (
    "data",
    "out",
    "resume",
    "device",
    "workers",
    "keep_checkpoints",
    "checkpoint_every",
    "devices",
    "nodes",
)


@dataclass(frozen=True)
class Outcome:
    """How a call of `ablate` ended.

    Attributes:
        made: results of runs that this call finished.
        found: results that were there already.
        finished: False after an interruption; the same call goes on.
    """

    made: tuple[Path, ...]
    found: tuple[Path, ...]
    finished: bool


def base_settings(settings: AblationSettings) -> TrainSettings:
    """The training that all variants start from: the course's recipe in the profile's amounts."""
    profile = current_profile(settings.profile, default="fast")
    of_profile = {name: getattr(profile, name) for name in AMOUNTS if name != "limit"} | {"limit": profile.train_limit}
    given = {name: getattr(settings, name) for name in AMOUNTS}
    amounts = {name: of_profile[name] if value is None else value for name, value in given.items()}
    return TrainSettings(
        data=settings.data,
        device=settings.device,
        checkpoint_every=max(1, amounts["epochs"] // 4),
        keep_checkpoints=1,
        resume=True,
        **amounts,
    )


def variant_settings(settings: AblationSettings, variant: Variant, seed: int) -> TrainSettings:
    """The training of one run, resolved.

    Raises:
        SettingsError: the variant changes something that is no setting of a training.
    """
    known = {one.name for one in dataclasses.fields(TrainSettings)}
    if unknown := sorted(set(variant.changes) - known):
        raise SettingsError(f"variant {variant.name}: found {', '.join(unknown)}, expected fields of TrainSettings.")
    changed = replace(base_settings(settings), **variant.changes)
    return replace(changed, seed=seed, out=settings.runs / run_name(variant.name, seed)).resolved()


def ablate(
    settings: AblationSettings,
    *,
    data: LesionData | None = None,
    say: Callable[[str], None] = print,
    progress: bool = True,
) -> Outcome:
    """Train and score every variant with every seed, all variants of a seed before the next seed.

    Args:
        data: pictures in memory; None opens `settings.data`.
        say: takes the few sentences about what happens.
        progress: show a bar for each training.

    Raises:
        SettingsError: `settings.out` holds a result of the same name with other settings or pictures.
        JaalnetError: a training failed, with the mend; what was finished before stays.
    """
    data = data if data is not None else open_data(settings.data, base_settings(settings).size, progress=progress)
    pictures = fingerprint(data)
    made, found = [], []
    for seed in dict.fromkeys(settings.seeds):
        for variant in settings.chosen():
            training = variant_settings(settings, variant, seed)
            path = settings.out / f"{run_name(variant.name, seed)}.json"
            if path.is_file():
                _require_same(path, training, pictures)
                found.append(path)
                _score_test(settings, path, training, data)
                continue
            say(f"{variant.name}, seed {seed}: {variant.says}.")
            result = train(training, data=data, say=lambda _: None, progress=progress)
            if not result.finished:
                return Outcome(tuple(made), tuple(found), finished=False)
            run = _scored(settings, variant, training, data, pictures)
            made.append(run.save(settings.out))
            _score_test(settings, path, training, data)
            dice = run.evaluations["validation"].averages()["per_image"]["dice"]
            say(f"{variant.name}, seed {seed}: validation Dice {dice:.4f} in {run.seconds:.0f} s, {path}")
    return Outcome(tuple(made), tuple(found), finished=True)


def recorded(training: TrainSettings) -> dict[str, Any]:
    """The settings that make a run what it is, as plain values."""
    return {name: value for name, value in training.to_json().items() if name not in NOT_IN_RECORD}


def row_command(settings: AblationSettings, variant: str, seed: int) -> str:
    """The command that makes one result anew, every amount spelt out; the data folder is named by JAALNET_DATA."""
    base = base_settings(settings)
    words = ["jaalnet", "ablate", "--variants", variant, "--seeds", str(seed)]
    words += ["--profile", current_profile(settings.profile, default="fast").name]
    for name in AMOUNTS:
        if (value := getattr(base, name)) is not None:  # no limit is what the profile says, or there would be one
            words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join([*words, "--out", settings.out.as_posix()])


def _scored(
    settings: AblationSettings, variant: Variant, training: TrainSettings, data: LesionData, pictures: str
) -> RunFile:
    folder = Path(training.out)
    log = read_epochs(folder / "log.csv")
    loaded = load_segmenter(folder / WEIGHTS)
    learnt = len(data.train) if training.limit is None else min(training.limit, len(data.train))
    return RunFile(
        variant=variant.name,
        says=variant.says,
        seed=training.seed,
        settings=recorded(training),
        data={"name": data.name, "sha256": pictures, "learnt_from": learnt, "validation": len(data.validation)},
        command=row_command(settings, variant.name, training.seed),
        environment={name: value for name, value in environment().items() if name != "command"},
        weights_sha256=sha256(folder / WEIGHTS),
        seconds=log[-1]["seconds"],
        curve=tuple(line["validation_dice"] for line in log),
        evaluations={"validation": score(loaded, data, "validation", device=settings.device, progress=False)},
        cost=cost_of(recorded(training)),
    )


def _score_test(settings: AblationSettings, path: Path, training: TrainSettings, data: LesionData) -> None:
    """Add the test pictures' evaluation to a run's file, where it was asked for and is not there yet."""
    run = read_run_file(path)
    if settings.score_test is None or "test" in run.evaluations:
        return
    weights = Path(training.out) / WEIGHTS
    if not weights.is_file() or sha256(weights) != run.weights_sha256:
        raise CheckpointError(
            f"{weights}: the weights behind {path} are not there any more, expected those of SHA-256 "
            f"{run.weights_sha256[:12]}…; remove {path.name} to train them again."
        )
    loaded = load_segmenter(weights)
    revision = environment()["git_revision"] or ""
    pictures = f"{data.name} test, {len(data.test)}"
    command = f"{run.command} --score-test {shlex.quote(settings.score_test)}"
    log_scoring(
        Scoring(today(), command, revision, run.weights_sha256, pictures, settings.score_test), settings.test_log
    )
    scored = score(loaded, data, "test", device=settings.device, progress=False)
    replace(run, evaluations=run.evaluations | {"test": scored}).save(settings.out)


def _require_same(path: Path, training: TrainSettings, pictures: str) -> None:
    run = read_run_file(path)
    wanted = recorded(training)
    # an older run does not name what was no setting then: it had what is left out now
    found = recorded(TrainSettings(recipe=wanted["recipe"]).resolved()) | run.settings
    differing = [f"{name} {found[name]!r}, now {wanted[name]!r}" for name in wanted if found[name] != wanted[name]]
    if run.data["sha256"] != pictures:
        differing.append(f"other pictures ({run.data['name']}, {run.data['learnt_from']} learnt from)")
    if differing:
        raise SettingsError(
            f"--out: {path} is the result of another run: {'; '.join(differing)}. Choose another --out and --runs, "
            "or ask for what is there."
        )
