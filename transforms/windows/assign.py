"""Windows over an event-time column: which rows are in which, and which come too late."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.batches import row_positions, select_rows, slice_rows, take_rows
from transforms.errors import ConfigError
from transforms.reasons import Reason
from transforms.rejects import join_rejects, reject_rows
from transforms.windows.event_time import event_times, in_range, to_micros

Window = tuple[int, int]
"""Start and end of a window in microseconds since 1970, UTC; the end is not in it."""

ANY_LATENESS = 1e5 * 365.25 * 86_400
"""Seconds of allowed lateness with which nothing is ever too late: a hundred thousand years.

It goes beyond every time that a text can tell, and is still a number of microseconds in 64 bits.
"""

_WATERMARK = b"millrace:watermark"


def with_watermark(batch: pa.RecordBatch, watermark_us: int) -> pa.RecordBatch:
    """Notes in a batch's schema metadata how far its source had come when it was emitted.

    The note costs no column, and cutting keeps it; joining batches drops it, as `with_source`
    does: window before either.

    Args:
      batch: n rows.
      watermark_us: Up to where the source thought its rows complete, in microseconds since 1970.

    Returns: The same rows and notes; no buffer is copied.
    """
    note = {**(batch.schema.metadata or {}), _WATERMARK: str(watermark_us).encode()}
    return batch.replace_schema_metadata(note)


def watermark_of(batch: pa.RecordBatch) -> int | None:
    """Returns the watermark noted by `with_watermark`, in microseconds since 1970, or None."""
    noted = (batch.schema.metadata or {}).get(_WATERMARK)
    return None if noted is None else int(noted)


def window_starts(
    times: pa.Array, size_us: int, period_us: int | None = None, offset_us: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Returns which windows each time is in.

    Args:
      times: n timestamps. A null, or one out of Beam's range, is in no window.
      size_us: The length of a window in microseconds.
      period_us: From the start of a window to the start of the next; without it, and so without
        overlap, it is the size. It may not be longer.
      offset_us: The start of one of the windows.

    Returns: Row numbers and window starts, a pair for each row and window that it is in, by row
      and then by start. In overlapping windows a row has size / period pairs, rounded up or down.
    """
    period_us = size_us if period_us is None else period_us
    if not 0 < period_us <= size_us:
        raise ConfigError(
            f"windows of {size_us} us every {period_us} us: the period is more than 0, and at most "
            "the size, or rows would be in no window"
        )
    micros = to_micros(times)
    placed = in_range(micros, size_us)
    if times.null_count:
        placed &= times.is_valid().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(placed)
    micros = micros[rows]
    latest = micros - (micros - offset_us % period_us) % period_us
    if period_us == size_us:
        return rows, latest
    before = np.arange(-(-size_us // period_us) - 1, -1, -1) * period_us
    starts = latest[:, None] - before
    inside = starts > micros[:, None] - size_us
    return np.repeat(rows, inside.sum(axis=1)), starts[inside]


def cut_windows(
    batch: pa.RecordBatch,
    event_time_column: str,
    size_us: int,
    period_us: int | None = None,
    offset_us: int = 0,
) -> Iterator[tuple[Window, pa.RecordBatch]]:
    """Cuts a batch at the edges of windows.

    Args:
      batch: n rows.
      event_time_column: The column of their times.
      size_us: The length of a window in microseconds.
      period_us: Of sliding windows: from one start to the next.
      offset_us: The start of one of the windows.

    Yields: Each window that has rows, by start, and its rows in their order, which know where they
      came from. A row is in as many as overlap there, and in none if it has no time. Where the
      rows of a window are neighbours, nothing is copied.

    Raises:
      ConfigError: The column is no timestamp.
    """
    times = event_times(batch, event_time_column)
    rows, starts = window_starts(times, size_us, period_us, offset_us)
    yield from _parts(batch, rows, starts, size_us, size_us if period_us is None else period_us)


def _parts(
    batch: pa.RecordBatch, rows: np.ndarray, starts: np.ndarray, size_us: int, period_us: int
) -> Iterator[tuple[Window, pa.RecordBatch]]:
    """Yields the rows of each window, for pairs of row and start as `window_starts` gives them."""
    if not len(rows):
        return
    if (starts[1:] < starts[:-1]).any():
        order = _order(starts, period_us)
        rows, starts = rows[order], starts[order]
    noted = row_positions(batch) is not None
    edges = np.flatnonzero(starts[1:] != starts[:-1]) + 1
    for first, end in zip([0, *edges], [*edges, len(rows)], strict=True):
        start = int(starts[first])
        yield (start, start + size_us), _rows(batch, rows[first:end], noted)


def _order(starts: np.ndarray, period_us: int) -> np.ndarray:
    """Returns the stable order that sorts rows by the start of their window."""
    least = int(starts.min())
    if (int(starts.max()) - least) // period_us < 1 << 16:
        # Of 16 bits NumPy makes a radix sort, ten times as fast.
        starts = ((starts - least) // period_us).astype(np.uint16)
    return np.argsort(starts, kind="stable")


def _rows(batch: pa.RecordBatch, rows: np.ndarray, noted: bool) -> pa.RecordBatch:
    """Returns some rows of a batch, in order; and where they came from, if that is noted."""
    first, length = int(rows[0]), int(rows[-1] - rows[0]) + 1
    if not noted and len(rows) < length // 4:
        return take_rows(batch, rows)
    span = slice_rows(batch, first, length)
    mask = np.zeros(length, bool)
    mask[rows - first] = True
    return select_rows(span, mask)


@dataclass(frozen=True)
class WindowCut:
    """A batch, cut at the edges of windows that are still open.

    Attributes:
      parts: Each open window and its rows, by start; an iterator.
      late: The rows without an open window, as they were.
      missed: How often a row was kept out of a window because that was closed; in overlapping
        windows also rows that are in others.
      rejects: The rows that have no time, or one that Beam can't express.
    """

    parts: Iterator[tuple[Window, pa.RecordBatch]]
    late: pa.RecordBatch
    missed: int
    rejects: pa.RecordBatch


def cut_open_windows(
    batch: pa.RecordBatch,
    event_time_column: str,
    size_us: int,
    period_us: int | None = None,
    closed_us: int | None = None,
) -> WindowCut:
    """Cuts a batch at the edges of windows, and puts aside what comes too late.

    Args:
      batch: n rows.
      event_time_column: The column of their times.
      size_us: The length of a window in microseconds.
      period_us: Of sliding windows: from one start to the next.
      closed_us: A window that ends then or before takes no more rows; None leaves all open.

    Raises:
      ConfigError: The column is no timestamp.
    """
    times = event_times(batch, event_time_column)
    rows, starts = window_starts(times, size_us, period_us)
    late = np.zeros(batch.num_rows, bool)
    missed = 0
    if closed_us is not None:
        is_open = starts + size_us > closed_us
        missed = len(rows) - int(is_open.sum())
        late[rows] = True
        rows, starts = rows[is_open], starts[is_open]
        late[rows] = False
    parts = _parts(batch, rows, starts, size_us, size_us if period_us is None else period_us)
    rejects = reject_untimed(batch, event_time_column, times, size_us)
    return WindowCut(parts, select_rows(batch, late), missed, rejects)


def reject_untimed(
    batch: pa.RecordBatch, column: str, times: pa.Array, size_us: int
) -> pa.RecordBatch:
    """Rejects the rows that are in no window of a size: they have no time, or a strange one."""
    missing = times.is_null().to_numpy(zero_copy_only=False)
    strange = ~missing & ~in_range(to_micros(times), size_us)
    faults = [
        (Reason.MISSING_VALUE, missing, "is missing"),
        (Reason.OVERFLOW, strange, "is not of the years 1 to 9999"),
    ]
    return join_rejects(
        [
            reject_rows(
                select_rows(batch, mask),
                reason,
                f"the time in column {column!r} {why}",
                column=column,
            )
            for reason, mask, why in faults
            if mask.any()
        ]
    )
