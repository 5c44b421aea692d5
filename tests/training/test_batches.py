"""The batches of an epoch, from a loader and on the device that trains."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from jaalnet_core.errors import SettingsError
from jaalnet_core.training.batches import DeviceBatches, augments_on_device, epoch_batches, open_batches
from jaalnet_core.training.fabric import Fabric
from jaalnet_core.training.processes import Processes


def alone() -> Processes:
    return Processes(Fabric(accelerator="cpu", devices=1))


def test_without_augmentation_the_device_gives_what_the_loader_gives(discs, quick):
    settings = dataclasses.replace(quick, augmentation="none").resolved()
    on_device = DeviceBatches(discs.train, settings, alone())
    for epoch, skip in ((0, 0), (1, 0), (1, 2)):
        loaded = list(epoch_batches(discs.train, settings, epoch, skip))
        given = list(on_device(epoch, skip))
        assert [len(images) for images, _ in given] == [len(images) for images, _ in loaded]
        for ours, theirs in zip(given, loaded, strict=True):
            assert torch.equal(ours[0], theirs[0])
            assert torch.equal(ours[1], theirs[1])
    whole, later = list(on_device(1)), list(on_device(1, 2))
    assert (len(whole), len(later)) == (3, 1)
    assert torch.equal(later[0][0], whole[2][0])


def test_processes_and_batches_do_not_change_a_picture(discs, quick):
    """Every picture of an epoch is moved the same, in whichever process and batch it comes."""
    settings = quick.resolved()
    whole = [images for images, _ in DeviceBatches(discs.train, settings, alone())(1)]
    fabric = alone().fabric
    parts = [list(DeviceBatches(discs.train, settings, Processes(fabric, rank, 3))(1)) for rank in range(3)]
    for number, images in enumerate(whole):
        for rank, part in enumerate(parts):
            mine = images[rank::3]
            if len(mine):
                torch.testing.assert_close(part[number][0], mine, rtol=0, atol=1e-6)
    larger = [
        images for images, _ in DeviceBatches(discs.train, dataclasses.replace(settings, batch_size=10), alone())(1)
    ]
    torch.testing.assert_close(larger[0], torch.cat(whole), rtol=0, atol=1e-6)
    assert not torch.allclose(
        torch.cat(whole), torch.cat([images for images, _ in DeviceBatches(discs.train, settings, alone())(2)])
    )


@pytest.mark.parametrize(
    ("changes", "device", "expected"),
    [
        ({}, "cpu", False),
        ({}, "cuda", True),
        ({}, "mps", False),
        ({"augmentation": "strong"}, "cuda", False),
        ({"workers": 2}, "cuda", False),
        ({"recipe": "published"}, "cuda", True),
        ({"augment_on": "loader"}, "cuda", False),
        ({"augment_on": "device"}, "cpu", True),
    ],
)
def test_where_a_run_augments(quick, changes, device, expected):
    settings = dataclasses.replace(quick, **changes).resolved()
    assert augments_on_device(settings, torch.device(device)) is expected


def test_open_batches_gives_the_ones_asked_for(discs, quick):
    device = dataclasses.replace(quick, augment_on="device").resolved()
    assert isinstance(open_batches(discs.train, device, alone()), DeviceBatches)
    ours, loaded = (open_batches(discs.train, settings, alone()) for settings in (device, quick.resolved()))
    assert [len(masks) for _, masks in ours(0, 1)] == [len(masks) for _, masks in loaded(0, 1)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"augmentation": "strong"}, r"--augmentation: found strong, expected another with --augment-on device"),
        ({"workers": 2}, r"--workers: found 2, expected 0 with --augment-on device"),
    ],
)
def test_what_a_device_cannot_do_is_refused(quick, changes, words):
    with pytest.raises(SettingsError, match=words):
        dataclasses.replace(quick, augment_on="device", **changes)


def test_pictures_that_do_not_fit_are_named_with_the_mend(discs, quick, monkeypatch):
    def full(*_args, **_options):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.Tensor, "to", full)
    with pytest.raises(
        SettingsError, match=r"--augment-on device: 10 pictures of 32x32 take 0\.0 GB.*--augment-on loader"
    ):
        DeviceBatches(discs.train, quick.resolved(), alone())
