"""A run in memory: both networks, their optimisers, the averaged weights, and how far it has come."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.swa_utils import AveragedModel

from jaalnet_core.lf_net import LFNet
from jaalnet_core.training.averaging import average_weights
from jaalnet_core.training.compiling import compile_network
from jaalnet_core.training.fabric import Fabric
from jaalnet_core.training.launch import start_processes
from jaalnet_core.training.log import Averages
from jaalnet_core.training.networks import build_judge, build_segmenter
from jaalnet_core.training.processes import Processes
from jaalnet_core.training.schedule import schedule_factor
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.training.shared_norm import share_batch_norms
from jaalnet_core.training.step import AdversarialStep
from jaalnet_core.unet import UNet
from jaalnet_core.weights import kind_of


@dataclass
class Progress:
    """How far a run has come; what a resume starts from."""

    epoch: int = 0
    """Finished epochs."""
    batch: int = 0
    """Finished steps of the epoch in hand."""
    step: int = 0
    """Finished steps in all."""
    best_epoch: int = 0
    best_dice: float = -1.0
    last_dice: float = -1.0
    seconds: float = 0.0
    """Time spent training, over all starts."""


@dataclass
class Run:
    """Everything that changes while training; `state` and `restore` carry it through a checkpoint."""

    settings: TrainSettings
    fabric: Fabric
    step: AdversarialStep
    averaged: AveragedModel
    progress: Progress = field(default_factory=Progress)
    averages: Averages = field(default_factory=Averages)
    lines: list[dict[str, float]] | None = field(default_factory=list)
    """A line of `log.csv` for every finished epoch; None after a resume from an older checkpoint, which has none."""

    steps_here: int = 0
    """Finished steps since this start."""

    @property
    def processes(self) -> Processes:
        """Those that train this run together."""
        return self.step.processes

    @property
    def lf_net(self) -> LFNet | UNet:
        """LF-Net (or the U-Net in its place) with averaged weights: the one that is validated and shipped."""
        return self.averaged.module

    @property
    def da_net(self) -> nn.Module | None:
        """DA-Net as plain module, or None in a run without one."""
        return None if self.step.da_net is None else self.step.da_net.module

    def set_learning_rates(self, total_steps: int) -> float:
        """Set both optimisers' rates for the coming step; returns LF-Net's."""
        factor = schedule_factor(self.settings.schedule, self.progress.step, total_steps)
        rate = self.settings.learning_rate * self.settings.peak_factor * factor
        _set_rate(self.step.lf_optimizer, rate)
        if self.step.da_optimizer is not None:
            _set_rate(
                self.step.da_optimizer,
                self.settings.learning_rate * self.settings.discriminator_factor * factor,
            )
        return rate

    def state(self) -> dict[str, Any]:
        """All of it as plain values and tensors, for `torch.save`."""
        step = self.step
        return {
            "format": "jaalnet-training",
            "settings": self.settings.to_json(),
            "size": str(self.settings.size),
            "metadata": self.metadata(),
            "lf_net": _section(self.lf_net),
            "da_net": None if self.da_net is None else _section(self.da_net),
            "training": {
                "lf_net": step.lf_net.module.state_dict(),
                "lf_optimizer": step.lf_optimizer.state_dict(),
                "da_optimizer": None if step.da_optimizer is None else step.da_optimizer.state_dict(),
                "averaged_updates": int(self.averaged.n_averaged),
                "progress": dataclasses.asdict(self.progress),
                "averages": self.averages.state(),
                "log": self.lines,
                "random": {
                    "cpu": torch.get_rng_state(),
                    "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
                },
            },
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` returned."""
        training = state["training"]
        self.step.lf_net.module.load_state_dict(training["lf_net"])
        self.step.lf_optimizer.load_state_dict(training["lf_optimizer"])
        self.averaged.module.load_state_dict(state["lf_net"]["weights"])
        self.averaged.n_averaged.fill_(training["averaged_updates"])
        if self.da_net is not None:
            self.da_net.load_state_dict(state["da_net"]["weights"])
            self.step.da_optimizer.load_state_dict(training["da_optimizer"])
        self.progress = Progress(**training["progress"])
        self.averages = Averages(training["averages"])
        self.lines = training.get("log")
        torch.set_rng_state(training["random"]["cpu"])
        if torch.cuda.is_available() and len(training["random"]["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(training["random"]["cuda"])

    def follow_first(self) -> None:
        """In every process, go to where the first one stands (after a resume, which only it reads)."""
        if not self.processes.alone:
            state = self.processes.told_by_first(self.state() if self.processes.first else None)
            self.restore(state)

    def metadata(self) -> dict[str, Any]:
        """What is saved with the weights for people to read."""
        return {
            "epoch": self.progress.epoch,
            "epochs": self.settings.epochs,
            "recipe": self.settings.recipe,
            "preset": self.settings.preset,
            "seed": self.settings.seed,
            "validation_dice": self.progress.last_dice,
        }


def build_run(settings: TrainSettings, processes: Processes | None = None) -> Run:
    """Both networks, freshly seeded (what draws, from `start_from` where that is given), on their device.

    Args:
        settings: resolved.
        processes: those that train it together, each with the networks wrapped for itself; None starts what `settings`
            ask for.

    Raises:
        SettingsError: precision and device do not go together, or the weights to start from are of another network.
        CheckpointError: the weights to start from are unusable.
    """
    processes = processes or start_processes(settings)
    fabric = processes.fabric
    torch.manual_seed(settings.seed)
    lf_net = _for(settings, processes, build_segmenter(settings))
    lf_net, lf_optimizer = fabric.setup(lf_net, _optimizer(settings, lf_net, settings.weight_decay, settings.beta1))
    step = AdversarialStep(fabric, settings, lf_net, lf_optimizer, processes=processes)
    if settings.adversarial_weight:
        da_net = _for(settings, processes, build_judge(settings))
        # no momentum in the course recipe's DA-Net: what it must judge changes with every step of LF-Net
        step.da_net, step.da_optimizer = fabric.setup(da_net, _optimizer(settings, da_net, 0.0, 0.5))
    averaged = average_weights(lf_net.module, settings.average).requires_grad_(False).eval()
    return Run(settings, fabric, step, averaged)


def _for(settings: TrainSettings, processes: Processes, network: nn.Module) -> nn.Module:
    """In the layout that convolutions like, and with the batch statistics of all processes."""
    if not processes.alone:
        share_batch_norms(network, processes.share)
    network = network.to(memory_format=torch.channels_last)
    return compile_network(network) if settings.compile else network


def _optimizer(settings: TrainSettings, network: nn.Module, weight_decay: float, beta1: float) -> Optimizer:
    # all weights in each operation, not one weight after another in all of them: the default on a GPU alone.
    # fused, a single kernel, would be quicker still, but trusts that weights and gradients have one memory layout
    chosen = {"lr": settings.learning_rate, "betas": (beta1, 0.999), "foreach": True}
    if settings.optimizer == "adamw":
        return AdamW(network.parameters(), weight_decay=weight_decay, **chosen)
    return Adam(network.parameters(), **chosen)


def _set_rate(optimizer: Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _section(network: nn.Module) -> dict[str, Any]:
    settings = dataclasses.asdict(network.settings)
    return {"network": kind_of(network), "weights": network.state_dict(), "settings": settings}
