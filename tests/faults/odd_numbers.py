"""Numbers at their edges: odd batches, losses and gradients that are no numbers, empty and full masks, equal seeds."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import math
import multiprocessing
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from fault_study import Study, Tally
from isic_challenge_scoring import metrics as isic
from isic_challenge_scoring.confusion import create_binary_confusion_matrix
from safetensors.torch import load_file
from small_run import SIDE, as_data, drawn_lesions, fresh_processes, quietly, small_settings, weights_digest

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import TrainingError
from jaalnet_core.evaluation import evaluate_network
from jaalnet_core.run_log import read_epochs
from jaalnet_core.training import TrainSettings
from jaalnet_core.training.run import Run

PICTURES = {"noise": None, "black": 0, "white": 255, "grey": 128, "lesions": None}
MASKS = ("empty", "full", "one pixel", "lesions")
RECIPES: tuple[dict[str, object], ...] = tuple(
    {"recipe": recipe, "network": network} | alone
    for recipe in ("course", "published")
    for network in ("lf-net", "unet")
    for alone in ({}, {"adversarial_weight": 0.0})
)
STEPS = 3  # an epoch, of the runs into which something is thrown
AREA = "Numbers"


def odd_batches(times: int, folder: Path) -> Tally:
    """A run of one epoch on each combination of pictures, masks, their number and a recipe, in random order."""
    every = list(itertools.product(PICTURES, MASKS, (1, 2, 3), RECIPES))
    order = np.random.default_rng(70).permutation(len(every))
    tally = Tally()
    for number in range(times):
        picture, mask, count, recipe = every[order[number % len(every)]]
        settings = small_settings(folder / f"{number}", epochs=1, seed=number, **recipe)
        what = f"{count} {picture} pictures, {mask} masks, {recipe}"
        arrays = _odd_pictures(picture, mask, count)
        _tally_run(tally, settings, as_data(arrays, arrays), what)
    return tally


def _odd_pictures(picture: str, mask: str, count: int) -> LesionArrays:
    arrays = drawn_lesions(count, seed=count)
    images, masks = arrays.images, arrays.masks
    if picture == "noise":
        images = np.random.default_rng(count).integers(0, 256, images.shape, dtype=np.uint8)
    elif PICTURES[picture] is not None:
        images = np.full_like(images, PICTURES[picture])
    if mask != "lesions":
        masks = np.full_like(masks, mask == "full")
        masks[:, 5, 7] = mask != "empty"
    return LesionArrays(arrays.ids, images, masks)


def wild_rates(times: int, folder: Path) -> Tally:
    """Learning rates from 1 to 1e30, with and without clipping, in both recipes."""
    random, tally = np.random.default_rng(71), Tally()
    for number in range(times):
        changes = {"recipe": ("course", "published")[number % 2], "clip": float(number // 2 % 2)}
        rate = 10.0 ** float(random.uniform(0, 30))
        settings = small_settings(folder / f"{number}", epochs=1, learning_rate=rate, **changes)
        _tally_run(tally, settings, as_data(drawn_lesions(2 * STEPS)), f"learning rate {rate:.0e}, {changes}")
    return tally


def _tally_run(tally: Tally, settings: TrainSettings, data: LesionData, what: str) -> None:
    """A run that ends with finite weights and a finite log, or stops, names its step, and has written nothing bad."""
    try:
        quietly(settings, data)
    except TrainingError as error:
        _expect(tally, "stopped, step named", " in step " in str(error) and _all_finite(settings.out), what)
        return
    except Exception as error:
        tally.broke(f"{what}: {type(error).__name__}: {error}")
        return
    row = read_epochs(settings.out / "log.csv")[0]
    used = {"g_loss", "region", "validation_dice"} | ({"d_loss"} if settings.adversarial_weight is None else set())
    whole = _all_finite(settings.out) and all(math.isfinite(row[name]) for name in used)
    _expect(tally, "finite weights and log", whole and 0 <= row["validation_dice"] <= 1, what)


def _expect(tally: Tally, outcome: str, holds: bool, what: str) -> None:
    if holds:
        tally.kept(outcome)
    else:
        tally.broke(f"{what}: expected {outcome}")


def _all_finite(run: Path) -> bool:
    """Whether every number in every file of weights is one."""
    tensors = itertools.chain.from_iterable(load_file(path).values() for path in run.glob("*.safetensors"))
    return all(bool(tensor.isfinite().all()) for tensor in tensors)


def no_numbers(times: int, folder: Path) -> Tally:
    """NaN or infinity put into a loss, a gradient or a weight of either network, in a random step of six."""
    random, tally = np.random.default_rng(72), Tally()
    for number in range(times):
        step = int(random.integers(1, 2 * STEPS + 1))
        value = (math.nan, math.inf, -math.inf)[number % 3]
        place = ("gradient", "weight", "loss")[number // 3 % 3]
        recipe = RECIPES[int(random.integers(len(RECIPES)))]
        settings = small_settings(folder / f"{number}", seed=number, clip=float(random.integers(2)), **recipe)
        spoiler = Spoiler(place, step, value, random)
        what = f"{value} into a {place} in step {step}, clip {settings.clip}, {recipe}"
        try:
            with patch.object(Run, "set_learning_rates", lambda run, total, spoiler=spoiler: spoiler(run, total)):
                quietly(settings, as_data(drawn_lesions(2 * STEPS)))
            tally.broke(f"{what}: the run went on")
        except TrainingError as error:
            holds = f"in step {step} " in str(error) and files_of(settings.out) == spoiler.files
            _expect(tally, f"{place}: stopped, step named, no file changed", holds, f"{what}: {error}")
    return tally


class Spoiler:
    """In place of `Run.set_learning_rates`: does the same, and in one step spoils a number."""

    def __init__(self, place: str, step: int, value: float, random: np.random.Generator) -> None:
        self.place, self.step, self.value, self.random = place, step, value, random
        self.usual = Run.set_learning_rates
        self.files: dict[str, str] = {}  # as they were when the number was spoiled

    def __call__(self, run: Run, total_steps: int) -> float:
        if run.progress.step + 1 == self.step:
            self.files = files_of(run.settings.out)
            networks = [network for network in (run.step.lf_net, run.step.da_net) if network is not None]
            network = networks[int(self.random.integers(len(networks)))]
            if self.place == "weight":
                self._spoil([weight.data for weight in network.parameters()])
            else:
                self._spoil_backward(run, network)
        return self.usual(run, total_steps)

    def _spoil_backward(self, run: Run, network: torch.nn.Module) -> None:
        usual = run.fabric.backward

        def backward(loss: torch.Tensor) -> None:
            usual(loss * self.value if self.place == "loss" else loss)
            reached = [weight.grad for weight in network.parameters() if weight.grad is not None]
            if self.place == "gradient" and reached:
                self._spoil(reached)

        run.fabric.backward = backward

    def _spoil(self, tensors: list[torch.Tensor]) -> None:
        chosen = tensors[int(self.random.integers(len(tensors)))]
        chosen[(0,) * chosen.ndim] = self.value


def files_of(run: Path) -> dict[str, str]:
    """SHA-256 of every file that a resume or a reader takes."""
    files = [path for pattern in ("*.pt", "*.safetensors", "*.json", "*.csv") for path in run.glob(f"[!.]{pattern}")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def same_seed(times: int, folder: Path, change: Callable[[TrainSettings], TrainSettings] = lambda s: s) -> Tally:
    """The same settings in two processes of their own, the second with 0 or 2 workers.

    Args:
        change: of the second one's settings; a test gives one that matters.
    """
    context, tally = fresh_processes(), Tally()
    for number in range(times):
        recipe = RECIPES[number % len(RECIPES)] | {"augmentation": ("none", "flips", "course", "strong")[number % 4]}
        first = small_settings(folder / f"{number}a", seed=number, **recipe)
        workers = 2 * (number % 2)
        second = change(dataclasses.replace(first, out=folder / f"{number}b", workers=workers))
        for settings in (first, second):
            process = context.Process(target=_train_alone, args=(settings,))
            process.start()
            process.join()
        digests = {weights_digest(settings.out / "last.pt") for settings in (first, second)}
        logs = {_log_without_time(settings.out) for settings in (first, second)}
        _expect(tally, f"equal bit for bit, 0 and {workers} workers", len(digests) == len(logs) == 1, f"{second}")
    return tally


def _train_alone(settings: TrainSettings) -> None:
    multiprocessing.set_start_method("fork", force=True)  # of its workers, as on Linux
    torch.set_num_threads(1)
    quietly(settings, as_data(drawn_lesions(5)))


def _log_without_time(run: Path) -> str:
    return str([[value for name, value in row.items() if name != "seconds"] for row in read_epochs(run / "log.csv")])


class FirstChannel(torch.nn.Module):
    """Predicts lesion where the picture is red, and is quite sure."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return (images[:, :1] - 0.5) * 40  # probabilities above 0 and, rounded, 1


