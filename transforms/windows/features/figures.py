"""The figures of stretches of a column: sum, mean, least, greatest and spread."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from transforms.windows.features.fold import fold, greatest, least, moments, sums


@dataclass(frozen=True)
class Stretches:
    """m stretches of a column of n numbers.

    Attributes:
      numbers: float64; 0 where there is none.
      present: Where there is one.
      starts: Where each stretch starts.
      lengths: How many rows it has.
      counts: How many of them have a number.
    """

    numbers: np.ndarray
    present: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(
        cls, numbers: np.ndarray, present: np.ndarray, starts: np.ndarray, ends: np.ndarray
    ) -> "Stretches":
        """Counts the numbers of each stretch."""
        before = np.append(0, np.cumsum(present))
        return cls(numbers, present, starts, ends - starts, before[ends] - before[starts])


def figure(stretches: Stretches, statistic: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns a figure of each stretch, in float64, and whether there are enough numbers for it."""
    with np.errstate(all="ignore"):
        found = _FIGURES[statistic](stretches)
    return found, stretches.counts > (statistic == "std")


def _sum(of: Stretches) -> np.ndarray:
    (total,) = fold((of.numbers,), of.starts, of.lengths, sums, (0,))
    return total


def _mean(of: Stretches) -> np.ndarray:
    mean: np.ndarray = _sum(of) / np.maximum(of.counts, 1)
    return mean


def _min(of: Stretches) -> np.ndarray:
    numbers = np.where(of.present, of.numbers, np.inf)
    (found,) = fold((numbers,), of.starts, of.lengths, least, (np.inf,))
    return found


def _max(of: Stretches) -> np.ndarray:
    numbers = np.where(of.present, of.numbers, -np.inf)
    (found,) = fold((numbers,), of.starts, of.lengths, greatest, (-np.inf,))
    return found


def _std(of: Stretches) -> np.ndarray:
    parts = (of.present.astype(np.float64), of.numbers, np.zeros(len(of.numbers)))
    _, _, squares = fold(parts, of.starts, of.lengths, moments, (0, 0, 0))
    spread: np.ndarray = np.sqrt(squares / np.maximum(of.counts - 1, 1))
    return spread


_FIGURES: dict[str, Callable[[Stretches], np.ndarray]] = {
    "sum": _sum,
    "mean": _mean,
    "min": _min,
    "max": _max,
    "std": _std,
}
