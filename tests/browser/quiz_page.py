"""A lesson's quiz in its notebook: answers typed into the place of the three dots, and judged."""

from __future__ import annotations

from notebook_page import cell_with, code_cells, rewrite, told

from jaalnet_core.course.quiz import questions_of


def check_judging(page, lesson: str, number: int = 1, patience: float = 30) -> None:
    """Answer a question wrongly, then rightly, by the keyboard; the first is told why, the second that it is right.

    Args:
        lesson: the notebook's file; its first two letters are its number.
        patience: seconds until an answer has to be judged.

    Raises:
        AssertionError: one of them was judged otherwise, or not at all.
    """
    question = questions_of(int(lesson[:2]))[number - 1]
    given = f".answer({number}, ...)"
    source = next(code for code in code_cells(lesson) if given in code)
    told(cell_with(page, given), f"{number}: not attempted.")
    before = given
    for value, verdict in ((_wrong(question), f"{number}: not yet."), (question.answer, f"{number}: right.")):
        typed = f".answer({number}, {value!r})"
        said = told(rewrite(page, before, source.replace(given, typed)), verdict, patience)
        assert ("To recall:" in said) == ("not yet" in verdict), said
        before = typed


def _wrong(question) -> object:
    """A value that people give; else one of the same kind."""
    if question.mistakes:
        return question.mistakes[0][0]
    right = question.answer
    return not right if isinstance(right, bool) else "none of them" if isinstance(right, str) else -1
