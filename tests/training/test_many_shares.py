"""What several processes share, one rule at a time, without starting any."""

from __future__ import annotations

import dataclasses
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import distributed, nn

from jaalnet_core.errors import SettingsError, TrainingError
from jaalnet_core.losses import contour_loss
from jaalnet_core.training import TrainSettings, shared_norm
from jaalnet_core.training.batches import epoch_batches
from jaalnet_core.training.launch import lost_processes_named, start_processes, where_it_runs
from jaalnet_core.training.processes import Processes, Share
from jaalnet_core.training.shared_norm import SharedBatchNorm2d, share_batch_norms


def members(count: int) -> list[Processes]:
    return [Processes(rank=rank, count=count) for rank in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [1, 2, 5, 16])
def test_each_picture_of_a_batch_counts_once(count, size):
    batch, counted = list(range(100, 100 + size)), []
    for member in members(count):
        portion = member.portion(batch)
        member.take_up(size)
        assert len(portion) >= 1  # a process without pictures could not do the same steps as the others
        counted += portion[: member.share.here]
    assert sorted(counted) == batch


def test_weighted_losses_average_to_the_mean_over_the_batch():
    losses, team = torch.arange(1.0, 6.0), members(3)
    weighted = []
    for member in team:
        member.take_up(5)
        mine = losses[member.portion(range(5))]
        weighted.append(member.weighted(mine.mean()))
    assert torch.stack(weighted).mean().item() == pytest.approx(losses.mean().item())


def test_alone_nothing_changes_not_even_the_object():
    alone, loss = Processes(), torch.tensor(0.3, requires_grad=True)
    assert alone.weighted(loss) is loss
    assert alone.total(loss) is loss
    assert alone.means({"loss": loss}) == {"loss": loss}
    assert alone.told_by_first("word") == "word"
    assert [alone.any(wish) for wish in (True, False)] == [True, False]
    logits, mask = torch.randn(2, 1, 16, 16), (torch.rand(2, 1, 16, 16) > 0.5).float()
    assert torch.equal(contour_loss(logits, mask, batch_mean=alone.mean), contour_loss(logits, mask))


def test_processes_divide_the_epoch_of_one(discs, quick):
    """The same pictures, augmented the same, in the same batches; another epoch has another order."""
    settings = quick.resolved()
    whole = [images for images, _ in epoch_batches(discs.train, settings, epoch=1)]
    parts = [list(epoch_batches(discs.train, settings, 1, processes=member)) for member in members(3)]
    for number, images in enumerate(whole):
        for rank, part in enumerate(parts):
            mine = images[rank::3]
            if len(mine):
                assert torch.equal(part[number][0], mine)
    other = [images for images, _ in epoch_batches(discs.train, settings, epoch=2)]
    assert not np.array_equal(other[0], whole[0])
    later = [images for images, _ in epoch_batches(discs.train, settings, epoch=1, skip=2)]
    assert len(later) == len(whole) - 2
    assert torch.equal(later[0], whole[2])


@pytest.fixture
def one_process(monkeypatch):
    """What processes exchange, where this is the only one."""
    monkeypatch.setattr(distributed, "all_reduce", lambda values: None)
    monkeypatch.setattr(shared_norm, "gather_from_processes", lambda values: values[None])


@pytest.mark.parametrize("size", [(5, 6), (8, 6)])  # in one row a channel, and several pixels passing for one
def test_a_shared_batch_norm_is_a_batch_norm(one_process, size):
    torch.manual_seed(0)
    plain = nn.BatchNorm2d(3)
    nn.init.normal_(plain.weight)
    shared = SharedBatchNorm2d(plain, Share(here=4, whole=4))
    assert shared.state_dict().keys() == plain.state_dict().keys()
    features = (10 + torch.randn(4, 3, *size)).to(memory_format=torch.channels_last)
    weights = torch.randn(4, 3, *size)
    results = []
    for norm in (plain, shared):
        given = features.clone().requires_grad_()
        out = norm(given)
        (out * weights).sum().backward()
        results.append([out, given.grad, norm.weight.grad, norm.bias.grad, norm.running_mean, norm.running_var])
    for usual, ours in zip(*results, strict=True):
        torch.testing.assert_close(ours, usual, rtol=1e-5, atol=2e-5)
    assert int(shared.num_batches_tracked) == 1
    torch.testing.assert_close(shared.eval()(features), plain.eval()(features), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("size", [(4, 5), (4, 8)])  # the second's pixels pass for one, several at a time
@pytest.mark.parametrize("portions", [(3, 3), (5, 1), (1, 0)])
def test_shared_batch_norms_together_are_one_over_the_whole_batch(monkeypatch, portions, size):
    """Two processes, here two threads, with unequal portions: outputs, gradients and running statistics of one."""
    pair, turns = threading.Barrier(2), {}

    def of_both(values):
        turns[threading.get_ident()] = values.clone()
        pair.wait(10)
        found = torch.stack(list(turns.values()))
        pair.wait(10)
        return found

    monkeypatch.setattr(distributed, "all_reduce", lambda values: values.copy_(of_both(values).sum(0)))
    monkeypatch.setattr(shared_norm, "gather_from_processes", of_both)
    torch.manual_seed(0)
    count = sum(portions)
    whole = nn.BatchNorm2d(3).double()
    nn.init.normal_(whole.weight)
    nn.init.normal_(whole.bias)
    features = (2 + 3 * torch.randn(count, 3, *size).double()).to(memory_format=torch.channels_last)
    features[:, 2] = 1e4 + features[:, 2] / 10  # far from 0 and almost the same: squares would not tell them apart
    wanted = torch.randn_like(features)

    def learn(norm, given, gradient):
        given = given.clone().requires_grad_()
        out = norm(given)
        out.backward(gradient)
        return out.detach(), given.grad, norm.weight.grad, norm.bias.grad, norm.running_mean, norm.running_var

    norms = [SharedBatchNorm2d(whole, Share(here, count)) for here in portions]
    parts = [features[: portions[0]], features[portions[0] :]]
    gradients = [wanted[: portions[0]], wanted[portions[0] :]]
    if not portions[1]:  # it keeps the other company with a picture that does not count
        parts[1], gradients[1] = features[:1], torch.zeros_like(features[:1])
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(learn, norms, parts, gradients))
    expected = learn(whole, features, wanted)
    for number in (0, 1):  # the outputs, and the features' gradients
        ours = torch.cat([result[number][:here] for result, here in zip(found, portions, strict=True)])
        torch.testing.assert_close(ours, expected[number], rtol=1e-10, atol=1e-10)
    for number in (2, 3):  # the weights' gradients: DDP adds them
        torch.testing.assert_close(found[0][number] + found[1][number], expected[number], rtol=1e-10, atol=1e-10)
    for number in (4, 5):  # the running statistics: the same in both
        for result in found:
            torch.testing.assert_close(result[number], expected[number], rtol=1e-10, atol=1e-10)


