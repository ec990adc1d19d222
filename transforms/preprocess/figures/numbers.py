"""Bounds, moments and quantiles of numbers. What is not finite is left out."""

from dataclasses import dataclass, field

import numpy as np

from transforms.statistics.sketches.moments import Moments
from transforms.statistics.sketches.summary import CHUNK, QuantileSummary, Weighted, distinct


def finite(values: np.ndarray) -> np.ndarray:
    """Returns the numbers that are neither NaN nor infinite."""
    if values.dtype.kind != "f":
        return values
    # A sum is finite if, and nearly only if, all are: it costs a third of a mask.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):
            return values
    return np.asarray(values[np.isfinite(values)])


@dataclass
class Bounds:
    """The least and the greatest number.

    Attributes:
      least, most: They; the least is above the greatest where there are none.
    """

    least: float = float("inf")
    most: float = float("-inf")

    def add(self, values: np.ndarray) -> None:
        """Takes numbers into account."""
        values = finite(values)
        if len(values):
            self.least = min(self.least, float(values.min()))
            self.most = max(self.most, float(values.max()))

    def repeat(self, value: float, number: int) -> None:
        """Takes a number into account, so often."""
        if number:
            self.add(np.array([value]))

    def merge(self, other: "Bounds") -> None:
        """Takes the bounds of other numbers into account."""
        self.least, self.most = min(self.least, other.least), max(self.most, other.most)

    @property
    def nbytes(self) -> int:
        """Its size."""
        return 16


@dataclass
class Spread:
    """Mean and variance, exact to about the last digits of a double."""

    moments: Moments = field(default_factory=Moments)

    def add(self, values: np.ndarray) -> None:
        """Takes numbers into account."""
        values = finite(values)
        # Differences of floats of 32 bits would be rounded to such.
        self.moments.add(values.astype(np.float64) if values.dtype.kind == "f" else values)

    def repeat(self, value: float, number: int) -> None:
        """Takes a number into account, so often."""
        if number and np.isfinite(value):
            self.moments.join(Moments(float(number), float(value)))

    def merge(self, other: "Spread") -> None:
        """Takes other numbers into account."""
        self.moments.join(other.moments)

    @property
    def nbytes(self) -> int:
        """Its size."""
        return 32


@dataclass
class Ranks:
    """How numbers are distributed: exact while few differ, else within the error it states."""

    summary: QuantileSummary = field(default_factory=QuantileSummary)

    def add(self, values: np.ndarray) -> None:
        """Takes numbers into account."""
        values = finite(values)
        values = values if values.dtype == np.float32 else values.astype(np.float64)
        for start in range(0, len(values), CHUNK):
            # Floats of 32 bits are sorted as such, in half the time.
            different, weights = distinct(values[start : start + CHUNK])
            self.summary.put((different.astype(np.float64, copy=False), weights))

    def repeat(self, value: float, number: int) -> None:
        """Takes a number into account, so often."""
        if number and np.isfinite(value):
            self.summary.put((np.array([float(value)]), np.array([number], np.int64)))

    def merge(self, other: "Ranks") -> None:
        """Takes other numbers into account."""
        self.summary.merge(other.summary)

    def at(self, shares: np.ndarray) -> np.ndarray:
        """Returns the numbers below which shares of all numbers lie; nothing if there are none.

        Args:
          shares: Between 0 and 1.

        Returns: For each share the least number with so much at or below it.
        """
        values, weights = self.summary.table()
        if not len(values):
            return np.zeros(0)
        ends = np.cumsum(weights, dtype=np.float64)
        places = np.searchsorted(ends, shares * ends[-1] * (1 - 1e-12))
        return np.asarray(values[places], np.float64)

    @property
    def error(self) -> float:
        """The most by which a rank is wrong, as a share of all numbers."""
        total = float(self.summary.table()[1].sum())
        return self.summary.error / total if total else 0.0

    @property
    def nbytes(self) -> int:
        """Its size."""
        return sum(map(_size, [self.summary.latest, *self.summary.levels.values()]))


def _size(part: Weighted) -> int:
    return int(part[0].nbytes + part[1].nbytes)
