"""Published numbers as they are printed: a value, its scale, and the rounding that hides behind its last digit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from jaalnet_core.errors import SettingsError
from jaalnet_core.metrics import METRICS

Number = str | float | Decimal
ROUND_OFF = 1e-12  # binary fractions: 0.9153 - 0.00005 must not lose its own end


@dataclass(frozen=True)
class Published:
    """One number, and the values that round to it.

    Attributes:
        metric: one of `metrics.METRICS`.
        value: as a fraction, 0..1.
        low, high: `value` minus and plus half a unit of the last digit given, within 0..1.
        text: the number as it was given, without a percent sign.
    """

    metric: str
    value: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Numbers:
    """Published numbers of one method, all on one scale.

    Attributes:
        published: one for each metric given, in the order of `metrics.METRICS`.
        percent: whether they were given in percent.
    """

    published: tuple[Published, ...]
    percent: bool

    def __contains__(self, metric: str) -> bool:
        return any(one.metric == metric for one in self.published)

    def __getitem__(self, metric: str) -> Published:
        return next(one for one in self.published if one.metric == metric)

    def only(self, metrics: frozenset[str] | set[str] | tuple[str, ...]) -> Numbers:
        """The same, for some of the metrics."""
        return Numbers(tuple(one for one in self.published if one.metric in metrics), self.percent)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics given."""
        return tuple(one.metric for one in self.published)

    def show(self, fraction: float, extra_digits: int = 0) -> str:
        """A computed value on the numbers' own scale, with at least two decimals of a percent."""
        given = max(len(one.text.partition(".")[2]) for one in self.published)
        digits = max(given, 2 if self.percent else 4) + extra_digits
        return f"{(100 if self.percent else 1) * fraction:.{digits}f}"


def read_numbers(values: Mapping[str, Number | None]) -> Numbers:
    """Read up to five published numbers, in percent or as fractions.

    They are percent when one of them exceeds 1 or carries a percent sign, and then all must be: `0.9153` beside
    `89.68` is refused rather than guessed. Digits count: `91.5` stands for 91.45 to 91.55, `91.50` for 91.495 to
    91.505. A float stands for the digits that Python prints, so give trailing zeros as text.

    Raises:
        SettingsError: nothing was given, or something is no number, lies outside 0 to 100 %, or differs in scale.
    """
    given = {metric: values[metric] for metric in METRICS if values.get(metric) is not None}
    if not given:
        raise SettingsError(f"audit: no number given, expected at least one of {', '.join(METRICS)}.")
    decimals = {metric: _decimal(metric, number) for metric, number in given.items()}
    marked = {metric for metric, number in given.items() if str(number).strip().endswith("%")}
    percent = {metric for metric, value in decimals.items() if value > 1 or metric in marked}
    if percent and len(percent) < len(given):
        odd = next(metric for metric in given if metric not in percent)
        other = next(iter(percent))
        raise SettingsError(
            f"{odd}: found {given[odd]} beside {other} {given[other]}, expected one scale for all; write "
            f"{given[odd]}% if percent is meant, or give fractions."
        )
    shift = -2 if percent else 0
    return Numbers(tuple(_published(metric, value, shift) for metric, value in decimals.items()), percent=bool(percent))


def _decimal(metric: str, number: Number) -> Decimal:
    text = str(number).strip().removesuffix("%").strip()
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or not 0 <= value <= 100:
        raise SettingsError(f"{metric}: found {number!r}, expected a percentage (0 to 100) or a fraction (0 to 1).")
    return value


def _published(metric: str, value: Decimal, shift: int) -> Published:
    half_unit = Decimal(5).scaleb(min(0, int(value.as_tuple().exponent)) - 1 + shift)
    fraction = value.scaleb(shift)
    return Published(
        metric=metric,
        value=float(fraction),
        low=max(0.0, float(fraction - half_unit) - ROUND_OFF),
        high=min(1.0, float(fraction + half_unit) + ROUND_OFF),
        text=f"{value:f}",
    )
