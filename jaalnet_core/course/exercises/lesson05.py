"""Exercises of lesson 5: any size, the published loss, a block that costs too much, a judge of patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaalnet_core.course.exercise import Exercise
from jaalnet_core.course.exercises.lesson05_fusion import judge_fusion
from jaalnet_core.course.exercises.lesson05_patches import judge_patches
from jaalnet_core.course.judging import Wrong, agrees, call, close, generator, same_shape


def judge_any_size(answer: Callable[..., Any]) -> None:
    """A network that takes only multiples is made to take any size: border repeated, logits cropped."""
    shapes = generator()
    for trial in range(4):
        multiple = int(shapes.choice([8, 16]))
        network = _picky_network(multiple)
        sides = multiple * shapes.integers(2, 4, 2)
        if trial:  # the first is a multiple already
            sides = sides + shapes.permutation([int(shapes.integers(1, multiple)), int(shapes.integers(0, multiple))])
        images = torch.rand(int(shapes.integers(1, 3)), 3, int(sides[0]), int(sides[1]))
        given = f"a picture of {sides[0]} x {sides[1]} and the multiple {multiple}"
        with torch.no_grad():
            found = call(answer, network, images.clone(), multiple)
            _right_size(found, network, images, multiple)
            same_shape(found, (len(images), 1, *images.shape[-2:]), f"for {given} your result")
            expected = _padded(network, images, multiple)
            if not agrees(found, expected, 1e-4):
                _name_the_padding(found, network, images, multiple, given)
        close(found, expected, f"the logits for {given}", 1e-4)


def _picky_network(multiple: int) -> nn.Module:
    """Torch's own layers: shrinks by `multiple` and grows again; the normalisation notices every pixel of padding."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.AvgPool2d(multiple),
        nn.InstanceNorm2d(4),
        nn.Upsample(scale_factor=multiple),
        nn.Conv2d(4, 1, 3, padding=1),
    )


def _padded(
    network: nn.Module, images: Tensor, multiple: int, mode: str = "replicate", shares: tuple[float, float] = (0, 0)
) -> Tensor:
    """Padded, judged, cropped. `shares`: how much of the padding stands above and left of the picture."""
    height, width = images.shape[-2:]
    more = [-side % multiple for side in (height, width)]
    top, left = (int(share * count) for share, count in zip(shares, more, strict=True))
    bigger = functional.pad(images, (left, more[1] - left, top, more[0] - top), mode=mode)
    return network(bigger)[..., top : top + height, left : left + width]


def _right_size(found: Any, network: nn.Module, images: Tensor, multiple: int) -> None:
    if not hasattr(found, "shape") or found.shape[-2:] == images.shape[-2:]:
        return
    bigger = [side + -side % multiple for side in images.shape[-2:]]
    height, width = images.shape[-2:]
    swapped = functional.pad(images, (0, -height % multiple, 0, -width % multiple), mode="replicate")
    if agrees(found, network(swapped)[..., :height, :width], 1e-4):
        raise Wrong(
            f"a picture of {(height, width)} grows by its missing columns below and its missing rows on the right: "
            "functional.pad takes its numbers from the last axis backwards, (left, right, top, bottom)."
        )
    if list(found.shape[-2:]) == [side - side % multiple for side in images.shape[-2:]]:
        raise Wrong(f"a picture of {(height, width)} comes back as {tuple(found.shape[-2:])}: cut, instead of padded.")
    if list(found.shape[-2:]) == bigger:
        raise Wrong(
            f"a picture of {tuple(images.shape[-2:])} comes back as {tuple(bigger)}: the padding is still there, crop "
            "the logits to the height and width that came in."
        )


