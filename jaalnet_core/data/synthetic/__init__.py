"""Synthetic dermoscopy: pictures with exact masks, deterministic by seed and index."""

from jaalnet_core.data.synthetic.dataset import SETTINGS_NAME, TEST_START, make_arrays, write_dataset
from jaalnet_core.data.synthetic.picture import Difficulty, Scene, make_picture, make_scene

__all__ = [
    "SETTINGS_NAME",
    "TEST_START",
    "Difficulty",
    "Scene",
    "make_arrays",
    "make_picture",
    "make_scene",
    "write_dataset",
]
