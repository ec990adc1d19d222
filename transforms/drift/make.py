"""Makes a baseline of rows in memory, or of the counts of its windows."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from transforms.drift.baseline import Baseline
from transforms.drift.counting.cells import ColumnCells
from transforms.drift.counting.counts import Counts, count_groups
from transforms.drift.counting.layout import Layout
from transforms.drift.counting.learn import Learner
from transforms.drift.judging.calibration import Calibration, calibrate
from transforms.drift.judging.tested import TestedCells
from transforms.drift.quality.reference import reference_of
from transforms.drift.quality.sums import Quality, Sums, sums_of
from transforms.errors import ConfigError
from transforms.windows.assign import cut_windows, window_starts
from transforms.windows.event_time import event_times

MOST_SLICES = 200
"""Each takes as much state as all rows do."""


def layout_of(
    cells: tuple[ColumnCells, ...], slices: Sequence[str] = (), ignored: Sequence[str] = ()
) -> Layout:
    """Returns the layout of learned cells.

    Args:
      cells: Of each column.
      slices: Columns of labels; each label is a slice.
      ignored: Columns that are not counted.

    Raises:
      ConfigError: One is not there, holds no labels, or there are too many.
    """
    by_name = {each.name: each for each in cells}
    for name in slices:
        if name not in by_name:
            raise ConfigError(f"slices: there is no column {name!r}, only {', '.join(by_name)}")
        if by_name[name].kind != "labels":
            kind = by_name[name].kind
            raise ConfigError(f"slices: column {name!r} is counted by its {kind}, not by labels")
    layout = Layout(cells, tuple(slices), tuple(ignored))
    number = len(layout.slice_names) - 1
    if number > MOST_SLICES:
        raise ConfigError(
            f"slices: {number} of them are too many, {MOST_SLICES} are the most: name columns with "
            "fewer labels"
        )
    return layout


def baseline_of(
    layout: Layout, windows: Iterable[Counts], window_us: int | None = None
) -> Baseline:
    """Returns the baseline of the counts of its windows.

    Args:
      layout: Of the counts.
      windows: Of each window that had rows, in their order; gone through twice.
      window_us: The length of the windows; None where all rows are one.

    Raises:
      ConfigError: There are no rows.
    """
    total = Counts.empty(layout)
    parts = [Counts(each.cells, each.rows) for each in windows]
    for part in parts:
        total = total.merge(part)
    if not total.rows[0]:
        raise ConfigError("a baseline needs rows, and there are none")
    tests = TestedCells.of(layout, total.cells[0])
    made = []
    for place in range(len(total.rows)):
        if window_us is None:
            made.append(Calibration.none(2 * tests.columns))
            continue
        there = (tests(part.cells[place]) for part in parts if part.rows[place])
        made.append(calibrate(there, tests(total.cells[place]), tests.starts))
    return Baseline(layout, total, tuple(made), window_us)


def build_baseline(
    batches: Sequence[pa.RecordBatch],
    event_time_column: str | None = None,
    window: float | None = None,
    slices: Sequence[str] = (),
    kinds: dict[str, str] | None = None,
    quality: Quality | None = None,
) -> Baseline:
    """Builds a baseline of rows in memory, as the verb `BuildBaseline` does of any number.

    Args:
      batches: The rows.
      event_time_column: The column of their times; it is not counted itself.
      window: The length in seconds of the windows that will be compared; with both, it is learned
        how far windows differ by themselves.
      slices: Columns of labels; each label is a slice.
      kinds: By column, what is counted of it: one of `cells.KINDS`.
      quality: What is predicted, where rows have labels too.

    Raises:
      ConfigError: There are no rows, or a column is not as is asked.
    """
    ignored = ignored_columns(event_time_column, quality)
    learner = Learner(kinds, ignored)
    for batch in batches:
        learner.add(batch)
    layout = layout_of(learner.cells(), slices, ignored)
    size = None if window is None or event_time_column is None else round(window * 10**6)
    found: dict[int, Counts] = {}
    for batch in batches:
        for start, counts in count_windows(layout, batch, event_time_column, size).items():
            found[start] = found[start].merge(counts) if start in found else counts
    made = baseline_of(layout, [found[start] for start in sorted(found)], size)
    if quality is None:
        return made
    sums: dict[int, Sums] = {}
    for batch in batches:
        for start, rows in windows_of(batch, event_time_column, size):
            part = sums_of(quality, rows)
            sums[start] = sums[start].merge(part) if start in sums else part
    return with_reference(made, quality, [sums[start] for start in sorted(sums)])


def ignored_columns(event_time_column: str | None, quality: Quality | None) -> tuple[str, ...]:
    """Returns the columns that are not counted: of event times, and of labels, which come later."""
    times = () if event_time_column is None else (event_time_column,)
    return times if quality is None else (*times, quality.label)


def with_reference(baseline: Baseline, quality: Quality, windows: Iterable[Sums]) -> Baseline:
    """Returns a baseline that knows how good predictions were in its windows.

    Raises:
      ConfigError: No row has a label.
    """
    reference = reference_of(quality, windows)
    if not reference.sums.labelled:
        raise ConfigError(f"no row has both {quality.prediction!r} and {quality.label!r}")
    return replace(baseline, reference=reference)


def windows_of(
    batch: pa.RecordBatch, event_time_column: str | None, size_us: int | None
) -> Iterable[tuple[int, pa.RecordBatch]]:
    """Returns the rows of each window of a batch by its start; all are in one without a size."""
    if size_us is None or event_time_column is None:
        return [(0, batch)]
    return [(span[0], rows) for span, rows in cut_windows(batch, event_time_column, size_us)]


def count_windows(
    layout: Layout, batch: pa.RecordBatch, event_time_column: str | None, size_us: int | None
) -> dict[int, Counts]:
    """Counts a batch by the start of the window; all rows are in one where there is no size.

    Rows without a time are in none.
    """
    if size_us is None or event_time_column is None:
        return {0: count_rows(layout, batch, np.zeros(batch.num_rows, np.int64))[0]}
    rows, starts = window_starts(event_times(batch, event_time_column), size_us)
    if len(rows) < batch.num_rows:
        batch = batch.take(pa.array(rows))
    return count_rows(layout, batch, starts)


def count_rows(layout: Layout, batch: pa.RecordBatch, keys: np.ndarray) -> dict[int, Counts]:
    """Counts a batch by a key of its rows.

    Args:
      layout: The cells.
      batch: n rows; columns of another layout, such as that of the times, are not looked at.
      keys: n integers.
    """
    found, groups = np.unique(keys, return_inverse=True)
    counted = count_groups(layout, batch, groups, len(found))
    return dict(zip(found.tolist(), counted, strict=True))
