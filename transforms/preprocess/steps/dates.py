"""Dates and times: their parts, and their place on a circle. Times are integers since 1970, UTC.

Dates are computed from days as Howard Hinnant describes (chrono-Compatible Low-Level Date
Algorithms): with integers only, alike for numpy and TensorFlow.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from transforms.nearest import nearest
from transforms.preprocess.declared.values import FLOAT, INT, Kind, Vector
from transforms.preprocess.steps.step import Step, WrongStep

_DAY = 86_400
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
UNITS = ("d", *_PER_SECOND)
"""The units of times; d stands for days."""


@dataclass(frozen=True)
class _Civil:
    """The date of a day.

    Attributes:
      year, month, day: As they are written.
    """

    year: Any
    month: Any
    day: Any


def _civil(days: Any, ops: Any) -> _Civil:
    """Returns the dates of days since 1970-01-01."""
    shifted = days + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted_month + 2) // 5 + 1
    month = ops.where(shifted_month < 10, shifted_month + 3, shifted_month - 9)
    year = year_of_era + era * 400
    return _Civil(ops.where(month <= 2, year + 1, year), month, day)


def _is_leap(year: Any, ops: Any) -> Any:
    """Returns 1 for leap years, else 0."""
    every_4, every_100 = ops.integers(year % 4 == 0), ops.integers(year % 100 == 0)
    return every_4 - every_100 + ops.integers(year % 400 == 0)


def _day_of_year(days: Any, ops: Any) -> Any:
    """Returns 1 to 366."""
    date = _civil(days, ops)
    lost = (2 - _is_leap(date.year, ops)) * ((date.month + 9) // 12)
    return 275 * date.month // 9 - lost + date.day - 30


def _weekday(days: Any) -> Any:
    """Returns 0 for Monday to 6 for Sunday: 1970 began on a Thursday."""
    return (days + 3) % 7


def _seconds(times: Any, unit: str | None) -> Any:
    """Returns times in seconds."""
    return times * _DAY if unit == "d" else times // _PER_SECOND[unit or "s"]


_Part = Callable[[Any, Any, Any], Any]
_PARTS: dict[str, tuple[int | None, _Part]] = {
    "year": (None, lambda days, seconds, ops: _civil(days, ops).year),
    "quarter": (5, lambda days, seconds, ops: (_civil(days, ops).month + 2) // 3),
    "month": (13, lambda days, seconds, ops: _civil(days, ops).month),
    "day": (32, lambda days, seconds, ops: _civil(days, ops).day),
    "day_of_week": (7, lambda days, seconds, ops: _weekday(days)),
    "day_of_year": (367, lambda days, seconds, ops: _day_of_year(days, ops)),
    "is_weekend": (2, lambda days, seconds, ops: ops.integers(_weekday(days) >= 5)),
    "hour": (24, lambda days, seconds, ops: seconds // 3600),
    "minute": (60, lambda days, seconds, ops: seconds // 60 % 60),
    "second": (60, lambda days, seconds, ops: seconds % 60),
}
"""The parts, how many numbers each may be (from 0), and how it is made of days and seconds."""


def _check(word: str, known: Any, what: str) -> None:
    if word not in known:
        near = nearest(word, known) or f"; there are {', '.join(known)}"
        raise WrongStep(f"there is no {what} {word!r}{near}")


@dataclass(frozen=True)
class DatePart(Step):
    """A part of a time: a number as it is written, Monday is 0; all in UTC.

    Args:
      part: year, quarter, month, day, day_of_week, day_of_year, is_weekend, hour, minute or second.
      unit: Of the integers since 1970: d, s, ms, us or ns; that of the column by default, or s.
    """

    part: str = "day_of_week"
    unit: str | None = None

    name: ClassVar[str] = "date_part"
    aliases: ClassVar[tuple[str, ...]] = ("extract",)
    takes: ClassVar[tuple[str, ...]] = (INT,)
    shapes: ClassVar[tuple[str, ...]] = ("one", "many")

    def check(self) -> None:
        """Checks that part and unit are some."""
        _check(self.part, _PARTS, "part of a date")
        if self.unit is not None:
            _check(self.unit, UNITS, "unit")

    def made(self, given: Kind) -> Kind:
        """Returns categories, but for years."""
        size = _PARTS[self.part][0]
        return dataclasses.replace(given, size=size, category=size is not None)

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the parts."""
        seconds = _seconds(value.values, self.unit)
        size, made = _PARTS[self.part]
        return value.of(made(seconds // _DAY, seconds % _DAY, ops), size)


_PERIODS = {"minute": 60, "hour": 3600, "day": _DAY, "week": 7 * _DAY, "year": None}


@dataclass(frozen=True)
class CyclicTime(Step):
    """Sine and cosine of a time's place in a period, so that its end is near its beginning.

    Args:
      period: minute, hour, day, week (from Monday) or year; all in UTC.
      unit: Of the integers since 1970: d, s, ms, us or ns; that of the column by default, or s.
    """

    period: str = "day"
    unit: str | None = None

    name: ClassVar[str] = "cyclic_time"
    takes: ClassVar[tuple[str, ...]] = (INT,)
    shapes: ClassVar[tuple[str, ...]] = ("one",)

    def check(self) -> None:
        """Checks that period and unit are some."""
        _check(self.period, _PERIODS, "period")
        if self.unit is not None:
            _check(self.unit, UNITS, "unit")

    def check_kind(self, given: Kind) -> None:
        """Checks that each row has a time."""
        super().check_kind(given)
        _check_whole(self.name, given)

    def made(self, given: Kind) -> Kind:
        """Returns vectors of two."""
        return Kind("vector", FLOAT, size=2)

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns sine and cosine."""
        seconds = _seconds(value.values, self.unit)
        period = _PERIODS[self.period]
        if period is not None:
            start = 3 * _DAY if self.period == "week" else 0
            return Vector(ops.circle((seconds + start) % period, period))
        days = seconds // _DAY
        days_of_year = 365 + _is_leap(_civil(days, ops).year, ops)
        at = (_day_of_year(days, ops) - 1) * _DAY + seconds % _DAY
        return Vector(ops.circle(at, days_of_year * _DAY))


def _check_whole(name: str, given: Kind) -> None:
    if not given.whole:
        raise WrongStep(f"{name} needs a value in each row: fill before")


@dataclass(frozen=True)
class Cyclic(Step):
    """Sine and cosine of a number's place in a period: of hours from 0 to 24, say.

    Args:
      period: How long it is.
    """

    period: float = 24.0

    name: ClassVar[str] = "cyclic"
    shapes: ClassVar[tuple[str, ...]] = ("one",)

    def check(self) -> None:
        """Checks the period."""
        if not self.period > 0:
            raise WrongStep("period is greater than 0")

    def check_kind(self, given: Kind) -> None:
        """Checks that each row has a number."""
        super().check_kind(given)
        _check_whole(self.name, given)

    def made(self, given: Kind) -> Kind:
        """Returns vectors of two."""
        return Kind("vector", FLOAT, size=2)

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns sine and cosine."""
        return Vector(ops.circle(value.values, self.period))
