"""The contour stream against NumPy, image edges against OpenCV's Canny, mask outlines against brute force."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from array_layers import array, batch_norm, convolve, paint_patches, relu, sigmoid
from hypothesis import given, settings
from hypothesis import strategies as st
from module_cases import randomised

from jaalnet_core.contour import ContourAttention, ContourGate, ImageEdges, mask_boundary
from jaalnet_core.data.synthetic import make_arrays
from jaalnet_core.size import Size

EXACT = {"rtol": 1e-11, "atol": 1e-11}
FOLLOW_TO_THE_END = 1024  # hysteresis steps that no weak edge of a test picture outlasts


def some(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def opened(module: ContourGate, stream: np.ndarray, side: np.ndarray) -> np.ndarray:
    """`a = sigmoid(g([stream, side]))`, `(B, 1, H, W)`."""
    norm, first, _, second = module.opening
    joined = batch_norm(np.concatenate([stream, side], axis=1), norm)
    return sigmoid(convolve(relu(convolve(joined, first)), second))


def gated(module: ContourGate, stream: np.ndarray, side: np.ndarray) -> np.ndarray:
    return convolve(stream + stream * opened(module, stream, side), module.conv)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 5), st.integers(1, 7), st.integers(1, 7))
def test_contour_gate(channels, height, width):
    module, stream = randomised(ContourGate(channels)).double(), some(2, channels, height, width)
    side = some(2, 1, height, width, seed=1)
    expected = opened(module, array(stream), array(side))
    np.testing.assert_allclose(array(module.gate(stream, side)), expected, **EXACT)
    np.testing.assert_allclose(array(module(stream, side)), gated(module, array(stream), array(side)), **EXACT)


def test_a_gate_doubles_at_most_and_closes_at_nothing():
    module = ContourGate(2).double().eval()
    with torch.no_grad():
        module.conv.weight.copy_(torch.eye(2)[:, :, None, None])
        module.conv.bias.zero_()
        module.opening[3].weight.zero_()
        stream, side = some(1, 2, 3, 3), some(1, 1, 3, 3)
        for bias, factor in ((-40.0, 1.0), (0.0, 1.5), (40.0, 2.0)):
            module.opening[3].bias.fill_(bias)
            torch.testing.assert_close(module(stream, side), factor * stream)


def test_contour_attention():
    """Refine by a residual block, double and narrow, gate with the decoder's side logits."""
    module = randomised(ContourAttention(4, 2, 3)).double()
    stream, decoder = some(2, 4, 3, 4), some(2, 3, 6, 8, seed=1)
    inner = relu(batch_norm(convolve(array(stream), module.refine.conv1), module.refine.norm1))
    inner = batch_norm(convolve(inner, module.refine.conv2), module.refine.norm2)
    refined = relu(inner + array(stream))
    doubled = relu(batch_norm(paint_patches(refined, module.upsample.deconv), module.upsample.norm))
    side = np.einsum("oc,bchw->bohw", array(module.side.weight)[:, :, 0, 0], array(decoder)) + array(module.side.bias)
    np.testing.assert_allclose(array(module(stream, decoder)), gated(module.gate, doubled, side), **EXACT)
    np.testing.assert_allclose(array(module.opening(stream, decoder)), opened(module.gate, doubled, side), **EXACT)


def test_contour_attention_is_thin():
    """The stream's parameters, by hand: two 3x3 convolutions, a 2x2 deconvolution, one side, one gate."""
    narrow, wide, decoder = 4, 8, 6
    refine = 2 * 9 * wide * wide + 4 * wide
    upsample = 4 * wide * narrow + 2 * narrow
    gate = 2 * (narrow + 1) + (narrow + 1) ** 2 + 2 * (narrow + 1) + 1 + narrow * narrow + narrow
    count = sum(p.numel() for p in ContourAttention(wide, narrow, decoder).parameters())
    assert count == refine + upsample + decoder + 1 + gate


# Image edges


def edges_of(picture: np.ndarray, low: float = 10, high: float = 100, steps: int = FOLLOW_TO_THE_END) -> np.ndarray:
    """Our edges of an RGB picture `(H, W, 3)` uint8, as bool `(H, W)`."""
    images = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    found = ImageEdges(low, high, steps)(images)
    assert found.shape == (1, 1, *picture.shape[:2])
    assert found.dtype == torch.float32
    assert set(found.unique().tolist()) <= {0.0, 1.0}
    return found[0, 0].numpy() > 0


def canny(picture: np.ndarray, low: float = 10, high: float = 100) -> np.ndarray:
    return cv2.Canny(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), low, high) > 0


def iou(one: np.ndarray, other: np.ndarray) -> float:
    union = (one | other).sum()
    return float((one & other).sum() / union) if union else 1.0


@st.composite
def grey_pictures(draw):
    """From rough noise to smooth hills, of any shape: many plateaus, diagonals and long weak edges."""
    height, width = draw(st.integers(3, 40)), draw(st.integers(3, 40))
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    picture = noise.integers(0, 256, (height, width), dtype=np.uint8)
    blur = draw(st.sampled_from([0, 1, 2, 4]))
    if blur:
        picture = cv2.normalize(cv2.GaussianBlur(picture, (0, 0), blur), None, 0, 255, cv2.NORM_MINMAX)
    levels = draw(st.sampled_from([2, 16, 256]))
    picture = picture // (256 // levels) * (255 // (levels - 1))
    return np.repeat(picture[:, :, None].astype(np.uint8), 3, axis=2)


@settings(max_examples=60, deadline=None)
@given(grey_pictures(), st.sampled_from([(10, 100), (50, 50), (0, 200), (100, 400)]))
def test_edges_of_grey_pictures_are_opencv_s_pixel_for_pixel(picture, thresholds):
    np.testing.assert_array_equal(edges_of(picture, *thresholds), canny(picture, *thresholds))


