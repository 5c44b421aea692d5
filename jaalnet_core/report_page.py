"""The words and tables of a report: Markdown from a run's record and its evaluations."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from jaalnet_core.data.source import SYNTHETIC
from jaalnet_core.metrics import METRICS
from jaalnet_core.training.settings import TrainSettings

AVERAGING_NAMES = {
    "per_image": "per image",
    "pooled": "pooled pixels",
    "two_class": "mean of lesion and background, per image",
    "two_class_pooled": "mean of lesion and background, pooled",
}
_METRIC_NAMES = {"dice": "Dice", "iou": "IoU"} | {name: name.capitalize() for name in METRICS[2:]}
# Where a run wrote and read, and with how many hands: not what it is.
_NOT_IN_COMMAND = {"data", "out", "resume", "workers", "device", "keep_checkpoints", "devices", "nodes"}
_ALWAYS_IN_COMMAND = {"preset", "recipe", "epochs", "seed"}

_AVERAGINGS = """\
Per image: each image's score, averaged over the images. Pooled: one score of all pixels together, in which large
lesions count for more. Mean of lesion and background: the same scores with background as the class to find,
averaged with the lesion's; on small lesions it is flattering. In brackets the 95% bootstrap interval over images.
Read a published number beside the row of its own averaging; where that is not stated, `jaalnet audit` says which
averagings could have produced it."""

_REAL_PHOTOGRAPHS = """\
These are photographs of patients' skin: this folder is ignored by git and stays that way. Publish the tables and
curves, and a picture only if its licence and its patient allow it."""


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """What a training run left on the disk.

    Attributes:
        name: the folder's name.
        settings: resolved.
        data: `data.json`: name, number of training pictures, notes; empty when missing.
        environment: `environment.json`: versions, machine, revision, command; empty when missing.
        log: `log.csv` by column; empty when missing.
        stated: the settings that the run's file names: those that its version had. None: all.
    """

    name: str
    settings: TrainSettings
    data: Mapping[str, Any]
    environment: Mapping[str, Any]
    log: Mapping[str, Any]
    stated: frozenset[str] | None = None

    @property
    def pictures(self) -> int | None:
        """How many pictures were learnt from: those of the data, or the first `--limit` of them; None if unknown."""
        there, limit = self.data.get("train"), self.settings.limit
        return there if there is None or limit is None else min(there, limit)


def page(
    record: RunRecord,
    evaluations: Mapping[str, Mapping[str, Any]],
    *,
    data_name: str,
    notes: Sequence[str],
    pictures: Mapping[str, str],
    baselines: Mapping[str, Mapping[str, Any]],
    photographs: bool = True,
    sections: Sequence[str] = (),
) -> str:
    """The report's README.

    Args:
        record: the run.
        evaluations: name to evaluation JSON; the first one is the headline.
        data_name: of the set that was scored.
        notes: what is to be said about that set.
        pictures: file name to the sentence below it.
        baselines: name to evaluation JSON of methods scored on the same images.
        photographs: whether `pictures` show the photographs themselves.
        sections: further Markdown, each with its heading, after the scores.
    """
    headline, first = next(iter(evaluations.items()))
    parts = [
        f"# {record.name}",
        _summary(record, headline, first, data_name),
        "For teaching and research: no medical device, and an outline is no diagnosis.",
        "## Scores",
        _AVERAGINGS.replace("\n", " "),
    ]
    for name, evaluation in evaluations.items():
        parts += [f"### {name[:1].upper()}{name[1:]}: {_scored(evaluation)}", score_table(evaluation)]
    if baselines:
        parts += [
            "### Beside simpler methods",
            "Per image, on the same images, in percent.",
            comparison_table({"this network": first, **baselines}),
        ]
    parts += sections
    if pictures:
        parts.append("## Pictures")
        parts += [f"![{name.removesuffix('.png')}]({name})\n\n{text}" for name, text in pictures.items()]
        if photographs and data_name != SYNTHETIC:
            parts.append(f"> {_REAL_PHOTOGRAPHS}".replace("\n", "\n> "))
    parts += ["## Data", bullets(notes), "## Training", _training(record)]
    parts += ["## Settings", _settings_table(record)]
    parts.append("Every number above is in `metrics.json`, with the counted pixels of each image.")
    return "\n\n".join(part for part in parts if part) + "\n"


def score_table(evaluation: Mapping[str, Any]) -> str:
    """Five metrics in every averaging of one evaluation, in percent with intervals, as a Markdown table."""
    rows = [
        [title, *(_cell(evaluation, averaging, metric) for metric in METRICS)]
        for averaging, title in AVERAGING_NAMES.items()
        if averaging in evaluation
    ]
    return markdown_table(["percent", *_METRIC_NAMES.values()], rows)


def comparison_table(evaluations: Mapping[str, Mapping[str, Any]]) -> str:
    """One row a method: the five metrics per image, in percent with intervals, as a Markdown table."""
    rows = [
        [name, *(_cell(evaluation, "per_image", metric) for metric in METRICS)]
        for name, evaluation in evaluations.items()
    ]
    return markdown_table(["method", *_METRIC_NAMES.values()], rows)


def training_command(settings: TrainSettings) -> str:
    """The `jaalnet train` command that repeats a run: what differs from the defaults, and the data's name."""
    words = ["jaalnet train", f"--data {SYNTHETIC if settings.data == SYNTHETIC else 'DIR'}"]
    recipe = TrainSettings(recipe=settings.recipe).resolved()
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        usual = value is None or value == getattr(recipe, field.name)
        if field.name in _NOT_IN_COMMAND or (usual and field.name not in _ALWAYS_IN_COMMAND):
            continue
        spelt = " ".join(value) if field.name == "without" else value
        words.append(f"--{field.name.replace('_', '-')} {spelt}")
    return " ".join(words)


