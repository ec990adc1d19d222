"""Domains: which values a feature may have; each judges a column, or one value, of its kind."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import null_where, true_where
from transforms.arrow.casts import checked_cast
from transforms.arrow.raw import raw_numbers, where_valid
from transforms.faults import Fault, Violation
from transforms.reasons import Reason

INT64 = (-(2**63), 2**63 - 1)


class Domain(Protocol):
    """Which values are allowed. Nulls are not its matter."""

    def faults(self, values: pa.Array) -> list[Fault]:
        """Returns the faults of a column's values; none if all are valid."""

    def holds(self, value: Any) -> bool:
        """Returns whether one value is allowed, faster than `faults`."""


@dataclass(frozen=True)
class IntRange:
    """Whole numbers from `low` to `high`."""

    column: str
    low: int
    high: int
    reason: Reason = Reason.OUT_OF_RANGE

    def faults(self, values: pa.Array) -> list[Fault]:
        """Returns the faults of integers."""
        numbers = raw_numbers(values)
        if not len(numbers) or (self.low <= numbers.min() and numbers.max() <= self.high):
            return []
        outside = where_valid(values, (numbers < self.low) | (numbers > self.high))
        why = range_message(self.column, self.low, self.high, INT64)
        return _where(Violation(self.reason, self.column, why), outside)

    def holds(self, value: Any) -> bool:
        """Returns whether the value is in the range."""
        return bool(self.low <= value <= self.high)


@dataclass(frozen=True)
class FloatRange:
    """Floats from `low` to `high`; NaN is in any range, unless NaN is disallowed."""

    column: str
    low: float = -math.inf
    high: float = math.inf
    disallow_nan: bool = False
    disallow_inf: bool = False

    def faults(self, values: pa.Array) -> list[Fault]:
        """Returns the faults of floats or integers."""
        if pa.types.is_float16(values.type):
            values = values.cast(pa.float32())
        numbers = raw_numbers(values)
        # The least of numbers with a NaN among them is NaN, and no comparison holds of it.
        if not len(numbers) or self._fine(numbers.min().item(), numbers.max().item()):
            return []
        low, high = self._ends(numbers.dtype.kind)
        outside = (numbers < low) | (numbers > high)
        why = range_message(self.column, self.low, self.high, (-math.inf, math.inf))
        found = _where(
            Violation(Reason.OUT_OF_RANGE, self.column, why), where_valid(values, outside)
        )
        if self.disallow_nan:
            found += self._unwanted(values, np.isnan(numbers), "NaN")
        if self.disallow_inf:
            found += self._unwanted(values, np.isinf(numbers), "infinite")
        return found

    def holds(self, value: Any) -> bool:
        """Returns whether the value is surely allowed."""
        return self._fine(value, value)

    def _fine(self, least: float, most: float) -> bool:
        if not (self.low <= least and most <= self.high):
            return False
        return not (self.disallow_inf and (math.isinf(least) or math.isinf(most)))

    def _ends(self, kind: str) -> tuple[Any, Any]:
        """Returns the ends in the type in which numpy compares exactly."""
        if kind == "f":
            return np.float64(self.low), np.float64(self.high)
        low = math.ceil(self.low) if math.isfinite(self.low) else self.low
        return low, math.floor(self.high) if math.isfinite(self.high) else self.high

    def _unwanted(self, values: pa.Array, mask: np.ndarray, what: str) -> list[Fault]:
        why = f"a value of column {self.column!r} is {what}"
        return _where(Violation(Reason.NOT_FINITE, self.column, why), where_valid(values, mask))


@dataclass(frozen=True)
class FloatBits:
    """Floats that stand for a truth value: 0 and 1."""

    column: str

    def faults(self, values: pa.Array) -> list[Fault]:
        """Returns the faults of floats or integers."""
        numbers = raw_numbers(values)
        outside = where_valid(values, (numbers != 0) & (numbers != 1))
        why = f"a value of column {self.column!r} is neither 0 nor 1"
        return _where(Violation(Reason.NOT_IN_DOMAIN, self.column, why), outside)

    def holds(self, value: Any) -> bool:
        """Returns whether the value is one of them."""
        return value in (0, 1)


@dataclass(frozen=True)
class Texts:
    """Certain strings, or their UTF-8 bytes."""

    column: str
    values: tuple[str, ...]
    _lookups: dict[pa.DataType, Any] = field(default_factory=dict, compare=False, repr=False)

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        """Pickles it without Arrow's lookups, which can't be pickled."""
        return Texts, (self.column, self.values)

    def faults(self, values: pa.Array) -> list[Fault]:
        """Returns the faults of strings or byte strings."""
        known = pc.call_function("is_in", [values], self._lookup(values.type))
        if known.true_count == len(values) - values.null_count:
            return []
        outside = where_valid(values, ~true_where(known))
        why = (
            f"a value of column {self.column!r} is not one of the {len(self.values)} of its domain"
        )
        return _where(Violation(Reason.NOT_IN_DOMAIN, self.column, why), outside)

    def holds(self, value: Any) -> bool:
        """Returns whether the value is one of them."""
        return value in self._set

    @property
    def _set(self) -> Any:
        if None not in self._lookups:
            encoded = [value.encode() for value in self.values]
            self._lookups[None] = frozenset([*self.values, *encoded])
        return self._lookups[None]

    def _lookup(self, type: pa.DataType) -> Any:
        if type not in self._lookups:
            known = pa.array(self.values, pa.string()).cast(type)
            self._lookups[type] = pc.SetLookupOptions(known, skip_nulls=True)
        return self._lookups[type]


@dataclass(frozen=True)
class SpelledNumbers:
    """Texts that spell numbers of a range: "12", where the schema says BYTES and an int_domain.

    Attributes:
      spelling: The regular expression of a whole text.
    """

    column: str
    type: pa.DataType
    spelling: str
    range: IntRange | FloatRange

    def faults(self, values: pa.Array) -> list[Fault]:
        """Returns the faults of strings or byte strings."""
        # A cast reads more than statistics do: 3.0 as an integer, say.
        bad = true_where(pc.invert(pc.match_substring_regex(values, f"^(?:{self.spelling})$")))
        cast = checked_cast(null_where(values, bad) if bad.any() else values, self.type)
        bad = bad if cast.bad is None else bad | cast.bad
        why = f"a value of column {self.column!r} can't be read as {self.type}"
        found = _where(Violation(Reason.UNPARSABLE, self.column, why), bad)
        return found + self.range.faults(cast.values)

    def holds(self, value: Any) -> bool:
        """Returns whether the value spells such a number."""
        return not self.faults(pa.array([value]))


def range_message(column: str, low: float, high: float, all: Sequence[float]) -> str:
    """Returns the message for a value outside a range, which names only ends that matter."""
    ends = [f"below {low}"] * (low > all[0]) + [f"above {high}"] * (high < all[1])
    return f"a value of column {column!r} is {' or '.join(ends)}"


def _where(violation: Violation, mask: np.ndarray) -> list[Fault]:
    return [violation.at(mask)] if mask.any() else []
