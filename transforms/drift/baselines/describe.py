"""What is in a baseline, and how two differ: as rows of texts for a person."""

import numpy as np

from transforms.drift.baseline import Baseline
from transforms.drift.counting.cells import ColumnCells
from transforms.drift.counting.layout import WHOLE
from transforms.drift.judging.pooling import compare_cells
from transforms.drift.judging.tested import TestedCells

COLUMNS = ("column", "counted by", "cells", "missing", "largest cell", "its share", "windows")
DIFFERENCES = ("column", "what differs", "adjusted PSI", "missing before", "missing after")


def facts_of(baseline: Baseline) -> list[tuple[str, str]]:
    """Returns what is to be said of a baseline as a whole: names and texts."""
    layout = baseline.layout
    seconds = None if baseline.window_us is None else baseline.window_us / 10**6
    calibrated = "of none: chance alone is tested"
    if seconds is not None:
        calibrated = f"of {baseline.windows:,} windows of {seconds:g} s"
    return [
        ("hash", baseline.hash),
        ("rows", f"{int(baseline.counts.rows[0]):,}"),
        ("columns", f"{len(layout.columns):,}"),
        ("cells", f"{layout.number:,}"),
        ("slices", ", ".join(layout.slices) or "none"),
        ("not counted", ", ".join(layout.ignored) or "none"),
        ("calibrated", calibrated),
        ("made of", baseline.origin),
    ]


def columns_of(baseline: Baseline) -> list[tuple[str, ...]]:
    """Returns a row of texts for each column: `COLUMNS`."""
    windows = baseline.calibrations[0].windows
    return [
        _column(baseline, column, int(windows[place]))
        for place, column in enumerate(baseline.layout.columns)
    ]


def _column(baseline: Baseline, column: ColumnCells, windows: int) -> tuple[str, ...]:
    counts = baseline.counts.cells[0, baseline.layout.of(column.name)]
    rows = max(int(counts.sum()), 1)
    at = int(counts.argmax())
    return (
        column.name,
        column.kind,
        f"{column.number:,}",
        f"{_missing(baseline, column.name):.2%}",
        column.names()[at],
        f"{counts[at] / rows:.2%}",
        f"{windows:,}",
    )


def differences(before: Baseline, after: Baseline) -> list[tuple[str, ...]]:
    """Returns a row of texts for each column of two baselines: `DIFFERENCES`.

    Where a column has the same cells in both, their counts are compared, rows of either as a
    sample; where it has not, only its shape and missing values are.
    """
    names = sorted({each.name for base in (before, after) for each in base.layout.columns})
    return [_difference(before, after, name) for name in names]


def _difference(before: Baseline, after: Baseline, name: str) -> tuple[str, ...]:
    for base, words in ((before, "only after"), (after, "only before")):
        if name not in base.layout.places:
            return name, words, "", "", ""
    missing = tuple(f"{_missing(base, name):.2%}" for base in (before, after))
    one, other = (base.layout.columns[base.layout.places[name]] for base in (before, after))
    if one.kind != other.kind:
        return name, f"counted by {one.kind}, then by {other.kind}", "", *missing
    if one != other:
        return name, "cells", "", *missing
    counts = [base.counts.cells[0, base.layout.of(name)] for base in (before, after)]
    tests = TestedCells.of(type(before.layout)((one,)), counts[0])
    tested = compare_cells(tests(counts[1]), tests(counts[0]), tests.starts)
    words = "nothing" if np.array_equal(counts[0], counts[1]) else "counts"
    return name, words, f"{tested.adjusted[0]:.4f}", *missing


def _missing(baseline: Baseline, name: str) -> float:
    cells = baseline.layout.of(name)
    counts = baseline.counts.cells[baseline.layout.slice_names.index(WHOLE), cells]
    lacking = counts[baseline.tests.missing[cells]]
    return float(lacking.sum() / max(int(counts.sum()), 1))
