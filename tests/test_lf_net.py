"""LF-Net: its plan, its padding, what joins where, and what it costs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from module_cases import randomised
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from jaalnet_core.attention import CBAM
from jaalnet_core.errors import SettingsError
from jaalnet_core.lf_net import WIDTHS, LFNet, LFNetSettings, build_lf_net, check_images, pad_to_multiple
from jaalnet_core.losses import contour_loss, course_region_loss


def pictures(*size: int, batch: int = 1, seed: int = 0) -> torch.Tensor:
    return torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(seed))


def counted_by_hand(width: int, height: int, breadth: int) -> tuple[int, int]:
    """Parameters and multiplications of a forward pass, summed from the description of the network."""
    parameters = multiplications = 0

    def conv(source, target, kernel, pixels, bias=False, groups=1):
        nonlocal parameters, multiplications
        weights = source // groups * target * kernel * kernel
        parameters += weights + bias * target
        multiplications += weights * pixels

    def norm(channels):
        nonlocal parameters
        parameters += 2 * channels

    def residual(source, target, pixels):
        conv(source, target, 3, pixels), norm(target), conv(target, target, 3, pixels), norm(target)
        if source != target:
            conv(source, target, 1, pixels), norm(target)

    def deconv(source, target, pixels_before):
        conv(source, target, 2, pixels_before), norm(target)

    channels = [width, 2 * width, 4 * width, 8 * width, 16 * width]
    pixels = [height * breadth // 4**level for level in range(5)]
    conv(3, width, 3, pixels[0]), norm(width)
    before = width
    for level, target in enumerate(channels):  # dense blocks: three layers of DDSConv, then the transition
        growth = target // 2
        for layer in range(3):
            seen = before + layer * growth
            conv(seen, seen, 3, pixels[level], groups=seen), norm(seen)
            conv(seen, growth, 1, pixels[level]), norm(growth)
        conv(before + 3 * growth, target, 1, pixels[level]), norm(target)
        before = target
    conv(16 * width, 8 * width, 1, pixels[4], bias=True)  # the contour stream starts, half as wide
    for level in (3, 2, 1, 0):
        target, stream = channels[level], channels[level] // 2
        deconv(2 * target, target, pixels[level + 1])
        residual(2 * target, target, pixels[level])
        hidden = max(target // 8, 4)
        for _ in range(2):  # CBAM's shared network is asked twice, for the average and the maximum
            multiplications += 2 * target * hidden
        parameters += 2 * target * hidden + hidden + target
        conv(2, 1, 7, pixels[level], bias=True)
        residual(2 * stream, 2 * stream, pixels[level + 1])
        deconv(2 * stream, stream, pixels[level + 1])
        conv(target, 1, 1, pixels[level], bias=True)  # side logits
        norm(stream + 1)
        conv(stream + 1, stream + 1, 1, pixels[level], bias=True)
        conv(stream + 1, 1, 1, pixels[level], bias=True)
        conv(stream, stream, 1, pixels[level], bias=True)
    conv(width // 2, 1, 1, pixels[0], bias=True)
    conv(width + 2, 1, 1, pixels[0], bias=True)
    return parameters, multiplications


@pytest.mark.parametrize("preset", WIDTHS)
def test_parameters_and_flops_are_those_counted_by_hand(preset):
    with torch.device("meta"):
        network = build_lf_net(preset).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, 64, 96))
    parameters, multiplications = counted_by_hand(WIDTHS[preset], 64, 96)
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert counter.get_total_flops() == 2 * multiplications


def test_every_level_halves_and_doubles_exactly():
    network, sizes = build_lf_net("tiny").eval(), {}
    for name, module in network.named_modules():
        module.register_forward_hook(lambda _m, _i, out, name=name: sizes.__setitem__(name, tuple(out[0].shape)))
    network(pictures(64, 96))
    for level in range(5):
        assert sizes[f"encoder.{level}"] == (8 * 2**level, 64 >> level, 96 >> level)
    for step, level in enumerate((3, 2, 1, 0)):
        assert sizes[f"deconvs.{step}"] == (8 * 2**level, 64 >> level, 96 >> level)
        assert sizes[f"decoder.{step}"] == (8 * 2**level, 64 >> level, 96 >> level)
        assert sizes[f"contour.{step}"] == (4 * 2**level, 64 >> level, 96 >> level)
        assert isinstance(network.decoder[step].attention, CBAM)
    assert sizes["contour_head"] == (1, 64, 96)


class Recorder(TorchDispatchMode):
    """Writes down every operation that runs."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(str(func))
        return func(*args, **(kwargs or {}))


def test_nothing_is_resized_on_the_way():
    resizing = ("upsample", "interpolate", "grid_sampler", "adaptive", "resize")
    with Recorder() as recorder:
        functional.interpolate(pictures(4, 4), scale_factor=2.0)
    assert any(word in name for name in recorder.names for word in resizing)  # the recorder would see it
    with Recorder() as recorder, torch.no_grad():
        build_lf_net("tiny").eval()(pictures(33, 47))
    assert any("convolution" in name for name in recorder.names)
    assert not [name for name in recorder.names if any(word in name for word in resizing)]


