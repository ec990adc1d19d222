"""The outcome of all windows together: their verdicts, those of windows without rows, a report."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.drift.baseline import Baseline
from transforms.drift.counting.counts import Counts
from transforms.drift.incidents.confirm import MOST_GAPS, confirm
from transforms.drift.incidents.series import Confirmation
from transforms.drift.judging.compare import Comparer
from transforms.drift.judging.policy import Policy
from transforms.drift.judging.verdicts import VERDICTS, Window
from transforms.files.uris import load_format
from transforms.reports.drift.report import Facts, Moved, drift_report, findings

REPORT = "report.html"
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
    """
    compare = Comparer(baseline, policy)
    by_start = {window.start or 0: (window, counts) for window, counts in windows}
    ordered = [by_start[start] for start in sorted(by_start)]
    batches = {window.start or 0: compare(counts, window) for window, counts in ordered}
    for window in _gaps([window for window, _ in ordered], period_us):
        batches[window.start or 0] = compare.no_data(window)
    events = confirm(batches.values(), policy, rule)
    verdicts = pa.Table.from_batches([batches[start] for start in sorted(batches)], VERDICTS)
    rows = verdicts.to_pylist()
    facts = Facts(
        title,
        baseline.hash,
        int(baseline.counts.rows[0]),
        baseline.windows,
        sum(int(counts.rows[0]) for _, counts in ordered),
        len(batches),
    )
    moved = {} if not rows else _moved(baseline, rows, ordered)
    files = [
        (f"{name}.{format}", written(table, format))
        for name, table in (("verdicts", verdicts), ("incidents", events))
    ]
    if rows:
        files.append((REPORT, drift_report(rows, moved, facts, events.to_pylist()).encode()))
    return Outcome(verdicts, events, tuple(files), _findings(rows))


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
    baseline: Baseline, rows: list[dict[str, object]], windows: Windows
) -> dict[tuple[str, str], Moved]:
    """Returns the histograms of the worst window of each finding."""
    layout = baseline.layout
    slices = {name: place for place, name in enumerate(layout.slice_names)}
    by_start = {window.start: counts for window, counts in windows}
    found = {}
    for row in findings(rows):
        if row["rows"] == 0 or row["status"] == "MISSING_COLUMN":
            continue
        start = row["window_start"]
        micros = None if start is None else _micros(start)
        place, cells = slices[row["slice"]], layout.of(row["column"])
        names = layout.columns[layout.places[row["column"]]].names()
        shares = [
            _shares(counts.cells[place, cells]) for counts in (by_start[micros], baseline.counts)
        ]
        found[row["slice"], row["column"]] = Moved(names, *shares)
    return found


def _micros(time: object) -> int:
    return int(pa.scalar(time, pa.timestamp("us", "UTC")).value)


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
