"""Counts by pane: what sliding windows are made of, each row counted once."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from transforms.batches import slice_rows, take_rows
from transforms.drift.counting.counts import Counts, count_batch, count_groups
from transforms.drift.counting.layout import Layout
from transforms.errors import ConfigError
from transforms.windows.assign import window_starts
from transforms.windows.event_time import event_times, to_micros

FEW = 3
"""In so many panes or fewer, neighbours are counted pane by pane."""


@dataclass(frozen=True)
class Panes:
    """The windows, and the panes that they are made of.

    Attributes:
      size_us: The length of a window in microseconds.
      period_us: From the start of one to the start of the next.
    """

    size_us: int
    period_us: int

    @classmethod
    def of(cls, size: float, period: float | None = None) -> "Panes":
        """Returns the panes of windows of so many seconds.

        Raises:
          ConfigError: They can't be, or would be made of very many panes.
        """
        size_us, period_us = (
            round(size * 10**6),
            round((size if period is None else period) * 10**6),
        )
        for name, value in (("size", size_us), ("period", period_us)):
            if value < 1000 or value % 1000:
                raise ConfigError(f"{name}: Beam's windows last whole milliseconds, 1 at least")
        if period_us > size_us:
            raise ConfigError("period is longer than size: rows between windows would be lost")
        panes = cls(size_us, period_us)
        if size_us // panes.pane_us > 10_000:
            raise ConfigError("size and period have no large common divisor: windows of 1 h 1 ms?")
        return panes

    @property
    def pane_us(self) -> int:
        """The length of a pane: the longest that divides windows and periods."""
        return math.gcd(self.size_us, self.period_us)

    def last_start(self, pane: np.ndarray) -> np.ndarray:
        """Returns the start of the last window that holds a pane."""
        start: np.ndarray = pane - pane % self.period_us
        return start

    def first_start(self, pane: np.ndarray) -> np.ndarray:
        """Returns the start of the first window that holds a pane."""
        before = pane + self.pane_us - self.size_us
        return -(-before // self.period_us) * self.period_us


@dataclass(frozen=True)
class Pane:
    """The counts of a pane.

    Attributes:
      open_from: The start of the first of its windows that still takes rows, in microseconds.
      latest: The time of its latest row; within the pane, so that Beam puts it into its windows.
      counts: Of its rows.
    """

    open_from: int
    latest: int
    counts: Counts

    def merge(self, other: "Pane") -> "Pane":
        """Returns the state of the rows of both."""
        latest = max(self.latest, other.latest)
        return Pane(self.open_from, latest, self.counts.merge(other.counts))

    @property
    def nbytes(self) -> int:
        """About how many bytes it is, pickled."""
        return self.counts.nbytes + 100


@dataclass(frozen=True)
class PaneCounts:
    """A batch, counted by pane.

    Attributes:
      panes: By the start of the pane and of its first open window.
      late: How many rows no window takes any more.
      missed: How often a row was kept out of a window because that was closed.
    """

    panes: dict[tuple[int, int], Pane]
    late: int
    missed: int


def count_panes(
    layout: Layout,
    batch: pa.RecordBatch,
    event_time_column: str,
    windows: Panes,
    closed_us: int | None = None,
) -> PaneCounts:
    """Counts a batch by pane.

    Args:
      layout: The cells.
      batch: n rows; those without a time are in no pane.
      event_time_column: The column of their times.
      windows: Which ones.
      closed_us: A window that ends then or before takes no more rows; None leaves all open.
    """
    times = event_times(batch, event_time_column)
    rows, panes = window_starts(times, windows.pane_us)
    first = windows.first_start(panes)
    late = missed = 0
    if closed_us is not None:
        # Windows end a size after they start; starts lie on the period's grid.
        period = windows.period_us
        least = ((closed_us - windows.size_us) // period + 1) * period
        kept = windows.last_start(panes) >= least
        closed = np.minimum(
            np.maximum(least - first, 0), windows.last_start(panes) + period - first
        )
        late, missed = int((~kept).sum()), int(closed.sum()) // period
        rows, panes, first = rows[kept], panes[kept], np.maximum(first, least)[kept]
    if not len(rows):
        return PaneCounts({}, late, missed)
    if len(rows) < batch.num_rows:
        batch = take_rows(batch, rows)
    micros = to_micros(event_times(batch, event_time_column))
    return PaneCounts(_counted(layout, batch, panes, first, micros), late, missed)


def _counted(
    layout: Layout, batch: pa.RecordBatch, panes: np.ndarray, first: np.ndarray, micros: np.ndarray
) -> dict[tuple[int, int], Pane]:
    """Counts rows by pane; the first open window follows from the pane, within a batch."""
    edges = np.flatnonzero(panes[1:] != panes[:-1]) + 1
    if len(edges) >= FEW or (panes[edges] < panes[edges - 1]).any():
        return _counted_by_group(layout, batch, panes, first, micros)
    # Each pane's rows are neighbours: to count them as a batch costs less than by groups.
    found = {}
    for start, end in pairwise([0, *edges.tolist(), len(panes)]):
        key = int(panes[start]), int(first[start])
        counts = count_batch(layout, slice_rows(batch, start, end - start))
        found[key] = Pane(key[1], int(micros[start:end].max()), counts)
    return found


def _counted_by_group(
    layout: Layout, batch: pa.RecordBatch, panes: np.ndarray, first: np.ndarray, micros: np.ndarray
) -> dict[tuple[int, int], Pane]:
    starts, at, groups = np.unique(panes, return_index=True, return_inverse=True)
    latest = np.full(len(starts), np.iinfo(np.int64).min)
    np.maximum.at(latest, groups, micros)
    counted = count_groups(layout, batch, groups, len(starts))
    keys = zip(starts.tolist(), first[at].tolist(), strict=True)
    return {
        key: Pane(key[1], end, counts)
        for key, end, counts in zip(keys, latest.tolist(), counted, strict=True)
    }
