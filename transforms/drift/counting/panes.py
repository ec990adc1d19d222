"""Counts by pane: what sliding windows are made of, each row counted once."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.batches import select_rows
from transforms.drift.counting.counts import Counts, Rows, count_batch, count_groups
from transforms.drift.counting.layout import Layout
from transforms.drift.counting.tally import HeldRows
from transforms.errors import ConfigError
from transforms.windows.event_time import event_times, in_range, to_micros

LEAST_RUN = 1024
"""Where panes have so many neighbouring rows on average, they are counted pane by pane."""


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

    def pane_of(self, micros: Any) -> Any:
        """Returns the start of the pane of each time."""
        return micros - micros % self.pane_us

    def last_start(self, micros: Any) -> Any:
        """Returns the start of the last window that holds each time."""
        return micros - micros % self.period_us

    def first_start(self, pane: Any) -> Any:
        """Returns the start of the first window that holds each pane."""
        before = pane + self.pane_us - self.size_us
        return -(-before // self.period_us) * self.period_us

    def first_open(self, closed_us: int) -> int:
        """Returns the start of the first window that ends after a time."""
        return ((closed_us - self.size_us) // self.period_us + 1) * self.period_us

    def missed(self, pane: np.ndarray, least: int) -> np.ndarray:
        """Returns how many windows of each pane start before the first that is open."""
        first, end = self.first_start(pane), self.last_start(pane) + self.period_us
        # Starts lie on the period's grid.
        missed: np.ndarray = np.clip(least - first, 0, end - first) // self.period_us
        return missed


@dataclass(frozen=True)
class Pane:
    """The counts of a pane.

    Attributes:
      start: Its start, in microseconds.
      open_from: The start of the first of its windows that still takes rows, in microseconds.
      latest: The time of its latest row; within the pane, so that Beam puts it into its windows.
      counts: Of its rows.
    """

    start: int
    open_from: int
    latest: int
    counts: Counts

    @property
    def key(self) -> tuple[int, int]:
        """What panes have in common that can be merged."""
        return self.start, self.open_from

    def merge(self, other: "Pane") -> "Pane":
        """Returns the pane of the rows of both."""
        latest = max(self.latest, other.latest)
        return Pane(self.start, self.open_from, latest, self.counts.merge(other.counts))

    @property
    def nbytes(self) -> int:
        """About how many bytes it is, pickled."""
        return self.counts.nbytes + 100


@dataclass(frozen=True)
class OpenRows:
    """The rows of a batch that a window still takes.

    Attributes:
      batch: n rows.
      micros: Their times in microseconds.
      least: The start of the first window that is open; None if all are.
      late: How many rows no window takes any more.
      missed: How often a row was kept out of a window because that was closed.
    """

    batch: pa.RecordBatch
    micros: np.ndarray
    least: int | None
    late: int
    missed: int


def open_rows(
    batch: pa.RecordBatch, event_time_column: str, windows: Panes, closed_us: int | None = None
) -> OpenRows:
    """Returns the rows of a batch that are counted.

    Args:
      batch: n rows; those without a time are in no window.
      event_time_column: The column of their times.
      windows: Which ones.
      closed_us: A window that ends then or before takes no more rows; None leaves all open.
    """
    times = event_times(batch, event_time_column)
    micros = to_micros(times)
    kept = in_range(micros, windows.pane_us)
    if times.null_count:
        kept &= times.is_valid().to_numpy(zero_copy_only=False)
    least, late, missed = None, 0, 0
    if closed_us is not None:
        least = windows.first_open(closed_us)
        is_open = windows.last_start(micros) >= least
        missed = int(windows.missed(windows.pane_of(micros[kept]), least).sum())
        late = int((kept & ~is_open).sum())
        kept &= is_open
    if not kept.all():
        batch, micros = select_rows(batch, kept), micros[kept]
    return OpenRows(batch, micros, least, late, missed)


class PaneTally:
    """Counts rows by pane, once there are enough of them.

    Args:
      layout: The cells.
      windows: Which ones.
    """

    def __init__(self, layout: Layout, windows: Panes) -> None:
        self._layout, self._windows = layout, windows
        self._held = HeldRows(layout)
        self._micros: list[np.ndarray] = []
        self._least: int | None = None

    def add(self, rows: OpenRows) -> Iterator[Pane]:
        """Takes rows into account; yields panes once some were counted.

        Raises:
          ConfigError: A column has values that can't be counted in its cells.
        """
        if not (self._held.fits(rows.batch) and rows.least == self._least):
            yield from self.panes()
        self._least = rows.least
        self._micros.append(rows.micros)
        if self._held.add(rows.batch):
            yield from self.panes()

    def panes(self) -> Iterator[Pane]:
        """Counts the rows that wait; yields their panes, the same ones again if more rows came."""
        rows, micros, self._micros = self._held.take(), self._micros, []
        if rows is None or not rows.num_rows:
            return
        times = micros[0] if len(micros) == 1 else np.concatenate(micros)
        new = self._held.new
        for start, latest, counts in _counted(self._layout, rows, self._windows, times):
            first = int(self._windows.first_start(start))
            open_from = first if self._least is None else max(first, self._least)
            yield Pane(start, open_from, latest, replace(counts, new=new))


def _counted(
    layout: Layout, rows: Rows, windows: Panes, micros: np.ndarray
) -> Iterator[tuple[int, int, Counts]]:
    """Yields the start, the latest time and the counts of each pane."""
    ends = _ends_of_runs(windows, micros)
    if ends is None:
        panes, groups = np.unique(windows.pane_of(micros), return_inverse=True)
        latest = np.full(len(panes), np.iinfo(np.int64).min)
        np.maximum.at(latest, groups, micros)
        counted = count_groups(layout, rows, groups, len(panes))
        yield from zip(panes.tolist(), latest.tolist(), counted, strict=True)
        return
    # Each pane's rows are neighbours: to count them as a batch costs less than by groups.
    for start, end in pairwise([0, *ends]):
        part = rows if end - start == rows.num_rows else rows.slice(start, end - start)
        times = micros[start:end]
        yield int(windows.pane_of(times[0])), int(times.max()), count_batch(layout, part)


def _ends_of_runs(windows: Panes, micros: np.ndarray) -> list[int] | None:
    """Returns where the rows of each pane end; None unless few long runs are in order."""
    low, high = (int(windows.pane_of(each)) for each in (micros.min(), micros.max()))
    if low == high:
        return [len(micros)]
    inner = (high - low) // windows.pane_us
    if inner * LEAST_RUN > len(micros) or (micros[1:] < micros[:-1]).any():
        return None
    edges = low + windows.pane_us * np.arange(1, inner + 1)
    ends = np.unique(np.searchsorted(micros, edges)).tolist()
    return [*ends, len(micros)]
