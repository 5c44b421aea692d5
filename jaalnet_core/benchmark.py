"""What the networks cost: counted arithmetic, measured speed and memory, beside a U-Net in the same run.

Arithmetic is counted by torch's own counter, a multiplication and an addition as two operations, with the position
attention written out as a matrix (the counter does not see into the fused one). Speeds are timed in turns, one subject
after another and round after round, so that a busy machine slows all of them alike. Memory is read in a process of its
own for each subject: what one leaves behind must not count for the next.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from tqdm.auto import tqdm

from jaalnet_core.benchmark_settings import SUBJECTS, BenchmarkSettings
from jaalnet_core.da_net import build_da_net
from jaalnet_core.flops import flop_counter
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.peak_memory import MEGABYTE, in_fresh_process, peak_of
from jaalnet_core.speed.authors import build_authors_run
from jaalnet_core.training.run import Run, build_run
from jaalnet_core.training.settings import TrainSettings


@dataclass(frozen=True)
class Subject:
    """One thing to measure: `work()` is a forward and backward pass over a whole batch."""

    work: Callable[[], None]
    parameters: int
    device: torch.device


def run_benchmark(settings: BenchmarkSettings, *, progress: bool = True) -> dict[str, Any]:
    """Measure LF-Net, DA-Net, the whole adversarial step, the baseline and, where asked for, the authors' stand-in.

    Returns:
        For each of `lfnet`, `danet`, `step`, `baseline` and `authors`: `gflop_per_image`, `images_per_second` (median),
        `images_per_second_range`, `peak_mb` (memory taken above what the process held before), `parameters` and
        `speed_ratio` (to the baseline); beside them the settings and the machine. The baseline is None where
        segmentation-models-pytorch is not installed, the stand-in where it was not asked for; else
        `step_against_authors` holds the step's `speed` (median over the rounds, each of which times both), its
        `speed_range`, `memory` and `gflop` as multiples of the stand-in's.
    """
    left_out = {"baseline": not _has_baseline(), "authors": not settings.authors}
    names = [name for name in SUBJECTS if not left_out.get(name)]
    bar = tqdm(total=len(names) * (settings.rounds + 3), unit="run", disable=not progress)
    with bar:
        results = {}
        for name in names:
            results[name] = count(settings, name)
            bar.update()
        speeds = _time_in_turns(settings, names, bar)
        for name, of_rounds in speeds.items():
            results[name]["images_per_second"] = statistics.median(of_rounds)
            results[name]["images_per_second_range"] = [min(of_rounds), max(of_rounds)]
        for name in names:
            results[name]["peak_mb"] = _in_fresh_process(settings, name)
            bar.update()
    baseline = results.get("baseline")
    for result in results.values():
        result["speed_ratio"] = result["images_per_second"] / baseline["images_per_second"] if baseline else None
    return {name: results.get(name) for name in SUBJECTS} | {
        "step_against_authors": _against_authors(results, speeds) if settings.authors else None,
        "preset": settings.preset,
        "recipe": settings.recipe,
        "size": list(settings.size),
        "batch_size": settings.batch_size,
        "rounds": settings.rounds,
        **machine(),
    }


def machine() -> dict[str, Any]:
    """What the figures depend on beside the settings: threads, torch, and the processor by its own name."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # Linux; elsewhere the platform's word must do
            lines = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
        name = lines[0] if lines else name
    except OSError:
        pass
    return {"threads": torch.get_num_threads(), "torch": torch.__version__, "processor": name}


def _against_authors(results: dict[str, Any], speeds: dict[str, list[float]]) -> dict[str, Any]:
    ratios = [step / authors for step, authors in zip(speeds["step"], speeds["authors"], strict=True)]
    step, authors = results["step"], results["authors"]
    return {
        "speed": statistics.median(ratios),
        "speed_range": [min(ratios), max(ratios)],
        "memory": step["peak_mb"] / authors["peak_mb"],
        "gflop": step["gflop_per_image"] / authors["gflop_per_image"],
    }


def train_settings(settings: BenchmarkSettings, **changes: Any) -> TrainSettings:
    """What a training has to be told so that its step is the one to be measured; resolved."""
    chosen = {"preset": settings.preset, "recipe": settings.recipe, "size": settings.size, "device": settings.device}
    return TrainSettings(**chosen, batch_size=settings.batch_size, **changes).resolved()


