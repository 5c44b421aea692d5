"""The live view of a run: curves, pictures and words after each epoch, and two buttons that mean what they say."""

from __future__ import annotations

import dataclasses
import html
import re
import threading
import time

import numpy as np
import pytest
import torch

from jaalnet_core.figures.curves import curves_in_words, training_curves
from jaalnet_core.run_log import COLUMNS
from jaalnet_core.training import train
from jaalnet_core.weights import read_training_checkpoint
from jaalnet_core.widgets import live as live_module
from jaalnet_core.widgets.live import LiveTraining, epoch_in_words, log_columns


def line(epoch: int, **changes: float) -> dict[str, float]:
    return {"epoch": epoch, "seconds": 3.0 * epoch, "region": 1 / epoch, "validation_dice": 0.1 * epoch} | changes


def alts(widget) -> list[str]:
    return [html.unescape(alt) for alt in re.findall(r'alt="([^"]*)"', widget.value)]


@pytest.fixture
def live(discs, quick) -> LiveTraining:
    return LiveTraining(quick, discs, title="Lesson")


def test_lines_become_columns_with_nan_for_what_is_missing():
    columns = log_columns([line(1), line(2, d_real=0.7)])
    assert set(columns) == set(COLUMNS)
    assert columns["epoch"].tolist() == [1, 2]
    assert columns["region"].tolist() == [1, 0.5]
    assert np.isnan(columns["d_real"][0])
    assert columns["d_real"][1] == 0.7
    assert np.isnan(columns["contour"]).all()


def test_no_line_is_no_epoch():
    assert all(len(values) == 0 for values in log_columns([]).values())


def test_the_figure_draws_the_columns():
    figure = training_curves(log_columns([line(1), line(2), line(3)]))
    panel = next(axes for axes in figure.axes if axes.get_title(loc="left") == "Validation, per image")
    np.testing.assert_allclose(panel.lines[0].get_ydata(), [0.1, 0.2, 0.3])


def test_curves_in_words_say_first_and_last_and_leave_out_what_is_not_there():
    words = curves_in_words(log_columns([line(1, d_fake=0.5), line(2, d_fake=0.25)]), "A run")
    assert words == (
        "A run, 2 epochs; region loss from 1.00 to 0.50; of fake pairs from 0.50 to 0.25; "
        "validation Dice from 0.10 to 0.20."
    )
    assert training_curves(log_columns([line(1), line(2)])).alt.startswith("Training curves, 2 epochs; region loss")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (line(2), "Epoch 2 of 4: validation Dice 0.200; about 6 s of training left."),
        (line(4), "Epoch 4 of 4: validation Dice 0.400."),
        (
            line(1, d_real=0.75, d_fake=0.25),
            "Epoch 1 of 4: validation Dice 0.100; DA-Net calls real pairs 0.75 and fake pairs 0.25 real; "
            "about 9 s of training left.",
        ),
    ],
)
def test_an_epoch_in_words(given, words):
    assert epoch_in_words(given, 4) == words


def test_nothing_runs_before_the_start_button(live):
    assert live.run.state == "ready"
    assert "Ready: 3 epochs of 10 pictures" in live.sentence.value
    assert (live.go_button.disabled, live.stop_button.disabled) == (False, True)
    assert live.shown.value == live.curves.value == ""


def test_a_run_leaves_curves_pictures_and_words_of_every_epoch(live, discs):
    live.start()
    result = live.wait()
    assert result.finished
    assert [one["epoch"] for one in live.lines] == [one.epoch for one in live.snapshots] == [1, 2, 3]
    assert "Lesson, 3 epochs" in alts(live.curves)[0]
    assert len(alts(live.shown)) == 8, "four pictures, each with DA-Net's opinion"
    assert alts(live.shown)[0].startswith("Picture 1 after epoch 3: the expert's outline solid")
    assert f"Dice {live.snapshots[-1].dice[0]:.2f}" in live.shown.value
    assert f"best validation Dice {result.best_dice:.3f}, after epoch {result.best_epoch}" in live.sentence.value
    assert (live.bar.value, live.bar.max, live.steps.value) == (9, 9, "step 9 of 9")
    assert live.go_button.disabled
    assert live.stop_button.disabled
    assert np.mean(live.snapshots[-1].dice) == pytest.approx(result.last_dice, abs=1e-6), "the four are all there are"


def test_an_epochs_pictures_are_drawn_once(live, monkeypatch):
    drawn = []
    snapshot_html = live_module.snapshot_html

    def counted(pictures, snapshot) -> str:
        drawn.append(snapshot.epoch)
        return snapshot_html(pictures, snapshot)

    monkeypatch.setattr(live_module, "snapshot_html", counted)
    live.start()
    live.wait()
    assert drawn == [1, 2, 3]


