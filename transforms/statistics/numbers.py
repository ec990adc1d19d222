"""Numbers: what the statistics of a numeric feature need to know of its values."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from tensorflow_metadata.proto.v0 import statistics_pb2

from transforms.statistics.semantics import DOMAIN_INFO, epoch
from transforms.statistics.sketches.histograms import (
    FINE,
    by_quantiles,
    equi_width,
    fine,
    median,
    with_infinite,
)
from transforms.statistics.sketches.moments import Moments, exact_sum
from transforms.statistics.sketches.summary import CHUNK, QuantileSummary, Weighted, distinct

MIN_INT, MAX_INT = "min_int64", "max_int64"
"""Custom statistics: the least and the greatest integer in decimal: a double may not hold it."""
_FEW = 1 / 8
"""Where fewer numbers differ than this part of a chunk, hashing them is faster than sorting."""


@dataclass
class Weights:
    """The same by the weights of the rows."""

    moments: Moments = field(default_factory=Moments)
    summary: QuantileSummary = field(default_factory=QuantileSummary)
    below: float = 0.0
    above: float = 0.0


@dataclass
class Numbers:
    """Values of an integer or floating-point feature.

    NaN is only counted. The infinite are in minimum, maximum, median and histograms, not in the
    mean.

    Attributes:
      integers: Whether they are whole numbers of 64 bits.
      summary: The finite numbers.
      moments: Their moments.
      total: The sum of integers.
      nan, below, above: How many are NaN, minus and plus infinity.
      weighted: By weights, where rows have any.
    """

    integers: bool
    summary: QuantileSummary = field(default_factory=QuantileSummary)
    moments: Moments = field(default_factory=Moments)
    total: int = 0
    zeros: int = 0
    nan: int = 0
    below: int = 0
    above: int = 0
    ends: tuple[int | float, int | float] | None = None
    weighted: Weights | None = None
    _few_differ: bool = True

    def add(self, array: pa.Array, weights: np.ndarray | None = None) -> None:
        """Takes values, none of them null, into account: integers, or floats."""
        # Where some do not fit in 64 bits they come as floats, and then all count as such.
        self.integers &= pa.types.is_integer(array.type)
        for start in range(0, len(array), CHUNK):
            part = array.slice(start, CHUNK)
            self._count(self._counted(part), len(part))
            if weights is not None:
                self._weigh(part.to_numpy(zero_copy_only=False), weights[start : start + CHUNK])

    def _counted(self, array: pa.Array) -> Weighted:
        """Returns the different values in ascending order, NaN last, and how often each occurs."""
        if not self._few_differ:
            return distinct(array.to_numpy(zero_copy_only=False))
        found = array.value_counts()
        values, counts = found.field("values"), found.field("counts").to_numpy()
        return distinct(values.to_numpy(zero_copy_only=False), counts)

    def _count(self, table: Weighted, number: int) -> None:
        values, counts = table
        self._few_differ = len(values) < _FEW * number
        if not self.integers:
            values, counts = self._finite(values, counts)
        if not len(values):
            return
        self.summary.put((values, counts))
        self.moments.add(values, None if counts.max() == 1 else counts)
        if self.integers:
            self.total += int(sum_of_products(values, counts))
        zero = np.searchsorted(values, 0)
        if zero < len(values) and values[zero] == 0:
            self.zeros += int(counts[zero])
        self._widen(values[0].item(), values[-1].item())

    def _finite(self, values: np.ndarray, counts: np.ndarray) -> Weighted:
        """Returns the finite values, and counts the others."""
        if np.isfinite(values[:1]).all() and np.isfinite(values[-1:]).all():
            return values, counts
        self.nan += int(counts[np.isnan(values)].sum())
        self.below += int(counts[values == -np.inf].sum())
        self.above += int(counts[values == np.inf].sum())
        finite = np.isfinite(values)
        return values[finite], counts[finite]

    def _widen(self, low: int | float, high: int | float) -> None:
        self.ends = (
            (low, high)
            if self.ends is None
            else (
                min(low, self.ends[0]),
                max(high, self.ends[1]),
            )
        )

    def _weigh(self, values: np.ndarray, weights: np.ndarray) -> None:
        self.weighted = self.weighted or Weights()
        self.weighted.below += float(weights[values == -np.inf].sum())
        self.weighted.above += float(weights[values == np.inf].sum())
        # What weighs nothing has no share: neither buckets nor quantiles reach to it.
        there = np.isfinite(values) & (weights > 0)
        if there.any():
            self.weighted.summary.add(values[there], weights[there])
            self.weighted.moments.add(values[there], weights[there])

    def merge(self, other: "Numbers") -> None:
        """Takes the values of others into account."""
        self.integers &= other.integers
        self.summary.merge(other.summary)
        self.moments.join(other.moments)
        for name in ("total", "zeros", "nan", "below", "above"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if other.ends is not None:
            self._widen(*other.ends)
        if other.weighted is not None:
            self.weighted = self.weighted or Weights()
            self.weighted.summary.merge(other.weighted.summary)
            self.weighted.moments.join(other.weighted.moments)
            self.weighted.below += other.weighted.below
            self.weighted.above += other.weighted.above

    def describe(self, made: statistics_pb2.FeatureNameStatistics) -> None:
        """Fills in the numeric statistics of a feature."""
        made.type = statistics_pb2.FeatureNameStatistics.INT
        if not self.integers:
            made.type = statistics_pb2.FeatureNameStatistics.FLOAT
        stats, infinite = made.num_stats, (float(self.below), float(self.above))
        finite = self.summary.table()
        table = with_infinite(finite, infinite)
        # TFDV writes nothing where there is no number: these are the proto's defaults then.
        stats.mean = self._mean()
        stats.std_dev, stats.num_zeros = self.moments.deviation, self.zeros
        stats.median = median(table)
        low, high = self.ends or (0, 0)
        stats.min, stats.max = self._outer(float(low), float(high))
        if len(table[0]) or self.nan:
            for histogram in (equi_width(finite, infinite), by_quantiles(table)):
                histogram.num_nan = self.nan
                stats.histograms.append(histogram)
            detail = made.custom_stats.add(name=FINE).histogram
            detail.CopyFrom(fine(table))
            detail.num_nan = self.nan
        if self.integers and self.ends is not None:
            made.custom_stats.add(name=MIN_INT, str=str(low))
            made.custom_stats.add(name=MAX_INT, str=str(high))
        if self.weighted is not None:
            self._describe_weighted(stats.weighted_numeric_stats)

    def describe_times(self, made: statistics_pb2.FeatureNameStatistics) -> None:
        """Marks integers as times if they look like times."""
        if self.integers and self.ends is not None:
            low, high = self.ends
            if domain := epoch(int(low), int(high), int(self.moments.weight)):
                made.custom_stats.add(name=DOMAIN_INFO, str=domain)

    def _mean(self) -> float:
        if self.integers and self.moments.weight:
            return self.total / int(self.moments.weight)
        return self.moments.mean

    def _outer(self, low: float, high: float) -> tuple[float, float]:
        if self.ends is None and (self.below or self.above):
            low, high = (-np.inf if self.below else np.inf), (np.inf if self.above else -np.inf)
        return (-np.inf if self.below else low), (np.inf if self.above else high)

    def _describe_weighted(self, stats: statistics_pb2.WeightedNumericStatistics) -> None:
        assert self.weighted is not None
        infinite = self.weighted.below, self.weighted.above
        stats.mean, stats.std_dev = self.weighted.moments.mean, self.weighted.moments.deviation
        finite = self.weighted.summary.table()
        table = with_infinite(finite, infinite)
        stats.median = median(table)
        stats.histograms.append(equi_width(finite, infinite))
        stats.histograms.append(by_quantiles(table))


def sum_of_products(values: np.ndarray, counts: np.ndarray) -> int:
    """Returns the sum of integers times their counts, exact at any size."""
    values, counts = values.astype(np.int64), counts.astype(np.int64)
    # Counts are below 2^17 here, and halves of values below 2^32: no product exceeds 64 bits.
    return (exact_sum((values >> 32) * counts) << 32) + exact_sum((values & 0xFFFFFFFF) * counts)
