import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support import batch_of
from tests.support_streams import timed
from transforms.batches import row_sources, select_rows, slice_rows, with_source
from transforms.coders import RecordBatchCoder
from transforms.errors import ConfigError
from transforms.windows.assign import (
    cut_open_windows,
    cut_windows,
    watermark_of,
    window_starts,
    with_watermark,
)

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@st.composite
def timed_batches(draw):
    """Batches of few rows near 1970, often unsorted and a slice, and their times as given."""
    unit = draw(st.sampled_from(list(PER_SECOND)))
    zone = draw(st.sampled_from([None, "UTC", "Asia/Kathmandu"]))
    rows = draw(st.integers(0, 14))
    # Close together, so that windows of a few microseconds or seconds have several.
    ticks = draw(st.lists(st.none() | st.integers(-60, 60), min_size=rows + 2, max_size=rows + 2))
    lines = np.cumsum(draw(st.lists(st.integers(1, 3), min_size=rows + 2, max_size=rows + 2)))
    batch = pa.RecordBatch.from_arrays(
        [pa.array(ticks, pa.timestamp(unit, zone)), pa.array(lines)], ["time", "line"]
    )
    if draw(st.booleans()):
        batch = with_source(batch, "f.csv", lines, "line")
    first = draw(st.integers(0, 2))
    micros = [None if t is None else t * 10**6 // PER_SECOND[unit] for t in ticks]
    return slice_rows(batch, first, rows), micros[first : first + rows], unit


@st.composite
def spans(draw, unit):
    """Size, period and offset, in the order of the unit's ticks."""
    scale = max(1, 10**6 // PER_SECOND[unit])
    period = draw(st.integers(1, 40))
    size = draw(st.integers(period, 60))
    return size * scale, period * scale, draw(st.integers(-50, 50)) * scale


def _naive(micros, size, period, offset):
    """Row by row: each window's rows, by start."""
    found = {}
    for row, time in enumerate(micros):
        if time is None:
            continue
        start = (time - offset) // period * period + offset
        while start + size > time:
            found.setdefault(start, []).append(row)
            start -= period
    return found


def _lines(batch):
    return batch["line"].to_pylist()


@given(timed_batches(), st.data())
def test_cut_is_what_row_by_row_gives(case, data):
    batch, micros, unit = case
    size, period, offset = data.draw(spans(unit))
    found = list(cut_windows(batch, "time", size, period, offset))
    expected = _naive(micros, size, period, offset)
    assert [window for window, _ in found] == [(s, s + size) for s in sorted(expected)]
    every = _lines(batch)
    for (start, _), part in found:
        assert _lines(part) == [every[row] for row in expected[start]]
        assert part.schema.equals(batch.schema)
        sources = row_sources(part, np.arange(part.num_rows)).to_pylist()
        noted = batch.schema.metadata is not None
        assert sources == [f"f.csv#line={n}" if noted else None for n in _lines(part)]


@given(timed_batches(), st.data())
def test_fixed_windows_part_the_rows(case, data):
    batch, micros, unit = case
    size, _, _ = data.draw(spans(unit))
    parts = [part for _, part in cut_windows(batch, "time", size)]
    assert sum(part.num_rows for part in parts) == sum(time is not None for time in micros)


@given(timed_batches(), st.data())
def test_open_windows_lose_no_row(case, data):
    batch, micros, unit = case
    size, period, _ = data.draw(spans(unit))
    scale = max(1, 10**6 // PER_SECOND[unit])
    closed = data.draw(st.none() | st.integers(-100, 100).map(lambda tick: tick * scale))
    cut = cut_open_windows(batch, "time", size, period, closed)
    expected = _naive(micros, size, period, 0)
    still = {s: rows for s, rows in expected.items() if closed is None or s + size > closed}
    every = _lines(batch)
    assert {s: _lines(part) for (s, _), part in cut.parts} == {
        s: [every[row] for row in rows] for s, rows in still.items()
    }
    held = {row for rows in still.values() for row in rows}
    late = [r for r, time in enumerate(micros) if time is not None and r not in held]
    assert _lines(cut.late) == [every[row] for row in late]
    assert cut.missed == sum(map(len, expected.values())) - sum(map(len, still.values()))
    assert cut.rejects.num_rows == micros.count(None)


def test_before_1970_and_below_a_microsecond():
    nanos = pa.array([-1, 59_999_999_999, 60_000_000_000, -60_000_000_001], pa.timestamp("ns"))
    rows, starts = window_starts(nanos, 60 * 10**6)
    assert rows.tolist() == [0, 1, 2, 3]
    assert starts.tolist() == [-60_000_000, 0, 60_000_000, -120_000_000]


def test_sliding_starts_ascend_within_a_row():
    rows, starts = window_starts(pa.array([0, None, 7], pa.timestamp("us")), 10, 4, 1)
    assert rows.tolist() == [0, 0, 2, 2]
    assert starts.tolist() == [-7, -3, 1, 5]


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=30))
@example([2**40, 0, 2**40, 1])
def test_windows_far_apart(micros):
    """More windows than 16 bits tell apart."""
    batch = pa.RecordBatch.from_pydict(
        {"time": pa.array(micros, pa.timestamp("us")), "line": list(range(len(micros)))}
    )
    found = {start: _lines(part) for (start, _), part in cut_windows(batch, "time", 3)}
    assert found == _naive(micros, 3, 3, 0)


@pytest.mark.parametrize("noted", [True, False])
def test_scattered_rows_keep_their_order_and_origin(noted):
    times = [minute * 60 + second for second in range(10) for minute in range(20)]
    batch = timed(*times)
    batch = with_source(batch, "f", 1) if noted else batch
    parts = [part for _, part in cut_windows(batch, "time", 60 * 10**6)]
    assert [part["n"].to_pylist() for part in parts] == [
        [minute * 60.0 + second for second in range(10)] for minute in range(20)
    ]
    origin = row_sources(parts[3], np.array([0, 2])).to_pylist()
    assert origin == (["f#row=4", "f#row=44"] if noted else [None, None])


def test_neighbours_are_not_copied():
    batch = timed(1, 2, 61, 62)
    parts = [part for _, part in cut_windows(batch, "time", 60 * 10**6)]
    addresses = {part["n"].buffers()[1].address for part in parts}
    assert addresses == {batch["n"].buffers()[1].address}


def test_what_has_no_window_is_rejected():
    times = pa.array([1, None, 2**62, -(2**62)], pa.timestamp("s"))
    batch = with_source(batch_of(time=times, n=[1, 2, 3, 4]), "f.csv", 1, "line")
    cut = cut_open_windows(batch, "time", 60 * 10**6)
    assert [part["n"].to_pylist() for _, part in cut.parts] == [[1]]
    assert cut.rejects["reason"].to_pylist() == ["missing_value", "overflow", "overflow"]
    assert cut.rejects["source"].to_pylist() == [f"f.csv#line={n}" for n in (2, 3, 4)]
    assert set(cut.rejects["column"].to_pylist()) == {"time"}


def test_a_window_is_closed_from_its_very_end():
    batch = timed(59)
    assert cut_open_windows(batch, "time", 60 * 10**6, None, 60 * 10**6).late.num_rows == 1
    assert cut_open_windows(batch, "time", 60 * 10**6, None, 60 * 10**6 - 1).late.num_rows == 0


@pytest.mark.parametrize(
    "times", [pa.array([1]), pa.array(["1"]), pa.array([1], pa.date32()), pa.array([1.0])]
)
def test_what_a_number_counts_is_not_guessed(times):
    expected = re.escape(f"column 'when' is {times.type}, not a timestamp")
    with pytest.raises(ConfigError, match=expected):
        list(cut_windows(batch_of(when=times), "when", 60))


def test_the_column_must_be_there():
    with pytest.raises(ConfigError, match="no column 'when', only time, n"):
        list(cut_windows(timed(1), "when", 60))


@pytest.mark.parametrize(("size", "period"), [(10, 11), (10, 0), (0, None), (-5, None)])
def test_windows_that_cannot_be(size, period):
    with pytest.raises(ConfigError, match="the period is more than 0, and at most the size"):
        list(cut_windows(timed(1), "time", size, period))


def test_the_watermark_is_noted_beside_the_origin():
    batch = with_watermark(with_source(timed(1, 2, 3), "f.csv", 7, "line"), -5)
    kept = select_rows(slice_rows(batch, 1, 2), np.array([False, True]))
    again = RecordBatchCoder().decode(RecordBatchCoder().encode(kept))
    assert watermark_of(again) == -5
    assert row_sources(again, np.array([0])).to_pylist() == ["f.csv#line=9"]
    assert batch.schema.metadata[b"millrace:watermark"] == b"-5"
    assert watermark_of(with_watermark(batch, 8)) == 8
    assert watermark_of(timed(1)) is None
