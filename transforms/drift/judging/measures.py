"""What is reported of a column beside its test: distances and shifts over the same cells."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from transforms.drift.counting.cells import ColumnCells
from transforms.drift.counting.layout import Integers, Layout
from transforms.drift.judging.pooling import Floats


@dataclass(frozen=True)
class Measures:
    """Distances between the cells of a window and those of the baseline, for c columns.

    Attributes:
      jsd: The Jensen-Shannon divergence in bits, from 0 to 1.
      l_infinity: The greatest change of a cell's share.
      cell: Which cell that is.
      before, after: Its share in the baseline and in the window.
      ks: The greatest difference of cumulative shares at the edges of cells; NaN of labels.
      hellinger: The distance of E. Hellinger, from 0 to 1.
      wasserstein: How far numbers moved on average, each taken for the mean of its cell, in the
        baseline's standard deviations; NaN of labels.
      mean_shift: By how many of the baseline's standard deviations the mean moved, each number
        taken for the mean of its cell; NaN of labels.
      median_shift: The same of the median.
      missing, missing_before: The shares of missing values: no column, null or NaN.
      outside, outside_before: The shares of values that the baseline's cells do not tell apart:
        texts that are no frequent label, numbers below or above all of the baseline.
    """

    jsd: Floats
    l_infinity: Floats
    cell: Integers
    before: Floats
    after: Floats
    ks: Floats
    hellinger: Floats
    wasserstein: Floats
    mean_shift: Floats
    median_shift: Floats
    missing: Floats
    missing_before: Floats
    outside: Floats
    outside_before: Floats


@dataclass(frozen=True)
class Side:
    """What is known of one side alone: shares of k cells, and of c columns.

    Attributes:
      shares: Of the cells.
      below: The share of numbers up to the end of each cell.
      centers: The same, of the cells for which a number stands.
      mean, spread, median: Of the columns; NaN of labels.
    """

    shares: Floats
    below: Floats
    centers: Floats
    mean: Floats
    spread: Floats
    median: Floats


@dataclass(frozen=True)
class Measurer:
    """Measures windows over the cells of a layout.

    Attributes:
      layout: The cells.
      missing: Which cells hold missing values.
    """

    layout: Layout
    missing: np.ndarray

    @cached_property
    def _column(self) -> Integers:
        return np.repeat(np.arange(len(self.layout.columns)), np.diff(self.layout.starts))

    @cached_property
    def _outside(self) -> np.ndarray:
        mask = np.zeros(self.layout.number, bool)
        for first, column in zip(self.layout.starts.tolist(), self.layout.columns, strict=False):
            mask[[first + at for at in column.outside]] = True
        return mask

    @cached_property
    def _numbers(self) -> np.ndarray:
        """Which columns are of numbers."""
        return np.array([each.counts_numbers for each in self.layout.columns])

    @cached_property
    def _centers(self) -> Floats:
        """The number that stands for each cell; NaN where none does."""
        return np.concatenate([_centers(each) for each in self.layout.columns])

    @cached_property
    def _edges(self) -> tuple[Floats, Floats]:
        """Where cells of numbers begin and end; the outer ones end where they begin."""
        both = [_edges(each) for each in self.layout.columns]
        return np.concatenate([low for low, _ in both]), np.concatenate([high for _, high in both])

    def side(self, counts: Integers) -> Side:
        """Returns what is known of one side alone, of a window or the baseline.

        Args:
          counts: Of each cell.
        """
        mean, spread = self._moments(counts)
        below = self._below(self._ordered(counts))
        centers = self._below(np.where(np.isfinite(self._centers), counts, 0))
        return Side(self._shares(counts), below, centers, mean, spread, self._medians(counts))

    def __call__(self, window: Side, baseline: Side) -> Measures:
        """Measures a window."""
        q, p, spread = window.shares, baseline.shares, baseline.spread
        cell = self._first_greatest(np.abs(q - p))
        ks = np.maximum.reduceat(np.abs(window.below - baseline.below), self.layout.starts[:-1])
        moved = self._sum(np.abs(window.centers - baseline.centers) * self._gaps)
        return Measures(
            self._sum(_jensen_shannon(p, q)),
            np.abs(q - p)[cell],
            cell - self.layout.starts[:-1],
            p[cell],
            q[cell],
            np.where(self._numbers, ks, np.nan),
            np.sqrt(np.maximum(1 - self._sum(np.sqrt(p * q)), 0)),
            np.where(self._numbers, moved, np.nan) / spread,
            (window.mean - baseline.mean) / spread,
            (window.median - baseline.median) / spread,
            self._sum(np.where(self.missing, q, 0)),
            self._sum(np.where(self.missing, p, 0)),
            self._sum(np.where(self._outside, q, 0)),
            self._sum(np.where(self._outside, p, 0)),
        )

    def _sum(self, cells: np.ndarray) -> np.ndarray:
        return np.add.reduceat(cells, self.layout.starts[:-1])

    def _shares(self, counts: Integers) -> Floats:
        shares: Floats = counts / np.maximum(self._sum(counts), 1)[self._column]
        return shares

    def _first_greatest(self, change: Floats) -> Integers:
        starts = self.layout.starts[:-1]
        is_most = change == np.maximum.reduceat(change, starts)[self._column]
        places = np.where(is_most, np.arange(len(change)), len(change))
        return np.minimum.reduceat(places, starts)

    def _ordered(self, counts: Integers) -> Integers:
        """Returns the counts of numbers in their order; 0 for values without order."""
        keep = self._numbers[self._column] & ~self.missing
        return np.where(keep, counts, 0)

    def _below(self, held: Integers) -> Floats:
        """Returns the share of each column's values in its cells up to each."""
        ends, starts = np.cumsum(held), self.layout.starts[:-1]
        inside = ends - (ends[starts] - held[starts])[self._column]
        below: Floats = inside / np.maximum(self._sum(held), 1)[self._column]
        return below

    @cached_property
    def _gaps(self) -> Floats:
        """How far it is from each number that stands for a cell to the next; 0 behind the last."""
        ahead = np.append(self._centers[1:], np.nan) - self._centers
        ahead[self.layout.starts[1:] - 1] = np.nan
        return np.where(np.isfinite(ahead), ahead, 0.0)

    def _moments(self, counts: Integers) -> tuple[Floats, Floats]:
        """Returns mean and standard deviation, by the centers of cells; NaN without values."""
        there = np.isfinite(self._centers)
        held = np.where(there, counts, 0)
        number = self._sum(held).astype(np.float64)
        number[number == 0] = np.nan
        centers = np.where(there, self._centers, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = self._sum(held * centers) / number
            off = np.where(there, self._centers - mean[self._column], 0.0)
            spread = np.sqrt(self._sum(held * off**2) / number)
        return mean, np.where(spread > 0, spread, np.nan)

    def _medians(self, counts: Integers) -> Floats:
        """Returns the medians, as if numbers lay evenly in their cells; NaN without values."""
        low, high = self._edges
        held = np.where(np.isfinite(low), counts, 0)
        ends = np.cumsum(held)
        total = self._sum(held)
        first = ends[self.layout.starts[:-1]] - held[self.layout.starts[:-1]]
        wanted = first + (total + 1) // 2
        cell = np.minimum(np.searchsorted(ends, wanted, side="left"), len(ends) - 1)
        part = (first + total / 2 - (ends[cell] - held[cell])) / np.maximum(held[cell], 1)
        median = low[cell] * (1 - part) + high[cell] * part
        return np.where((total > 0) & self._numbers, median, np.nan)


def _centers(column: ColumnCells) -> Floats:
    centers = np.full(column.number, np.nan)
    low, _ = _edges(column)
    known = np.isfinite(low)
    centers[known] = low[known]
    inner = column.centers
    if known.any():
        at = int(np.flatnonzero(known)[0]) + 1
        centers[at : at + len(inner)] = inner
    return centers


def _edges(column: ColumnCells) -> tuple[Floats, Floats]:
    number, edges = column.number, column.edges
    low, high = np.full(number, np.nan), np.full(number, np.nan)
    if edges:
        last = float(np.nextafter(edges[-1], -np.inf))
        first = 3
        low[first : first + len(edges) + 1] = [edges[0], *edges[:-1], last]
        high[first : first + len(edges) + 1] = [edges[0], *edges[1:-1], last, last]
    return low, high


def _jensen_shannon(p: Floats, q: Floats) -> Floats:
    middle = (p + q) / 2
    safe = np.maximum(middle, 1e-300)
    parts = [
        np.where(each > 0, each * np.log2(np.maximum(each, 1e-300) / safe), 0) for each in (p, q)
    ]
    return (parts[0] + parts[1]) / 2