def duration(seconds: float) -> str:
    """Seconds as people say them: `45 s`, `3 min 20 s`, `2 h 05 min`."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"


def bullets(sentences: Sequence[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _summary(record: RunRecord, headline: str, evaluation: Mapping[str, Any], data_name: str) -> str:
    settings = record.settings
    how = "trained adversarially against DA-Net" if settings.adversarial_weight else "trained without DA-Net"
    trained_on = record.data.get("name", "unnamed data")
    count = "" if record.pictures is None else f", {record.pictures} pictures"
    dice = _cell(evaluation, "per_image", "dice")
    return (
        f"{_network(settings)}, {how} on {trained_on}{count} (recipe `{settings.recipe}`, {settings.epochs} "
        f"epochs, seed {settings.seed}). On {data_name}, {headline}, {_scored(evaluation)}: per-image Dice "
        f"**{dice}** percent."
    )


def _network(settings: TrainSettings) -> str:
    """What was trained, in words, with what was left out of it."""
    kind = "U-Net of the cost of LF-Net" if settings.network == "unet" else "LF-Net"
    left_out = f" without {', '.join(settings.without)}" if settings.without else ""
    return f"{kind} `{settings.preset}`{left_out}"


def _scored(evaluation: Mapping[str, Any]) -> str:
    height, width = evaluation["size"]
    where = "at the masks' own size" if evaluation.get("score_at") == "mask" else "scored at that size"
    extra = ", mirror images averaged" if evaluation.get("flips") else ""
    return f"{evaluation['n_images']} images, network {width}x{height}, {where}{extra}"


def _cell(evaluation: Mapping[str, Any], averaging: str, metric: str) -> str:
    value = f"{100 * evaluation[averaging][metric]:.2f}"
    interval = evaluation.get("ci95", {}).get(averaging, {}).get(metric)
    if interval is None:
        return value
    low, high = interval
    return f"{value} ({100 * low:.2f} to {100 * high:.2f})"


def _training(record: RunRecord) -> str:
    environment, log = record.environment, record.log
    lines = []
    if len(log.get("epoch", ())):
        dice = [value if math.isfinite(value) else -1.0 for value in log["validation_dice"]]
        best = max(range(len(dice)), key=dice.__getitem__)
        if dice[best] >= 0:
            lines.append(
                f"Best validation Dice {100 * dice[best]:.2f} percent at epoch {log['epoch'][best]:.0f} of "
                f"{record.settings.epochs}; those weights were scored."
            )
        # The log's clock runs on from epoch to epoch, over every start of the run.
        lines.append(f"Training time: {duration(log['seconds'][-1])} for {len(log['epoch'])} epochs.")
    machine = environment.get("gpu") or f"{environment.get('cpu_cores', 'unknown number of')} CPU cores"
    if environment:
        lines.append(
            f"Machine: {machine}, {environment.get('memory_gb', '?')} GB of memory, {environment.get('platform')}."
        )
        versions = ", ".join(
            f"{name} {environment[key]}"
            for name, key in (
                ("jaalnet-core", "jaalnet_core"),
                ("Python", "python"),
                ("torch", "torch"),
                ("torchvision", "torchvision"),
            )
            if environment.get(key)
        )
        lines.append(f"Versions: {versions}; revision {environment.get('git_revision') or 'unknown'}.")
        if environment.get("command"):
            lines.append(f"Started by: `{environment['command']}`.")
    return f"{bullets(lines)}\n\nThe training by itself:\n\n```\n{training_command(record.settings)}\n```"


def _settings_table(record: RunRecord) -> str:
    values = record.settings.to_json()
    left_out = {"data", "out", "resume"} | (set() if record.stated is None else set(values) - record.stated)
    shown = {name: value for name, value in values.items() if name not in left_out}
    return markdown_table(["setting", "value"], [[f"`{name}`", f"{value}"] for name, value in shown.items()])


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of texts."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
