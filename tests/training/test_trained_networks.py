"""What is built for a run: the network and the parts its settings name, from whichever weights they name."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from jaalnet_core.attention import CBAM, ChannelAttention, PositionAttention
from jaalnet_core.choices import DA_NET_PARTS, LF_NET_PARTS
from jaalnet_core.da_net import build_da_net
from jaalnet_core.errors import SettingsError
from jaalnet_core.lf_net import LFNet, build_lf_net
from jaalnet_core.size import Size
from jaalnet_core.training import TrainSettings, train
from jaalnet_core.training.folder import run_folder
from jaalnet_core.training.networks import build_judge, build_segmenter
from jaalnet_core.training.run import build_run
from jaalnet_core.unet import UNet, build_unet
from jaalnet_core.weights import load_da_net, load_lf_net, load_segmenter, save_weights

PARTS = (*LF_NET_PARTS, *DA_NET_PARTS)


def chosen(**changes) -> TrainSettings:
    return TrainSettings(**{"preset": "tiny", "device": "cpu", **changes}).resolved()


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    masks = torch.zeros(3, 1, 32, 32)
    masks[:, :, 8:24, 10:26] = 1
    return images, masks


def unmoved(before: dict[str, torch.Tensor], network: torch.nn.Module) -> list[str]:
    return [name for name, tensor in network.named_parameters() if torch.equal(before[name], tensor)]


def quietly(settings: TrainSettings, data):
    return train(settings, data=data, progress=False, say=lambda _: None)


def test_by_default_both_networks_are_whole():
    settings = chosen()
    assert build_segmenter(settings).settings == build_lf_net("tiny").settings
    assert build_judge(settings).settings == build_da_net("tiny").settings
    assert build_judge(chosen(recipe="published")).settings.normalisation == "batch"


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_missing_from_its_own_network_alone(part):
    settings = chosen(without=(part,))
    field = part.replace("-", "_")
    changed, whole = (build_segmenter, build_judge) if part in LF_NET_PARTS else (build_judge, build_segmenter)
    assert changed(settings).settings == dataclasses.replace(changed(chosen()).settings, **{field: False})
    assert whole(settings).settings == whole(chosen()).settings


@pytest.mark.parametrize("changes", [{"network": "unet"}, *({"without": (part,)} for part in PARTS)], ids=str)
def test_adversarial_steps_change_every_weight_of_both_networks(changes):
    # the hinge's gradients of real and fake would cancel in the last bias
    run = build_run(chosen(adversarial_loss="bce", **changes))
    step = run.step
    assert isinstance(step.lf_net.module, UNet if changes == {"network": "unet"} else LFNet)
    run.set_learning_rates(total_steps=10)
    networks = [step.lf_net.module.train(), step.da_net.module.train()]
    before = [{name: p.detach().clone() for name, p in network.named_parameters()} for network in networks]
    log = step(*batch())
    assert len(unmoved(before[0], networks[0])) < 0.1 * len(before[0]), "one step moves both networks"
    assert len(unmoved(before[1], networks[1])) < 0.4 * len(before[1])
    assert all(value.isfinite() for value in log.values())
    assert {"d_loss", "adversarial", "region"} < log.keys()
    assert ("contour" in log) == run.settings.has_contour
    # what lies behind a gamma or a residual branch that begins at 0 learns from the second step on
    step(*batch())
    assert not unmoved(before[0], networks[0])
    assert not [name for name in unmoved(before[1], networks[1]) if not name.endswith("key.bias")]  # softmax ignores it


def test_a_unet_is_trained_resumed_saved_and_scored(discs, quick, tmp_path):
    settings = dataclasses.replace(quick, network="unet", without=("position-attention",))
    whole = quietly(dataclasses.replace(settings, out=tmp_path / "whole"), discs)
    quietly(dataclasses.replace(settings, epochs=1, schedule="constant"), discs)
    again = quietly(dataclasses.replace(settings, resume=True, schedule="constant"), discs)
    assert again.finished
    images, _ = discs.test.tensors()
    found = [load_segmenter(whole.folder / name).network for name in ("last.safetensors", "last.pt")]
    assert all(isinstance(network, UNet) for network in found)
    with torch.no_grad():
        assert torch.equal(found[0](images), found[1](images))
    judge = load_da_net(whole.folder / "da_net.safetensors").network
    assert not judge.settings.position_attention
    assert json.loads((whole.folder / "settings.json").read_text())["network"] == "unet"
    with pytest.raises(Exception, match="found weights of unet, expected lf_net"):
        load_lf_net(whole.folder / "last.pt")


def test_the_settings_of_a_run_say_what_is_missing_and_a_resume_must_agree(discs, quick):
    settings = dataclasses.replace(quick, epochs=1, without=("contour-attention", "channel-attention"))
    result = quietly(settings, discs)
    kept = json.loads((result.folder / "settings.json").read_text())
    assert kept["without"] == ["contour-attention", "channel-attention"]
    assert kept["contour_weight"] == 0
    assert TrainSettings.from_json(kept).without == settings.without
    drawn, judge = load_lf_net(result.folder / "last.pt").network, load_da_net(result.folder / "last.pt").network
    assert not drawn.settings.contour_attention
    assert not any(isinstance(module, ChannelAttention) for module in judge.modules())
    assert any(isinstance(module, PositionAttention) for module in judge.modules())
    assert quietly(dataclasses.replace(settings, epochs=2, resume=True), discs).finished
    for other in ({"without": ("channel-attention",)}, {"network": "unet", "without": ("channel-attention",)}):
        with pytest.raises(SettingsError, match=r"other settings: .*(without|network) was"):
            quietly(dataclasses.replace(settings, resume=True, **other), discs)


def test_a_run_from_before_there_was_a_choice_goes_on_with_whole_networks_only(discs, quick):
    folder = quietly(dataclasses.replace(quick, epochs=1), discs).folder
    path = folder / "settings.json"
    older = {k: v for k, v in json.loads(path.read_text()).items() if k not in ("network", "without")}
    path.write_text(json.dumps(older))
    with pytest.raises(SettingsError, match=r"without was \[\], now \['cbam'\]"):
        quietly(dataclasses.replace(quick, epochs=2, resume=True, without=("cbam",)), discs)
    path.write_text(json.dumps(older))
    assert quietly(dataclasses.replace(quick, epochs=2, resume=True), discs).finished


@pytest.mark.parametrize(
    ("build", "asked", "mend"),
    [
        (lambda: build_lf_net("tiny", cbam=False), {}, "--without cbam"),
        (lambda: build_lf_net("tiny"), {"without": ("dense", "channel-attention")}, "--without channel-attention"),
        (lambda: build_lf_net("tiny"), {"without": ("dense",)}, "no --without"),
        (lambda: build_lf_net("small"), {}, "--preset small"),
        (lambda: build_lf_net("tiny", canny_low=3.0), {}, "weights of another run"),
        (lambda: build_unet("small"), {}, "--network unet and --preset small"),
        (lambda: build_lf_net("tiny"), {"network": "unet"}, "--network lf-net"),
    ],
)
def test_weights_of_another_network_to_start_from_are_refused_with_the_mend(build, asked, mend, tmp_path):
    path = save_weights(build(), tmp_path / "start.safetensors", Size(32, 32))
    with pytest.raises(SettingsError, match=rf"start\.safetensors holds .*: take {mend}\.$"):
        build_segmenter(chosen(start_from=path, **asked))


@pytest.mark.parametrize("changes", [{"network": "unet"}, {"without": ("cbam",)}], ids=str)
def test_weights_of_the_same_network_are_taken(changes, tmp_path):
    torch.manual_seed(7)
    trained = build_segmenter(chosen(**changes))
    path = save_weights(trained, tmp_path / "start.safetensors", Size(32, 32))
    torch.manual_seed(8)
    assert not equal(build_segmenter(chosen(**changes)), trained)
    assert equal(build_segmenter(chosen(start_from=path, **changes)), trained)


def equal(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_run_with_another_network_has_another_folder():
    plain = run_folder(TrainSettings(), "ISBI2016")
    assert plain.name == "isbi2016-small-course-seed0"
    assert run_folder(TrainSettings(network="unet"), "ISBI2016").name == "isbi2016-unet-small-course-seed0"
    left = TrainSettings(without=("cbam", "dense"))
    assert run_folder(left, "ISBI2016").name == "isbi2016-small-course-without-dense-without-cbam-seed0"


def test_cbam_is_gone_from_the_network_that_is_averaged_and_shipped():
    run = build_run(chosen(without=("cbam",)))
    assert not any(isinstance(module, CBAM) for module in run.lf_net.modules())
