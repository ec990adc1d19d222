"""The distribution of a column of numbers, as far as its statistics show it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from transforms.metadata.columns import Column
from transforms.metadata.protos import statistics_pb2

FINE_HISTOGRAM = "fine_histogram"
"""A custom statistic of a column of numbers: a histogram of many narrow bins.

Its bins rise and do not overlap; one whose low equals its high holds values that are just this
number, also an infinite one; in the others no single number has a noticeable share.
`num_nan` counts NaN. With it, a comparison is as exact as these bins are narrow.
"""

_Histogram: TypeAlias = statistics_pb2.Histogram
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mass:
    """Counts of values below each of some positions.

    Attributes:
      at: The positions: finite, rising.
      below: How many finite values are less than each.
      upto: How many are less or equal.
      odd: How many are NaN, minus and plus infinity.
      is_fine: Whether no number with a noticeable share hides between two positions.
    """

    at: _Floats
    below: _Floats
    upto: _Floats
    odd: _Floats
    is_fine: bool

    @property
    def finite(self) -> float:
        """How many values are finite."""
        return float(self.upto[-1]) if len(self.upto) else 0.0

    @property
    def total(self) -> float:
        """How many values there are."""
        return self.finite + float(self.odd.sum())

    def has_mass_at(self, position: float) -> bool:
        """Returns whether some values are known to equal this number."""
        index = int(np.searchsorted(self.at, position))
        known = index < len(self.at) and self.at[index] == position
        return bool(known and self.upto[index] > self.below[index])

    def count(self, position: float, closed: bool, shape: "Mass | None" = None) -> float:
        """Returns how many finite values are below a position; with `closed`, or equal to it.

        Args:
          position: Any number.
          closed: Whether it counts itself.
          shape: How values are spread between two of the positions; evenly without it.
        """
        index = int(np.searchsorted(self.at, position))
        if index == len(self.at):
            return self.finite
        if self.at[index] == position:
            return float((self.upto if closed else self.below)[index])
        if index == 0:
            return 0.0
        part = _part(float(self.at[index - 1]), float(self.at[index]), position, closed, shape)
        return float(self.upto[index - 1] + part * (self.below[index] - self.upto[index - 1]))

    def without_guesses(self, other: "Mass") -> "Mass":
        """Removes positions where many values may lie but it is unknown how many.

        An edge of estimated quantiles may be such a number: whether its values count as below or
        above is then by chance.

        Args:
          other: Of like data; it knows of some numbers that many values are just these.
        """
        if self.is_fine:
            return self
        points = other.at[other.upto > other.below]
        kept = ~np.isin(self.at, points) | (self.upto > self.below)
        kept[:1] = kept[-1:] = True
        return Mass(self.at[kept], self.below[kept], self.upto[kept], self.odd, self.is_fine)


def _part(low: float, high: float, position: float, closed: bool, shape: Mass | None) -> float:
    """Returns which part of the values between two positions is below a third between them."""
    if shape is not None:
        start, end = shape.count(low, True), shape.count(high, False)
        if end > start:
            return (shape.count(position, closed) - start) / (end - start)
    # Halved, for the difference of two doubles may not be a double.
    return (position / 2 - low / 2) / (high / 2 - low / 2)


def mass_of(column: Column) -> Mass | None:
    """Returns the distribution of a column in its statistics; None without a histogram."""
    fine = None if column.by_weight else column.custom(FINE_HISTOGRAM)
    if fine is not None:
        return _of_histograms([fine.histogram], is_fine=True)
    usable = [each for each in column.histograms if each.buckets or each.num_nan]
    if not usable:
        return None
    first, *others = sorted(usable, key=lambda each: each.type != _Histogram.STANDARD)
    # Quantiles that are infinite do not tell how many values are finite.
    usable = [_with_finite_ends(first, others), *filter(_is_finite, others)]
    mass = _of_histograms(usable, is_fine=False)
    return mass if column.by_weight else _with_zeros(mass, column)


def edges_of(column: Column, kinds: Collection[int]) -> _Floats:
    """Returns the finite edges of a column's histograms of some kinds, rising."""
    edges = [
        edge
        for histogram in column.histograms
        if histogram.type in kinds
        for bucket in histogram.buckets
        for edge in (bucket.low_value, bucket.high_value)
    ]
    known = np.unique(np.array(edges, np.float64))
    return known[np.isfinite(known)]


def _with_finite_ends(histogram: _Histogram, others: list[_Histogram]) -> _Histogram:
    """Parts the infinite values from the finite ones that share a bin with them.

    TFDV's outermost bins reach to infinity where some values are infinite. How many, only its
    quantiles tell, to a tenth: the rest counts as finite, so that it makes no drift.
    """
    made = _Histogram()
    made.CopyFrom(histogram)
    widths = [b.high_value - b.low_value for b in made.buckets]
    width = max((each for each in widths if np.isfinite(each)), default=0.0)
    ends = ((0, "low_value", "high_value", -1), (-1, "high_value", "low_value", 1))
    for at, outer, inner, sign in ends if made.buckets else ():
        bucket = made.buckets[at]
        if np.isinf(getattr(bucket, outer)) and np.isfinite(getattr(bucket, inner)):
            known = min(_infinite(others, sign * np.inf), bucket.sample_count)
            setattr(bucket, outer, getattr(bucket, inner) + sign * width)
            bucket.sample_count -= known
            made.buckets.insert(0 if at == 0 else len(made.buckets), _point(sign * np.inf, known))
    return made


