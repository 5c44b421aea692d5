"""The synthetic set: deterministic, plausible, honest about its masks, and safe on the disk."""

from __future__ import annotations

import json
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaalnet_core.cli import main
from jaalnet_core.data.layout import find_layout
from jaalnet_core.data.pictures import read_mask, read_picture
from jaalnet_core.data.synthetic import dataset, make_arrays, make_picture, make_scene, write_dataset
from jaalnet_core.data.synthetic.artefacts import add_hairs, add_stickers, draw_ring
from jaalnet_core.data.synthetic.camera import photograph
from jaalnet_core.data.synthetic.lesion import draw_outline
from jaalnet_core.data.synthetic.noise import fractal_noise, oriented_noise, ridges, smooth_noise, stream
from jaalnet_core.data.synthetic.tones import draw_tones, lab_to_rgb
from jaalnet_core.errors import DataError, SettingsError
from jaalnet_core.size import Size

SMALL = Size(96, 96)


def otsu_dice(picture: np.ndarray, mask: np.ndarray) -> float:
    """Dice of 'dark is lesion' at Otsu's threshold."""
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
    dark = grey < threshold
    return 2 * float((dark & (mask > 0)).sum()) / float(dark.sum() + mask.sum())


def contrast(picture: np.ndarray, mask: np.ndarray) -> float:
    """Mean grey value of a ring of skin around the lesion, less that of the lesion."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
    around = cv2.dilate(mask, np.ones((11, 11), np.uint8)).astype(bool) & (mask == 0)
    return grey[around].mean() - grey[mask > 0].mean()


class TestPicture:
    def test_same_seed_and_index_give_the_same_bytes(self):
        first, second = make_picture(3, 11, SMALL), make_picture(3, 11, SMALL)
        assert first[0].tobytes() == second[0].tobytes()
        assert first[1].tobytes() == second[1].tobytes()

    def test_order_of_calls_does_not_matter(self):
        alone = make_picture(3, 5, SMALL)[0]
        make_picture(8, 1, SMALL)
        np.random.default_rng(0).random()
        assert np.array_equal(alone, make_picture(3, 5, SMALL)[0])

    @pytest.mark.parametrize(("seed", "index"), [(3, 12), (4, 11)])
    def test_another_seed_or_index_gives_another_picture(self, seed, index):
        picture, mask = make_picture(3, 11, SMALL)
        other_picture, other_mask = make_picture(seed, index, SMALL)
        assert not np.array_equal(picture, other_picture)
        assert not np.array_equal(mask, other_mask)

    @settings(max_examples=40, deadline=None)
    @given(
        seed=st.integers(0, 2**40),
        index=st.integers(0, 2**31),
        height=st.integers(32, 150),
        width=st.integers(32, 150),
        difficulty=st.floats(0, 1),
    )
    def test_any_size_and_setting_gives_a_picture_and_a_usable_mask(self, seed, index, height, width, difficulty):
        scene = make_scene(seed, index, Size(height, width), difficulty)
        assert scene.picture.shape == (height, width, 3)
        assert scene.picture.dtype == np.uint8
        assert scene.mask.shape == (height, width)
        assert scene.mask.dtype == np.uint8
        assert set(np.unique(scene.mask)) == {0, 1}  # binary, neither empty nor full
        assert not (scene.mask.astype(bool) & scene.covered).any()

    def test_the_same_scene_at_every_size(self):
        small, large = make_picture(0, 4, Size(64, 64)), make_picture(0, 4, Size(256, 192))
        shrunk = cv2.resize(large[1], (64, 64), interpolation=cv2.INTER_AREA) > 0
        agreement = 2 * (shrunk & (small[1] > 0)).sum() / (shrunk.sum() + small[1].sum())
        assert agreement > 0.9

    def test_the_mask_is_one_piece_without_holes(self):
        for index in range(25):
            mask = make_scene(1, index, SMALL, 0.2)
            if mask.covered.any():
                continue  # a ring may cut the lesion
            contours, hierarchy = cv2.findContours(mask.mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            assert len(contours) == 1
            assert hierarchy[0, 0, 2] == -1

    def test_areas_spread_as_real_lesions_do(self):
        areas = [make_picture(2, i, Size(48, 48))[1].mean() for i in range(150)]
        assert 0.15 < np.median(areas) < 0.28  # real training masks: 0.21
        assert min(areas) < 0.05
        assert max(areas) > 0.6

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ((-1, 0, SMALL, 0.5), "seed"),
            ((0, -1, SMALL, 0.5), "index"),
            ((0, 0, Size(31, 64), 0.5), "32"),
            ((0, 0, SMALL, 1.1), "difficulty"),
            ((0, 0, SMALL, (0.8, 0.2)), "difficulty"),
        ],
    )
    def test_settings_out_of_range_are_named(self, arguments, words):
        with pytest.raises(SettingsError, match=words):
            make_picture(*arguments)

    def test_cost_grows_with_the_pixels_not_faster(self):
        def seconds(size: Size) -> float:
            make_picture(0, 0, size)
            start = time.process_time()
            for index in range(8):
                make_picture(0, index, size)
            return time.process_time() - start

        assert seconds(Size(256, 256)) < 40 * seconds(Size(64, 64))  # 16 times the pixels


class TestDifficulty:
    def test_low_difficulty_means_dark_lesions(self):
        differences = [contrast(*make_picture(5, i, SMALL, 0.0)) for i in range(30)]
        assert min(differences) > 8

    def test_otsu_finds_it_harder_and_harder(self):
        dice = [np.mean([otsu_dice(*make_picture(6, i, SMALL, level)) for i in range(40)]) for level in (0.0, 0.5, 1.0)]
        assert dice[0] > dice[1] + 0.05
        assert dice[1] > dice[2] + 0.03
        assert dice[0] > 0.75

    def test_a_pair_lets_each_picture_draw_its_own(self):
        drawn = [make_scene(0, i, Size(32, 32), (0.2, 0.6)).difficulty for i in range(40)]
        assert 0.2 <= min(drawn) < 0.3
        assert 0.5 < max(drawn) <= 0.6
        assert make_scene(0, 3, Size(32, 32), (0.4, 0.4)).difficulty == 0.4

    def test_nothing_covers_the_skin_at_difficulty_0(self):
        assert not any(make_scene(7, i, Size(32, 32), 0.0).covered.any() for i in range(40))

    def test_rings_and_stickers_are_met_and_stay_out_of_the_mask(self):
        scenes = [make_scene(7, i, SMALL, 1.0) for i in range(40)]
        covered = [scene for scene in scenes if scene.covered.any()]
        assert len(covered) >= 8
        assert not any((scene.covered & (scene.mask > 0)).any() for scene in scenes)


class TestParts:
    def test_a_sticker_leaves_the_lesion_free_and_paints_what_it_reports(self):
        mask = np.zeros(SMALL, dtype=np.uint8)
        mask[40:56, 40:56] = 1
        painted = 0
        for index in range(12):
            picture = np.full((3, *SMALL), 0.5, dtype=np.float32)
            covered = add_stickers(stream(0, index, 0), picture, SMALL, mask, 1.0)
            if covered is None:
                assert np.all(picture == 0.5)
                continue
            painted += 1
            assert not (covered & (mask > 0)).any()
            assert np.all(picture[:, ~covered] == 0.5)
            assert np.abs(picture[:, covered] - 0.5).max() > 0.05 or not covered.any()
        assert painted > 1

    def test_a_ring_is_dark_outside_and_open_inside(self):
        rings = [draw_ring(stream(0, i, 0), SMALL, 1.0) for i in range(30)]
        rings = [ring for ring in rings if ring is not None]
        assert 3 < len(rings) < 27
        for through, open_view in rings:
            assert through[48, 48] == 1
            assert open_view[48, 48]
            assert through.min() >= 0
            assert not open_view[through < 0.05].any()

    def test_hairs_are_thin(self):
        changed = []
        for index in range(20):
            picture = np.full((3, *SMALL), 0.7, dtype=np.float32)
            add_hairs(stream(1, index, 0), picture, SMALL, 1.0)
            changed.append((np.abs(picture - 0.7).max(axis=0) > 0.02).mean())
        assert max(changed) > 0.02
        assert np.median(changed) < 0.35

    def test_the_lesion_fills_the_part_of_the_open_view_it_was_drawn_for(self):
        view = np.zeros(SMALL, dtype=bool)
        view[20:76, 20:76] = True
        for index in range(10):
            outline = draw_outline(stream(2, index, 0), SMALL, 0.5, view)
            assert 0 < outline.mask.sum() < view.sum()
            assert not (outline.mask.astype(bool) & ~view).any()

    def test_tones_are_colours_and_mostly_darker_than_the_skin(self):
        tones = [draw_tones(stream(3, i, 0), 0.5) for i in range(200)]
        colours = np.array([[t.skin, t.lesion] for t in tones])
        assert colours.min() > 0
        assert colours.max() <= 1
        darker = (colours[:, 1].mean(axis=1) < colours[:, 0].mean(axis=1)).mean()
        assert 0.9 < darker < 1.0  # a few lesions are lighter than their skin

    def test_lab_white_and_black(self):
        white, black = lab_to_rgb(np.array([[100.0, 0, 0], [0.0, 0, 0]]))
        assert white.min() > 0.9
        assert 0 < black.max() < 0.1

    @pytest.mark.parametrize("size", [Size(32, 200), Size(256, 64)])
    def test_noise_has_the_size_mean_and_spread_it_promises(self, size):
        rng = np.random.default_rng(0)
        fields = (
            smooth_noise(rng, size, 12),
            fractal_noise(rng, size, 6),
            oriented_noise(rng, size, (10, 30), 0.7),
        )
        for field in fields:
            assert field.shape == size
            assert field.dtype == np.float32
            assert abs(field.mean()) < 0.35
            assert 0.6 < field.std() < 1.5

    def test_ridges_lie_on_the_zero_crossings(self):
        line = ridges(np.array([-1.0, -0.1, 0.0, 0.1, 1.0], dtype=np.float32), 0.2)
        assert line == pytest.approx([0, 0.5, 1, 0.5, 0])

    def test_the_camera_keeps_an_even_grey_and_its_channels_apart(self):
        scene = np.empty((3, *SMALL), dtype=np.float32)
        scene[:] = np.array((0.8, 0.5, 0.2), dtype=np.float32)[:, None, None]
        picture = photograph(np.random.default_rng(0), scene, SMALL, 0.0)
        assert picture.mean(axis=(0, 1)) == pytest.approx([204, 127, 51], abs=14)


class TestSets:
    def test_arrays_are_the_pictures(self):
        arrays = make_arrays(3, Size(40, 64), seed=2, first=7, progress=False)
        assert arrays.images.shape == (3, 40, 64, 3)
        assert arrays.ids == ("synthetic_0000007", "synthetic_0000008", "synthetic_0000009")
        for i in range(3):
            picture, mask = make_picture(2, 7 + i, Size(40, 64))
            assert np.array_equal(arrays.images[i], picture)
            assert np.array_equal(arrays.masks[i], mask)

    def test_an_empty_set_is_refused(self, tmp_path):
        with pytest.raises(SettingsError, match="count"):
            make_arrays(0, SMALL, progress=False)
        with pytest.raises(SettingsError, match="test"):
            write_dataset(tmp_path / "set", train=1, test=0)

    def test_files_read_back_as_the_arrays(self, tmp_path):
        folder = write_dataset(tmp_path / "set", train=4, test=2, size=Size(48, 64), seed=9, progress=False)
        layout = find_layout(folder)
        assert layout.kind == "folders"
        for samples, first in ((layout.train, 0), (layout.test, dataset.TEST_START)):
            arrays = make_arrays(len(samples), Size(48, 64), seed=9, first=first, progress=False)
            assert tuple(sample.id for sample in samples) == arrays.ids
            for sample, image, mask in zip(samples, arrays.images, arrays.masks, strict=True):
                assert np.array_equal(read_picture(sample.picture), image)
                assert np.array_equal(read_mask(sample.mask), mask)
        assert (len(layout.train), len(layout.test)) == (4, 2)
        kept = json.loads((folder / "synthetic.json").read_text())
        assert kept["size"] == [48, 64]
        assert kept["seed"] == 9

    def test_a_set_of_the_same_settings_is_kept(self, tmp_path, monkeypatch):
        wanted = {"train": 2, "test": 1, "size": Size(32, 32), "progress": False}
        folder = write_dataset(tmp_path / "set", **wanted)
        monkeypatch.setattr(dataset, "make_picture", lambda *_: pytest.fail("made again"))
        assert write_dataset(tmp_path / "set", **wanted) == folder

    @pytest.mark.parametrize("change", [{"seed": 1}, {"train": 3}, {"difficulty": (0.1, 0.9)}])
    def test_other_settings_replace_it(self, tmp_path, change):
        wanted = {"train": 2, "test": 1, "size": Size(32, 32), "progress": False}
        folder = write_dataset(tmp_path / "set", **wanted)
        before = {path.name: path.read_bytes() for path in folder.rglob("*.png")}
        write_dataset(folder, **(wanted | change))
        after = {path.name: path.read_bytes() for path in folder.rglob("*.png")}
        assert before != after
        assert [path.name for path in tmp_path.iterdir()] == ["set"]

    def test_a_set_that_lost_a_file_is_made_again(self, tmp_path):
        wanted = {"train": 2, "test": 1, "size": Size(32, 32), "progress": False}
        folder = write_dataset(tmp_path / "set", **wanted)
        lost = next((folder / "train" / "masks").iterdir())
        lost.unlink()
        write_dataset(folder, **wanted)
        assert lost.exists()

    def test_an_interrupted_set_leaves_nothing(self, tmp_path, monkeypatch):
        def stop_at_two(seed, index, size, difficulty):
            if index == 2:
                raise KeyboardInterrupt
            return make_picture(seed, index, size, difficulty)

        monkeypatch.setattr(dataset, "make_picture", stop_at_two)
        with pytest.raises(KeyboardInterrupt):
            write_dataset(tmp_path / "set", train=4, test=1, size=Size(32, 32), progress=False)
        assert list(tmp_path.iterdir()) == []

    def test_somebody_elses_folder_is_left_alone(self, tmp_path):
        (tmp_path / "holiday.jpg").write_bytes(b"mine")
        with pytest.raises(DataError, match="something other"):
            write_dataset(tmp_path, train=1, test=1, size=Size(32, 32), progress=False)
        assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


class TestCommand:
    def test_it_makes_a_set_and_a_contact_sheet(self, tmp_path, capsys):
        out, sheet = tmp_path / "set", tmp_path / "sheet.png"
        command = f"data synthesize --out {out} --train 9 --test 1 --size 48x32 --difficulty 0.2 --hardest 0.8"
        assert main([*command.split(), "--sheet", str(sheet)]) == 0
        assert "9 training and 1 test" in capsys.readouterr().out
        assert read_picture(find_layout(out).train[0].picture).shape == (32, 48, 3)
        assert cv2.imread(str(sheet)).shape == (320, 1280, 3)
        assert json.loads((out / "synthetic.json").read_text())["difficulty"] == [0.2, 0.8]

    def test_a_wrong_difficulty_is_one_line(self, tmp_path, capsys):
        status = main(["data", "synthesize", "--out", str(tmp_path / "set"), "--difficulty", "3"])
        assert status == 1
        assert "difficulty" in capsys.readouterr().err
        assert not (tmp_path / "set").exists()


@pytest.mark.real_data
class TestBesideTheRealSet:
    """The generator's middle difficulty against real TRAINING pictures; the test set is never looked at."""

    def test_areas_colours_and_otsu_are_like_the_real_ones(self, real_data: Path):
        samples = find_layout(real_data).train[::6]
        real = [(read_picture(sample.picture), read_mask(sample.mask)) for sample in samples]
        made = [make_picture(0, i, Size(256, 256)) for i in range(len(real))]
        for measure, tolerance in (
            (lambda picture, mask: mask.mean(), 0.06),
            (lambda picture, mask: picture[mask == 0].mean() / 255, 0.10),
            (lambda picture, mask: picture[mask > 0].mean() / 255, 0.10),
            (otsu_dice, 0.15),
        ):
            expected = np.mean([measure(*pair) for pair in real])
            assert np.mean([measure(*pair) for pair in made]) == pytest.approx(expected, abs=tolerance)
