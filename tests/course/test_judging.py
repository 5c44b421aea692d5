"""What judges are made of: each way in which an answer can fail has its words, and a right one passes."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from torch import nn

from jaalnet_core.blocks import ConvNormAct, DDSConv
from jaalnet_core.convolution_cost import saving
from jaalnet_core.course.exercise import Exercise, find_exercise
from jaalnet_core.course.judging import (
    NotAttempted,
    Wrong,
    agrees,
    attempted,
    call,
    close,
    expect,
    generator,
    judged,
    same_shape,
)
from jaalnet_core.course.outcome import Outcome
from jaalnet_core.errors import JaalnetError

PASSED = (Outcome.PASSED, "")
NO_ATTEMPT = (Outcome.NOT_ATTEMPTED, "")


def exercise(judge, allowed: tuple[str, ...] = ()) -> Exercise:
    return Exercise("3.1", "A title", 1, 5, 1, ("a question", "an idea"), judge, allowed)


def expect_verdict(verdict: tuple[Outcome, str], words: str | None) -> None:
    """Passed where there are no words, no attempt where they are empty, else not yet and these words."""
    if words is None:
        assert verdict == PASSED
    elif not words:
        assert verdict == NO_ATTEMPT
    else:
        assert verdict[0] is Outcome.NOT_YET
        for part in words.split(" (line"):
            assert part in verdict[1]


def judge_double(double) -> None:
    x = generator().normal(size=3)
    close(call(double, x), 2 * x, "double(x)")


def doubled(x):
    return x + x


def blank(x):
    raise NotImplementedError


def dots(x):
    return ...


def nothing(x):
    doubled(x)


def halved(x):
    return x / 2


def broken(x):
    return x["a"]


def with_the_package(x):
    return x * saving(64, 3) / saving(64, 3) * 2


def with_an_import(x):
    from jaalnet_core import convolution_cost as cost

    return 2 * x * min(1, cost.saving(64, 3))


def through_another(x):
    return with_the_package(x)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (doubled, None),
        (lambda x: 2 * x, None),
        (functools.partial(np.multiply, 2.0), None),
        (blank, ""),
        (dots, ""),
        (..., ""),
        (nothing, "nothing returned None: is a `return` missing?"),
        (halved, "double(x): 100% of the values differ"),
        (lambda x: x[:2] * 2, "double(x): yours has shape (2,), expected (3,)."),
        (lambda x: "two", "double(x): found 'two', expected numbers."),
        (
            broken,
            f"it raised IndexError: only integers, slices (line {broken.__code__.co_firstlineno + 1} of your code)",
        ),
        (7, "the answer is 7, expected a function or class."),
        (with_the_package, "uses jaalnet_core.convolution_cost.saving: write this one yourself"),
        (with_an_import, "uses jaalnet_core.convolution_cost.saving: write this one yourself"),
        (through_another, "uses jaalnet_core.convolution_cost.saving: write this one yourself"),
        (saving, "the answer is jaalnet_core.convolution_cost.saving: write this one yourself"),
    ],
)
def test_the_three_outcomes(answer, words: str | None) -> None:
    expect_verdict(judged(exercise(judge_double), (answer,)), words)


def judge_layer(layer_class) -> None:
    layer = call(layer_class, 4, 8)
    same_shape(call(layer, torch.rand(2, 4, 8, 8)), (2, 8, 8, 8), "the output")


class Own(nn.Module):
    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(channels, out, 3, padding=1)

    def forward(self, x):
        return self.layer(x)


class Shrinking(Own):
    def forward(self, x):
        return super().forward(x)[..., 1:, 1:]


class Subclass(DDSConv):
    pass


class Holder(Own):
    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out)
        self.layer = DDSConv(channels, out)


class Forgetful(nn.Module):
    def __init__(self, channels: int, out: int) -> None:
        super().__init__()


class Unfinished(Own):
    def forward(self, x):
        raise NotImplementedError


MADE = DDSConv(4, 8)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Own, None),
        (Unfinished, ""),
        (Shrinking, "the output has shape (2, 8, 7, 7), expected (2, 8, 8, 8)."),
        (Forgetful, 'Module [Forgetful] is missing the required "forward" function'),
        (DDSConv, "is jaalnet_core.blocks.DDSConv"),
        (Subclass, "subclasses jaalnet_core.blocks.DDSConv"),
        (Holder, "uses jaalnet_core.blocks.DDSConv: "),
        (lambda channels, out: MADE, "is a jaalnet_core.blocks.DDSConv"),
        (lambda channels, out: nn.Sequential(MADE), "holds a jaalnet_core.blocks.DDSConv"),
    ],
)
def test_the_outcomes_of_a_class(answer, words: str | None) -> None:
    expect_verdict(judged(exercise(judge_layer), (answer,)), words)


@pytest.mark.parametrize("allowed", ["jaalnet_core.blocks.DDSConv", "jaalnet_core.blocks"])
def test_what_is_allowed_may_be_used_and_what_it_uses_itself_too(allowed: str) -> None:
    assert judged(exercise(judge_layer, (allowed,)), (Holder,)) == PASSED
    assert judged(exercise(judge_layer, (allowed,)), (Subclass,)) == PASSED


def test_one_allowed_name_allows_no_other_that_begins_alike() -> None:
    class Other(Own):
        def __init__(self, channels: int, out: int) -> None:
            super().__init__(channels, out)
            self.layer = ConvNormAct(channels, out, 3)

    outcome, why = judged(exercise(judge_layer, ("jaalnet_core.blocks.ConvNorm",)), (Other,))
    assert outcome is Outcome.NOT_YET
    assert "jaalnet_core.blocks.ConvNormAct" in why


def test_random_numbers_differ_between_checks_repeat_with_a_seed_and_leave_the_lessons_alone() -> None:
    drawn = []

    def judge(_) -> None:
        drawn.append((torch.rand(1).item(), np.random.rand(), generator().random(), generator().random()))

    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(2), np.random.rand(2)
    torch.manual_seed(5)
    np.random.seed(5)
    found = [(torch.rand(1), np.random.rand(1))]
    for seed in (None, None, 3, 3):
        judged(exercise(judge), (1,), seed)
    found.append((torch.rand(1), np.random.rand(1)))
    assert drawn[2] == drawn[3]
    assert len({*drawn}) == 3
    assert len(set(drawn[0])) == 4
    assert torch.equal(torch.cat([pair[0] for pair in found]), expected[0])
    assert np.array_equal(np.concatenate([pair[1] for pair in found]), expected[1])


def test_comparisons_of_several_values() -> None:
    close((1, torch.ones(2)), (1.0, np.ones(2)), "both")
    with pytest.raises(Wrong, match=r"both, value 2: yours has shape \(3,\), expected \(2,\)"):
        close((1, torch.ones(3)), (1.0, np.ones(2)), "both")
    with pytest.raises(Wrong, match="both: found 3 values, expected 2 values"):
        close((1, 2, 3), (1, 2), "both")
    with pytest.raises(Wrong, match="both: found 1, expected 2 values"):
        close(1, (1, 2), "both")
    with pytest.raises(Wrong, match=r"it: yours is nan, expected 1\."):
        close(float("nan"), 1, "it")
    assert agrees([1.0, 2.0], torch.tensor([1.0, 2.0]))
    assert not agrees(torch.zeros(3), torch.zeros(2))


def test_shapes_expectations_and_attempts() -> None:
    same_shape(np.zeros((2, 3)), (2, 3), "it")
    with pytest.raises(Wrong, match=r"it is 3, expected a tensor of shape \(2, 3\)"):
        same_shape(3, (2, 3), "it")
    expect(True, "never")
    with pytest.raises(Wrong, match="because"):
        expect(False, "because")
    attempted(0)
    with pytest.raises(NotAttempted):
        attempted(...)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"number": "three"}, "no lesson and place"),
        ({"difficulty": 4}, "difficulty 4, expected 1, 2 or 3"),
        ({"points": 0}, "at least a point"),
        ({"hints": ("one",)}, "1 hints, expected two or more"),
    ],
)
def test_an_exercise_says_what_is_wrong_with_it(changed: dict, words: str) -> None:
    good = {"number": "3.1", "title": "t", "difficulty": 1, "minutes": 5, "points": 1, "hints": ("a", "b")}
    Exercise(**good, judge=judge_double)
    with pytest.raises(ValueError, match=words):
        Exercise(**{**good, **changed}, judge=judge_double)


@pytest.mark.parametrize("number", ["77.1", "0.1", "one", ""])
def test_an_unknown_exercise(number: str) -> None:
    with pytest.raises(JaalnetError, match="found no such exercise, expected one such as"):
        find_exercise(number)
