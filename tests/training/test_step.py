"""The adversarial step against plain PyTorch, and that each network learns in its own half of it alone."""

from __future__ import annotations

import copy
import dataclasses
from contextlib import nullcontext

import pytest
import torch
from torch.nn import functional

from jaalnet_core.errors import SettingsError
from jaalnet_core.losses import contour_loss, course_region_loss, published_region_loss
from jaalnet_core.speed.before import optimisers_by_single_weights
from jaalnet_core.training.launch import _precision
from jaalnet_core.training.run import build_run
from jaalnet_core.training.settings import TrainSettings


def batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    images = torch.rand(3, 3, 32, 32, generator=random)
    masks = torch.zeros(3, 1, 32, 32)
    masks[:, :, 8:24, 10:26] = 1
    return images, masks


def build(**changes):
    settings = TrainSettings(preset="tiny", device="cpu", **changes).resolved()
    run = build_run(settings)
    run.set_learning_rates(total_steps=10)
    run.step.lf_net.train()
    if run.step.da_net is not None:
        run.step.da_net.train()
    return run


def weights(network) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.named_parameters()}


def moved(before: dict, network) -> list[str]:
    return [name for name, tensor in network.named_parameters() if not torch.equal(before[name], tensor)]


@pytest.mark.parametrize("recipe", ["course", "published"])
def test_two_steps_equal_plain_pytorch(recipe):
    run = build(recipe=recipe, schedule="constant")
    settings = run.settings
    generator, critic = (copy.deepcopy(net.module) for net in (run.step.lf_net, run.step.da_net))
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    base = settings.learning_rate
    g_optimizer = kind(
        generator.parameters(),
        lr=base * settings.peak_factor,
        betas=(settings.beta1, 0.999),
        weight_decay=settings.weight_decay,
    )
    d_optimizer = kind(critic.parameters(), lr=base * settings.discriminator_factor, betas=(0.5, 0.999), weight_decay=0)

    for seed in (0, 1):
        images, masks = batch(seed)
        log = run.step(images, masks)

        logits, contour = generator(images, with_contour=True)
        fake = torch.sigmoid(logits)
        real_opinion = critic(torch.cat([images, masks], 1))
        fake_opinion = critic(torch.cat([images, fake.detach()], 1))
        second_opinion = critic(torch.cat([masks, masks, masks, fake.detach()], 1))
        if recipe == "course":  # hinge
            d_loss = (
                functional.relu(1 - real_opinion).mean()
                + (functional.relu(1 + fake_opinion).mean() + functional.relu(1 + second_opinion).mean()) / 2
            ) / 2
        else:  # binary cross-entropy, written out
            d_loss = (
                -functional.logsigmoid(real_opinion).mean()
                + (-functional.logsigmoid(-fake_opinion).mean() - functional.logsigmoid(-second_opinion).mean()) / 2
            ) / 2
        d_optimizer.zero_grad()
        d_loss.backward()
        torch.nn.utils.clip_grad_norm_(critic.parameters(), 1.0)
        d_optimizer.step()
        d_gradients = [parameter.grad.clone() for parameter in critic.parameters()]

        opinion = critic(torch.cat([images, fake], 1))
        if recipe == "course":
            g_loss = course_region_loss(logits, masks) + 0.5 * contour_loss(contour, masks) - 0.02 * opinion.mean()
        else:
            g_loss = published_region_loss(logits, masks) - functional.logsigmoid(opinion).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        torch.nn.utils.clip_grad_norm_(generator.parameters(), 1.0)
        g_optimizer.step()

        # the second step's losses depend on what the first one did to every weight
        assert float(log["d_loss"]) == pytest.approx(d_loss.item(), rel=1e-4)
        assert float(log["g_loss"]) == pytest.approx(g_loss.item(), rel=1e-4)
        if seed == 0:
            assert_gradients_agree(run.step.lf_net.module, [parameter.grad for parameter in generator.parameters()])
            assert_gradients_agree(run.step.da_net.module, d_gradients)


def assert_gradients_agree(network, expected) -> None:
    """Weights after Adam are no measure: it turns the rounding of a gradient that is truly 0 into a full step."""
    for (name, tensor), gradient in zip(network.named_parameters(), expected, strict=True):
        torch.testing.assert_close(tensor.grad, gradient, rtol=1e-3, atol=1e-6, msg=lambda m, n=name: f"{n}: {m}")


