"""Mutants of the solutions, and whether the judges catch them.

    python tests/course/mutants.py            every exercise, a table
    python tests/course/mutants.py 3 4.2      those of a lesson, or one exercise, with the survivors

A mutant is the notebook's solution with one small thing changed: an operator, a comparison, a constant, a sign, a
keyword argument dropped, a statement dropped, two arguments exchanged. It counts as caught when none of three checks
passes it.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import multiprocessing
import queue
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from exercise_cases import answers_from, cases_of, cells_of

from jaalnet_core.course.exercise import Exercise, all_exercises, find_exercise
from jaalnet_core.course.judging import UNREADABLE, judged
from jaalnet_core.course.outcome import Outcome

SEEDS = (0, 1, 2)
LIMIT = 60  # seconds for one mutant: a longer one loops for ever, and a learner would see that
_OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.MatMult: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
_COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


@dataclass(frozen=True)
class Mutant:
    """A changed solution: its source, and what was changed."""

    source: str
    change: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a source text, each with one change."""
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    for place in range(len(list(ast.walk(tree)))):
        for change in range(4):
            other = copy.deepcopy(tree)
            before = ast.unparse(list(ast.walk(other))[place]) if _has_text(list(ast.walk(other))[place]) else ""
            if not _changed(other, place, change):
                continue
            text = ast.unparse(ast.fix_missing_locations(other))
            if text not in seen:
                seen.add(text)
                yield Mutant(text, _difference(ast.unparse(tree), text) or before)


def _has_text(node: ast.AST) -> bool:
    return isinstance(node, (ast.expr, ast.stmt))


def _difference(before: str, after: str) -> str:
    """The first line that differs, as it was and as it is."""
    old, new = before.splitlines(), after.splitlines()
    for one, other in zip(old, new, strict=False):
        if one != other:
            return f"{one.strip()}  ->  {other.strip() if len(old) == len(new) else '(dropped)'}"
    return ""


def _changed(tree: ast.Module, place: int, change: int) -> bool:
    """Make change number `change` of the kinds that suit the node at `place`; whether there is such a change."""
    node = list(ast.walk(tree))[place]
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and change == 0 and type(node.op) in _OPERATORS:
        node.op = _OPERATORS[type(node.op)]()
    elif isinstance(node, ast.Compare) and change == 0:
        node.ops = [_COMPARISONS[type(node.ops[0])](), *node.ops[1:]]
    elif isinstance(node, ast.BoolOp) and change == 0:
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.UnaryOp) and change == 0 and isinstance(node.op, (ast.USub, ast.Not, ast.Invert)):
        return _replace(tree, node, node.operand)
    elif isinstance(node, ast.Constant) and not isinstance(node.value, str) and node.value not in (None, ...):
        return _other_constant(node, change)
    elif isinstance(node, ast.Call) and change == 0 and node.keywords:
        node.keywords = node.keywords[:-1]
    elif isinstance(node, ast.Call) and change == 1 and len(node.args) == 2:
        node.args = node.args[::-1]
    elif isinstance(node, ast.Call) and change == 2 and isinstance(node.func, ast.Attribute) and not node.args:
        return _replace(tree, node, node.func.value)  # a method without arguments, such as .detach() or .sum()
    elif isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)) and change == 3:
        return _drop(tree, node)
    else:
        return False
    return True


def _other_constant(node: ast.Constant, change: int) -> bool:
    if isinstance(node.value, bool):
        choices = [not node.value]
    elif isinstance(node.value, int):
        choices = [node.value + 1, node.value - 1]
    else:
        choices = [node.value * 2, -node.value]
    if change >= len(choices):
        return False
    node.value = choices[change]
    return True


def _replace(tree: ast.AST, node: ast.AST, by: ast.AST) -> bool:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is node:
                setattr(parent, name, by)
                return True
            if isinstance(value, list) and any(item is node for item in value):
                setattr(parent, name, [by if item is node else item for item in value])
                return True
    return False


def _drop(tree: ast.AST, node: ast.stmt) -> bool:
    is_words = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return not is_words and _replace(tree, node, ast.Pass())


def caught(exercise: Exercise, mutant: Mutant) -> bool:
    """Whether every one of three checks refuses a mutant."""
    try:
        answers = answers_from(exercise, mutant.source)
    except Exception:  # it does not even define its names: the notebook would show that error
        return True
    verdicts = [judged(exercise, answers, seed) for seed in SEEDS]
    return all(outcome is not Outcome.PASSED and UNREADABLE not in why for outcome, why in verdicts)


def _caught_in_time(exercise: Exercise, mutant: Mutant) -> bool:
    """The same in a process of its own, which may hang: that counts as caught. One that dies does not."""
    context = multiprocessing.get_context("fork")
    answer: multiprocessing.Queue = context.Queue()

    def quietly() -> None:
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(io.StringIO()):
            answer.put(caught(exercise, mutant))

    process = context.Process(target=quietly)
    process.start()
    process.join(LIMIT)
    hangs = process.is_alive()
    process.kill()
    process.join()
    try:
        return answer.get(timeout=1)
    except queue.Empty:
        return hangs


def survivors(exercise: Exercise) -> tuple[int, list[Mutant], list[Mutant]]:
    """How many mutants an exercise's solution has, those that pass its judge, and of these the equivalent ones."""
    made = list(mutants(cells_of(exercise.lesson)[exercise.number].solution_source))
    passed = [mutant for mutant in made if not _caught_in_time(exercise, mutant)]
    known = cases_of(exercise.lesson)[exercise.number].equivalent
    return len(made), passed, [mutant for mutant in passed if mutant.change in known]


def main(wanted: list[str]) -> int:
    """Print the table; 1 if a mutant survived that is not known to be equivalent."""
    torch.set_num_threads(1)
    chosen = [
        exercise
        for exercise in all_exercises()
        if not wanted or exercise.number in wanted or str(exercise.lesson) in wanted
    ]
    if not chosen:
        find_exercise(wanted[0])
    failed = False
    print("exercise  mutants  caught  equivalent  wrong answers  title")
    for exercise in chosen:
        count, passed, equivalent = survivors(exercise)
        wrong = len(cases_of(exercise.lesson)[exercise.number].wrong)
        counts = f"{count:7}  {count - len(passed):6}  {len(equivalent):10}  {wrong:13}"
        print(f"{exercise.number:8}  {counts}  {exercise.title}", flush=True)
        for mutant in passed:
            if mutant not in equivalent:
                failed = True
                print(f"    survived: {mutant.change}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
