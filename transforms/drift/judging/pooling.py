"""Two samples over the same cells: rare cells pooled, then chi-square and PSI of all columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transforms.drift.counting.layout import Integers

Floats = NDArray[np.float64]

EXPECTED = 5
"""A cell is tested by itself where the baseline lets expect so many rows of the window in it."""


@dataclass(frozen=True)
class Tested:
    """What is tested of each of c columns.

    Attributes:
      statistic: The chi-square statistic of two samples.
      cells: How many cells are left; with fewer than 2 there is nothing to test.
      kept: How many of them are no pool of rare ones.
      psi: The population stability index over the same cells, half a row added to each.
      adjusted: The index less what it is of equal distributions on average; less than 0 by chance.
      size: The rows of both, n m / (n + m), by which a true index makes the statistic grow.
    """

    statistic: Floats
    cells: Integers
    kept: Integers
    psi: Floats
    adjusted: Floats
    size: Floats


def compare_cells(window: Integers, baseline: Integers, starts: Integers) -> Tested:
    """Compares the counts of a window with those of a baseline, column by column.

    Cells in which the baseline lets expect fewer than `EXPECTED` rows of the window are one cell
    together; if that is rare too, and has few rows, it joins the smallest of the others. So which
    cells there are hardly depends on the window that is tested.

    Args:
      window: k counts.
      baseline: k counts, of other rows.
      starts: The first cell of each of c columns.
    """
    column = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(window))))
    n, m = (np.add.reduceat(each, starts) for each in (window, baseline))
    # Products of counts go beyond 64 bits, but doubles are exact enough to sort cells by.
    expected = baseline * (n / np.maximum(m, 1))[column]
    kept = expected >= EXPECTED
    a, b = _with_rare(window, baseline, kept, column, starts)
    there = a + b > 0
    cells = np.add.reduceat(there.astype(np.int64), starts_of(starts))
    statistic = _chi_square(a, b, n, m, starts)
    psi = _psi(a, b, there, n, m, cells, starts)
    noise = (cells - 1) * (1 / np.maximum(n, 1) + 1 / np.maximum(m, 1))
    size = n * (m / np.maximum(n + m, 1))
    held = np.add.reduceat(kept.astype(np.int64), starts)
    return Tested(statistic, cells, held, psi, psi - np.maximum(noise, 0), size)


def starts_of(starts: Integers) -> Integers:
    """Returns where columns start, once each has one more cell behind it."""
    return starts + np.arange(len(starts))


def _with_rare(
    window: Integers, baseline: Integers, kept: np.ndarray, column: Integers, starts: Integers
) -> tuple[Integers, Integers]:
    """Returns the counts of kept cells, 0 for others, with the rare ones' behind each column."""
    rare = [np.add.reduceat(np.where(kept, 0, each), starts) for each in (window, baseline)]
    n, m = (np.add.reduceat(each, starts) for each in (window, baseline))
    expected = (rare[0] + rare[1]) * (n / np.maximum(n + m, 1))
    alone = (expected >= EXPECTED) | (rare[0] >= EXPECTED)
    least = _least_kept(baseline, kept, column, starts)
    alone |= least < 0
    joins = ~alone
    ends = np.append(starts[1:], len(window))
    made = []
    for each, extra in zip((window, baseline), rare, strict=True):
        own = np.where(kept, each, 0)
        own[least[joins]] += extra[joins]
        made.append(np.insert(own, ends, np.where(alone, extra, 0)))
    return made[0], made[1]


def _least_kept(
    baseline: Integers, kept: np.ndarray, column: Integers, starts: Integers
) -> Integers:
    """Returns each column's kept cell with the fewest rows, the first of equal ones; else -1."""
    most = np.iinfo(np.int64).max
    held = np.where(kept, baseline, most)
    is_least = (held == np.minimum.reduceat(held, starts)[column]) & kept
    places = np.where(is_least, np.arange(len(baseline)), len(baseline))
    first = np.minimum.reduceat(places, starts)
    return np.where(first < len(baseline), first, -1)


def _chi_square(a: Integers, b: Integers, n: Integers, m: Integers, starts: Integers) -> Floats:
    column = np.repeat(np.arange(len(starts)), np.diff(np.append(starts_of(starts), len(a))))
    total = n + m
    expected = (a + b) * (n / np.maximum(total, 1))[column]
    # (a - e)² (1/e + 1/f), where e and f are what is expected of both.
    other = (a + b) - expected
    safe = np.maximum(expected * other, 1e-300)
    parts = (a - expected) ** 2 * ((a + b) / safe)
    parts[(a + b == 0) | (expected <= 0) | (other <= 0)] = 0
    return np.add.reduceat(parts, starts_of(starts))


def _psi(
    a: Integers,
    b: Integers,
    there: np.ndarray,
    n: Integers,
    m: Integers,
    cells: Integers,
    starts: Integers,
) -> Floats:
    """Returns the index with half a row in each cell (H. Jeffreys), so that none is empty."""
    column = np.repeat(np.arange(len(starts)), np.diff(np.append(starts_of(starts), len(a))))
    half = 0.5 * np.maximum(cells, 1)
    p = (b + 0.5) / (m + half)[column]
    q = (a + 0.5) / (n + half)[column]
    parts = np.where(there, (p - q) * np.log(p / q), 0.0)
    return np.add.reduceat(parts, starts_of(starts))
