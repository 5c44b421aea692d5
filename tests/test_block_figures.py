"""Figures and widgets of the lessons on contour attention and on blocks, tested by what they hold and say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from module_cases import randomised

from jaalnet_core import course
from jaalnet_core.convolution_cost import saving
from jaalnet_core.figures.convolution_cost import cost_figure
from jaalnet_core.figures.depth import gradient_by_depth
from jaalnet_core.figures.gates import gate_levels, gates_and_outline, stream_levels
from jaalnet_core.figures.number_grid import number_grid
from jaalnet_core.gating import outline_dice, run_with_gates, stream_contrast
from jaalnet_core.lf_net import build_lf_net
from jaalnet_core.widgets.cost import cost_panel
from jaalnet_core.widgets.gates import AS_THEY_ARE, OPEN, SHUT, gate_panel


@pytest.fixture(scope="module")
def network():
    return randomised(build_lf_net("tiny"))


@pytest.fixture(scope="module")
def arrays():
    return course.synthetic_pictures(2, 32)


def shown(figure) -> list[np.ndarray]:
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def test_contrast_is_nothing_where_a_stream_is_even_and_counts_every_channel():
    stream = torch.full((1, 2, 1, 4), 5.0)
    assert not stream_contrast(stream).any()
    stream[0, 0, 0] = torch.tensor([4.0, 4.0, 4.0, 8.0])  # mean 5: -1, -1, -1, 3; the other channel stays even
    torch.testing.assert_close(stream_contrast(stream)[0, 0], torch.tensor([1.0, 1.0, 1.0, 3.0]) / 2**0.5)


def test_stream_levels_hold_each_run_s_streams_and_its_outline(network, arrays):
    images, _ = arrays.tensors()
    runs = {"as trained": run_with_gates(network, images), "shut": run_with_gates(network, images, forced=0.0)}
    drawn = shown(stream_levels(runs, 1, alt="Streams as trained and with gates shut."))
    assert [image.shape[0] for image in drawn] == [4, 8, 16, 32, 32] * 2
    np.testing.assert_allclose(drawn[2], stream_contrast(runs["as trained"].streams[2])[1], rtol=1e-6)
    np.testing.assert_allclose(drawn[9], torch.sigmoid(runs["shut"].contour[1, 0]), rtol=1e-6)


def test_gate_levels_share_a_scale_from_shut_to_open(network, arrays):
    run = run_with_gates(network, arrays.tensors()[0])
    figure = gate_levels(run, 1, alt="Four gates, coarse to fine.")
    np.testing.assert_allclose(shown(figure)[3], run.gates[3][1, 0], rtol=1e-6)
    assert {axes.images[0].get_clim() for axes in figure.axes} == {(0.0, 1.0)}


def test_gates_and_outline_say_the_dice_of_both(network, arrays):
    figure = gates_and_outline(network, arrays.images[0], arrays.masks[0], forced=1.0)
    images, masks = (tensor[:1] for tensor in arrays.tensors())
    run = run_with_gates(network, images, forced=1.0)
    assert figure.alt.startswith("Every gate forced to 1.00: ")
    assert f"the outline's {outline_dice(run.contour, masks):.3f}" in figure.alt
    photograph, gate, outline = shown(figure)
    assert photograph.shape == (384, 384, 3)  # enlarged, so that the lines stay thin
    assert (gate == 1).all()
    np.testing.assert_allclose(outline, torch.sigmoid(run.contour[0, 0]), rtol=1e-6)


def test_the_gates_widget_follows_its_controls(network, arrays):
    widget = gate_panel(network, arrays)
    first, picture = widget.sentence.value, widget.picture.value
    assert "Every gate times 1.00" in first
    assert "alt=" in picture
    widget.controls["strength"].value = 0.0
    assert "Every gate times 0.00" in widget.sentence.value
    quiet = widget.sentence.value.split("The photograph")[0].split("0.00: ")[1]
    widget.controls["gates"].value = SHUT
    assert "forced to 0.00" in widget.sentence.value
    assert quiet in widget.sentence.value  # strength 0 and shut are the same thing
    widget.controls["gates"].value = OPEN
    assert "forced to 1.00" in widget.sentence.value
    widget.controls["gates"].value = AS_THEY_ARE
    before = widget.picture.value
    widget.controls["picture"].value = 2
    assert widget.picture.value != before


def test_cost_bars_are_the_costs():
    figure = cost_figure(4, 8, kernel_size=3, side=10)
    bars, curve = figure.axes
    widths = [bar.get_width() for bar in bars.patches]
    assert widths == pytest.approx([9 * 4 * 8 * 100 / 1e6, 9 * 4 * 100 / 1e6, 4 * 8 * 100 / 1e6])
    (point,) = [line for line in curve.lines if line.get_marker() == "o"]
    assert point.get_ydata()[0] == pytest.approx(saving(4, 8))
    assert "4.24 times fewer" in figure.alt


def test_taking_apart_may_cost_more_and_the_figure_says_so():
    assert "1.11 times more, 10 multiplications a pixel instead of 9" in cost_figure(1, 1).alt
    assert "times more" in cost_figure(64, 64, kernel_size=1).alt


def test_the_cost_widget_follows_its_controls():
    widget = cost_panel()
    assert "From 32 to 32 channels" in widget.sentence.value
    assert "7.02 times fewer" in widget.sentence.value
    widget.controls["out_channels"].value = 512
    widget.controls["kernel_size"].value = 5
    widget.controls["side"].value = 16
    assert "From 32 to 512 channels with a 5x5 kernel on 16x16 pixels" in widget.sentence.value
    assert f"{saving(32, 512, 5):.2f} times fewer" in widget.sentence.value


def test_gradients_are_drawn_as_multiples_of_the_last():
    figure = gradient_by_depth({"plain": [8.0, 4.0, 2.0], "residual": [3.0, 3.0, 3.0]}, alt="Two stacks of three.")
    plain, residual = figure.axes[0].lines
    assert plain.get_ydata().tolist() == [4.0, 2.0, 1.0]
    assert residual.get_ydata().tolist() == [1.0, 1.0, 1.0]
    assert plain.get_linestyle() != residual.get_linestyle()
    assert figure.axes[0].get_yscale() == "log"


def test_gradients_that_no_log_scale_can_show_are_refused():
    with pytest.raises(ValueError, match="a value in 'dead' that is not above 0"):
        gradient_by_depth({"dead": [0.0, 1.0]}, alt="")
    with pytest.raises(ValueError, match="found 5 stacks, expected at most 4"):
        gradient_by_depth({str(i): [1.0] for i in range(5)}, alt="")


def test_number_grid_writes_every_value_where_it_stands():
    figure = number_grid([torch.tensor([[1, 0], [-3, 25]]), np.eye(3)], ["small", "one"], alt="Two grids.")
    small, one = figure.axes
    written = {text.get_position(): text.get_text() for text in small.texts}
    assert written == {(0, 0): "1", (1, 0): "0", (0, 1): "-3", (1, 1): "25"}
    assert len(one.texts) == 9
    assert small.get_title() == "small"
    assert number_grid([np.array([[-0.0]])], [""], alt="", decimals=2).axes[0].texts[0].get_text() == "0.00"


@pytest.mark.parametrize(
    ("maps", "titles", "message"),
    [
        ([], [], "found 0 maps"),
        ([np.eye(2)], ["a", "b"], "found 1 maps and 2 titles"),
        ([np.zeros((2, 2, 3))], ["a"], r"found shape \(2, 2, 3\)"),
        ([np.eye(20)] * 2, ["a", "b"], "found 40 squares in a row"),
    ],
)
def test_grids_that_cannot_be_read_are_refused(maps, titles, message):
    with pytest.raises(ValueError, match=message):
        number_grid(maps, titles, alt="")