def _name_the_padding(found: Tensor, network: nn.Module, images: Tensor, multiple: int, given: str) -> None:
    """Raise with the name of the mistake whose result this is, if it is a known one."""
    height, width = images.shape[-2:]
    whole = [side + multiple - side % multiple for side in (height, width)]  # a whole one more at exact multiples
    over = functional.pad(images, (0, whole[1] - width, 0, whole[0] - height), mode="replicate")
    if agrees(found, network(over)[..., :height, :width], 1e-4):
        raise Wrong(
            f"for {given} you add {whole[0] - height} rows and {whole[1] - width} columns: a side that is a multiple "
            "already needs 0 more, and multiple - side % multiple is never 0."
        )
    for mode in ("nearest", "bilinear"):
        options = {} if mode == "nearest" else {"align_corners": False}
        resized = functional.interpolate(
            images, size=[side + -side % multiple for side in (height, width)], mode=mode, **options
        )
        back = functional.interpolate(network(resized), size=(height, width), mode=mode, **options)
        if agrees(found, back, 1e-4) or agrees(found, network(resized)[..., :height, :width], 1e-4):
            raise Wrong(f"for {given} you resize: every feature moves by parts of a pixel. Pad instead.")
    for mode, name in (("constant", "zeros"), ("reflect", "the picture mirrored")):
        if agrees(found, _try(lambda mode=mode: _padded(network, images, multiple, mode)), 1e-4):
            raise Wrong(f"for {given} you pad with {name}; the task asks for the border, repeated.")
    for shares in ((1, 1), (0.5, 0.5), (1, 0), (0, 1)):
        if agrees(found, _padded(network, images, multiple, shares=shares), 1e-4):
            raise Wrong(f"for {given} you pad above or on the left; the task asks for the lower and the right side.")
    bigger = functional.pad(images, (0, -width % multiple, 0, -height % multiple), mode="replicate")
    if agrees(found, network(bigger)[..., -height:, -width:], 1e-4):
        raise Wrong(f"for {given} you crop the wrong corner: the padding is below and on the right.")


def _try(compute: Callable[[], Tensor]) -> Tensor:
    try:
        return compute()
    except RuntimeError:  # more mirrored than there is
        return torch.full((1,), torch.nan)


def judge_published_loss(answer: Callable[..., Any]) -> None:
    """Adversarial cross-entropy + 100 L1 + 50 EPE, for masks of any number of channels."""
    shapes = generator()
    for channels in (2, 1, 3, 2):
        batch, height, width = (int(n) for n in shapes.integers(2, 7, 3))
        prediction = torch.rand(batch, channels, height, width)
        mask = (torch.rand(batch, channels, height, width) > 0.5).float()
        patches = 2 * torch.randn(batch, 1, int(shapes.integers(1, 4)), int(shapes.integers(2, 5)))
        found = call(answer, prediction.clone(), mask.clone(), patches.clone())
        same_shape(torch.as_tensor(found), (), "your loss")
        expected = _loss_parts(prediction, mask, patches)
        for words, mistake in _loss_mistakes(prediction, mask, patches).items():
            if agrees(found, mistake, 1e-6) and not agrees(mistake, sum(expected), 1e-5):
                raise Wrong(f"for masks of {channels} channels: {words}")
        close(found, sum(expected), f"the loss for masks of {channels} channels", 1e-5)


