"""Odd pictures end in the right pixels or a clear error; and the studies that say so can fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import odd_pictures
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odd_files import OddFile, read_all
from odd_pictures import STUDIES, a_whole_one, an_impostor, corpus, read_large
from PIL import Image
from promise import on_linux, promises_hold
from whole_pictures import exif, saved, stored, whole_picture

from jaalnet_core.data.pictures import read_picture
from jaalnet_core.errors import PictureError

test_the_promise_holds = promises_hold(STUDIES)


@on_linux
@pytest.mark.parametrize(
    ("reader", "words"),
    [
        ("takes_anything", "expected a refusal"),
        ("leaks_errors", "no error for people"),
        ("names_nothing", "no error for people that names the file"),
        ("never_ends", "the reader ended with -14"),
        ("is_greedy", "MemoryError"),
    ],
)
def test_a_reader_that_takes_impostors_badly_is_found_out(reader: str, words: str, tmp_path: Path) -> None:
    tally = read_all(corpus(an_impostor, 3, 4), tmp_path, reader=f"spoilt_readers:{reader}", seconds=2)
    assert any(words in line for line in tally.broken)


@on_linux
def test_a_reader_of_other_pixels_is_found_out(tmp_path: Path) -> None:
    files = (whole_picture(np.random.default_rng(seed), "PNG, alpha") for seed in range(4))
    tally = read_all(files, tmp_path / "clear", reader="spoilt_readers:turns_nothing")
    assert any("away on the mean" in line for line in tally.broken)
    tally = read_all(iter([OddFile("text", ".png", b"text", "read")]), tmp_path / "text")
    assert "refused" in tally.broken[0]


@on_linux
def test_memory_beyond_the_promise_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odd_pictures, "_BYTES_A_PIXEL", 2)
    assert "were promised" in read_large(1, tmp_path).broken[0]


def test_the_same_seed_makes_the_same_files() -> None:
    first, again = (list(corpus(a_whole_one, 50, 9)) for _ in range(2))
    assert [one.content for one in first] == [one.content for one in again]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sides=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    kind=st.sampled_from(["PNG", "TIFF", "BMP"]),
    orientation=st.integers(0, 9),
    seed=st.integers(0, 2**32 - 1),
    spoil=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=3),
    share=st.floats(0, 1) | st.just(1.0),
)
def test_whatever_was_done_to_a_file_it_is_a_picture_or_a_picture_error(
    tmp_path: Path,
    sides: tuple[int, int],
    kind: str,
    orientation: int,
    seed: int,
    spoil: list[tuple[float, int]],
    share: float,
) -> None:
    values = np.random.default_rng(seed).integers(0, 256, (*sides, 3), dtype=np.uint8)
    turn = orientation if kind != "BMP" and 1 <= orientation <= 8 else 1
    options = {} if kind == "BMP" else {"exif": exif(orientation)}
    whole = bytearray(saved(Image.fromarray(stored(values, turn)), kind, **options))
    content = bytearray(whole)
    for place, byte in spoil:
        content[int(place * len(content))] = byte
    content = content[: round(share * len(content))]
    path = tmp_path / "odd.png"
    path.write_bytes(content)
    refusal = read = None
    try:
        read = read_picture(path)
    except PictureError as error:
        refusal = str(error)
    if read is None:
        assert "odd.png" in refusal
        assert content != whole
    else:
        assert read.dtype == np.uint8
        assert read.shape[2:] == (3,)
        if kind == "PNG" or content == whole:
            assert np.array_equal(read, values)
