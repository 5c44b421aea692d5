"""Export to ONNX: the file computes what the network computes, at sizes and batches of the user's choice."""

from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import pytest
import torch

from jaalnet_core import export as module
from jaalnet_core.cli import main
from jaalnet_core.errors import CheckpointError, SettingsError
from jaalnet_core.export import ExportedNetwork, export_onnx, onnx_probabilities
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.size import Size
from jaalnet_core.weights import load_lf_net, save_weights

pytest.importorskip("onnxscript")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(4)
    network = build_lf_net("tiny").train()
    for _ in range(3):  # batch statistics that differ from the start's, as in a trained network
        network(torch.rand(2, 3, 32, 32))
    return save_weights(network, tmp_path_factory.mktemp("weights") / "w.safetensors", Size(40, 64), epoch=7)


@pytest.fixture(scope="module")
def exported(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> ExportedNetwork:
    return export_onnx(weights, tmp_path_factory.mktemp("onnx") / "sub folder" / "net.onnx")


@pytest.mark.untraced
def test_one_file_with_everything(exported: ExportedNetwork) -> None:
    assert [path.name for path in exported.path.parent.iterdir()] == ["net.onnx"]
    assert exported.size == Size(40, 64)
    assert exported.largest_difference < 1e-5
    assert len({shape[0] for shape in exported.checked}) == 3  # three batches
    assert len({shape[2:] for shape in exported.checked}) == 3  # three sizes
    onnx.checker.check_model(onnx.load(exported.path))


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (2, 3, 48, 96), (3, 3, 112, 32)])
def test_any_batch_and_any_multiple_of_16(exported: ExportedNetwork, weights: Path, shape: tuple[int, ...]) -> None:
    images = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    network = load_lf_net(weights).network
    with torch.no_grad():
        expected = torch.sigmoid(network(images))
    found = onnx_probabilities(exported.path, images)
    assert found.dtype == torch.float32
    assert expected.std() > 1e-4  # a constant would agree with anything
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_a_stranger_finds_his_way_in_the_file(exported: ExportedNetwork) -> None:
    """Without this package: the names, the ranges, the training's size, and the notice."""
    session = onnxruntime.InferenceSession(exported.path, providers=["CPUExecutionProvider"])
    (given,), (got,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape, given.type) == ("images", ["batch", 3, "16*h", "16*w"], "tensor(float)")
    assert got.name == "probabilities"
    described = session.get_modelmeta().custom_metadata_map
    assert described["trained_at"] == "64x40"
    assert '"epoch": 7' in described["training"]
    assert "no medical device" in described["notice"]
    (values,) = session.run(None, {"images": np.zeros((1, 3, 32, 64), np.float32)})
    assert values.shape == (1, 1, 32, 64)
    assert 0 <= values.min() <= values.max() <= 1


def test_a_graph_that_computes_something_else_is_not_written(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "net.onnx"
    out.write_bytes(b"an earlier export")
    monkeypatch.setattr(module, "_write_graph", lambda *arguments: arguments[2].write_bytes(b"graph"))
    monkeypatch.setattr(module, "onnx_probabilities", lambda path, images: torch.full_like(images[:, :1], 0.99))
    with pytest.raises(CheckpointError, match="differ from PyTorch's by"):
        export_onnx(weights, out)
    monkeypatch.setattr(module, "onnx_probabilities", lambda path, images: torch.full_like(images[:, :1], np.nan))
    with pytest.raises(CheckpointError, match="differ from PyTorch's by nan"):
        export_onnx(weights, out)
    assert out.read_bytes() == b"an earlier export"
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_names_and_places_that_do_not_do(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ends in \.onnx"):
        export_onnx(weights, tmp_path / "net.pt")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(SettingsError, match=r"ends in \.onnx"):
        export_onnx(weights, tmp_path / "folder.onnx")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match="cannot be written"):
        export_onnx(weights, tmp_path / "file" / "net.onnx")
    with pytest.raises(CheckpointError, match="no such file"):
        export_onnx(tmp_path / "missing.safetensors", tmp_path / "net.onnx")


def test_a_missing_package_is_named(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name == "onnxruntime":
            raise ImportError("no", name=name)
        return original(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SettingsError, match="onnxruntime is not installed"):
        onnx_probabilities(tmp_path / "net.onnx", torch.zeros(1, 3, 32, 32))

    def refuse(*arguments: object, **more: object) -> None:
        raise ImportError("no", name="onnxscript")

    monkeypatch.setattr(torch.onnx, "export", refuse)
    with pytest.raises(SettingsError, match="onnxscript is not installed"):
        export_onnx(weights, tmp_path / "net.onnx")


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 1, 32, 32), (1, 3, 40, 32), (1, 3, 32, 33), (1, 3, 16, 32)])
def test_images_of_another_shape_are_refused(exported: ExportedNetwork, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \(B, 3, H, W\)"):
        onnx_probabilities(exported.path, torch.zeros(shape))


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"no graph")
    for name in ("net.onnx", "missing.onnx"):
        with pytest.raises(CheckpointError, match="cannot be run"):
            onnx_probabilities(tmp_path / name, torch.zeros(1, 3, 32, 32))


@pytest.mark.untraced
def test_the_command(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "net.onnx"
    assert main(["export", "--checkpoint", str(weights), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert f"written: {out}" in said
    assert "trained at 64x40" in said
    assert "differ by at most" in said
    assert out.stat().st_size > 100_000
    assert main(["export", "--checkpoint", str(weights), "--out", str(tmp_path / "net.txt")]) == 1
    assert "ends in .onnx" in capsys.readouterr().err
