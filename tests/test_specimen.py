"""A picture under both networks: what is kept on the way is what they compute, and nothing is computed twice."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from module_cases import randomised

from jaalnet_core.da_net import build_da_net, pair
from jaalnet_core.gating import run_with_gates, stream_contrast
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.position_maps import position_maps
from jaalnet_core.specimen import DRAWN, EXPERT, Slide, Stage, draw_mask, judge_mask

SIZE = (50, 40)  # padded to 64x48 by LF-Net, to 56x40 by DA-Net


@pytest.fixture(scope="module")
def lf_net():
    return randomised(build_lf_net("tiny"))


@pytest.fixture(scope="module")
def da_net():
    return randomised(build_da_net("tiny"))


@pytest.fixture(scope="module")
def slide() -> Slide:
    generator = np.random.default_rng(0)
    mask = np.zeros(SIZE, np.uint8)
    mask[10:30, 8:30] = 1
    return Slide("a", generator.integers(0, 256, (*SIZE, 3), dtype=np.uint8), mask)


def images_of(slide: Slide) -> torch.Tensor:
    return torch.from_numpy(slide.picture).permute(2, 0, 1)[None].float() / 255


@torch.no_grad()
def test_a_drawing_is_what_the_network_computes(lf_net, slide) -> None:
    drawing, images = draw_mask(lf_net, slide.picture), images_of(slide)
    logits, contour = lf_net(images, with_contour=True)
    np.testing.assert_allclose(drawing.probabilities, torch.sigmoid(logits)[0, 0], rtol=1e-6)
    np.testing.assert_allclose(drawing.outline, torch.sigmoid(contour)[0, 0], rtol=1e-6)
    run = run_with_gates(lf_net, images)
    assert [gate.shape for gate in drawing.gates] == [(8, 6), (16, 12), (32, 24), (64, 48)]
    for found, gate in zip(drawing.gates, run.gates, strict=True):
        np.testing.assert_array_equal(found, gate[0, 0])
    np.testing.assert_array_equal(drawing.streams[2], stream_contrast(run.streams[2])[0])
    assert drawing.edges.shape == SIZE
    np.testing.assert_array_equal(drawing.edges[:-2, :-2], lf_net.edges(images)[0, 0, :-2, :-2])
    assert set(np.unique(drawing.edges)) == {0, 1}


def test_parts_off_show_in_the_drawing(lf_net, slide) -> None:
    shut = draw_mask(lf_net, slide.picture, off=["contour gates", "CBAM"])
    assert shut.off == {"contour gates", "CBAM"}
    assert not any(gate.any() for gate in shut.gates)
    assert np.abs(shut.probabilities - draw_mask(lf_net, slide.picture).probabilities).max() > 1e-3
    with pytest.raises(ValueError, match="found 'position attention'"):
        draw_mask(lf_net, slide.picture, off=["position attention"])


def test_a_network_without_contour_stream_draws_only_a_mask(slide) -> None:
    drawing = draw_mask(randomised(build_lf_net("tiny", contour_attention=False)), slide.picture)
    assert drawing.probabilities.shape == SIZE
    assert (drawing.outline, drawing.gates, drawing.streams, drawing.edges) == (None, (), (), None)


@torch.no_grad()
def test_a_judgement_is_what_the_network_computes(da_net, slide) -> None:
    judgement = judge_mask(da_net, slide.picture, slide.expert)
    shown = torch.from_numpy(slide.expert)[None, None].float()
    np.testing.assert_allclose(judgement.opinion, torch.sigmoid(da_net(pair(images_of(slide), shown)))[0, 0], rtol=1e-6)
    alone = position_maps(da_net, slide.picture, slide.expert)
    np.testing.assert_array_equal(judgement.maps.weights, alone.weights)
    assert judgement.maps.grid == alone.grid == (7, 5)
    flat = judgement.channels.reshape(len(judgement.channels), -1)
    np.testing.assert_allclose(judgement.gram, flat @ flat.T, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(judgement.weights.sum(axis=1), 1, rtol=1e-5)
    lowest = judgement.gram[3].argmin()
    assert judgement.weights[3].argmax() == lowest  # turned round: most from the channel least like it


def test_an_attention_that_is_off_changes_the_opinion_and_not_its_own_map(da_net, slide) -> None:
    on, off = (judge_mask(da_net, slide.picture, slide.expert, off=parts) for parts in ((), ["position attention"]))
    assert off.off == {"position attention"}
    assert np.abs(on.opinion - off.opinion).max() > 1e-3
    np.testing.assert_array_equal(on.maps.weights, off.maps.weights)


def test_a_network_without_attention_has_no_maps(slide) -> None:
    da_net = randomised(build_da_net("tiny", position_attention=False, channel_attention=False))
    judgement = judge_mask(da_net, slide.picture, slide.expert)
    assert (judgement.maps, judgement.channels, judgement.gram, judgement.weights) == (None, None, None, None)


def test_no_hook_is_left(lf_net, da_net, slide) -> None:
    draw_mask(lf_net, slide.picture, off=["CBAM"])
    judge_mask(da_net, slide.picture, slide.expert)
    for network in (lf_net, da_net):
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_what_does_not_fit_is_refused_in_words(lf_net, da_net, slide) -> None:
    with pytest.raises(ValueError, match=r"picture: found \(50, 40\) of uint8, expected \(H, W, 3\)"):
        draw_mask(lf_net, slide.expert)
    with pytest.raises(ValueError, match=r"mask: found shape \(49, 40\)"):
        judge_mask(da_net, slide.picture, slide.expert[1:])


def test_a_stage_computes_nothing_twice(lf_net, da_net, slide) -> None:
    stage, asked = Stage(lf_net, da_net), []
    handles = [
        network.register_forward_hook(lambda *_, name=name: asked.append(name))
        for network, name in ((lf_net, "LF"), (da_net, "DA"))
    ]
    try:
        on = stage.drawing(slide)
        by_expert = stage.judgement(slide, EXPERT)
        assert asked == ["LF", "DA"] or asked == ["DA", "LF"]
        off = stage.drawing(slide, {"CBAM", "channel attention"})
        assert off is not on
        assert off.off == {"CBAM"}
        assert stage.drawing(slide, {"CBAM"}) is off
        assert stage.drawing(slide) is on
        assert stage.judgement(slide, EXPERT, {"CBAM"}) is by_expert  # LF-Net has no say in it
        assert asked.count("LF") == 2
        assert asked.count("DA") == 1
        drawn = stage.judgement(slide, DRAWN, {"CBAM"})
        np.testing.assert_array_equal(drawn.mask, off.probabilities)
        assert stage.judgement(slide, DRAWN).opinion.mean() != drawn.opinion.mean()
    finally:
        for handle in handles:
            handle.remove()


def test_a_stage_refuses_what_is_not_there(lf_net, da_net, slide) -> None:
    stage = Stage(lf_net, da_net)
    with pytest.raises(ValueError, match=r"found 'cbam', expected parts of these networks: CBAM, .*channel attention"):
        stage.drawing(slide, {"cbam"})
    with pytest.raises(ValueError, match='found "the expert\'s mask"'):
        stage.judgement(Slide("b", slide.picture, None), EXPERT)
