"""Gates scaled and forced: held against the network as it is, and against gates that are forced by their own bias."""

from __future__ import annotations

import copy

import pytest
import torch
from module_cases import randomised

from jaalnet_core.contour import ContourGate, mask_boundary
from jaalnet_core.gating import mask_dice, outline_dice, outline_probabilities, run_with_gates
from jaalnet_core.lf_net import build_lf_net


@pytest.fixture(scope="module")
def network():
    return randomised(build_lf_net("tiny"))


@pytest.fixture(scope="module")
def images():
    return torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(1))


def test_strength_one_is_the_network_itself(network, images):
    run = run_with_gates(network, images)
    with torch.no_grad():
        logits, contour = network(images, with_contour=True)
    assert torch.equal(run.logits, logits)
    assert torch.equal(run.contour, contour)
    assert [tuple(gate.shape) for gate in run.gates] == [(2, 1, 4, 6), (2, 1, 8, 12), (2, 1, 16, 24), (2, 1, 32, 48)]
    assert [stream.shape[1] for stream in run.streams] == [32, 16, 8, 4]
    assert all(0 < gate.min() < gate.max() < 1 for gate in run.gates)


@pytest.mark.parametrize(("forced", "bias"), [(0.0, -200.0), (1.0, 200.0)])
def test_a_forced_gate_is_one_whose_own_bias_decides(network, images, forced, bias):
    """The same through the front door: a bias so large that the sigmoid has no choice."""
    run = run_with_gates(network, images, forced=forced)
    decided = copy.deepcopy(network)
    for module in decided.modules():
        if isinstance(module, ContourGate):
            torch.nn.init.zeros_(module.opening[3].weight)
            torch.nn.init.constant_(module.opening[3].bias, bias)
    with torch.no_grad():
        logits, contour = decided(images, with_contour=True)
    torch.testing.assert_close(run.logits, logits)
    torch.testing.assert_close(run.contour, contour)
    assert all(torch.equal(gate, torch.full_like(gate, forced)) for gate in run.gates)
    assert not torch.equal(run.contour, run_with_gates(network, images).contour)


def test_strength_scales_the_gate_that_is_computed_there(network, images):
    """The first level's stream does not depend on any gate before it, so that its gate is scaled exactly."""
    as_is, half = run_with_gates(network, images), run_with_gates(network, images, strength=0.5)
    torch.testing.assert_close(half.gates[0], as_is.gates[0] / 2)
    assert half.streams[0].shape == as_is.streams[0].shape
    assert not torch.allclose(half.streams[0], as_is.streams[0])
    torch.testing.assert_close(run_with_gates(network, images, strength=0.0).contour, shut(network, images))


def shut(network, images):
    return run_with_gates(network, images, forced=0.0).contour


def test_the_network_is_left_as_it_was(network, images):
    with torch.no_grad():
        before = network(images)
        run_with_gates(network, images, forced=1.0)
        assert torch.equal(network(images), before)
    with pytest.raises(ValueError, match="images: found shape"):
        run_with_gates(network, torch.rand(1, 4, 32, 32), forced=1.0)
    with torch.no_grad():
        assert torch.equal(network(images), before)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"strength": -0.1}, "strength: found -0.1"), ({"forced": 1.5}, "forced: found 1.5"), ({"forced": -1}, "forced")],
)
def test_what_no_gate_can_do_is_refused(network, images, wrong, message):
    with pytest.raises(ValueError, match=message):
        run_with_gates(network, images, **wrong)


def test_a_network_without_gates_is_refused(images):
    with pytest.raises(ValueError, match="found a Conv2d without contour gates"):
        run_with_gates(torch.nn.Conv2d(3, 1, 1), images)


def test_dice_of_mask_and_outline_by_hand():
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 2:6, 2:6] = 1
    logits = torch.where(mask > 0, 3.0, -3.0)
    assert mask_dice(logits, mask) == 1.0
    logits[..., 2:4, 2:6] = -1.0  # half of the lesion is missed: 2*8 / (8 + 16)
    assert mask_dice(logits, mask) == pytest.approx(2 / 3)
    outline = mask_boundary(mask)
    assert outline.sum() == 6 * 6 - 2 * 2
    assert outline_dice(outline - 0.5, mask) == 1.0
    assert outline_dice(torch.ones(1, 1, 8, 8), mask) == pytest.approx(2 * 32 / (32 + 64))


def test_probabilities_on_the_outline_and_elsewhere():
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 2:6, 2:6] = 1
    outline = mask_boundary(mask)
    assert outline_probabilities(torch.zeros(1, 1, 8, 8), mask) == (0.5, 0.5)
    contour = torch.where(outline > 0, 3.0, -3.0).log().nan_to_num(nan=-20.0)  # log 3: probability 3/4; elsewhere none
    on, elsewhere = outline_probabilities(contour, mask)
    assert on == pytest.approx(0.75)
    assert elsewhere == pytest.approx(0, abs=1e-6)
