"""What a network has to beat: Otsu's threshold, which needs no training, and the mean mask, which sees no picture."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.data.source import LesionData
from jaalnet_core.errors import DataError
from jaalnet_core.evaluation import Evaluation
from jaalnet_core.metrics import confusion_counts

BLUR = 5  # pixels: hairs and pores would otherwise be cut out as specks


def otsu_masks(images: np.ndarray) -> np.ndarray:
    """The darker side of Otsu's threshold (1979) on each picture's blurred grey values.

    Args:
        images: `(N, H, W, 3)` uint8, RGB.

    Returns:
        `(N, H, W)` uint8, 0 or 1.
    """
    masks = []
    for image in images:
        grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (BLUR, BLUR), 0)
        masks.append(cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1])
    return np.stack(masks)


def mean_mask(masks: np.ndarray) -> np.ndarray:
    """Where more than half of the training masks are lesion: the best guess without looking, `(H, W)` uint8.

    Args:
        masks: `(N, H, W)` uint8, 0 or 1.
    """
    return (masks.mean(axis=0) > 0.5).astype(np.uint8)


def evaluate_baselines(data: LesionData) -> dict[str, Evaluation]:
    """Both baselines on the test pictures at their size; the mean mask is that of the training pictures.

    Raises:
        DataError: there are no training or no test pictures.
    """
    for split in ("train", "test"):
        if len(getattr(data, split)) == 0:
            raise DataError(f"{data.root}: found no {split} pictures, which the baselines need.")
    guess = np.broadcast_to(mean_mask(data.train.masks), data.test.masks.shape)
    return {
        "Otsu's threshold": evaluate_masks(otsu_masks(data.test.images), data.test, f"{data.name} test"),
        "mean training mask": evaluate_masks(guess, data.test, f"{data.name} test"),
    }


def evaluate_masks(predicted: np.ndarray, arrays: LesionArrays, data: str = "") -> Evaluation:
    """Count the pixels of masks that are there already, `(N, H, W)` of 0 and 1, at the arrays' size."""
    counts = confusion_counts(torch.from_numpy(np.array(predicted)), torch.from_numpy(arrays.masks))
    return Evaluation(ids=arrays.ids, counts=counts, size=arrays.size, data=data)