def test_who_has_none_of_the_batch_adds_nothing_to_its_statistics(monkeypatch):
    others = torch.tensor([[5.0, 6.0], [4.0, 9.0], [1.0, 1.0]]).double()  # means, variances, part
    monkeypatch.setattr(shared_norm, "gather_from_processes", lambda values: torch.stack([values, others]))
    features = torch.randn(1, 2, 4, 4)
    out = SharedBatchNorm2d(nn.BatchNorm2d(2), Share(here=0, whole=3))(features)
    expected = (features - others[0, :, None, None]) / others[1, :, None, None].sqrt()
    torch.testing.assert_close(out, expected.float(), rtol=1e-4, atol=1e-4)


def test_every_batch_norm_of_a_network_is_shared_and_nothing_else():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Sequential(nn.BatchNorm2d(2), nn.ReLU()), nn.BatchNorm2d(2))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    share = Share()
    share_batch_norms(network, share)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert [type(norm) for norm in norms] == [SharedBatchNorm2d, SharedBatchNorm2d]
    assert all(norm.share is share for norm in norms)
    torch.testing.assert_close(network.state_dict(), before)


def test_a_batch_smaller_than_the_processes_is_refused():
    with pytest.raises(SettingsError, match=r"--batch-size: found 4 for 6 processes, expected at least 6"):
        where_it_runs(TrainSettings(batch_size=4, devices=3, nodes=2))


def test_a_notebook_cannot_be_started_several_times(monkeypatch):
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    with pytest.raises(SettingsError, match=r"--devices: found 2 processes in a notebook.*terminal"):
        where_it_runs(TrainSettings(devices=2))
    assert where_it_runs(TrainSettings()) == TrainSettings()


def test_torchrun_says_how_many_there_are(monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "6", "LOCAL_WORLD_SIZE": "3"}.items():
        monkeypatch.setenv(name, value)
    found = where_it_runs(TrainSettings())
    assert (found.devices, found.nodes) == (3, 2)
    with pytest.raises(SettingsError, match=r"--devices: found 4, but torchrun started 3: leave --devices out"):
        where_it_runs(TrainSettings(devices=4))


def test_devices_that_are_not_there_are_named():
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(SettingsError, match=r"--devices 2 --nodes 1 with --device cuda: "):
        start_processes(TrainSettings(device="cuda", devices=2, precision="32-true").resolved())


@pytest.mark.parametrize("field", ["devices", "nodes"])
def test_fewer_than_one_is_refused(field):
    with pytest.raises(SettingsError, match=f"--{field}: found 0, expected at least 1"):
        dataclasses.replace(TrainSettings(), **{field: 0})


def test_a_lost_process_is_named_and_other_errors_are_not():
    words = r"process 2 of 2: another process of this run ended.*\(Connection closed by peer .*4711\)\. .*--resume"
    with pytest.raises(TrainingError, match=words), lost_processes_named(Processes(rank=1, count=2)):
        raise RuntimeError("[gloo/pair.cc:553] Connection closed by peer [127.0.0.1]:4711. Good luck.")
    for processes, error in ((Processes(count=2), "size mismatch"), (Processes(), "Connection closed by peer")):
        with pytest.raises(RuntimeError, match=error), lost_processes_named(processes):
            raise RuntimeError(error)


def test_what_differs_between_processes_stops_all(monkeypatch):
    member = Processes(rank=1, count=2)
    monkeypatch.setattr(Processes, "told_by_first", lambda self, value: "first's")
    monkeypatch.setattr(Processes, "any", lambda self, wish: wish)
    member.agree_on("pictures", lambda: "first's", "mend")
    with pytest.raises(TrainingError, match=r"The 2 processes of this run have pictures that differ: mend"):
        member.agree_on("pictures", lambda: "others", "mend")
