"""Answers to lesson 1's exercises: right ones written otherwise, and plausible wrong ones."""

from __future__ import annotations

import hashlib
import random
import re
import shutil
import zlib
from pathlib import Path

import cv2
import numpy as np
import torch
from exercise_cases import Cases, Fault
from torch import Tensor
from torch.utils.data import Dataset

from jaalnet_core.data.augment import AugmentedLesions
from jaalnet_core.data.layout import pair
from jaalnet_core.data.preprocess import resize_mask
from jaalnet_core.data.splits import is_validation
from jaalnet_core.size import Size

# 1.1


def by_opencv(mask: np.ndarray, factor: int) -> np.ndarray:
    height, width = mask.shape
    return cv2.resize(mask, (width * factor, height * factor), interpolation=cv2.INTER_NEAREST)


def by_indexing(mask: np.ndarray, factor: int) -> np.ndarray:
    rows, columns = np.indices((mask.shape[0] * factor, mask.shape[1] * factor)) // factor
    return mask[rows, columns]


def bilinear(mask: np.ndarray, factor: int) -> np.ndarray:
    return cv2.resize(mask.astype(np.float32), (mask.shape[1] * factor, mask.shape[0] * factor))


def height_first(mask: np.ndarray, factor: int) -> np.ndarray:
    height, width = mask.shape
    return cv2.resize(mask, (height * factor, width * factor), interpolation=cv2.INTER_NEAREST)


# 1.2


def by_loop(pictures: list[Path], masks: list[Path]) -> list[tuple[Path, Path]]:
    pairs = []
    for picture in sorted(pictures):
        for mask in masks:
            if mask.name == f"{picture.stem}_Segmentation.png":
                pairs.append((picture, mask))
    return pairs


def by_pattern(pictures: list[Path], masks: list[Path]) -> list[tuple[Path, Path]]:
    by_id = {path.stem: path for path in pictures}
    ids = [(re.fullmatch(r"(.*)_Segmentation\.png", path.name)[1], path) for path in masks]
    return [(by_id[id], path) for id, path in ids if id in by_id]


def by_place(pictures: list[Path], masks: list[Path]) -> list[tuple[Path, Path]]:
    return list(zip(sorted(pictures), sorted(masks), strict=False))


def by_length_and_place(pictures: list[Path], masks: list[Path]) -> list[tuple[Path, Path]]:
    def natural(path: Path) -> tuple[int, str]:
        return len(path.stem), path.stem

    return list(zip(sorted(pictures, key=natural), sorted(masks, key=natural), strict=False))


def matched(id_of_mask: object, id_of_picture: object = lambda path: path.stem) -> object:
    def pairs(pictures: list[Path], masks: list[Path]) -> list[tuple[Path, Path]]:
        by_id = {id_of_mask(path): path for path in masks}
        return [(path, by_id[id_of_picture(path)]) for path in pictures if id_of_picture(path) in by_id]

    return pairs


def with_none(pictures: list[Path], masks: list[Path]) -> list[tuple[Path, Path | None]]:
    by_id = {path.stem.removesuffix("_Segmentation"): path for path in masks}
    return [(path, by_id.get(path.stem)) for path in pictures]


def raises_on_the_first_gap(pictures: list[Path], masks: list[Path]) -> list[tuple[Path, Path]]:
    by_id = {path.stem.removesuffix("_Segmentation"): path for path in masks}
    return [(path, by_id[path.stem]) for path in pictures]


def by_the_package(pictures: list[Path], masks: list[Path]) -> list[tuple[Path, Path]]:
    return [(sample.picture, sample.mask) for sample in pair(pictures, masks).samples if sample.mask]


# 1.3


def numbers(generator: torch.Generator | None) -> tuple[int, int, Tensor]:
    quarters = int(torch.randint(0, 4, (), generator=generator))
    mirrored = int(torch.randint(0, 2, (), generator=generator))
    return quarters, mirrored, torch.rand((), generator=generator) * 0.4 + 0.8


def turned(x: Tensor, quarters: int, mirrored: int) -> Tensor:
    x = torch.rot90(x, quarters, (1, 2))
    return torch.flip(x, [2]) if mirrored else x