def test_looking_changes_nothing_in_what_is_learnt(live, discs, quick):
    live.start()
    watched = live.wait()
    alone = train(
        dataclasses.replace(quick, out=quick.out.with_name("alone")), data=discs, progress=False, say=lambda text: None
    )
    one, other = (read_training_checkpoint(each.folder / "last.pt") for each in (watched, alone))
    for name in ("lf_net", "da_net"):
        assert all(torch.equal(w, other[name]["weights"][key]) for key, w in one[name]["weights"].items())


def test_the_slider_looks_back_and_follows_only_from_its_end(discs, quick):
    live = LiveTraining(dataclasses.replace(quick, epochs=4), discs)
    following = []

    def looked_back(change) -> None:  # in the second epoch somebody asks for more, after the third goes back
        following.append(change["new"])
        if following.count(2) == 1 and change["new"] == 2:
            live.epoch.value = 4
        if change["new"] == 3:
            live.epoch.value = 1

    live.epoch.observe(looked_back, names="value")
    live.start()
    live.wait()
    assert set(following) == {1, 2, 3, 4}
    assert following[-2:] == [3, 1], "the fourth epoch does not call back who looks at the first"
    assert (live.epoch.min, live.epoch.max, live.epoch.value) == (1, 4, 1)
    assert alts(live.shown)[0].startswith("Picture 1 after epoch 1:")
    live.epoch.value = 4
    assert alts(live.shown)[0].startswith("Picture 1 after epoch 4:")


def test_the_buttons_stop_and_go_on_and_the_focus_follows(live, monkeypatch):
    focused, sentences = [], []
    monkeypatch.setattr(live.go_button, "focus", lambda: focused.append("go on"))
    monkeypatch.setattr(live.stop_button, "focus", lambda: focused.append("stop"))
    live.sentence.observe(lambda change: sentences.append(change["new"]), names="value")

    def press_stop(change) -> None:
        if change["new"] == 4:
            live.stop_button.click()

    monkeypatch.setattr(live_module, "_RENEW_EVERY", 0.0)
    live.bar.observe(press_stop, names="value")
    live.go_button.click()
    halted = live.wait()
    assert not halted.finished
    assert "Stopped after step 4 of 9, 1 whole epochs; everything is saved." in live.sentence.value
    assert any("Stopping after the step in hand" in one for one in sentences)
    assert (live.go_button.description, live.go_button.disabled, live.stop_button.disabled) == ("Go on", False, True)
    assert live.steps.value == "step 4 of 9"
    live.go_button.click()
    assert live.wait().finished
    assert any("Going on." in one for one in sentences)
    assert [one["epoch"] for one in live.lines] == [1, 2, 3]
    assert focused == ["stop", "go on", "stop"]


def test_in_a_notebook_waiting_goes_through_a_stop(live, monkeypatch):
    monkeypatch.setattr(live_module, "in_notebook", lambda: True)
    live.bar.observe(lambda change: change["new"] == 4 and live.stop(), names="value")
    monkeypatch.setattr(live_module, "_RENEW_EVERY", 0.0)

    def go_on_once_it_is_stopped() -> None:
        while live.run.state != "stopped":
            time.sleep(0.01)
        time.sleep(0.5)
        live.start()

    helper = threading.Thread(target=go_on_once_it_is_stopped)
    helper.start()
    live.start()
    assert live.wait().finished
    helper.join()


def test_an_error_is_said_and_raised(live, discs, quick):
    train(quick, data=discs, progress=False, say=lambda text: None)
    live.start()
    with pytest.raises(Exception, match="already holds a run"):
        live.wait()
    assert "Ended by an error: --out:" in html.unescape(live.sentence.value)
    assert not live.go_button.disabled


def test_without_da_net_there_are_outlines_alone(discs, quick):
    live = LiveTraining(dataclasses.replace(quick, adversarial_weight=0.0, epochs=1), discs)
    live.start()
    live.wait()
    assert len(alts(live.shown)) == 4
    assert "DA-Net" not in live.shown.value + live.sentence.value


def test_a_terminal_gets_a_progress_bar_and_a_notebook_none(discs, quick, capfd, monkeypatch):
    live = LiveTraining(dataclasses.replace(quick, epochs=1), discs)
    live.start()
    live.wait()
    assert "3/3" in capfd.readouterr().err
    monkeypatch.setattr(live_module, "in_notebook", lambda: True)
    live = LiveTraining(dataclasses.replace(quick, epochs=1, out=quick.out.with_name("again")), discs)
    live.start()
    live.wait()
    assert "3/3" not in capfd.readouterr().err
