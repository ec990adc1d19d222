"""Requests are cut to the limits, whatever the rows."""

import numpy as np
import pyarrow as pa
import pytest
from google.cloud.dlp_v2.types import DeidentifyContentRequest
from hypothesis import given
from hypothesis import strategies as st

from privacy.cloud.cells import make_table, row_sizes
from privacy.cloud.cutting import (
    FindingsMean,
    cut_rows,
    number_sizes,
    too_large,
    with_numbers,
)
from privacy.cloud.encode import with_table
from privacy.cloud.limits import Limits

sizes = st.lists(st.integers(1, 900), max_size=60).map(lambda x: np.array(x, np.int64))


@given(sizes, st.integers(1, 9), st.integers(0, 300), st.floats(0, 5))
def test_every_row_is_in_one_request_within_all_limits(sizes, columns, overhead, findings):
    limits = Limits(bytes=1_000, cells=40, findings=12)
    cuts = cut_rows(sizes, columns, overhead, findings, limits)
    assert [row for start, stop in cuts for row in range(start, stop)] == list(range(len(sizes)))
    for start, stop in cuts:
        assert stop > start
        if stop - start > 1:
            assert sizes[start:stop].sum() + overhead <= limits.bytes
            assert (stop - start) * columns <= limits.cells
            assert (stop - start) * findings <= limits.findings


@given(sizes, st.integers(1, 9), st.integers(0, 300))
def test_requests_are_as_full_as_they_can_be(sizes, columns, overhead):
    limits = Limits(bytes=1_000, cells=40)
    cuts = cut_rows(sizes, columns, overhead, 0, limits)
    for start, stop in cuts[:-1]:
        one_more = sizes[start : stop + 1].sum() + overhead > limits.bytes
        assert one_more or (stop + 1 - start) * columns > limits.cells


def test_a_row_that_is_too_large_is_alone():
    sizes, limits = np.array([10, 999, 10]), Limits(bytes=500)
    assert cut_rows(sizes, 1, 0, 0, limits) == [(0, 1), (1, 2), (2, 3)]
    assert too_large(sizes, 100, limits).tolist() == [False, True, False]


def test_the_mean_rises_at_once_and_falls_slowly():
    mean = FindingsMean()
    mean.saw(100, 200)
    assert mean.mean == 2
    mean.saw(100, 0)
    assert mean.mean == pytest.approx(1.6)
    mean.saw(0, 0)
    assert mean.mean == pytest.approx(1.6)


cells = st.none() | st.text(max_size=300)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_sizes_of_texts_are_exact(rows):
    columns = [pa.array([row[at] for row in rows], pa.string()) for at in (0, 1)]
    table = make_table(["a", "b"], columns)
    header = make_table(["a", "b"], [column.slice(0, 0) for column in columns])
    assert row_sizes(columns).sum() == table.ByteSize() - header.ByteSize()


long = st.integers(16_360, 16_390).map(lambda size: "x" * size)


@given(st.lists(st.text(max_size=300) | long, min_size=1), st.sampled_from([1, 40, 200]))
def test_sizes_of_numbered_rows_are_enough_and_nearly_exact(texts, times):
    column = pa.array(texts * times, pa.string())
    request = with_table(DeidentifyContentRequest.pb()(), 4, ["a"], [column], numbered=True)
    empty = with_table(DeidentifyContentRequest.pb()(), 4, ["a"], [column[:0]], numbered=True)
    sizes = with_numbers(row_sizes([column])) + number_sizes(len(column))
    # Of the table's and the item's lengths some bytes belong to the overhead's slack.
    assert len(request) - len(empty) <= sizes.sum() + 8
    assert sizes.sum() <= len(request) - len(empty) + len(column)


def test_sizes_of_other_types_are_enough():
    from datetime import datetime, time

    columns = [
        pa.array([-1, 2**62]),
        pa.array([1.5, None]),
        pa.array([True, False]),
        pa.array([datetime(9999, 12, 31, 23, 59, 59, 999999), None], pa.timestamp("us")),
        pa.array([time(23, 59, 59, 999999), time(0)], pa.time64("us")),
        pa.array([datetime(2026, 1, 2).date()] * 2),
    ]
    table = make_table(list("abcdef"), columns)
    header = make_table(list("abcdef"), [column.slice(0, 0) for column in columns])
    assert row_sizes(columns).sum() >= table.ByteSize() - header.ByteSize()