def one_in_eight(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    kind = torch.randint(8, (1,), generator=generator).item()
    brightness = torch.empty(1).uniform_(0.8, 1.2, generator=generator)
    both = []
    for x in (image, mask):
        x = x.transpose(1, 2) if kind & 1 else x
        x = x.flip(1) if kind & 2 else x
        both.append(x.flip(2) if kind & 4 else x)
    return torch.clip(both[0] * brightness, max=1.0), both[1]


def stacked(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    quarters, mirrored, brightness = numbers(generator)
    both = turned(torch.cat([image, mask]), quarters, mirrored)
    return (both[:3] * brightness).clamp(0, 1), both[3:]


def drawn_twice(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    quarters, mirrored, brightness = numbers(generator)
    other_quarters, other_mirrored, _ = numbers(generator)
    return (turned(image, quarters, mirrored) * brightness).clamp(0, 1), turned(mask, other_quarters, other_mirrored)


def mask_left(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return stacked(image, mask, generator)[0], mask.clone()


def mask_brightened(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    quarters, mirrored, brightness = numbers(generator)
    both = turned(torch.cat([image, mask]), quarters, mirrored) * brightness
    return both[:3].clamp(0, 1), both[3:].clamp(0, 1)


def own_numbers(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    quarters, mirrored, brightness = numbers(None)
    both = turned(torch.cat([image, mask]), quarters, mirrored)
    return (both[:3] * brightness).clamp(0, 1), both[3:]


def not_clamped(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    quarters, mirrored, brightness = numbers(generator)
    return turned(image, quarters, mirrored) * brightness, turned(mask, quarters, mirrored)


def three_quarters_at_most_two(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    quarters = int(torch.randint(0, 3, (), generator=generator))
    _, mirrored, brightness = numbers(generator)
    return (turned(image, quarters, mirrored) * brightness).clamp(0, 1), turned(mask, quarters, mirrored)


def channels_flipped(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    quarters, mirrored, brightness = numbers(generator)
    image, mask = (torch.rot90(x, quarters, (1, 2)) for x in (image, mask))
    image, mask = (x.flip(0) if mirrored else x for x in (image, mask))
    return (image * brightness).clamp(0, 1), mask


def in_place(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    quarters, mirrored, brightness = numbers(generator)
    image.mul_(brightness).clamp_(0, 1)
    return turned(image, quarters, mirrored), turned(mask, quarters, mirrored)


# 1.4


def ids_in(folder: Path) -> list[str]:
    return sorted(path.stem for path in (folder / "train").iterdir())


def halves(ids: list[str], held: object) -> tuple[list[str], list[str]]:
    return [id for id in ids if not held(id)], [id for id in ids if held(id)]


def by_checksum(folder: Path, share: float) -> tuple[list[str], list[str]]:
    return halves(ids_in(folder), lambda id: zlib.crc32(id.encode()) < share * 2**32)


def by_a_seed_of_its_own(folder: Path, share: float) -> tuple[set[str], set[str]]:
    ids = set(ids_in(folder))
    held = {id for id in ids if random.Random(id).random() < share}
    return ids - held, held


def as_published(folder: Path, share: float) -> tuple[list[str], list[str]]:
    (folder / "validation").mkdir(exist_ok=True)
    left = sorted((folder / "train").glob("*.jpg"))
    for path in random.sample(left, round(share * len(left))):
        shutil.move(path, folder / "validation" / path.name)
    return ids_in(folder), [path.stem for path in (folder / "validation").glob("*.jpg")]


def not_moved(folder: Path, share: float) -> tuple[list[str], list[str]]:
    ids = ids_in(folder)
    held = set(random.sample(ids, round(share * len(ids))))
    return halves(ids, held.__contains__)


def seeded(folder: Path, share: float) -> tuple[list[str], list[str]]:
    ids = ids_in(folder)
    held = set(random.Random(0).sample(ids, round(share * len(ids))))
    return halves(ids, held.__contains__)


def every_third(folder: Path, share: float) -> tuple[list[str], list[str]]:
    ids = ids_in(folder)
    return halves(ids, lambda id: ids.index(id) % round(1 / share) == 0)


def salted(folder: Path, share: float) -> tuple[list[str], list[str]]:
    return halves(ids_in(folder), lambda id: hash(id) % 1000 < share * 1000)


def first_letter(folder: Path, share: float) -> tuple[list[str], list[str]]:
    return halves(ids_in(folder), lambda id: ord(id[0]) / 128 < share)


def paths(folder: Path, share: float) -> tuple[list[str], list[str]]:
    names = sorted(path.name for path in (folder / "train").iterdir())
    return halves(names, lambda id: zlib.crc32(id.encode()) < share * 2**32)


def all_to_learn(folder: Path, share: float) -> tuple[list[str], list[str]]:
    return ids_in(folder), by_checksum(folder, share)[1]


def by_the_packages_hash(folder: Path, share: float) -> tuple[list[str], list[str]]:
    return halves(ids_in(folder), lambda id: is_validation(id, share))


# 1.5


class Pairs(Dataset):
    """The part that every answer shares."""

    def __init__(self, images: np.ndarray, masks: np.ndarray, augment: object, seed: int, epoch: int) -> None:
        self.images, self.masks, self.augment, self.seed, self.epoch = images, masks, augment, seed, epoch

    def __len__(self) -> int:
        return len(self.masks)

    def tensors(self, i: int) -> tuple[Tensor, Tensor]:
        image = torch.tensor(self.images[i].transpose(2, 0, 1) / 255, dtype=torch.float32)
        return image, torch.tensor(self.masks[i][np.newaxis], dtype=torch.float32)

    def number(self, i: int) -> int:
        text = f"{self.seed} {self.epoch} {i}".encode()
        return int.from_bytes(hashlib.md5(text).digest()[:7], "big")

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator()
        generator.manual_seed(self.number(i))
        return self.augment(*self.tensors(i), generator)


class ByPlaces(Pairs):
    def number(self, i: int) -> int:
        return (self.seed * 10_000 + self.epoch) * 10_000 + i


class BySum(Pairs):
    def number(self, i: int) -> int:
        return self.seed + self.epoch + i


class WithoutEpoch(Pairs):
    def number(self, i: int) -> int:
        return self.seed * 1000 + i


class BySaltedHash(Pairs):
    def number(self, i: int) -> int:
        return hash(f"{self.seed}-{self.epoch}-{i}")


class OneGenerator(Pairs):
    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.generator = torch.Generator().manual_seed(self.seed * 1000 + self.epoch)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.augment(*self.tensors(i), self.generator)


class SeedsTheProgram(Pairs):
    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.augment(*self.tensors(i), torch.manual_seed(self.number(i)))


class Reshaped(Pairs):
    def tensors(self, i: int) -> tuple[Tensor, Tensor]:
        image = torch.from_numpy(self.images[i])
        return image.reshape(3, *image.shape[:2]).float() / 255, super().tensors(i)[1]


class Bytes(Pairs):
    def tensors(self, i: int) -> tuple[Tensor, Tensor]:
        return super().tensors(i)[0] * 255, super().tensors(i)[1]


class MaskDivided(Pairs):
    def tensors(self, i: int) -> tuple[Tensor, Tensor]:
        return super().tensors(i)[0], super().tensors(i)[1] / 255


class FlatMask(Pairs):
    def tensors(self, i: int) -> tuple[Tensor, Tensor]:
        return super().tensors(i)[0], super().tensors(i)[1][0]


class NotAugmented(Pairs):
    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        self.augment(*self.tensors(i), torch.Generator().manual_seed(self.number(i)))
        return self.tensors(i)


class OfThePackage(AugmentedLesions):
    pass


MIXED = "mixed = np.random.SeedSequence([self.seed, self.epoch, i])"

CASES = {
    "1.1": Cases(
        right={"by OpenCV": by_opencv, "by indexing": by_indexing},
        wrong={
            "bilinear": Fault(bilinear, "interpolation invents answers"),
            "bilinear, cut at one half": Fault(
                lambda mask, factor: (bilinear(mask, factor) >= 0.5).astype(np.uint8), "corners are rounded"
            ),
            "bilinear, above 0": Fault(
                lambda mask, factor: (bilinear(mask, factor) > 0).astype(np.uint8), "corners are rounded"
            ),
            "the whole mask repeated": Fault(
                lambda mask, factor: np.tile(mask, (factor, factor)), "several times, side by side"
            ),
            "rows only": Fault(lambda mask, factor: mask.repeat(factor, axis=0), "has shape ("),
            "height first": Fault(height_first, "the width first"),
            "as float": Fault(lambda mask, factor: by_opencv(mask, factor) * 1.0, "expected uint8"),
        },
        own={
            "resize_mask": lambda mask, factor: resize_mask(mask, Size(mask.shape[0] * factor, mask.shape[1] * factor))
        },
    ),
    "1.2": Cases(
        right={"by a loop": (by_loop, "C"), "by a pattern": (by_pattern, "c)")},
        wrong={
            "as published": Fault((by_place, "c"), "entry by entry of two lists"),
            "sorted naturally": Fault((by_length_and_place, "c"), "but its own mask is"),
            "up to the first underscore": Fault(
                (matched(lambda path: path.stem.split("_")[0]), "c"), "take away the suffix alone"
            ),
            "up to the first full stop": Fault(
                (
                    matched(
                        lambda path: path.name.split(".")[0].removesuffix("_Segmentation"),
                        lambda path: path.name.split(".")[0],
                    ),
                    "c",
                ),
                "but its own mask is",
            ),
            "rstrip": Fault((matched(lambda path: path.stem.rstrip("_Segmentation")), "c"), "letters, not a word"),  # noqa: B005
            "replace": Fault((matched(lambda path: path.stem.replace("_Segmentation", "")), "c"), "at the end of"),
            "None for what is missing": Fault((with_none, "c"), "leave it out"),
            "raises where a mask is missing": Fault((raises_on_the_first_gap, "c"), "raised KeyError"),
            "mended without a diagnosis": Fault((by_loop, "b"), "neither loader shuffles"),
            "another diagnosis": Fault((by_loop, "d"), "the colours do not matter"),
            "no letter": Fault((by_loop, "sorting"), "expected one of the letters"),
        },
        own={"pair": (by_the_package, "c")},
        equivalent={"overlaps(training_pairs)  ->  pass": "it prints the symptom, and the answer is the same"},
    ),
    "1.3": Cases(
        right={"by three bits": one_in_eight, "stacked as one tensor": stacked},
        wrong={
            "drawn twice": Fault(drawn_twice, "Draw the numbers once"),
            "mask left as it was": Fault(mask_left, "stayed as it was"),
            "mask brightened": Fault(mask_brightened, "belongs to the picture"),
            "the program's numbers": Fault(own_numbers, "generator=generator"),
            "not clamped": Fault(not_clamped, "clamp after brightening"),
            "never three quarters": Fault(three_quarters_at_most_two, "of the eight turns came up"),
            "channels mirrored": Fault(channels_flipped, "red, green and blue"),
            "in place": Fault(in_place, "changed in place"),
            "nothing drawn": Fault(lambda image, mask, generator: (image.clone(), mask.clone()), "nothing is drawn"),
        },
    ),
    "1.4": Cases(
        right={"by a checksum": (by_checksum, "a"), "by a seed of its own": (by_a_seed_of_its_own, "(a)")},
        wrong={
            "as published": Fault((as_published, "a"), "files were moved"),
            "drawn, but not moved": Fault((not_moved, "a"), "drawn afresh"),
            "a seeded draw": Fault((seeded, "a"), "fixes positions"),
            "every third": Fault((every_third, "a"), "changed sides"),
            "Python's hash": Fault((salted, "a"), "Python salts hash()"),
            "by the first letter": Fault((first_letter, "a"), "spread the ids evenly"),
            "names with endings": Fault((paths, "a"), "without their ending"),
            "held back and learnt from": Fault((all_to_learn, "a"), "in both lists"),
            "mended, but a seed is missed": Fault((by_checksum, "b"), "a seed would not save it"),
            "another diagnosis": Fault((by_checksum, "d"), "rounding changes"),
        },
        own={"is_validation": (by_the_packages_hash, "a")},
        equivalent={
            "three_starts(hold_back)  ->  pass": "it prints the symptom, and the answer is the same",
            "(held if place < share else to_learn).append(path.stem)  ->  "
            "(held if place <= share else to_learn).append(path.stem)": "no hash falls on the share exactly",
        },
    ),
    "1.5": Cases(
        right={"by a digest": Pairs, "each number its own places": ByPlaces},
        wrong={
            "a sum": Fault(BySum, "make up for each other"),
            "the epoch forgotten": Fault(WithoutEpoch, "the epoch does not reach"),
            "Python's hash of a text": Fault(BySaltedHash, "Python salts hash()"),
            "one generator": Fault(OneGenerator, "a fresh generator for every item"),
            "the program's generator": Fault(SeedsTheProgram, "of the whole program"),
            "reshaped": Fault(Reshaped, "move the axes with `permute`"),
            "bytes": Fault(Bytes, "divide by 255"),
            "the mask divided": Fault(MaskDivided, "0 and 1 already"),
            "a mask without channel": Fault(FlatMask, "the mask has shape"),
            "not what augment returned": Fault(NotAugmented, "was not returned"),
        },
        own={"AugmentedLesions": OfThePackage},
        equivalent={
            f"{MIXED}.generate_state(1)[0]  ->  {MIXED}.generate_state{other}": "the same number, the sequence's first"
            for other in ("(1)[-1]", "(2)[0]")
        },
    ),
}
