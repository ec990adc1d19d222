"""QuantileSummary: how numbers are distributed; exact while few differ, then in bounded memory."""

from dataclasses import dataclass, field

import numpy as np

EXACT = 4096
"""So many different values are kept with their exact weights."""
KEPT = 1024
"""So many values stand for a part of the numbers, once there are more."""
CHUNK = 1 << 16
"""So many numbers are sorted at once."""

Weighted = tuple[np.ndarray, np.ndarray]
"""Different values in ascending order, and what each weighs: how often it came, say."""


@dataclass
class QuantileSummary:
    """Different numbers and their weights, from which quantiles and histograms are read.

    Up to `EXACT` different ones all are kept, and everything is exact. When they are more, they
    are thinned to `KEPT` values of equal weight, besides those that weigh much, which stay as they
    are. Two thinned parts of a level become one of the next (the buffers of Manku, Rajagopalan and
    Lindsay, SIGMOD 1998), so n numbers take memory in the order of log n, and a rank is wrong by
    at most `error`.

    Attributes:
      latest: What was not thinned yet.
      levels: The thinned parts.
      error: The most by which a rank is wrong, as a weight; 0 while all is exact.
    """

    latest: Weighted = field(default_factory=lambda: (np.zeros(0, np.int64), np.zeros(0, np.int64)))
    levels: dict[int, Weighted] = field(default_factory=dict)
    error: float = 0.0

    def add(self, values: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Takes numbers into account.

        Args:
          values: Finite numbers, in any order.
          weights: What each weighs, 0 or more; 1 by default.
        """
        for start in range(0, len(values), CHUNK):
            part = slice(start, start + CHUNK)
            self.put(distinct(values[part], None if weights is None else weights[part]))

    def put(self, part: Weighted) -> None:
        """Takes different numbers, in ascending order, and their weights into account."""
        self.latest = joined(self.latest, part)
        if len(self.latest[0]) > EXACT:
            self._carry(self._thinned(self.latest), 0)
            # Of no part of the old arrays, which it would keep alive.
            self.latest = (self.latest[0][:0].copy(), self.latest[1][:0].copy())

    def merge(self, other: "QuantileSummary") -> None:
        """Takes the numbers of another summary into account."""
        self.error += other.error
        for level, part in sorted(other.levels.items()):
            self._carry(part, level)
        self.put(other.latest)

    def _carry(self, part: Weighted, level: int) -> None:
        while level in self.levels:
            part = self._thinned(joined(self.levels.pop(level), part))
            level += 1
        self.levels[level] = part

    def _thinned(self, part: Weighted) -> Weighted:
        """Returns the ends, the heavy values, and some of the others, which stand for shares."""
        values, weights = part
        heavy = weights >= 2 * weights.sum() / KEPT
        # Histograms reach from the least to the greatest.
        heavy[0] = heavy[-1] = True
        ends = np.cumsum(weights[~heavy], dtype=np.float64)
        if not len(ends) or not ends[-1]:
            return part
        share = ends[-1] / KEPT
        # The value in the middle of a share is off by half of one at most.
        self.error += share / 2
        chosen = values[~heavy][np.searchsorted(ends, (np.arange(KEPT) + 0.5) * share)]
        kept = values[heavy], weights[heavy].astype(np.float64)
        return joined(kept, summed(chosen, np.full(KEPT, share)))

    def table(self) -> Weighted:
        """Returns all kept numbers in ascending order, with their weights."""
        table = self.latest
        for part in self.levels.values():
            table = joined(table, part)
        return table


def distinct(values: np.ndarray, weights: np.ndarray | None = None) -> Weighted:
    """Returns different values in ascending order, with their counts or sums of weights."""
    if weights is None:
        values = np.sort(values)
        starts = _starts(values)
        if len(starts) == len(values):
            return values, np.ones(len(values), np.int64)
        return values[starts], np.diff(np.append(starts, len(values)))
    order = np.argsort(values, kind="stable")
    return summed(values[order], weights[order])


def joined(one: Weighted, other: Weighted) -> Weighted:
    """Returns two tables as one."""
    if not len(one[0]) or not len(other[0]):
        return other if len(other[0]) else one
    if np.array_equal(one[0], other[0]):
        return one[0], one[1] + other[1]
    values = np.concatenate([one[0], other[0]])
    # Two ascending runs are merged by a stable sort, not sorted again.
    order = np.argsort(values, kind="stable")
    return summed(values[order], np.concatenate([one[1], other[1]])[order])


def summed(values: np.ndarray, weights: np.ndarray) -> Weighted:
    """Returns ascending values, with equal ones joined."""
    starts = _starts(values)
    if len(starts) == len(values):
        return values, weights
    return values[starts], np.add.reduceat(weights, starts)


def _starts(values: np.ndarray) -> np.ndarray:
    """Returns where runs of equal values begin."""
    if not len(values):
        return np.zeros(0, np.intp)
    return np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))


def quantiles(table: Weighted, parts: int) -> np.ndarray:
    """Returns values that cut a table into parts of equal weight, with the least and greatest.

    Args:
      table: At least one value.
      parts: How many parts.

    Returns: parts + 1 values that are in the table; each is the least with so much weight at or
      below it.
    """
    values, weights = table
    ends = np.cumsum(weights, dtype=np.float64)
    wanted = np.linspace(0, ends[-1], parts + 1)
    return values[np.searchsorted(ends, wanted * (1 - 1e-12))]


def weights_between(table: Weighted, edges: np.ndarray) -> np.ndarray:
    """Returns the weight in each bucket [edge, next edge); the last has its end too."""
    values, weights = table
    ends = np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])
    places = np.searchsorted(values, edges, side="left")
    places[-1] = np.searchsorted(values, edges[-1], side="right")
    return np.diff(ends[places])
