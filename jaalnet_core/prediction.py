"""Outlining lesions in photographs: one in a notebook, or files and folders into a folder of results.

    outline = outline_lesion("best.safetensors", "mole.jpg")
    outline.mask               # (H, W) uint8, 0 or 1, at the photograph's own size
    outline.lesion_percent     # share of the frame

    rows = predict_pictures("best.safetensors", [Path("photographs")], Path("outlined"))

Made for teaching and research. It is no medical device, and an outline is no diagnosis.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm

from jaalnet_core.data.parallel import MOST_WORKERS, cores, do_in_threads
from jaalnet_core.data.pictures import pixels_in, read_picture
from jaalnet_core.data.preprocess import resize_picture
from jaalnet_core.data.room import Room
from jaalnet_core.errors import DataError, PictureError, SettingsError
from jaalnet_core.evaluation import choose_device, predict_probabilities
from jaalnet_core.figures.outlines import draw_outlines
from jaalnet_core.files import atomic_path
from jaalnet_core.prediction_files import (
    PictureResult,
    find_pictures,
    plan_outputs,
    read_table,
    write_table,
)
from jaalnet_core.size import Size
from jaalnet_core.weights import LoadedNetwork, load_segmenter

DEFAULT_SIZE = Size(128, 128)  # for a network that came from no file
_LONGEST_JPEG_SIDE = 65_500  # beyond it the format has no room for the number
_ROOM = 64e6  # pixels in work at once, by all threads together, some 20 bytes each; a larger picture has it to itself


@dataclass(frozen=True, eq=False)
class Outline:
    """What a network made of one photograph.

    Attributes:
        probabilities: `(H, W)` float32, 0..1, at the photograph's own size.
        mask: `(H, W)` uint8, 1 where the probability is above the threshold.
    """

    probabilities: np.ndarray
    mask: np.ndarray

    @property
    def lesion_pixels(self) -> int:
        """The lesion's area in pixels of the photograph."""
        return int(np.count_nonzero(self.mask))

    @property
    def lesion_percent(self) -> float:
        """The lesion's share of the frame, 0..100."""
        return 100 * self.lesion_pixels / self.mask.size


def outline_lesion(
    network: LoadedNetwork | nn.Module | str | Path,
    picture: np.ndarray | str | Path,
    *,
    size: Size | None = None,
    threshold: float = 0.5,
    flips: bool = False,
    device: str | torch.device | None = None,
    max_megapixels: float | None = None,
) -> Outline:
    """Outline the lesion in one photograph.

    The photograph is brought to the network's size, and the map of probabilities (not the mask) back to the
    photograph's own size, where it is thresholded: its border is then as smooth as the photograph.

    Args:
        network: weights or a checkpoint by path, what `load_segmenter` returned, or a network: images
            `(B, 3, H, W)` in 0..1 to logits `(B, 1, H, W)`.
        picture: `(H, W, 3)` uint8, RGB, or a file.
        size: the network's input size; left out, the one that its file names, or 128x128.
        threshold: probabilities above it are lesion, 0..1.
        flips: average over the picture and its three mirror images: four times the work, a little steadier.
        device: where to compute; left out, where the network is, or a GPU if there is one.
        max_megapixels: refuse larger files; None: $JAALNET_MAX_MEGAPIXELS, else 100.

    Raises:
        CheckpointError: the weights' file is unusable.
        PictureError: the picture's file is unusable.
        SettingsError: the threshold is outside 0..1.
        ValueError: the array is no RGB picture of bytes.
    """
    _check_threshold(threshold)
    module, own_size, device = _opened(network, device)
    if isinstance(picture, (str, Path)):
        picture = read_picture(picture, max_megapixels=max_megapixels)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise ValueError(
            f"picture: found {picture.shape} of {picture.dtype}, expected (H, W, 3) of uint8, RGB in 0..255."
        )
    reduced = torch.from_numpy(np.ascontiguousarray(resize_picture(picture, size or own_size)))
    images = reduced.permute(2, 0, 1)[None].float() / 255
    small = predict_probabilities(module, images, flips=flips, device=device)[0, 0].numpy()
    height, width = picture.shape[:2]
    probabilities = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return Outline(probabilities, (probabilities > threshold).astype(np.uint8))