def test_edges_of_generated_photographs_are_opencv_s():
    """In colour a grey value may round the other way: almost every pixel agrees."""
    pictures = make_arrays(6, Size(128, 128), seed=4, progress=False).images
    agreement = [iou(edges_of(picture), canny(picture)) for picture in pictures]
    assert all(canny(picture).mean() > 0.01 for picture in pictures)  # there is something to agree on
    assert np.mean(agreement) >= 0.99, agreement


@pytest.mark.real_data
def test_edges_of_real_photographs_are_opencv_s(real_data):
    files = sorted((real_data / "ISBI2016_ISIC_Part1_Training_Data").glob("*.jpg"))[::30]
    assert len(files) >= 25
    followed, default = [], []
    for file in files:
        picture = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
        picture = cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA)
        expected = canny(picture)
        followed.append(iou(edges_of(picture), expected))
        default.append(iou(edges_of(picture, steps=64), expected))
    print(f"mean IoU with cv2.Canny: {np.mean(followed):.4f}; with 64 steps {np.mean(default):.4f}")
    assert np.mean(followed) >= 0.99
    assert np.mean(default) >= 0.90
    assert np.median(default) >= 0.99


def test_edges_lie_where_the_step_is():
    """A bright half: one straight line one pixel wide, on the dark side of the step, as OpenCV draws it."""
    picture = np.zeros((12, 20, 3), dtype=np.uint8)
    picture[:, 9:] = 200
    found = edges_of(picture)
    assert found[:, 8].all()
    assert found.sum() == 12


def ramp(length: int) -> np.ndarray:
    """A horizontal border, strong (over 100) in its first two columns and weak (under 100) beyond."""
    picture = np.full((7, length, 3), 100, dtype=np.uint8)
    picture[4:] = 115
    picture[4:, :2] = 200
    return picture


@pytest.mark.parametrize("steps", [0, 1, 5, 12])
def test_a_weak_edge_is_followed_for_so_many_pixels(steps):
    picture = ramp(40)
    everything, strong = edges_of(picture), edges_of(picture, 99, 100)
    assert everything[:, 4:].any(axis=0).all()  # OpenCV, and we with enough steps, follow it to the end
    np.testing.assert_array_equal(everything, canny(picture))
    found = edges_of(picture, steps=steps)
    assert not (found & ~everything).any()
    reached, began = np.flatnonzero(found.any(axis=0)).max(), np.flatnonzero(strong.any(axis=0)).max()
    assert reached - began == steps


def test_without_an_edge_there_is_nothing():
    assert not edges_of(np.full((9, 9, 3), 77, dtype=np.uint8)).any()


def test_edges_keep_their_values_in_half_and_double_precision():
    """Grey values up to 255 and their slopes are whole numbers: another float type must not move one."""
    picture = make_arrays(1, Size(64, 64), seed=2, progress=False).images
    images = torch.from_numpy(picture).permute(0, 3, 1, 2).float() / 255
    expected = ImageEdges()(images)
    assert expected.mean() > 0.01
    assert torch.equal(ImageEdges().double()(images.double()).float(), expected)
    assert torch.equal(ImageEdges().half()(images.half()).float(), expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(ImageEdges()(images).float(), expected)


def test_no_gradient_passes_through_edges_and_nothing_is_saved_with_the_weights():
    module = ImageEdges()
    assert not module(torch.rand(1, 3, 8, 8, requires_grad=True)).requires_grad
    assert not list(module.parameters())
    assert not module.state_dict()
    assert module(torch.empty(2, 3, 9, 7, device="meta")).shape == (2, 1, 9, 7)  # on any device, even this one


def test_exported_edges_take_another_road_to_the_same_place():
    """An exported graph follows weak edges by pooling, which is a shorter graph: the same edges, step for step."""
    images = torch.rand(2, 3, 17, 23, generator=torch.Generator().manual_seed(0))
    module = ImageEdges(10, 600, hysteresis_steps=3)
    exported = torch.export.export(module, (images,)).module()
    assert torch.equal(exported(images), module(images))
    assert not torch.equal(module(images), ImageEdges(10, 600, hysteresis_steps=2)(images))


@pytest.mark.parametrize("thresholds", [(-1, 5), (20, 10)])
def test_thresholds_out_of_order_are_refused(thresholds):
    with pytest.raises(ValueError, match=r"low, high: found .*, expected 0 <= low <= high"):
        ImageEdges(*thresholds)


# Mask outlines


def outline_by_brute_force(mask: np.ndarray, width: int) -> np.ndarray:
    """A pixel is outline where the window around it, cut off by the frame, holds both lesion and skin."""
    reach, out = width // 2, np.zeros_like(mask)
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            window = mask[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
            out[y, x] = window.min() != window.max()
    return out


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3, 5, 7]), st.integers(0, 10**6))
def test_mask_boundary(height, width, outline, seed):
    noise = np.random.default_rng(seed)
    masks = (noise.random((2, 1, height, width)) < noise.choice([0.1, 0.5, 0.9])).astype(np.float32)
    expected = np.stack([outline_by_brute_force(mask[0], outline)[None] for mask in masks])
    found = mask_boundary(torch.from_numpy(masks), outline)
    assert found.dtype == torch.float32
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_mask_of_one_class_has_no_outline(value):
    assert not mask_boundary(torch.full((1, 1, 8, 8), value)).any()


def test_an_even_outline_is_refused():
    with pytest.raises(ValueError, match=r"width: found 4, expected an odd number"):
        mask_boundary(torch.zeros(1, 1, 8, 8), 4)
