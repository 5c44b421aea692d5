"""A picture beside what augmentation makes of it, each with its mask's outline, so that one sees them move together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torchvision.transforms import v2

from jaalnet_core.data.augment import augment_pair
from jaalnet_core.figures.outlines import draw_outlines
from jaalnet_core.figures.panels import picture_row
from jaalnet_core.figures.style import NotebookFigure

_SIDE = 256  # pixels of a picture in the grid: on small pictures a line would hide the border it shows


@dataclass(frozen=True, eq=False)
class AugmentedDraws:
    """What `count` draws made of one picture.

    Attributes:
        images: `(N, H, W, 3)` uint8.
        masks: `(N, H, W)` uint8, 0 or 1.
        lesion_shares: `(N,)`, the lesion's share of the frame in each, 0..1.
        cut: `(N,)` bool: the lesion touches the frame's border.
    """

    images: np.ndarray
    masks: np.ndarray

    @property
    def lesion_shares(self) -> np.ndarray:
        """`(N,)` float64 in 0..1."""
        return self.masks.mean(axis=(1, 2))

    @property
    def cut(self) -> np.ndarray:
        """`(N,)` bool."""
        rim = np.ones(self.masks.shape[1:], bool)
        rim[1:-1, 1:-1] = False
        return self.masks[:, rim].any(axis=1)


def augmented_draws(
    transform: v2.Transform, image: np.ndarray, mask: np.ndarray, *, count: int, seed: int = 0
) -> AugmentedDraws:
    """Augment one picture with its mask `count` times, with the seeds `seed`, `seed + 1`, …

    Args:
        image: `(H, W, 3)` uint8. mask: `(H, W)` uint8, 0 or 1.
    """
    images, masks = np.empty((count, *image.shape), np.uint8), np.empty((count, *mask.shape), np.uint8)
    for number in range(count):
        moved, moved_mask = augment_pair(transform, image, mask, seed + number)
        images[number] = (moved * 255).round().permute(1, 2, 0).numpy()
        masks[number] = moved_mask[0].numpy()
    return AugmentedDraws(images, masks)


def augmentation_grid(
    transform: v2.Transform, image: np.ndarray, mask: np.ndarray, *, count: int = 7, seed: int = 0, columns: int = 4
) -> NotebookFigure:
    """The picture, then `count` augmented versions of it, each with the outline of its own mask.

    Args:
        image: `(H, W, 3)` uint8. mask: `(H, W)` uint8, 0 or 1.
        seed: of the first version; the next ones count up.
        columns: pictures a row.
    """
    draws = augmented_draws(transform, image, mask, count=count, seed=seed)
    pairs = [(image, mask), *zip(draws.images, draws.masks, strict=True)]
    pictures = [draw_outlines(one, expert=its_mask, line_width=3, enlarge_to=_SIDE) for one, its_mask in pairs]
    titles = ["as it is", *(f"draw {seed + number}" for number in range(count))]
    return picture_row(pictures, titles, columns=columns, alt=_in_words(draws, float(mask.mean())))


def _in_words(draws: AugmentedDraws, before: float) -> str:
    shares, cut = draws.lesion_shares, int(draws.cut.sum())
    moved = "the outline has moved with the lesion in each"
    if not draws.masks.any(axis=(1, 2)).all():
        moved = "in some the lesion has left the frame altogether"
    return (
        f"A picture and {len(shares)} augmented versions; {moved}. The lesion covers {before:.0%} of the frame before, "
        f"{shares.min():.0%} to {shares.max():.0%} after; in {cut} of {len(shares)} it touches the frame's border."
    )
