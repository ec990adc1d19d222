"""The outcome of all windows together: their verdicts, those of windows without rows, a report."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.drift.baseline import Baseline
from transforms.drift.counting.counts import Counts
from transforms.drift.incidents.confirm import MOST_GAPS, confirm, in_order
from transforms.drift.incidents.series import Confirmation
from transforms.drift.judging.compare import Comparer
from transforms.drift.judging.policy import Policy
from transforms.drift.judging.prometheus import exposition
from transforms.drift.judging.verdicts import NO_DATA, VERDICTS, Window
from transforms.drift.quality.errors import quality_events
from transforms.drift.quality.judge import QUALITY
from transforms.errors import ConfigError
from transforms.files.uris import load_format
from transforms.reports.drift.report import Facts, Moved, drift_report, findings

REPORT, METRICS = "report.html", "metrics.prom"
Windows = Sequence[tuple[Window, Counts]]
"""Windows and their counts, by start."""


@dataclass(frozen=True)
class Outcome:
    """What came of all windows.

    Attributes:
      verdicts: Of schema `VERDICTS`, by window, slice and column.
      events: Of schema `EVENTS`: of incidents, by window.
      files: Names and contents.
      findings: What a person should look at: a severity, a column, and why. They name no value.
    """

    verdicts: pa.Table
    events: pa.Table
    files: tuple[tuple[str, bytes], ...]
    findings: tuple[tuple[str, str, str], ...]


def outcome_of(
    baseline: Baseline,
    windows: Windows,
    policy: Policy | None = None,
    period_us: int | None = None,
    title: str = "Drift",
    format: str = "parquet",
    rule: Confirmation | None = None,
    quality: pa.Table | None = None,
) -> Outcome:
    """Compares all windows with a baseline, and tells what came of it.

    Args:
      baseline: With what.
      windows: In any order.
      policy: When a difference counts.
      period_us: From one window's start to the next, in microseconds: what lies between the first
        and the last and is not there had no rows. None where rows have no times.
      title: The report's heading.
      format: Of the files of verdicts and incidents.
      rule: When an incident begins and ends.
      quality: Of schema `QUALITY`: that of the windows' predictions, where there are labels.
    """
    compare = Comparer(baseline, policy)
    by_start = {window.start or 0: (window, counts) for window, counts in windows}
    ordered = [by_start[start] for start in sorted(by_start)]
    batches = {window.start or 0: compare(counts, window) for window, counts in ordered}
    for window in _gaps([window for window, _ in ordered], period_us):
        batches[window.start or 0] = compare.no_data(window)
    events = confirm(batches.values(), policy, rule)
    if quality is not None:
        quality = quality.sort_by("window_start").combine_chunks()
        events = by_window(events, quality_events(quality, rule))
    verdicts = pa.Table.from_batches([batches[start] for start in sorted(batches)], VERDICTS)
    rows = rows_of_report(verdicts)
    facts = Facts(
        title,
        baseline.hash,
        int(baseline.counts.rows[0]),
        baseline.windows,
        sum(int(counts.rows[0]) for _, counts in ordered),
        len(batches),
    )
    moved = {} if not rows else _moved(baseline, rows, verdicts)
    files = [
        (f"{name}.{format}", written(table, format))
        for name, table in (("verdicts", verdicts), ("incidents", events))
    ]
    measured = [] if quality is None else quality.to_pylist()
    if quality is not None:
        files.append((f"quality.{format}", written(quality, format)))
    if rows:
        files.append((METRICS, exposition(verdicts, events, measured).encode()))
        told = drift_report(rows, moved, facts, events.to_pylist(), measured)
        files.append((REPORT, told.encode()))
    return Outcome(verdicts, events, tuple(files), (*_findings(rows), *_of_errors(measured)))


def by_window(events: pa.Table, more: pa.Table) -> pa.Table:
    """Returns the events of both, by window; of the same window the first ones first."""
    both = pa.concat_tables([events, more])
    order = np.argsort(both["window_end"].cast(pa.int64()).to_numpy(), kind="stable")
    return both.take(pa.array(order)).combine_chunks()


def _of_errors(quality: Sequence[dict[str, Any]]) -> tuple[tuple[str, str, str], ...]:
    """Returns in how many windows predictions were worse than the baseline's."""
    bad = [row for row in quality if row["status"] == "SUSPECT"]
    if not bad:
        return ()
    words = f"errors are higher in {len(bad):,} of {len(quality):,} windows"
    return (("WARNING", str(bad[0]["prediction"]), words),)


