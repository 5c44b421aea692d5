"""jaalnet_core.data.splits: who is held back for validation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaalnet_core.data.splits import held_back, id_position, is_validation
from jaalnet_core.errors import SettingsError

IDS = [f"ISIC_{number:07}" for number in range(4000)]


def test_the_split_is_the_same_for_ever():
    # Recorded once: a change here would mix the validation pictures of every earlier run into training.
    held = [id for id in IDS[:60] if is_validation(id)]
    assert held == [
        "ISIC_0000000",
        "ISIC_0000008",
        "ISIC_0000017",
        "ISIC_0000019",
        "ISIC_0000025",
        "ISIC_0000051",
    ]


def test_about_the_asked_share_is_held_back():
    for fraction in (0.05, 0.1, 0.3):
        share = sum(is_validation(id, fraction) for id in IDS) / len(IDS)
        assert share == pytest.approx(fraction, abs=0.02)


@settings(deadline=None)
@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_keeps_what_a_smaller_one_held(id, one, other):
    small, large = sorted((one, other))
    assert is_validation(id, large) or not is_validation(id, small)


def test_nothing_and_everything_can_be_held_back():
    assert not any(is_validation(id, 0.0) for id in IDS)
    assert all(is_validation(id, 1.0) for id in IDS)


@settings(deadline=None)
@given(st.text())
def test_positions_lie_in_the_unit_interval(id):
    assert 0 <= id_position(id) < 1


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_an_impossible_share_is_refused(fraction):
    with pytest.raises(SettingsError, match="between 0 and 1"):
        is_validation("a", fraction)


def test_a_small_set_holds_back_one_picture_and_trains_on_the_others():
    missed = [f"picture_{i}" for i in range(300) if not is_validation(f"picture_{i}")][:5]
    assert held_back(missed) == {min(missed, key=id_position)}
    caught = [f"picture_{i}" for i in range(300) if is_validation(f"picture_{i}")][:4]
    assert held_back(caught) == set(caught) - {max(caught, key=id_position)}
    assert held_back(["alone"]) == frozenset(id for id in ["alone"] if is_validation(id))


def test_a_large_set_holds_back_what_the_hash_says():
    ids = [f"picture_{i}" for i in range(300)]
    assert held_back(ids) == {id for id in ids if is_validation(id)}