def _infinite(histograms: list[_Histogram], end: float) -> float:
    """Returns how many values are surely one of the infinities."""
    return max(
        (
            sum(b.sample_count for b in each.buckets if b.low_value == b.high_value == end)
            for each in histograms
        ),
        default=0.0,
    )


def _point(value: float, count: float) -> statistics_pb2.Histogram.Bucket:
    return _Histogram.Bucket(low_value=value, high_value=value, sample_count=count)


def _is_finite(histogram: _Histogram) -> bool:
    return all(
        np.isfinite(bucket.low_value) and np.isfinite(bucket.high_value)
        for bucket in histogram.buckets
    )


def _of_histograms(histograms: list[_Histogram], is_fine: bool) -> Mass:
    """Histograms of the same values, laid over each other: more positions than in each alone.

    The first one counts what is not finite.
    """
    steps = []
    for histogram in histograms:
        low, high, counts = _bins(histogram)
        inside = np.isfinite(low) & np.isfinite(high)
        steps.append(_steps(low[inside], high[inside], counts[inside]))
    low, high, counts = _bins(histograms[0])
    minus = np.isneginf(low)
    plus = np.isposinf(high) & ~minus
    odd = np.array([histograms[0].num_nan, counts[minus].sum(), counts[plus].sum()], np.float64)
    return _merged(steps, odd, is_fine)


def _bins(histogram: _Histogram) -> tuple[_Floats, _Floats, _Floats]:
    """Returns the low and high ends of its bins, and their counts."""
    rows = [(each.low_value, each.high_value, each.sample_count) for each in histogram.buckets]
    bins = np.array(rows, np.float64).reshape(-1, 3)
    return bins[:, 0], bins[:, 1], bins[:, 2]


def _steps(low: _Floats, high: _Floats, counts: _Floats) -> _Floats:
    """Returns two rows of (position, below, upto) for each bin: its low end and its high end."""
    upto = np.cumsum(counts)
    below = upto - counts
    point = low == high
    starts = np.column_stack([low, below, np.where(point, upto, below)])
    ends = np.column_stack([high, np.where(point, below, upto), upto])
    return np.concatenate([starts, ends])


def _merged(steps: list[_Floats], odd: _Floats, is_fine: bool) -> Mass:
    total = max((float(each[:, 2].max()) for each in steps if len(each)), default=0.0)
    scaled = []
    for each in steps:
        sum_ = float(each[:, 2].max()) if len(each) else 0.0
        if sum_ > 0:
            # Sums of estimated bins differ a little.
            scaled.append(each * np.array([1.0, total / sum_, total / sum_]))
    rows = np.concatenate(scaled) if scaled else np.empty((0, 3))
    at, index = np.unique(rows[:, 0], return_inverse=True)
    below, upto = np.full(len(at), np.inf), np.zeros(len(at))
    np.minimum.at(below, index, rows[:, 1])
    np.maximum.at(upto, index, rows[:, 2])
    if len(steps) > 1:
        below, upto = _without_false_jumps(steps, at, below, upto)
    return Mass(at, *_rising(below, upto), odd, is_fine)


def _without_false_jumps(
    steps: list[_Floats], at: _Floats, below: _Floats, upto: _Floats
) -> tuple[_Floats, _Floats]:
    """Returns positions without mass that only two differing estimates suggest."""
    points = np.unique(np.concatenate([each[each[:, 2] > each[:, 1], 0] for each in steps]))
    smooth = ~np.isin(at, points)
    middle = (below + upto) / 2
    return np.where(smooth, middle, below), np.where(smooth, middle, upto)


def _rising(below: _Floats, upto: _Floats) -> tuple[_Floats, _Floats]:
    both = np.maximum.accumulate(np.column_stack([below, upto]).ravel())
    return both[0::2], both[1::2]


def _with_zeros(mass: Mass, column: Column) -> Mass:
    """Knows how many are zero, where zero is the least: statistics count them."""
    zeros = float(column.numbers.num_zeros)
    if not zeros or column.numbers.min != 0 or not len(mass.at) or mass.at[0] != 0:
        return mass
    scale = mass.total / column.total_values if column.total_values else 1.0
    upto = np.maximum(mass.upto, zeros * scale)
    below = np.concatenate([[0.0], np.maximum(mass.below[1:], zeros * scale)])
    return Mass(mass.at, *_rising(below, upto), mass.odd, mass.is_fine)