@pytest.mark.parametrize("size", [(33, 47), (32, 50), (48, 33)])
def test_an_odd_picture_is_the_corner_of_one_with_repeated_borders(size):
    network, images = randomised(build_lf_net("tiny")), pictures(*size)
    margin = ((0, 0), (0, 0), (0, -size[0] % 16), (0, -size[1] % 16))
    whole = torch.from_numpy(np.pad(images.numpy(), margin, mode="edge"))
    logits, contour = network(images, with_contour=True)
    whole_logits, whole_contour = network(whole, with_contour=True)
    assert logits.shape == contour.shape == (1, 1, *size)
    torch.testing.assert_close(logits, whole_logits[..., : size[0], : size[1]])
    torch.testing.assert_close(contour, whole_contour[..., : size[0], : size[1]])


def test_padding_by_hand():
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])[None, None]
    expected = torch.tensor([[1.0, 2, 2, 2], [3, 4, 4, 4], [5, 6, 6, 6], [5, 6, 6, 6]])[None, None]
    assert torch.equal(pad_to_multiple(rows, 4), expected)
    assert pad_to_multiple(expected, 4) is expected


def test_the_forward_pass_step_by_step():
    """The plan of the network, walked by hand over its parts: who is joined with whom, in which order."""
    network, images = randomised(build_lf_net("tiny")).double(), pictures(32, 48).double()
    one = network.encoder[0](network.stem(images))
    two = network.encoder[1](functional.max_pool2d(one, 2))
    three = network.encoder[2](functional.max_pool2d(two, 2))
    four = network.encoder[3](functional.max_pool2d(three, 2))
    features = network.encoder[4](functional.max_pool2d(four, 2))
    stream = network.contour_start(features)
    for step, skip in enumerate((four, three, two, one)):
        features = network.decoder[step](torch.cat([network.deconvs[step](features), skip], dim=1))
        stream = network.contour[step](stream, features)
    outline = network.contour_head(stream)
    weight, bias = network.head.weight[0, :, 0, 0], network.head.bias
    expected = torch.einsum("c,bchw->bhw", weight[:8], features) + bias
    expected += weight[8] * torch.sigmoid(outline[:, 0]) + weight[9] * network.edges(images)[:, 0]
    logits, contour = network(images, with_contour=True)
    torch.testing.assert_close(logits[:, 0], expected)
    torch.testing.assert_close(contour, outline)
    assert torch.equal(network(images), logits)


def test_edges_of_the_photograph_reach_the_logits():
    network, images = randomised(build_lf_net("tiny")), pictures(32, 32)
    edges = network.edges(images)
    assert 0 < edges.mean() < 1
    logits = network(images)
    with torch.no_grad():
        network.head.weight[0, 9] += 2
    torch.testing.assert_close(network(images), logits + 2 * edges, rtol=1e-4, atol=1e-4)


def test_logits_are_not_squashed():
    network = randomised(build_lf_net("tiny"))
    with torch.no_grad():
        network.head.weight.mul_(50)
        logits = network(pictures(32, 32))
    assert logits.min() < -1 or logits.max() > 1.5


def test_it_learns_one_picture():
    """Sixty steps on a bright disc: the outline is found, by the mask's logits and by the contour stream."""
    torch.manual_seed(0)
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    mask = (((rows - 14) ** 2 + (columns - 17) ** 2) < 81).float()[None, None]
    images = (0.3 + 0.3 * mask + 0.05 * torch.randn(2, 3, 32, 32)).clamp(0, 1)
    masks = mask.expand(2, -1, -1, -1)
    network = build_lf_net("tiny").train()
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(60):
        logits, contour = network(images, with_contour=True)
        loss = course_region_loss(logits, masks) + 0.5 * contour_loss(contour, masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = logits > 0
    assert (found & (masks > 0)).sum() / (found | (masks > 0)).sum() > 0.9


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 64, 64), r"images: found shape \(3, 64, 64\), expected \(B, 3, H, W\)"),
        ((1, 1, 64, 64), r"found shape \(1, 1, 64, 64\), expected \(B, 3, H, W\)"),
        ((1, 3, 31, 64), r"found 31x64 pixels, expected at least 32 a side; enlarge"),
        ((1, 3, 64, 16), r"found 64x16 pixels, expected at least 32"),
    ],
)
def test_check_images_says_what_is_wrong(shape, message):
    with pytest.raises(ValueError, match=message):
        check_images(torch.zeros(shape), channels=3)


def test_settings_are_checked():
    for width in (0, 2, 10):
        with pytest.raises(SettingsError, match=rf"width: found {width}, expected a multiple of 4"):
            LFNetSettings(width=width)
    with pytest.raises(SettingsError, match=r"preset: found 'huge', expected one of tiny, small, base"):
        build_lf_net("huge")


def test_settings_reach_the_network():
    network = build_lf_net("tiny", dilations=[1, 4], canny_high=80.0)
    assert network.settings == LFNetSettings(width=8, dilations=(1, 4), canny_high=80.0)
    assert [layer.depthwise.dilation for layer in network.encoder[2].layers] == [(1, 1), (4, 4)]
    assert (network.edges.low, network.edges.high) == (10.0, 80.0)
    assert LFNet().settings.width == WIDTHS["small"]
    assert sum(p.numel() for p in build_lf_net("small").parameters()) < 4e6
