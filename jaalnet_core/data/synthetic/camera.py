"""The camera: white balance, exposure, focus, grain and JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from jaalnet_core.size import Size


def photograph(rng: np.random.Generator, scene: np.ndarray, size: Size, difficulty: float) -> np.ndarray:
    """Turn a scene `(3, H, W)` float32 RGB (consumed) into a picture `(H, W, 3)` uint8."""
    trouble = 0.3 + 1.4 * difficulty
    gains = np.exp(rng.normal(0, 0.03 * trouble, size=3) + rng.normal(0, 0.03 * trouble))
    blur = rng.gamma(2.0, 0.28 * trouble) * size.height / 256
    grain = rng.gamma(1.5, 0.0042 * trouble)
    quality = int(rng.uniform(95 - 50 * difficulty, 97))
    for channel, gain in zip(scene, gains, strict=True):
        channel *= np.float32(gain)
    image = np.ascontiguousarray(scene.transpose(1, 2, 0))
    if blur > 0.25:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    shared = rng.standard_normal((*size, 1), dtype=np.float32)
    image += np.float32(grain) * shared
    if rng.random() < 0.3:  # colour grain, coarser than the grey one as sensors interpolate colour
        coarse = rng.standard_normal((size.height // 2, size.width // 2, 3), dtype=np.float32)
        image += np.float32(grain) * cv2.resize(coarse, (size.width, size.height), interpolation=cv2.INTER_LINEAR)
    picture = np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)
    picture = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
