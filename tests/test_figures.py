"""Figures are tested by what they hold: lines, images, labels; outlines by where their pixels lie."""

from __future__ import annotations

import base64
import re

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from jaalnet_core.data.arrays import LesionArrays
from jaalnet_core.errors import DataError
from jaalnet_core.figures import (
    best_median_worst,
    contact_sheet,
    dice_histogram,
    draw_outlines,
    read_log,
    save_figure,
    training_curves,
)
from jaalnet_core.figures.outlines import EXPERT_COLOUR, PREDICTED_COLOUR, cut_into_dashes, outlines


def disc(side: int = 96, radius: int = 30, centre: tuple[int, int] | None = None) -> np.ndarray:
    mask = np.zeros((side, side), np.uint8)
    return cv2.circle(mask, centre or (side // 2, side // 2), radius, 1, -1)


def skin(side: int = 96) -> np.ndarray:
    return np.full((side, side, 3), (200, 160, 140), np.uint8)


def of_colour(picture: np.ndarray, colour: str) -> np.ndarray:
    target = np.round(255 * np.array(to_rgb(colour)))
    return (np.abs(picture.astype(float) - target) < 30).all(axis=2)


def near_border(mask: np.ndarray, pixels: int) -> np.ndarray:
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return (cv2.dilate(mask, kernel) - cv2.erode(mask, kernel)).astype(bool)


# Outlines


def test_outline_lies_on_the_border_and_nowhere_else():
    mask = disc()
    drawn = draw_outlines(skin(), predicted=mask)
    changed = (drawn != skin()).any(axis=2)
    assert changed.any()
    assert not (changed & ~near_border(mask, 4)).any()
    border = np.zeros_like(mask)
    cv2.circle(border, (48, 48), 30, 1, 1)
    assert changed[border > 0].mean() > 0.99  # closed, no gap


def test_outline_is_bright_on_a_dark_casing():
    drawn = draw_outlines(skin(), predicted=disc(), line_width=3)
    grey = drawn.astype(float).mean(axis=2)
    assert of_colour(drawn, PREDICTED_COLOUR).sum() > 100
    assert (grey < 40).sum() > 100  # the casing, without which yellow on white skin is lost


def test_the_picture_itself_is_left_alone():
    picture = skin()
    draw_outlines(picture, expert=disc(), predicted=disc(radius=20))
    assert (picture == skin()).all()


def test_expert_is_solid_and_predicted_dashed():
    expert, predicted = disc(192, 80), disc(192, 50)
    drawn = draw_outlines(skin(192), expert=expert, predicted=predicted, line_width=2)
    angles = np.linspace(0, 2 * np.pi, 360, endpoint=False)

    def share_of_circle(radius: int, colour: str) -> float:
        hits = 0
        painted = of_colour(drawn, colour)
        for angle in angles:
            x, y = 96 + radius * np.cos(angle), 96 + radius * np.sin(angle)
            hits += painted[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].any()
        return hits / len(angles)

    assert share_of_circle(80, EXPERT_COLOUR) > 0.99
    assert 0.4 < share_of_circle(50, PREDICTED_COLOUR) < 0.85
    assert share_of_circle(80, PREDICTED_COLOUR) == 0


def test_where_both_agree_both_are_seen():
    drawn = draw_outlines(skin(192), expert=disc(192, 60), predicted=disc(192, 60), line_width=3)
    assert of_colour(drawn, EXPERT_COLOUR).sum() > 200
    assert of_colour(drawn, PREDICTED_COLOUR).sum() > 200


def test_a_lone_outline_is_solid_unless_asked():
    solid = of_colour(draw_outlines(skin(), predicted=disc(), line_width=2), PREDICTED_COLOUR)
    dashed = of_colour(draw_outlines(skin(), predicted=disc(), line_width=2, dashed=True), PREDICTED_COLOUR)
    assert dashed.sum() < 0.75 * solid.sum()


def test_a_mask_over_the_whole_frame_is_seen_inside_it():
    drawn = draw_outlines(skin(), predicted=np.ones((96, 96), np.uint8), line_width=3)
    bright = of_colour(drawn, PREDICTED_COLOUR)
    assert bright[3, 10:-10].all()
    assert bright[10:-10, -4].all()


@pytest.mark.parametrize("mask", [np.zeros((96, 96), np.uint8), np.zeros((96, 96), bool)])
def test_an_empty_mask_draws_nothing(mask):
    assert (draw_outlines(skin(), expert=mask, predicted=mask) == skin()).all()


def test_a_single_pixel_is_still_marked():
    mask = np.zeros((96, 96), np.uint8)
    mask[40, 50] = 1
    drawn = draw_outlines(skin(), expert=np.zeros_like(mask), predicted=mask)
    assert (drawn[40, 50] != skin()[40, 50]).any()


def test_holes_are_outlined_too():
    ring = disc(96, 40) - disc(96, 15)
    assert len(outlines(ring)) == 2
    drawn = draw_outlines(skin(), predicted=ring)
    assert (drawn[48, 48 + 15] != skin()[48, 48 + 15]).any()


def test_lines_grow_with_the_picture():
    def area(side: int) -> int:
        return of_colour(draw_outlines(skin(side), predicted=disc(side, side // 3)), PREDICTED_COLOUR).sum()

    assert area(960) > 6 * area(240)  # a line as thin as on the small one would give 4


@pytest.mark.parametrize(
    ("picture", "mask", "named"),
    [
        (np.zeros((8, 8), np.uint8), None, "picture"),
        (np.zeros((8, 8, 3), np.float32), None, "picture"),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9), np.uint8), "expert"),
    ],
)
def test_shapes_that_do_not_fit_are_named(picture, mask, named):
    with pytest.raises(ValueError, match=named):
        draw_outlines(picture, expert=mask)


@given(length=st.floats(1, 2000), dash=st.floats(2, 40))
@settings(max_examples=60, deadline=None)
def test_dashes_cover_half_the_line(length, dash):
    line = np.array([[0, 0], [0.3 * length, 0], [length, 0]], np.float32)
    pieces = cut_into_dashes(line, dash)
    covered = sum(float(np.hypot(*(piece[-1] - piece[0]))) for piece in pieces)
    assert covered == pytest.approx(length if len(pieces) == 1 else length / 2, rel=1e-3)


# Contact sheet


@given(scores=st.lists(st.floats(0, 1), min_size=1, max_size=40), count=st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_groups_never_share_an_image(scores, count):
    scores = np.array(scores)
    groups = best_median_worst(scores, count)
    chosen = np.concatenate(list(groups.values()))
    assert len(set(chosen.tolist())) == len(chosen)
    assert scores[groups["best"][0]] == scores.max()
    if len(scores) >= 3:
        assert scores[groups["worst"][-1]] == scores.min()
        assert all(len(group) == min(count, len(scores) // 3) for group in groups.values())
    for group in groups.values():
        assert (np.diff(scores[group]) <= 0).all()


def test_groups_of_nine():
    groups = best_median_worst(np.array([0.1, 0.9, 0.5, 0.2, 0.8, 0.4, 0.3, 0.7, 0.6]), 1)
    assert {name: group.tolist() for name, group in groups.items()} == {
        "best": [1],
        "median": [2],
        "worst": [0],
    }


def twelve() -> tuple[LesionArrays, np.ndarray, np.ndarray]:
    masks = np.stack([disc(64, 8 + index) for index in range(12)])
    arrays = LesionArrays(tuple(f"id{index}" for index in range(12)), np.stack([skin(64)] * 12), masks)
    return arrays, masks.copy(), np.linspace(0.5, 0.95, 12)


def test_sheet_shows_the_right_images_with_ids_and_scores():
    arrays, predictions, dice = twelve()
    figure = contact_sheet(arrays, predictions, dice, columns=2, title="twelve")
    assert f"Best: Dice {np.sort(dice)[-1]:.3f}" in figure.alt
    assert f"{dice.min():.3f}." in figure.alt  # the worst comes last
    shown = [axes for axes in figure.axes if axes.images]
    labels = [axes.get_xlabel() for axes in shown]
    expected = [11, 10, 6, 5, 1, 0]
    assert labels == [f"id{index}\nDice {dice[index]:.3f}" for index in expected]
    rows = [axes.get_ylabel() for axes in shown if axes.get_ylabel()]
    assert rows == ["best", "median", "worst"]
    assert figure.get_suptitle() == "twelve"
    drawn = shown[0].images[0].get_array()
    assert of_colour(drawn, EXPERT_COLOUR).any()
    assert of_colour(drawn, PREDICTED_COLOUR).any()
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"expert", "predicted"}


def test_sheet_says_where_the_network_drew_nothing():
    arrays, predictions, dice = twelve()
    predictions[11] = 0
    figure = contact_sheet(arrays, predictions, dice, columns=2)
    labels = [axes.get_xlabel() for axes in figure.axes if axes.images]
    assert [("no outline" in label) for label in labels] == [True, False, False, False, False, False]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_sheet_of_few_images_draws(count, tmp_path):
    arrays, predictions, dice = twelve()
    figure = contact_sheet(arrays.take(range(count)), predictions[:count], dice[:count])
    assert sum(bool(axes.images) for axes in figure.axes) == min(count, 3)
    assert save_figure(figure, tmp_path / "sheet.png").stat().st_size > 1000


def test_long_ids_are_shortened_in_the_middle():
    arrays, predictions, dice = twelve()
    renamed = LesionArrays(tuple(f"clinic-camera-{index:010d}" for index in range(12)), arrays.images, arrays.masks)
    figure = contact_sheet(renamed, predictions, dice, columns=1)
    assert figure.axes[0].get_xlabel().split("\n")[0] == "clini…00000011"


def test_sheet_refuses_what_does_not_belong_together():
    arrays, predictions, dice = twelve()
    with pytest.raises(ValueError, match="12 pictures of 64x64"):
        contact_sheet(arrays, predictions[:5], dice)
    with pytest.raises(ValueError, match="at least one picture"):
        contact_sheet(arrays.take([]), predictions[:0], dice[:0])


def test_histogram_counts_every_image():
    dice = np.array([0.0, 0.02, 0.93, 0.94, 0.97, 1.0])
    figure = dice_histogram(dice)
    assert f"mean {dice.mean():.3f}" in figure.alt
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert sum(heights) == len(dice)
    assert heights[0] == 2
    assert heights[-1] == 2  # 0.97 and the perfect score both lie in the last bar
    assert figure.axes[0].lines[0].get_xdata()[0] == pytest.approx(dice.mean())
    assert figure.axes[0].lines[1].get_xdata()[0] == pytest.approx(np.median(dice))


# Curves

COLUMNS = (
    "epoch,seconds,learning_rate,d_loss,g_loss,adversarial,region,contour,d_real,d_fake,validation_dice,validation_iou"
)


@pytest.fixture
def log_file(tmp_path):
    rows = [
        "1,9.0,1e-4,0.69,3.0,0.70,2.0,0.30,0.51,0.50,0.60,0.45",
        "2,9.0,2e-4,0.66,2.0,0.72,1.2,0.20,0.55,0.45,,",
        "3,9.0,1e-4,0.65,1.5,0.75,0.8,0.15,0.58,0.41,0.80,0.70",
        "4,9.0,5e-5,0.64,1.2,0.77,0.6,0.12,0.60,0.40,0.78,0.68",
    ]
    path = tmp_path / "log.csv"
    path.write_text("\n".join([COLUMNS, *rows]) + "\n", encoding="utf-8")
    return path


def panel(figure, title):
    return next(axes for axes in figure.axes if axes.get_title("left") == title)


def test_log_is_read_by_column(log_file):
    log = read_log(log_file)
    assert list(log) == COLUMNS.split(",")
    assert log["epoch"].tolist() == [1, 2, 3, 4]
    assert np.isnan(log["validation_dice"][1])


def test_curves_hold_the_log(log_file):
    figure = training_curves(log_file, title="run-1")
    losses = {line.get_label(): line for line in panel(figure, "LF-Net's losses").lines}
    assert losses["total"].get_ydata().tolist() == [3.0, 2.0, 1.5, 1.2]
    assert losses["region"].get_ydata().tolist() == [2.0, 1.2, 0.8, 0.6]
    opponents = panel(figure, "Losses of the two opponents").lines
    assert [line.get_ydata()[0] for line in opponents] == [0.69, 0.70]
    opinion = panel(figure, "DA-Net: how real is it?")
    assert opinion.lines[0].get_ydata().tolist() == [0.51, 0.55, 0.58, 0.60]
    assert opinion.lines[1].get_ydata().tolist() == [0.50, 0.45, 0.41, 0.40]
    assert figure.get_suptitle() == "run-1"


def test_a_skipped_validation_leaves_no_gap_and_the_best_epoch_is_ringed(log_file):
    lines = panel(training_curves(log_file), "Validation, per image").lines
    assert lines[0].get_xdata().tolist() == [1, 3, 4]
    ring = lines[-1]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (3, 0.80)
    assert "0.800, epoch 3" in ring.get_label()


def test_lines_differ_without_colour(log_file):
    for axes in training_curves(log_file).axes:
        curves = [line for line in axes.lines if len(line.get_xdata()) > 2]
        styles = {str(line._dash_pattern) for line in curves}
        assert len(styles) == len(curves) > 1


def test_a_run_without_discriminator_says_so(log_file):
    log = read_log(log_file)
    for name in ("d_loss", "adversarial", "d_real", "d_fake"):
        log[name] = np.full(4, np.nan)
    del log["d_fake"]
    figure = training_curves(log)
    for title in ("Losses of the two opponents", "DA-Net: how real is it?"):
        axes = panel(figure, title)
        assert not axes.lines
        assert axes.texts[0].get_text() == "not part of this run"


def test_losses_far_apart_get_a_logarithmic_axis(log_file):
    log = read_log(log_file)
    assert panel(training_curves(log), "LF-Net's losses").get_yscale() == "linear"
    log["g_loss"] = 150 * log["g_loss"]
    assert panel(training_curves(log), "LF-Net's losses").get_yscale() == "log"


def test_one_epoch_is_a_visible_point(log_file):
    figure = training_curves({name: values[:1] for name, values in read_log(log_file).items()})
    axes = panel(figure, "LF-Net's losses")
    assert axes.lines[0].get_marker() == "o"
    assert axes.get_xlim() == (0, 2)


def test_no_legend_of_the_training_curves_lies_over_a_line(log_file):
    figure = training_curves(log_file)
    figure.draw_without_rendering()
    for axes in figure.axes:
        legend = axes.get_legend().get_window_extent()
        assert legend.y0 >= axes.get_window_extent().y1 - 6, axes.get_title(loc="left")  # pixels


@pytest.mark.parametrize("text", [None, "", COLUMNS + "\n", "a,b\n1,2\n"])
def test_a_log_without_epochs_is_named(tmp_path, text):
    path = tmp_path / "log.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=r"log\.csv"):
        training_curves(path)


# Every figure


def test_figures_are_saved_whole_and_small(log_file, tmp_path):
    path = save_figure(training_curves(log_file), tmp_path / "new" / "curves.png")
    height, width = imread(path).shape[:2]
    assert (width, height) == (960, 630)
    assert [file.name for file in path.parent.iterdir()] == ["curves.png"]


@pytest.mark.parametrize("dpi", [150, 72])
def test_a_figure_is_drawn_once_into_the_bytes_of_savefig(log_file, tmp_path, monkeypatch, dpi):
    plain = training_curves(log_file, title="run-1")
    plain.savefig(tmp_path / "plain.png", dpi=150, metadata={"Description": plain.alt})
    figure = training_curves(log_file, title="run-1")
    figure.set_dpi(dpi)
    canvas, drawn = figure.canvas, []
    monkeypatch.setattr(Axes, "draw", lambda axes, *args, draw=Axes.draw: drawn.append(axes) or draw(axes, *args))
    assert save_figure(figure, tmp_path / "own.png").read_bytes() == (tmp_path / "plain.png").read_bytes()
    assert drawn == figure.axes
    assert (figure.canvas, figure.dpi) == (canvas, dpi)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = save_figure(dice_histogram(np.array([0.5])), tmp_path / "old.png")
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save_figure(dice_histogram(np.array([0.7])), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["old.png"]


def test_a_notebook_shows_the_figure_without_any_backend():
    figure = dice_histogram(np.array([0.5, 0.8]))
    figure.alt = 'two scores, "0.5" & 0.8'
    shown = figure._repr_html_()
    data = re.search(r'src="data:image/png;base64,([^"]+)"', shown)[1]
    assert base64.b64decode(data).startswith(b"\x89PNG")
    assert 'width="600"' in shown
    assert 'alt="two scores, &quot;0.5&quot; &amp; 0.8"' in shown


def test_no_figure_is_left_with_pyplot(log_file):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    training_curves(log_file)
    dice_histogram(np.array([0.5]))
    assert plt.get_fignums() == before
