"""Calibration: how far windows of the baseline itself are from the rest of it.

Rows of real windows are alike: the statistic is then larger than chance alone makes it. How much
larger, in mean and variance, is learned from the baseline's own windows, each compared with the
rest; the statistic then is a scaled chi-square with that mean and variance (F. E. Satterthwaite,
1946), and F, for its mean is an estimate.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from transforms.drift.counting.layout import Integers
from transforms.drift.judging.pooling import Floats, Tested, compare_cells
from transforms.drift.judging.survival import chi2_quantile, f_tail

LEAST_WINDOWS = 30
"""Of fewer windows it can't be learned."""


@dataclass(frozen=True)
class Calibration:
    """The excess of the statistic over chance, for each of c columns.

    Attributes:
      windows: How many windows it is learned of.
      mean: By how much the statistic's mean grows with each row of `Tested.size`; 0 or more.
      spread: By how much its variance grows with the square of these; 0 or more.
    """

    windows: Integers
    mean: Floats
    spread: Floats

    @classmethod
    def none(cls, columns: int) -> "Calibration":
        """Returns the calibration of no windows: chance alone."""
        return cls(np.zeros(columns, np.int64), np.zeros(columns), np.zeros(columns))

    @property
    def is_enough(self) -> np.ndarray:
        """Of which columns enough windows are known."""
        return self.windows >= LEAST_WINDOWS

    def moments(self, tested: Tested) -> tuple[Floats, Floats]:
        """Returns mean and variance of the statistic without drift."""
        df = np.maximum(tested.cells - 1, 1)
        excess = np.where(self.is_enough, self.mean, 0.0) * tested.size
        spread = np.where(self.is_enough, self.spread, 0.0) * tested.size**2
        return df + excess, 2 * df + 4 * excess + spread

    def tails(self, tested: Tested) -> Floats:
        """Returns the p-value of each column; 1 if there is nothing to test."""
        mean, variance = self.moments(tested)
        df = 2 * mean**2 / variance
        below = np.where(self.is_enough, df * np.maximum(self.windows - 1, 1), np.inf)
        tails = f_tail(tested.statistic / mean, df, below)
        return np.where(tested.cells > 1, tails, 1.0)

    def detectable(self, tested: Tested, tail: float, power_quantile: float = 1.2816) -> Floats:
        """Returns about the least index that nine in ten windows of this size detect.

        Args:
          tested: The window.
          tail: The p-value below which it counts.
          power_quantile: The normal quantile of the share of windows in which it is found.
        """
        mean, variance = self.moments(tested)
        df = 2 * mean**2 / variance
        bound = chi2_quantile(np.full(len(mean), tail), df) * mean / df
        # The statistic of a true index of y / size has the mean + y and the variance + 4 y.
        z2 = power_quantile**2
        half = mean - bound - 2 * z2
        rest = (mean - bound) ** 2 - z2 * variance
        y = np.sqrt(np.maximum(half**2 - rest, 0)) - half
        return y / np.maximum(tested.size, 1e-300)


def calibrate(windows: Iterable[Integers], total: Integers, starts: Integers) -> Calibration:
    """Learns it of the windows of a baseline.

    Args:
      windows: Of each the counts of its k cells.
      total: The sum of all of them, and of more if these are some of them.
      starts: The first cell of each of c columns.
    """
    found = []
    for window in windows:
        tested = compare_cells(window, total - window, starts)
        usable = (tested.cells > 1) & (tested.size >= 1)
        df = np.maximum(tested.cells - 1, 0)
        found.append((usable, tested.statistic, df, np.where(usable, tested.size, 1.0)))
    if not found:
        return Calibration.none(len(starts))
    return _moments(*(np.array(each) for each in zip(*found, strict=True)))


def _moments(usable: np.ndarray, statistic: Floats, df: Floats, size: Floats) -> Calibration:
    """Computes moments from the statistics of w windows of c columns, where they are usable."""
    number = usable.sum(axis=0)
    excess = np.where(usable, (statistic - df) / size, 0.0)
    mean = excess.sum(axis=0) / np.maximum(number, 1)
    off = np.where(usable, excess - mean, 0.0)
    variance = (off**2).sum(axis=0) / np.maximum(number - 1, 1)
    mean = np.maximum(mean, 0.0)
    by_chance = np.where(usable, (2 * df + 4 * mean * size) / size**2, 0.0)
    spread = variance - by_chance.sum(axis=0) / np.maximum(number, 1)
    return Calibration(number, mean, np.maximum(spread, 0.0))
