"""Where rows are cut into requests: a pure function of their sizes."""

import functools

import numpy as np

from privacy.cloud.limits import Limits


def cut_rows(
    sizes: np.ndarray, columns: int, overhead: int, findings_per_row: float, limits: Limits
) -> list[tuple[int, int]]:
    """Cuts rows into requests, in order, each as full as the limits allow.

    Args:
      sizes: n serialised sizes in bytes.
      columns: How many cells a row has.
      overhead: The bytes of a request without rows.
      findings_per_row: The mean that is expected.
      limits: Of one request. A row that is too large for any request gets one of its own.

    Returns: First and last row of each request, the last one excluded: together all n rows.
    """
    ends = np.cumsum(sizes, dtype=np.int64)
    most = max(1, limits.cells // max(1, columns))
    if findings_per_row > 0:
        most = max(1, int(min(most, limits.findings / findings_per_row)))
    room = limits.bytes - overhead
    cuts, start = [], 0
    while start < len(ends):
        begun = int(ends[start - 1]) if start else 0
        fits = int(np.searchsorted(ends, begun + room, side="right"))
        stop = max(start + 1, min(fits, start + most, len(ends)))
        cuts.append((start, stop))
        start = stop
    return cuts


@functools.cache
def number_sizes(count: int) -> np.ndarray:
    """Returns what the numbers of the first rows of a request take as cells: n integers.

    A row's length may take a byte more with it: see `with_numbers`.
    """
    places = np.arange(count)
    return np.asarray(4 + (places >= 1 << 7) + (places >= 1 << 14) + (places >= 1 << 21))


def with_numbers(sizes: np.ndarray) -> np.ndarray:
    """Adds the byte by which the lengths of some rows grow where a number is added to them."""
    grown = [(sizes >= most - 4) & (sizes < most + 2) for most in (1 << 7, (1 << 14) + 1)]
    return np.asarray(sizes + np.logical_or.reduce(grown))


def too_large(sizes: np.ndarray, overhead: int, limits: Limits) -> np.ndarray:
    """Returns which rows do not fit into a request even alone: n booleans."""
    large: np.ndarray = sizes + overhead > limits.bytes
    return large


class FindingsMean:
    """A running mean of findings a row, which follows what the latest requests brought.

    Args:
      weight: How much the latest request counts.
    """

    def __init__(self, weight: float = 0.2) -> None:
        self.mean, self._weight = 0.0, weight

    def saw(self, rows: int, findings: int) -> None:
        """Takes in what a request of `rows` rows brought; more counts at once, less by and by."""
        if rows:
            found = findings / rows
            weight = 1.0 if found > self.mean else self._weight
            self.mean += weight * (found - self.mean)