def score_corners(times: int, folder: Path) -> Tally:
    """Sets of pictures whose masks and predictions are empty, full or neither; scored as `jaalnet evaluate` does."""
    random, tally = np.random.default_rng(73), Tally()
    kinds = list(itertools.product(("empty", "full", "some"), repeat=2))
    for number in range(times):
        count = int(random.integers(1, 5))
        # the corners one by one first, then mixed sets
        pairs = [kinds[number % 9]] * count if number < 36 else [kinds[i] for i in random.integers(0, 9, count)]
        masks, drawn = (np.stack([_corner(pair[i], random) for pair in pairs]) for i in (0, 1))
        threshold, flips = (0.5, 0.0, 1.0, 0.3)[number % 4], bool(number // 4 % 2)
        images = np.zeros((count, SIDE, SIDE, 3), np.uint8)
        images[..., 0] = drawn * 255
        ids = tuple(f"{i}" for i in range(count))
        evaluation = evaluate_network(
            FirstChannel(), LesionArrays(ids, images, masks), threshold=threshold, flips=flips, progress=False
        )
        predicted = np.full_like(drawn, threshold == 0.0) if threshold in (0.0, 1.0) else drawn
        found, expected = evaluation.averages(), expected_averages(predicted, masks)
        close = all(
            abs(found[averaging][metric] - expected[averaging][metric]) < 1e-12
            for averaging in expected
            for metric in expected[averaging]
        )
        _expect(tally, "every score as counted by hand", close, f"{pairs}, threshold {threshold}, flips {flips}")
    return tally


def _corner(kind: str, random: np.random.Generator) -> np.ndarray:
    if kind == "some":
        return (random.random((SIDE, SIDE)) < random.uniform(0.05, 0.95)).astype(np.uint8)
    return np.full((SIDE, SIDE), kind == "full", np.uint8)


def expected_averages(predicted: np.ndarray, masks: np.ndarray) -> dict[str, dict[str, float]]:
    """The four averagings by whole numbers and fractions; per image, the official scorer's own functions.

    Args:
        predicted, masks: `(N, H, W)` of 0 and 1.
    """
    pairs = list(zip(predicted.astype(bool), masks.astype(bool), strict=True))
    tables = [tuple(int(n) for n in ((p & m).sum(), (p & ~m).sum(), (~p & m).sum(), (~p & ~m).sum())) for p, m in pairs]
    total = tuple(map(sum, zip(*tables, strict=True)))
    official = [create_binary_confusion_matrix(m.astype(np.uint8), p.astype(np.uint8)) for p, m in pairs]
    names = {"dice": "dice", "iou": "jaccard", "accuracy": "accuracy"}
    names |= {name: name for name in ("sensitivity", "specificity")}

    def both(table: tuple[int, ...]) -> dict[str, Fraction]:
        lesion, skin = _fractions(table), _fractions(table[::-1])
        return {name: (lesion[name] + skin[name]) / 2 for name in lesion}

    def mean(rows: list[dict[str, Fraction]]) -> dict[str, float]:
        return {name: float(sum(row[name] for row in rows) / len(rows)) for name in names}

    return {
        "per_image": {
            ours: float(np.mean([getattr(isic, f"binary_{theirs}")(table) for table in official]))
            for ours, theirs in names.items()
        },
        "pooled": mean([_fractions(total)]),
        "two_class": mean([both(table) for table in tables]),
        "two_class_pooled": mean([both(total)]),
    }


def _fractions(table: tuple[int, ...]) -> dict[str, Fraction]:
    tp, fp, fn, tn = table
    ratios = {"dice": (2 * tp, 2 * tp + fp + fn), "iou": (tp, tp + fp + fn), "accuracy": (tp + tn, sum(table))}
    ratios |= {"sensitivity": (tp, tp + fn), "specificity": (tn, tn + fp)}
    return {name: Fraction(above, below) if below else Fraction(1) for name, (above, below) in ratios.items()}


DEFINED = "finite weights and log, or the run stops, names the step and has written nothing spoiled"
STUDIES = [
    Study(
        AREA,
        "One to three pictures: black, white, noise; masks empty, full, one pixel; smallest size, every recipe",
        DEFINED,
        4,
        480,
        odd_batches,
    ),
    Study(AREA, "Learning rates from 1 to 1e30", DEFINED, 2, 60, wild_rates),
    Study(
        AREA,
        "NaN or infinity in a loss, gradient or weight of either network",
        "the run stops, names that very step, and changes no file any more",
        6,
        240,
        no_numbers,
    ),
    Study(
        AREA,
        "The same seed in two processes, with and without workers",
        "the same weights, optimiser memories and log, bit for bit",
        2,
        24,
        same_seed,
    ),
    Study(
        AREA,
        "Masks and predictions empty, full or neither; thresholds 0 to 1; mirror images",
        "every average as counted by hand, per image as the official scorer has it",
        72,
        3000,
        score_corners,
    ),
]