def _loss_parts(prediction: Tensor, mask: Tensor, patches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The three terms, weighed, worked out another way than in the lesson: log(1 + e^-x), sums, square roots."""
    adversarial = functional.softplus(-patches).mean()
    distance = prediction - mask
    l1 = distance.abs().sum() / distance.numel()
    epe = distance.square().sum(dim=1).sqrt().mean()
    return adversarial, 100 * l1, 50 * epe


def _loss_mistakes(prediction: Tensor, mask: Tensor, patches: Tensor) -> dict[str, Tensor]:
    adversarial, l1, epe = _loss_parts(prediction, mask, patches)
    distance, as_fake = prediction - mask, functional.softplus(patches).mean()
    squared = 50 * distance.square().sum(dim=1).mean()
    everything = 50 * distance.square().sum().sqrt()
    summed = 100 * distance.abs().sum(), 50 * distance.square().sum(dim=1).sqrt().sum()
    rest = l1 + epe
    return {
        "this is the adversarial part + 150 L1, which is the published loss for one channel only; EPE is the length of "
        "each pixel's vector.": adversarial + 1.5 * l1,
        "the patch logits are compared with 0 (fake); LF-Net wants its drawing to be taken for real.": as_fake + rest,
        "the patch logits went through a sigmoid first and were then treated as logits.": functional.softplus(
            -torch.sigmoid(patches)
        ).mean()
        + rest,
        "EPE lacks its square root: the length of a vector is the root of the sum of its squares.": adversarial
        + l1
        + squared,
        "EPE took the length of the whole picture as one vector; it is the length over the channels (dim=1) of each "
        "pixel, averaged over the pixels.": adversarial + l1 + everything,
        "the distances are added up over the pixels; both terms are means.": adversarial + summed[0] + summed[1],
        "EPE is a sum over the pixels; it is a mean.": adversarial + l1 + summed[1],
        "L1 is a sum over the pixels; it is a mean.": adversarial + summed[0] + epe,
        "the two weights are swapped: 100 belongs to L1, 50 to EPE.": adversarial + l1 / 2 + 2 * epe,
        "the adversarial part is missing.": rest,
        "L1 is missing.": adversarial + epe,
        "EPE is missing.": adversarial + l1,
        "L1 squares the differences; it takes their absolute values.": adversarial
        + 100 * distance.square().mean()
        + epe,
    }


EXERCISES = (
    Exercise(
        number="5.1",
        title="A network for any size",
        difficulty=1,
        minutes=8,
        points=1,
        hints=(
            "How many rows does a picture of 100 rows lack to the next multiple of 16? And one of 96?",
            "-height % multiple is what is missing, and 0 where nothing is. functional.pad takes its numbers from the "
            "last axis backwards: (left, right, top, bottom).",
            'functional.pad(images, (0, right, 0, bottom), mode="replicate"), then the network, then a slice of its '
            "result that keeps the first height rows and the first width columns.",
        ),
        judge=judge_any_size,
    ),
    Exercise(
        number="5.2",
        title="The published loss, for more than one channel",
        difficulty=2,
        minutes=12,
        points=2,
        hints=(
            "Which of the three terms looks at the channels of a pixel together, and which does not care?",
            "EPE: difference, square, sum over the channels (dim=1), root, and only then the mean. L1 is the mean of "
            "all absolute differences.",
            "The adversarial part is binary_cross_entropy_with_logits of the patch logits against torch.ones_like of "
            "them: LF-Net wants to be taken for an expert.",
        ),
        judge=judge_published_loss,
    ),
    Exercise(
        number="5.3",
        title="Find the bug: 5,900 GFLOP for one picture",
        difficulty=2,
        minutes=20,
        points=2,
        hints=(
            "Write down, for each convolution, how many channels it reads, how many it writes, and at how many pixels.",
            "Twice the channels is four times the arithmetic. What would it cost if only out_channels channels ever "
            "reached the full size?",
            "Give each level a 1x1 convolution of its own, from its channels to out_channels, before it is enlarged. "
            "Then join (or add) the narrow maps, and keep 3x3 convolutions of out_channels channels behind it.",
        ),
        judge=judge_fusion,
    ),
    Exercise(
        number="5.4",
        title="A judge that sees 70 x 70 pixels",
        difficulty=3,
        minutes=25,
        points=3,
        hints=(
            "Which layers halve the map? How many halvings make one logit for 8 x 8 pixels, and how far do these see?",
            "Each layer adds (kernel_size - 1) * dilation * step to what a logit sees, where step is the product of "
            "the strides before it. Three 4x4 convolutions of stride 2 see 22 pixels; from there on step is 8.",
            "48 pixels are missing, and every further 3x3 convolution of stride 1 adds 16. Padding: 1 for 4x4 with "
            "stride 2, 1 for 3x3. The last layer has one output channel and no activation.",
        ),
        judge=judge_patches,
    ),
)