def test_each_half_moves_its_own_network():
    run = build()
    images, masks = batch()
    logits, contour = run.step.lf_net(images, with_contour=True)
    lf_before, da_before = weights(run.step.lf_net.module), weights(run.step.da_net.module)
    run.step.discriminator_step(images, masks, torch.sigmoid(logits).detach())
    assert moved(da_before, run.step.da_net.module)
    assert not moved(lf_before, run.step.lf_net.module)
    da_before = weights(run.step.da_net.module)
    run.step.generator_step(images, masks, logits, contour)
    assert not moved(da_before, run.step.da_net.module)
    assert len(moved(lf_before, run.step.lf_net.module)) == len(lf_before), "every weight of LF-Net learns"
    assert all(parameter.requires_grad for parameter in run.step.da_net.parameters()), "DA-Net may learn again"


def test_the_adversary_alone_moves_lf_net():
    """With the adversary's weight changed, and nothing else, LF-Net takes another step."""
    images, masks = batch()
    heads = []
    for weight in (0.02, 5.0):
        run = build(adversarial_weight=weight, clip=0.0, optimizer="adam")
        run.step(images, masks)
        heads.append(run.step.lf_net.module.head.weight.grad.clone())
    assert not torch.allclose(heads[0], heads[1])


def test_second_fake_is_an_option_that_counts():
    images, masks = batch()
    losses = [build(second_fake=flag).step(images, masks)["d_loss"] for flag in (True, False)]
    assert losses[0] != losses[1]


@pytest.mark.parametrize("clip", [1e-4, 0.0])
def test_clipping_bounds_the_gradient(clip):
    run = build(clip=clip)
    run.step(*batch())
    for network in (run.step.lf_net, run.step.da_net):
        gradients = [parameter.grad.flatten() for parameter in network.parameters() if parameter.grad is not None]
        norm = torch.linalg.vector_norm(torch.cat(gradients))
        assert norm <= clip * 1.01 if clip else norm > 1e-3


def test_without_adversary_the_step_is_lf_nets_alone():
    run = build(adversarial_weight=0.0)
    log = run.step(*batch())
    assert run.step.da_net is None
    assert log.keys() == {"region", "contour", "g_loss"}
    assert log["g_loss"] == pytest.approx(float(log["region"] + 0.5 * log["contour"]))


def test_learning_rates_follow_the_schedule_in_both_networks():
    run = build(schedule="one-cycle", learning_rate=1e-4)
    run.progress.step = 25
    assert run.set_learning_rates(total_steps=100) == pytest.approx(2e-3)
    assert run.step.da_optimizer.param_groups[0]["lr"] == pytest.approx(4e-4)
    run.progress.step = 100
    assert run.set_learning_rates(total_steps=100) == pytest.approx(0)


def test_state_and_restore_bring_everything_back():
    run = build()
    run.step(*batch())
    run.averaged.update_parameters(run.step.lf_net.module)
    state = copy.deepcopy(run.state())
    other = build_run(dataclasses.replace(run.settings, seed=5))
    other.restore(state)
    after = []
    for one in (run, other):
        one.set_learning_rates(10)
        one.step.lf_net.train()
        one.step.da_net.train()
        one.step(*batch(3))
        one.averaged.update_parameters(one.step.lf_net.module)
        after.append(one)
    for name, tensor in after[0].lf_net.state_dict().items():
        assert torch.equal(tensor, after[1].lf_net.state_dict()[name]), name
    for name, tensor in after[0].da_net.state_dict().items():
        assert torch.equal(tensor, after[1].da_net.state_dict()[name]), name


@pytest.mark.parametrize("optimizer", ["adamw", "adam"])
def test_an_optimiser_of_all_weights_at_once_changes_no_bit(optimizer):
    weights = []
    for way in (nullcontext, optimisers_by_single_weights):
        run = build(optimizer=optimizer)
        assert run.step.lf_optimizer.param_groups[0]["foreach"]
        with way():
            for seed in range(3):
                run.step(*batch(seed))
        weights.append({**run.step.lf_net.module.state_dict(), **run.step.da_net.module.state_dict()})
    start = build(optimizer=optimizer).step.lf_net.module.state_dict()
    assert not torch.equal(weights[0]["stem.0.weight"], start["stem.0.weight"])
    for name, values in weights[0].items():
        assert torch.equal(values, weights[1][name]), name


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_half_precision_on_a_cpu_is_refused(precision):
    with pytest.raises(SettingsError, match=f"--precision: found {precision} on a CPU"):
        build(precision=precision)


@pytest.mark.parametrize(
    ("device", "asked", "gpu", "used"),
    [
        ("auto", "auto", True, "bf16-mixed"),
        ("auto", "auto", False, "32-true"),
        ("cuda", "auto", True, "bf16-mixed"),
        ("cpu", "auto", True, "32-true"),
        ("cuda", "16-mixed", True, "16-mixed"),
        ("mps", "auto", False, "32-true"),
    ],
)
def test_precision_follows_the_device(monkeypatch, device, asked, gpu, used):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert _precision(TrainSettings(device=device, precision=asked)) == used
