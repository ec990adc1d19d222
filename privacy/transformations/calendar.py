"""Days in texts: read by a closed list of forms, and written back in the same form."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.crypto.date_shift import offsets
from privacy.detectors.codes.sums import is_date

_TIME = r"(?P<time>(?:[T ]\d{1,2}:\d{2}.*)?)$"
_FORMS = (
    ("%Y-%m-%d", r"^(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"),
    ("%Y/%m/%d", r"^(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})"),
    ("%m/%d/%Y", r"^(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})"),
    ("%m-%d-%Y", r"^(?P<m>\d{1,2})-(?P<d>\d{1,2})-(?P<y>\d{4})"),
    ("%d.%m.%Y", r"^(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})"),
    ("%Y%m%d", r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"),
)


def _read(values: pa.Array) -> Iterator[tuple[str, np.ndarray, np.ndarray, pa.Array]]:
    """Yields for each form the rows that have it, their days, and what stands behind the day."""
    for form, pattern in _FORMS:
        parts = pc.extract_regex(values, pattern + _TIME)
        rows = np.flatnonzero(np.asarray(parts.is_valid()))
        if not len(rows):
            continue
        found = parts.take(pa.array(rows))
        names = [found.type.field(place).name for place in range(found.type.num_fields)]
        by_name = dict(zip(names, found.flatten(), strict=True))
        year, month, day = (np.asarray(by_name[x].cast(pa.int64())) for x in "ymd")
        good = is_date(year, month, day) & (year > 0)
        yield (
            form,
            rows[good],
            _days(year[good], month[good], day[good]),
            by_name["time"].filter(pa.array(good)),
        )


def _days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    months = ((year - 1970) * 12 + month - 1).astype("M8[M]")
    return np.asarray(months.astype("M8[D]").astype(np.int64) + day - 1)


def days_of(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Returns the days since 1970 of n texts, and which of them are days."""
    days, good = np.zeros(len(values), np.int64), np.zeros(len(values), bool)
    for _, rows, found, _ in _read(values):
        days[rows], good[rows] = found, True
    return days, good


_PARTS = {
    "YEAR": pc.year,
    "MONTH": pc.month,
    "DAY_OF_MONTH": pc.day,
    "DAY_OF_WEEK": lambda days: pc.day_of_week(days, count_from_zero=False),
    "WEEK_OF_YEAR": pc.iso_week,
}
_HOUR = r"(?:^|[T ])(?P<hour>\d{1,2}):\d{2}"


@dataclass(frozen=True)
class TimePart:
    """Keeps a part of a day or time: its year, month, day, weekday (Monday is 1), week, or hour.

    Attributes:
      part: DLP's name of it.
    """

    part: str

    def __call__(self, values: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """Replaces n texts; one that is no day is a fault, null stays null."""
        valid = np.asarray(values.is_valid())
        if self.part == "HOUR_OF_DAY":
            found = pc.extract_regex(values, _HOUR).flatten()[0]
            made = found.cast(pa.int64()).cast(pa.string())
            return made, valid & ~np.asarray(made.is_valid())
        days, good = days_of(values)
        dates = pa.array(days.astype(np.int32), pa.int32()).cast(pa.date32())
        made = _PARTS[self.part](dates).cast(pa.string())
        return pc.if_else(pa.array(good), made, None), valid & ~good


@dataclass(frozen=True)
class DateShift:
    """Moves days by as many days as a context says, or each day by its own.

    Attributes:
      lower: The least shift in days.
      upper: The greatest.
      key: Decides the shift, with the context.
      context: The field whose value is the context; empty for the text itself.
    """

    lower: int
    upper: int
    key: bytes = field(repr=False)
    context: str = ""

    def __call__(
        self, values: pa.Array, context: pa.Array | None = None
    ) -> tuple[pa.Array, np.ndarray]:
        """Moves n texts; one that is no day is a fault, as is one without its context."""
        shifts = offsets(values if context is None else context, self.key, self.lower, self.upper)
        moved = np.asarray(shifts.fill_null(0)).astype(np.int64)
        known = np.asarray(shifts.is_valid())
        made, done = pa.nulls(len(values), pa.string()), np.zeros(len(values), bool)
        for form, rows, days, times in _read(values):
            dates = pa.array((days + moved[rows]).astype(np.int32)).cast(pa.date32())
            texts = pc.binary_join_element_wise(pc.strftime(dates, form), times, "")
            mask = np.zeros(len(values), bool)
            mask[rows] = True
            made, done = pc.replace_with_mask(made, pa.array(mask), texts), done | mask
        done &= known
        return pc.if_else(pa.array(done), made, None), np.asarray(values.is_valid()) & ~done
