"""Reading one picture or mask from a file, however it was saved: always RGB bytes, always a 0/1 mask."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from jaalnet_core.errors import PictureError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
MAX_MEGAPIXELS = 100.0
MASK_THRESHOLD = 127  # a mask's 8-bit values above this are lesion

# Only these decoders ever see a file: Pillow also knows formats that start other programs (EPS). A phone's
# JPEG of several frames (MPO) counts as JPEG.
_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
_opening = threading.Lock()


def is_picture_name(path: Path) -> bool:
    """Whether the name ends as a picture's does (in either case) and is not a hidden file's."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def read_picture(path: Path | str, *, max_megapixels: float = MAX_MEGAPIXELS) -> np.ndarray:
    """Read a photograph as `(H, W, 3)` uint8, RGB, the way a picture viewer shows it.

    Grey, palette, CMYK, 16-bit and floating-point pictures are brought to 8-bit RGB, transparent parts lie on
    white, an EXIF orientation is applied, and of several frames the first is taken.

    Args:
        path: the file; its content, not its name, decides how it is decoded.
        max_megapixels: refuse larger pictures, by their header, before anything is decoded.

    Raises:
        PictureError: the file is missing, damaged, cut short, too large, or no picture.
    """
    with _decoded(Path(path), max_megapixels) as picture:
        if picture.mode[0] in "IF":
            return np.repeat(_eight_bit(np.asarray(picture))[:, :, None], 3, axis=2)
        if picture.has_transparency_data:
            return _flattened(picture, background=255)
        return np.array(picture.convert("RGB"))


def read_mask(path: Path | str, *, max_megapixels: float = MAX_MEGAPIXELS) -> np.ndarray:
    """Read a mask as `(H, W)` uint8: 0 = skin, 1 = lesion.

    8-bit values above 127 are lesion; a mask that holds nothing above 1 is taken as 0 = skin, 1 = lesion.

    Raises:
        PictureError: the file is missing, damaged, cut short, too large, or no picture.
    """
    return binarise(read_grey(path, max_megapixels=max_megapixels))


def read_grey(path: Path | str, *, max_megapixels: float = MAX_MEGAPIXELS) -> np.ndarray:
    """Read a mask's values as they are stored, brought to `(H, W)` uint8; transparent parts count as 0.

    Raises:
        PictureError: as `read_mask`.
    """
    with _decoded(Path(path), max_megapixels) as picture:
        if picture.mode[0] in "IF":
            return _eight_bit(np.asarray(picture))
        if picture.has_transparency_data:
            return _flattened(picture, background=0).max(axis=2)
        if picture.mode in ("1", "L"):
            return np.array(picture.convert("L"))
        # The brightest channel, so that a mask painted in pure red or green is still a mask.
        return np.array(picture.convert("RGB")).max(axis=2)


def binarise(grey: np.ndarray) -> np.ndarray:
    """`(H, W)` uint8 values to 0 or 1: above 127, or above 0 if nothing exceeds 1 (a mask saved as 0/1)."""
    threshold = 0 if grey.size and grey.max() <= 1 else MASK_THRESHOLD
    return (grey > threshold).astype(np.uint8)


@contextmanager
def _decoded(path: Path, max_megapixels: float) -> Iterator[Image.Image]:
    """Open, check the header, decode and turn upright; whatever goes wrong becomes a PictureError."""
    try:
        with _opened(path) as picture:
            width, height = picture.size
            if width * height > max_megapixels * 1e6:
                raise PictureError(
                    f"{path}: {width}x{height} pixels ({width * height / 1e6:.0f} megapixels), expected at "
                    f"most {max_megapixels:g}: reduce the picture, or raise the limit (max-megapixels)."
                )
            picture.load()
            yield ImageOps.exif_transpose(picture)
    except PictureError:
        raise
    except FileNotFoundError as error:
        raise PictureError(f"{path}: no such file, expected a picture: check the path.") from error
    except PermissionError as error:
        raise PictureError(f"{path}: not allowed to read it: change the file's permissions.") from error
    except Exception as error:  # a decoder fed with damaged bytes raises nearly anything
        raise PictureError(
            f"{path}: cannot be read as a picture ({_reason(error)}), expected a whole JPEG, PNG, BMP, TIFF "
            "or WebP file: copy or download it again, or remove it."
        ) from error


def _opened(path: Path) -> Image.Image:
    """Read the header only. Pillow's own size limit, a module global, gives way to the caller's."""
    with _opening:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(path, formats=_FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "not a picture of a known kind"
    return str(error) or type(error).__name__


def _eight_bit(values: np.ndarray) -> np.ndarray:
    """`(H, W)` of 16-bit, 32-bit or float values to uint8.

    The range is told from the values: floats within 0..1 are fractions, anything above 255 is on the 16-bit
    scale, and the rest is 8-bit data in a wider container.
    """
    wide = np.nan_to_num(values.astype(np.float64))
    top = wide.max(initial=0.0)
    if values.dtype.kind == "f" and top <= 1.0:
        wide *= 255.0
    elif top > 255:
        wide /= 257.0
    return np.clip(np.rint(wide), 0, 255).astype(np.uint8)


def _flattened(picture: Image.Image, *, background: int) -> np.ndarray:
    """`(H, W, 3)` uint8 of a picture with transparency, laid on a plain grey level."""
    rgba = picture.convert("RGBA")
    canvas = Image.new("RGBA", rgba.size, (background, background, background, 255))
    return np.array(Image.alpha_composite(canvas, rgba).convert("RGB"))
