"""The networks that a run trains: built from its settings, freshly seeded or from weights that are there."""

from __future__ import annotations

from pathlib import Path

from jaalnet_core.choices import DA_NET_PARTS, LF_NET_PARTS
from jaalnet_core.da_net import DANet, build_da_net
from jaalnet_core.errors import SettingsError
from jaalnet_core.lf_net import WIDTHS, LFNet, build_lf_net
from jaalnet_core.training.settings import TrainSettings
from jaalnet_core.unet import UNET_WIDTHS, UNet, build_unet
from jaalnet_core.weights import load_segmenter

NAMES = {"lf-net": "LF-Net", "unet": "U-Net"}  # of `TrainSettings.network`, for people


def build_segmenter(settings: TrainSettings) -> LFNet | UNet:
    """What learns to draw, with the weights of `start_from` where that is given.

    Raises:
        SettingsError: the weights to start from are of another network, or a package is missing.
        CheckpointError: the weights to start from are unusable.
    """
    if settings.network == "unet":
        network = build_unet(settings.preset)
    else:
        network = build_lf_net(settings.preset, **_left_out(settings, LF_NET_PARTS))
    if settings.start_from is not None:
        _start_from(settings.start_from, settings, network)
    return network


def build_judge(settings: TrainSettings) -> DANet:
    """DA-Net as the settings (resolved) want it."""
    parts = _left_out(settings, DA_NET_PARTS)
    return build_da_net(settings.preset, normalisation=settings.normalisation, **parts)


def _left_out(settings: TrainSettings, parts: tuple[str, ...]) -> dict[str, bool]:
    """The fields of a network's settings that leave out what `--without` names."""
    return {part.replace("-", "_"): False for part in settings.without if part in parts}


def _start_from(path: Path, settings: TrainSettings, network: LFNet | UNet) -> None:
    """Fill `network` with trained weights."""
    trained = load_segmenter(path).network
    if trained.settings != network.settings:  # unequal, too, where they are another network's
        raise SettingsError(
            f"--start-from: {path} holds a network of {trained.settings}, expected {network.settings} "
            f"(preset {settings.preset}): take {_mend(trained, settings)}."
        )
    network.load_state_dict(trained.state_dict())


def _mend(trained: LFNet | UNet, settings: TrainSettings) -> str:
    """Options that ask for the trained network, where there are such."""
    network, widths = ("unet", UNET_WIDTHS) if isinstance(trained, UNet) else ("lf-net", WIDTHS)
    options = [] if network == settings.network else [f"--network {network}"]
    presets = [name for name, width in widths.items() if width == trained.settings.width]
    options += [f"--preset {name}" for name in presets if name != settings.preset]
    missing = {part for part in LF_NET_PARTS if not getattr(trained.settings, part.replace("-", "_"), True)}
    wanted = missing | (set(settings.without) & set(DA_NET_PARTS))
    if wanted != set(settings.without):
        options.append(" ".join(["--without", *sorted(wanted)]) if wanted else "no --without")
    return " and ".join(options) if options and presets else "weights of another run"