def build_subject(settings: BenchmarkSettings, name: str, *, explicit_attention: bool = False) -> Subject:
    """One of `SUBJECTS`, fed with random pictures."""
    if name == "step":
        return _step_subject(settings, explicit_attention)
    if name == "authors":
        return _learning(settings, build_authors_run(settings.size, settings.device))
    network, channels = {
        "lfnet": lambda: (build_lf_net(settings.preset), 3),
        "danet": lambda: (build_da_net(settings.preset, explicit_attention=explicit_attention), 4),
        "baseline": lambda: (_baseline(), 3),
    }[name]()
    device = _device(settings)
    network = network.to(device, memory_format=torch.channels_last)
    images = torch.rand(settings.batch_size, channels, *settings.size, device=device)
    images = images.contiguous(memory_format=torch.channels_last)

    def work() -> None:
        network.zero_grad()
        network(images).square().mean().backward()

    return Subject(work, _parameters(network), device)


def _step_subject(settings: BenchmarkSettings, explicit_attention: bool) -> Subject:
    run = build_run(train_settings(settings))
    for module in run.da_net.modules():
        if hasattr(module, "explicit"):
            module.explicit = explicit_attention
    return _learning(settings, run)


def _learning(settings: BenchmarkSettings, run: Run) -> Subject:
    """Whole steps of a run, on random pictures."""
    device = run.fabric.device
    images = torch.rand(settings.batch_size, 3, *settings.size, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    masks = (torch.rand(settings.batch_size, 1, *settings.size, device=device) > 0.7).float()

    def work() -> None:
        run.step(images, masks)
        run.averaged.update_parameters(run.step.lf_net.module)

    return Subject(work, _parameters(run.step.lf_net) + _parameters(run.step.da_net), device)


def count(settings: BenchmarkSettings, name: str) -> dict[str, Any]:
    """`gflop_per_image` and `parameters` of one of `SUBJECTS`: a forward and a backward pass, or a whole step."""
    subject = build_subject(settings, name, explicit_attention=True)
    with flop_counter() as counter:
        subject.work()
    gflop = counter.get_total_flops() / settings.batch_size / 1e9
    return {"gflop_per_image": gflop, "parameters": subject.parameters}


def _time_in_turns(settings: BenchmarkSettings, names: list[str], bar: tqdm) -> dict[str, list[float]]:
    subjects = {name: build_subject(settings, name) for name in names}
    speeds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(settings.rounds + 1):
        for name, subject in subjects.items():
            seconds = _timed(subject)
            if turn:  # the first warms up
                speeds[name].append(settings.batch_size / seconds)
            bar.update()
    return speeds


def _timed(subject: Subject) -> float:
    wait_for(subject.device)
    started = time.perf_counter()
    subject.work()
    wait_for(subject.device)
    return time.perf_counter() - started


def wait_for(device: torch.device) -> None:
    """Until a GPU has done what it was given; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def _in_fresh_process(settings: BenchmarkSettings, name: str) -> float:
    return in_fresh_process(peak_megabytes, settings, name, name=name, mend="try a smaller --batch-size")


def peak_megabytes(settings: BenchmarkSettings, name: str) -> float:
    """Most memory taken while building a subject and working twice, above what the process held before, in MB."""
    if _device(settings).type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        _work_twice(settings, name)
        return torch.cuda.max_memory_allocated() / MEGABYTE
    return peak_of(lambda: _work_twice(settings, name))


def _work_twice(settings: BenchmarkSettings, name: str) -> None:
    subject = build_subject(settings, name)
    subject.work()
    subject.work()  # the optimisers' memory is taken in the first step, and stays


def _device(settings: BenchmarkSettings) -> torch.device:
    if settings.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(settings.device)


def _has_baseline() -> bool:
    try:
        import segmentation_models_pytorch  # noqa: F401 - only whether it is there
    except ImportError:
        return False
    return True


def _baseline() -> nn.Module:
    import segmentation_models_pytorch as smp

    return smp.Unet("resnet18", encoder_weights=None, classes=1)


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
