"""What the two projects are marked by: points by level, each level something that two teachers see alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaalnet_core.course.projects.tables import Table
from jaalnet_core.errors import SettingsError


@dataclass(frozen=True)
class Criterion:
    """One row of a rubric.

    Attributes:
        name: what is looked at.
        levels: points and what must be seen for them: none, half, full.
    """

    name: str
    levels: tuple[tuple[int, str], tuple[int, str], tuple[int, str]]

    @property
    def most(self) -> int:
        """Points of the highest level."""
        return self.levels[-1][0]


@dataclass(frozen=True)
class Rubric:
    """All rows."""

    title: str
    criteria: tuple[Criterion, ...]

    @property
    def most(self) -> int:
        """Points in all."""
        return sum(criterion.most for criterion in self.criteria)

    def table(self) -> Table:
        """A row a criterion, a column a level."""
        rows = tuple(
            (criterion.name, *(f"**{points}**: {words}" for points, words in criterion.levels))
            for criterion in self.criteria
        )
        head = ("what is looked at", "none", "half", "full")
        return Table(head, rows, note=f"{self.title}: {self.most} points in all.")

    def total(self, points: Sequence[int]) -> int:
        """The sum, each row's points being one of its levels.

        Raises:
            SettingsError: other numbers of rows, or points that are no level; the message names the row.
        """
        if len(points) != len(self.criteria):
            raise SettingsError(
                f"{self.title}: found {len(points)} numbers, expected {len(self.criteria)}, a row each."
            )
        for given, criterion in zip(points, self.criteria, strict=True):
            allowed = [level for level, _ in criterion.levels]
            if given not in allowed:
                raise SettingsError(f"{criterion.name}: found {given}, expected one of {', '.join(map(str, allowed))}.")
        return sum(points)


BUDGET_RUBRIC = Rubric(
    "Project A",
    (
        Criterion(
            "Protocol",
            (
                (0, "protocol changed, trained weights loaded, or a test picture used: no more points in this project"),
                (2, "protocol kept, but some reported number cannot be made again from the notebook"),
                (4, "protocol kept, and the notebook, run from the top, makes every reported number again"),
            ),
        ),
        Criterion(
            "Budget",
            (
                (0, "the handed-in entry is over the budget, or its bill is not counted"),
                (2, "within the budget by `gflop_of`"),
                (4, "and a table says which parts of the baseline cost what, and what the entry saves or spends where"),
            ),
        ),
        Criterion(
            "Trials",
            (
                (0, "one entry and no other trial"),
                (2, "two or more trials in `trials_table`, in which several things change at once"),
                (4, "four or more, each changing one thing, the failed ones included, each with its prediction"),
            ),
        ),
        Criterion(
            "Confirmation",
            (
                (0, "the chosen entry was measured with the seeds that chose it, and with no others"),
                (2, "measured again with new seeds, the baseline not"),
                (4, "both measured again with new seeds, and that comparison is the reported result"),
            ),
        ),
        Criterion(
            "Claim",
            (
                (0, "a gain is claimed that the confirmed comparison does not decide"),
                (2, "the verdict is quoted as it is: better, worse or undecided, with its interval"),
                (4, "and a paragraph says why it came out so, and names one trial that would test that reason"),
            ),
        ),
    ),
)

FAILURES_RUBRIC = Rubric(
    "Project B",
    (
        Criterion(
            "Records",
            (
                (0, "fewer than five records that `problems` finds complete"),
                (2, "five to nine complete ones"),
                (4, "ten, and `sheet_problems` finds nothing"),
            ),
        ),
        Criterion(
            "Seeing",
            (
                (0, "what is seen cannot be told from the guess at its reason in three records or more"),
                (2, "kept apart in all but one or two"),
                (4, "kept apart in all, and every one says where in the picture"),
            ),
        ),
        Criterion(
            "Hypotheses",
            (
                (0, "fewer than five name a cause that one of the experiments changes"),
                (2, "five to nine do"),
                (4, "all ten do, and at least three different causes are among them"),
            ),
        ),
        Criterion(
            "Experiments",
            (
                (0, "fewer than five change the supposed cause and hold the rest"),
                (2, "five to nine do"),
                (4, "all ten do, and one at least was planned to refute the learner's favourite"),
            ),
        ),
        Criterion(
            "Conclusions",
            (
                (0, "a refuted or undecided hypothesis is told as if it were supported"),
                (2, "each conclusion agrees with its outcome"),
                (4, "and a closing paragraph says what the ten have in common, and what stays unknown"),
            ),
        ),
    ),
)
