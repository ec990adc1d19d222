"""Columns of any type and times of any unit: each row is counted once, however batches are cut."""

from decimal import Decimal
from itertools import chain

import numpy as np
import pyarrow as pa
import pytest

from tests.support import batch_of
from transforms.drift.counting.counts import count_batch
from transforms.drift.counting.panes import Panes, PaneTally, open_rows
from transforms.drift.counting.tally import Tally
from transforms.drift.make import build_baseline

ROWS = 1500
TEXTS = pa.array(["a", "bb", None] * 500)
LENGTHS = [*range(5)] * 300
COLUMNS = {
    "large_string": TEXTS.cast(pa.large_string()),
    "string_view": TEXTS.cast(pa.string_view()),
    "binary": TEXTS.cast(pa.binary()),
    "dictionary": TEXTS.dictionary_encode(),
    "decimal128": pa.array([Decimal(n) / 100 for n in range(ROWS)], pa.decimal128(12, 2)),
    "decimal256": pa.array([Decimal(n % 7) for n in range(ROWS)], pa.decimal256(40, 2)),
    "bool": pa.array([True, False, None] * 500),
    "null": pa.nulls(ROWS),
    "nan": pa.array(np.full(ROWS, np.nan)),
    "infinities": pa.array([np.inf, -np.inf, 1.0, np.nan, None] * 300),
    "half": pa.array(np.arange(ROWS, dtype=np.float16)),
    "uint64": pa.array(np.arange(ROWS, dtype=np.uint64) % 9 + 2**63),
    "list": pa.array([[1] * n for n in LENGTHS]),
    "nested list": pa.array([[[1]] * n for n in LENGTHS]),
    "large_list": pa.array([["a"] * n for n in LENGTHS], pa.large_list(pa.string())),
    "list_view": pa.array([[1] * n for n in LENGTHS], pa.list_view(pa.int64())),
    "fixed_size_list": pa.array([[1, 2], None] * 750, pa.list_(pa.int64(), 2)),
    "struct": pa.array([{"a": 1}, None] * 750),
    "map": pa.array([[("a", 1)]] * ROWS, pa.map_(pa.string(), pa.int64())),
    "times before 1970": pa.array(np.arange(-ROWS, 0) * 10**12, pa.timestamp("us")),
    "times after 2262": pa.array(np.arange(ROWS) + 10**13, pa.timestamp("ms")),
    "date": pa.array(np.arange(ROWS, dtype=np.int32), pa.date32()),
    "duration": pa.array(np.arange(ROWS), pa.duration("us")),
    "run_end_encoded": pa.RunEndEncodedArray.from_arrays(
        pa.array([600, ROWS], pa.int32()), pa.array(["x", "y"])
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_slices_are_counted_as_the_whole(name):
    rows = batch_of(x=COLUMNS[name])
    layout = build_baseline([rows]).layout
    tally = Tally(layout)
    for at in range(0, ROWS, 170):
        tally.add(rows.slice(at, 170))
    found, whole = tally.counts(), count_batch(layout, rows)
    assert found.cells.tolist() == whole.cells.tolist()
    assert int(found.cells.sum()) == ROWS
    assert found.rows.tolist() == [ROWS]


def test_wide_rows():
    rows = batch_of(**{f"x{n}": np.arange(300.0) for n in range(3000)})
    layout = build_baseline([rows]).layout
    tally = Tally(layout)
    for _ in range(9):
        tally.add(rows)
    assert tally.counts().cells.tolist() == (9 * count_batch(layout, rows).cells).tolist()


def panes(times, size, period=None):
    """Counts rows of some times by pane."""
    windows = Panes.of(size, period)
    rows = batch_of(time=times, x=np.ones(len(times)))
    tally = PaneTally(build_baseline([rows], "time", None).layout, windows)
    parts = (rows.slice(at, 1000) for at in range(0, len(times), 1000))
    made = (tally.add(open_rows(part, "time", windows)) for part in parts)
    found = {}
    for pane in chain(chain.from_iterable(made), tally.panes()):
        found[pane.key] = found[pane.key].merge(pane) if pane.key in found else pane
    return found


UNITS = {
    "before 1970": pa.array(np.arange(-3000, 0), pa.timestamp("s")),
    "nanoseconds": pa.array(np.arange(-1500, 1500) * 10**9 + 1, pa.timestamp("ns")),
    "milliseconds of a zone": pa.array(np.arange(3000) * 1000, pa.timestamp("ms", "Europe/Berlin")),
    "far": pa.array(np.arange(3000) + 2 * 10**11, pa.timestamp("s")),
}


@pytest.mark.parametrize("name", UNITS)
def test_times_of_any_unit(name):
    found = panes(UNITS[name], 60)
    per_minute = np.bincount(
        np.unique(
            UNITS[name]
            .cast(pa.timestamp("ns" if name == "nanoseconds" else "s"), safe=False)
            .cast(pa.int64())
            .to_numpy()
            // (60 * 10**9 if name == "nanoseconds" else 60),
            return_inverse=True,
        )[1]
    )
    counts = [int(found[key].counts.rows[0]) for key in sorted(found)]
    assert counts == per_minute.tolist()
    assert sum(counts) == 3000


def test_rows_without_a_time_or_of_no_year_are_in_no_pane():
    assert panes(pa.nulls(10, pa.timestamp("us")), 60) == {}
    assert panes(pa.array([10**12, -(10**12)], pa.timestamp("s")), 60) == {}


def test_windows_of_a_thousand_periods():
    times = pa.array(np.arange(5000) * 100, pa.timestamp("ms"))
    found = panes(times, 1000, 1)
    assert [int(found[key].counts.rows[0]) for key in sorted(found)] == [10] * 500
    assert {start - open_from for start, open_from in found} == {999 * 10**6}
