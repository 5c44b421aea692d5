"""The U-Net to compare with: as much arithmetic as LF-Net, the same pictures in, the same logits out."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from module_cases import randomised

from jaalnet_core.da_net import build_da_net
from jaalnet_core.errors import CheckpointError, SettingsError
from jaalnet_core.export import export_onnx, onnx_probabilities
from jaalnet_core.flops import forward_gflop
from jaalnet_core.lf_net import WIDTHS, build_lf_net
from jaalnet_core.prediction import outline_lesion
from jaalnet_core.size import Size
from jaalnet_core.unet import UNET_WIDTHS, UNet, UNetSettings, build_unet
from jaalnet_core.weights import load_da_net, load_lf_net, load_segmenter, save_weights

pytest.importorskip("segmentation_models_pytorch")
every_width = pytest.mark.parametrize("preset", WIDTHS)


def a_unet(preset: str = "tiny") -> UNet:
    torch.manual_seed(0)
    return randomised(build_unet(preset))


def pictures(*size: int, batch: int = 2) -> torch.Tensor:
    return torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(1))


@every_width
@pytest.mark.parametrize("size", [Size(64, 64), Size(128, 128), Size(192, 256)], ids=str)
def test_its_arithmetic_is_lf_net_s_within_five_percent(preset: str, size: Size) -> None:
    with torch.device("meta"):
        ours, theirs = (forward_gflop(build(preset), size) for build in (build_lf_net, build_unet))
    print(f"{preset} at {size}: LF-Net {ours:.4f}, U-Net {theirs:.4f} GFLOP a picture")
    assert theirs == pytest.approx(ours, rel=0.05)


def test_its_weights_are_about_as_many() -> None:
    """Not promised, but it would be another comparison if they were ten times as many."""
    with torch.device("meta"):
        for preset in WIDTHS:
            ours, theirs = (sum(p.numel() for p in build(preset).parameters()) for build in (build_lf_net, build_unet))
            assert 0.8 < theirs / ours < 1.25


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (70, 40)])
def test_any_size_from_32_up(size: tuple[int, int]) -> None:
    with torch.no_grad():
        logits = a_unet()(pictures(*size))
    assert logits.shape == (2, 1, *size)
    assert logits.std() > 0


def test_one_small_picture_can_be_learnt_from() -> None:
    network = build_unet("tiny").train()
    network(pictures(32, 32, batch=1)).square().sum().backward()
    assert not [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]


def test_gradients_reach_every_weight() -> None:
    network = a_unet()
    network(pictures(32, 48)).square().sum().backward()
    assert not [name for name, p in network.named_parameters() if not p.grad.any()]


def test_it_starts_from_random_weights_of_the_seed() -> None:
    states = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        states.append(build_unet("tiny").state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert any(not torch.equal(states[0][name], states[2][name]) for name in states[0])


@pytest.mark.parametrize("half", [False, True])
def test_weights_come_back_as_a_unet(half: bool, tmp_path: Path) -> None:
    network = a_unet()
    path = save_weights(network, tmp_path / "unet.safetensors", Size(32, 48), half=half, epoch=3)
    loaded = load_segmenter(path)
    assert isinstance(loaded.network, UNet)
    assert loaded.network.settings == UNetSettings(UNET_WIDTHS["tiny"])
    assert (loaded.size, loaded.metadata) == (Size(32, 48), {"epoch": 3})
    with torch.no_grad():
        found, expected = loaded.network(pictures(32, 48)), network(pictures(32, 48))
    torch.testing.assert_close(found, expected, rtol=0, atol=0.05 * float(expected.abs().max()) if half else 0)
    with pytest.raises(CheckpointError, match=r"found weights of unet, expected lf_net\."):
        load_lf_net(path)
    with pytest.raises(CheckpointError, match=r"found weights of unet, expected da_net\."):
        load_da_net(path)


def test_an_lf_net_is_what_draws_as_well_and_a_judge_is_not(tmp_path: Path) -> None:
    path = save_weights(build_lf_net("tiny"), tmp_path / "lf.safetensors", Size(32, 32))
    assert load_segmenter(path).network.settings == build_lf_net("tiny").settings
    judge = save_weights(build_da_net("tiny"), tmp_path / "da.safetensors", Size(32, 32))
    with pytest.raises(CheckpointError, match="found weights of da_net, expected lf_net or unet"):
        load_segmenter(judge)


def test_it_predicts_pictures_from_its_file(tmp_path: Path) -> None:
    path = save_weights(a_unet(), tmp_path / "unet.safetensors", Size(32, 48))
    picture = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    assert outline_lesion(path, picture, device="cpu").mask.shape == (50, 60)


@pytest.mark.untraced
def test_the_onnx_file_computes_the_same(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network = a_unet()
    path = save_weights(network, tmp_path / "unet.safetensors", Size(48, 64))
    exported = export_onnx(path, tmp_path / "unet.onnx")
    assert exported.largest_difference < 1e-4
    with torch.no_grad():
        expected = torch.sigmoid(network(pictures(64, 112)))
    assert expected.std() > 1e-4
    torch.testing.assert_close(onnx_probabilities(exported.path, pictures(64, 112)), expected, rtol=0, atol=1e-4)


def test_an_outline_is_refused_and_so_is_another_shape() -> None:
    with pytest.raises(ValueError, match=r"with_contour: found True.*no contour stream"):
        a_unet()(pictures(32, 32), with_contour=True)
    with pytest.raises(ValueError, match=r"expected \(B, 3, H, W\)"):
        a_unet()(torch.zeros(1, 4, 32, 32))
    with pytest.raises(ValueError, match="enlarge the pictures"):
        a_unet()(pictures(32, 31))


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(SettingsError, match="width: found 3"):
        UNetSettings(3)
    with pytest.raises(SettingsError, match="preset: found 'huge'"):
        build_unet("huge")


def test_a_missing_package_is_named_with_the_mend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = save_weights(a_unet(), tmp_path / "unet.safetensors", Size(32, 32))
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(SettingsError, match="pip install segmentation-models-pytorch"):
        build_unet("tiny")
    with pytest.raises(CheckpointError, match="pip install segmentation-models-pytorch"):
        load_segmenter(path)