def predict_pictures(
    checkpoint: LoadedNetwork | str | Path,
    inputs: Sequence[Path],
    out: Path,
    *,
    threshold: float = 0.5,
    flips: bool = False,
    recursive: bool = False,
    max_megapixels: float | None = None,
    device: str = "auto",
    workers: int | None = None,
    progress: bool = True,
) -> list[PictureResult]:
    """Outline every picture of `inputs` and write masks, overlays and `predictions.csv` into `out`.

    Several pictures are in work at a time, each from its file to its results in a thread and on a core of its own. A
    picture that cannot be read becomes a row with its error, and the rest is done. Rows of earlier runs in
    the same folder stay in the table as long as their masks are there.

    Args:
        checkpoint: weights or a checkpoint by path, or what `load_segmenter` returned.
        inputs: picture files, and folders of pictures.
        out: folder of the results; made if it is missing.
        threshold: probabilities above it are lesion, 0..1.
        flips: average over four mirror images.
        recursive: look into folders within folders.
        max_megapixels: refuse larger pictures; None: $JAALNET_MAX_MEGAPIXELS, else 100.
        device: `auto`, `cpu`, `cuda` or `mps`.
        workers: pictures in work at a time; None: as many as there are cores, at most 8.
        progress: show a bar with the time left.

    Returns:
        One row for each picture, and for each input that is missing or holds none.

    Raises:
        CheckpointError: the weights are unusable.
        DataError: `out` cannot be written to.
        SettingsError: a setting is outside its range, or a result would replace a file that is not ours.
    """
    _check_threshold(threshold)
    if workers is not None and workers < 1:
        raise SettingsError(f"--workers: found {workers}, expected at least 1.")
    if not inputs:
        raise SettingsError("pictures: found none named, expected at least one picture or folder.")
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise SettingsError(f"--out: found the file {out}, expected a folder.")
    found = find_pictures([Path(named) for named in inputs], out, recursive=recursive)
    if found.masks_left_out and progress:
        tqdm.write(f"left out, as masks by their names: {found.masks_left_out} files (name one itself to outline it).")
    earlier = read_table(out)
    plan = plan_outputs(found.pictures, out, earlier)
    module, size, chosen_device = _opened(checkpoint, device)
    rows: dict[int, PictureResult] = {}  # by the number in the plan
    room = Room(_ROOM)

    def outline(number: int) -> None:
        row = plan[number]
        rows[number] = dataclasses.replace(row, status="error", error=f"{row.file}: stopped half-way.")
        with room.take(pixels_in(row.file)):
            rows[number] = _outline_file(row, out, module, max_megapixels, settings)

    settings = {"size": size, "threshold": threshold, "flips": flips, "device": chosen_device}
    workers = workers or min(MOST_WORKERS, cores())
    bar = tqdm(total=len(plan), desc="outlining", unit="picture", delay=1, disable=not progress)
    try:
        out.mkdir(parents=True, exist_ok=True)
        try:
            with bar, _shared_by_threads(module, min(workers, len(plan))) as (count, start):
                do_in_threads(outline, range(len(plan)), workers=count, start=start, done=bar.update)
        finally:  # a stopped run, too, says which files in the folder are its own
            done = [rows[number] for number in sorted(rows)]
            replaced = {plan[number].mask for number in rows}
            kept = [row for row in earlier if row.mask and row.mask not in replaced and (out / row.mask).exists()]
            write_table(out, [*kept, *done, *found.failures])
    except OSError as error:
        raise DataError(f"{out}: cannot be written to ({error}): free some space or choose another --out.") from error
    return [*done, *found.failures]


def _outline_file(
    row: PictureResult, out: Path, module: nn.Module, max_megapixels: float | None, settings: Mapping[str, Any]
) -> PictureResult:
    """From one file to its results in `out`; what is wrong with the picture is said in the row."""
    started = time.perf_counter()
    try:
        picture = read_picture(row.file, max_megapixels=max_megapixels)
        mask = outline_lesion(module, picture, **settings).mask  # without the probabilities, which take most memory
        _write_images(out, row, picture, mask)
    except (PictureError, MemoryError) as error:
        for name in (row.mask, row.overlay):  # of an earlier run: no longer what this picture shows
            (out / name).unlink(missing_ok=True)
        message = str(error) or f"{row.file}: not enough memory for it; reduce the picture."
        return PictureResult(row.file, status="error", error=message)
    return dataclasses.replace(
        row,
        height=picture.shape[0],
        width=picture.shape[1],
        lesion_pixels=int(np.count_nonzero(mask)),
        lesion_percent=round(100 * np.count_nonzero(mask) / mask.size, 3),
        seconds=round(time.perf_counter() - started, 3),
    )


@contextmanager
def _shared_by_threads(network: nn.Module, workers: int) -> Iterator[tuple[int, Callable[[], None] | None]]:
    """How many threads, and what each does first: with several, each computes on one core.

    The network is put into evaluation mode once: threads that each switched it there and back would disturb each other.
    """
    was_training, threads = network.training, torch.get_num_threads()
    network.eval()
    try:
        yield max(1, workers), (lambda: torch.set_num_threads(1)) if workers > 1 else None
    finally:
        network.train(was_training)
        torch.set_num_threads(threads)  # a thread's wish also holds for threads that begin later


def _opened(
    network: LoadedNetwork | nn.Module | str | Path, device: str | torch.device | None
) -> tuple[nn.Module, Size, torch.device]:
    """The network itself, its size, and where it shall compute."""
    if isinstance(network, nn.Module):
        first = next(network.parameters(), None)
        own = first.device if first is not None else torch.device("cpu")
        return network, DEFAULT_SIZE, own if device is None else choose_device(str(device))
    chosen = choose_device(str(device or "auto"))
    loaded = network if isinstance(network, LoadedNetwork) else load_segmenter(network, chosen)
    return loaded.network, loaded.size, chosen


def _write_images(out: Path, row: PictureResult, picture: np.ndarray, mask: np.ndarray) -> None:
    overlay = draw_outlines(picture, predicted=mask)
    cv2.cvtColor(overlay, cv2.COLOR_RGB2BGR, dst=overlay)
    fine = (
        cv2.IMWRITE_JPEG_QUALITY,
        92,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    )
    if max(overlay.shape) > _LONGEST_JPEG_SIDE:
        raise PictureError(
            f"{row.file}: {picture.shape[1]}x{picture.shape[0]} pixels, expected sides of at most "
            f"{_LONGEST_JPEG_SIDE} for the overlay: cut or reduce the picture."
        )
    for name, pixels, options in ((row.mask, mask * 255, ()), (row.overlay, overlay, fine)):
        # Encoded here and written as bytes: OpenCV itself cannot write to every name on Windows.
        encoded = cv2.imencode(Path(name).suffix, pixels, options)[1]
        with atomic_path(out / name) as temporary:
            temporary.write_bytes(encoded)


def _check_threshold(threshold: float) -> None:
    if not 0 <= threshold <= 1:
        raise SettingsError(f"--threshold: found {threshold}, expected a probability from 0 to 1.")