def report_of_verdicts(
    baseline: Baseline,
    verdicts: Sequence[pa.RecordBatch],
    title: str = "Drift",
    quality: Sequence[pa.RecordBatch] = (),
    last: int | None = None,
) -> str:
    """Returns the report of verdicts that were written, window by window.

    Of several results of a window the last one counts.

    Args:
      baseline: With what windows were compared.
      verdicts: Of schema `VERDICTS`, in any order and in any batches.
      title: The report's heading.
      quality: Of schema `QUALITY`, in any order.
      last: Only so many windows, the last ones, are shown; incidents are of all.

    Raises:
      ConfigError: They are of another baseline, or no verdicts.
    """
    table = pa.Table.from_batches(verdicts)
    missing = [name for name in VERDICTS.names if name not in table.schema.names]
    if missing:
        raise ConfigError(f"these are no verdicts: there is no column {missing[0]!r}")
    table = table.select(VERDICTS.names).cast(VERDICTS)
    if set(table["baseline"].to_pylist()) - {baseline.hash}:
        raise ConfigError("these verdicts are of another baseline")
    windows = [_of_window(table, start) for start in pc.unique(table["window_start"])]
    every = in_order(windows)
    ordered = every if last is None else every[-last:]
    shown = pa.Table.from_batches(ordered, VERDICTS)
    rows = rows_of_report(shown)
    number = sum(pc.max(batch["rows"]).as_py() or 0 for batch in ordered)
    base_rows = int(baseline.counts.rows[0])
    facts = Facts(title, baseline.hash, base_rows, baseline.windows, number, len(ordered))
    measured = pa.Table.from_batches(in_order(quality), QUALITY)
    events = by_window(confirm(every), quality_events(measured))
    measured = measured if last is None else measured.slice(max(measured.num_rows - last, 0))
    moved = _moved(baseline, rows, shown)
    return drift_report(rows, moved, facts, events.to_pylist(), measured.to_pylist())


def rows_of_report(verdicts: pa.Table) -> list[dict[str, Any]]:
    """Returns verdicts as rows, with their place in the table instead of their counts."""
    rows = verdicts.drop_columns("counts").to_pylist()
    return [{**row, "place": place} for place, row in enumerate(rows)]


def _of_window(table: pa.Table, start: pa.Scalar) -> pa.RecordBatch:
    """Returns the last verdicts of a window as one batch."""
    is_mine = (
        pc.equal(table["window_start"], start)
        if start.is_valid
        else pc.is_null(table["window_start"])
    )
    mine = table.filter(is_mine)
    with_rows = mine.filter(pc.not_equal(mine["status"], NO_DATA))
    # A window that has got late rows has verdicts of before, which say that there were none.
    mine = with_rows if with_rows.num_rows else mine
    last = mine.filter(pc.equal(mine["revision"], pc.max(mine["revision"])))
    found: pa.RecordBatch = last.combine_chunks().to_batches()[0]
    return found


def _gaps(windows: list[Window], period_us: int | None) -> list[Window]:
    """Returns the windows without rows between the first and the last; the first `MOST_GAPS`."""
    if period_us is None or len(windows) < 2:
        return []
    first, last = windows[0], windows[-1]
    assert first.start is not None
    assert first.end is not None
    assert last.start is not None
    size, gaps = first.end - first.start, []
    there = {window.start for window in windows}
    for start in range(first.start + period_us, last.start, period_us):
        if start not in there:
            gaps.append(Window(start, start + size, 0, windows[0].timing))
        if len(gaps) == MOST_GAPS:
            break
    return gaps


def _moved(
    baseline: Baseline, rows: list[dict[str, Any]], verdicts: pa.Table
) -> dict[tuple[str, str], Moved]:
    """Returns the histograms of the worst window of each finding."""
    layout = baseline.layout
    slices = {name: place for place, name in enumerate(layout.slice_names)}
    found = {}
    for row in findings(rows):
        counts = verdicts["counts"][row["place"]].as_py()
        if row["rows"] == 0 or row["status"] == "MISSING_COLUMN" or counts is None:
            continue
        before = baseline.counts.cells[slices[row["slice"]], layout.of(row["column"])]
        names = layout.columns[layout.places[row["column"]]].names()
        found[row["slice"], row["column"]] = Moved(
            names, _shares(np.array(counts)), _shares(before)
        )
    return found


def _shares(counts: np.ndarray) -> np.ndarray:
    shares: np.ndarray = counts / max(int(counts.sum()), 1)
    return shares


def written(table: pa.Table, format: str) -> bytes:
    """Returns a table as the content of a file of a format."""
    stream = io.BytesIO()
    writer = load_format(format).writer(stream, table.schema)
    for batch in table.to_batches():
        writer.write(batch)
    writer.close()
    return stream.getvalue()


def _findings(rows: list[dict[str, object]]) -> tuple[tuple[str, str, str], ...]:
    """Returns for each column of all rows in how many windows it moved; slices are only counted."""
    told = []
    for row in findings(rows):
        if row["slice"]:
            continue
        mine = [r for r in rows if r["column"] == row["column"] and not r["slice"]]
        bad = sum(r["status"] == row["status"] for r in mine)
        index = row["adjusted_psi"]
        size = "" if index is None else f", adjusted PSI up to {index:.3g}"
        severity = "WARNING" if row["status"] == "SUSPECT" else "ERROR"
        words = str(row["status"]).replace("_", " ").lower()
        told.append(
            (severity, str(row["column"]), f"{words} in {bad:,} of {len(mine):,} windows{size}")
        )
    parts = [row for row in findings(rows) if row["slice"]]
    if parts:
        told.append(
            ("WARNING", "slices", f"{len(parts):,} columns of slices moved: see the report")
        )
    return tuple(told)
