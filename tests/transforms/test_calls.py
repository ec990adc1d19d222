"""Calls in a few sizes, with fewer rows when memory runs out, around the rows at fault."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.calls import SMALLEST, CallResult, Calls, Failed, RowLimit, groups


class Stop(Exception):
    """No row is to blame for it."""


class Model:
    """Sums rows up: fails on some rows, and runs out of memory above so many."""

    def __init__(self, bad=(), fits=10**9, heavy=()):
        self.bad, self.fits, self.heavy = set(bad), fits, set(heavy)
        self.sizes = []

    def __call__(self, start, count, padded):
        self.sizes.append(padded)
        rows = set(range(start, start + count))
        if padded > self.fits or rows & self.heavy:
            raise MemoryError
        if rows & self.bad:
            raise ValueError
        return list(range(start, start + count))

    def over(self, rows, limit):
        calls = Calls(
            self, lambda e: isinstance(e, MemoryError), lambda e: type(e).__name__, (Stop,)
        )
        return list(calls.over(rows, limit))


def _rows(parts):
    return [row for part in parts if isinstance(part, CallResult) for row in part.result]


def _failed(parts):
    return [part.row for part in parts if isinstance(part, Failed)]


@given(st.integers(0, 300), st.integers(1, 64), st.sets(st.integers(0, 299), max_size=8))
def test_every_row_is_scored_or_failed_once_in_order(rows, limit, bad):
    model = Model(bad)
    parts = model.over(rows, RowLimit(limit))
    expected = [row for row in range(rows) if row not in bad]
    assert _rows(parts) == expected
    assert _failed(parts) == [row for row in range(rows) if row in bad]
    assert set(model.sizes) <= {1 << k for k in range(4, 7)} | {limit}


@given(st.integers(1, 300), st.integers(1, 64), st.sets(st.integers(0, 299), max_size=3))
def test_rows_that_fit_in_memory_are_scored(rows, fits, heavy):
    limit = RowLimit(128)
    parts = Model(fits=fits, heavy=heavy).over(rows, limit)
    assert _failed(parts) == sorted(row for row in heavy if row < rows)
    assert _rows(parts) == [row for row in range(rows) if row not in heavy]
    assert limit.rows <= 128


@given(st.integers(2, 2000), st.integers(0, 1999), st.sampled_from([1, 2, 3]))
def test_a_few_good_rows_among_bad_ones_are_scored(rows, place, number):
    """Wherever they are: no row is judged by others, and no row costs more than two calls."""
    good = {(place + 7 * i) % rows for i in range(number)}
    model = Model(bad=set(range(rows)) - good)
    parts = model.over(rows, RowLimit(2048))
    assert _rows(parts) == sorted(good)
    assert _failed(parts) == sorted(set(range(rows)) - good)
    assert len(model.sizes) <= rows + 4 * number + rows.bit_length()


@given(st.lists(st.booleans(), min_size=1, max_size=400))
def test_no_pattern_of_bad_rows_takes_more_than_two_calls_a_row(good):
    model = Model(bad={row for row, fine in enumerate(good) if not fine})
    model.over(len(good), RowLimit(512))
    assert len(model.sizes) <= 2 * len(good) + len(good).bit_length()


def test_one_bad_row_among_good_ones_takes_a_search():
    model = Model(bad={5000})
    assert _failed(model.over(8192, RowLimit(8192))) == [5000]
    assert len(model.sizes) <= 3 * 13


@pytest.mark.parametrize("good", [range(0, 2000, 2), range(0, 2000, 16), range(1000, 2000)])
def test_good_rows_among_many_bad_ones_are_scored(good):
    model = Model(bad=set(range(2000)) - set(good))
    parts = model.over(2000, RowLimit(2048))
    assert _rows(parts) == list(good)
    assert _failed(parts) == sorted(set(range(2000)) - set(good))


def test_rows_that_fail_in_different_ways_are_each_tried():
    def call(start, count, padded):
        raise (ValueError if start % 2 else KeyError)

    calls = Calls(call, lambda e: isinstance(e, MemoryError), lambda e: type(e).__name__)
    parts = list(calls.over(600, RowLimit(1024)))
    assert [part.message for part in parts] == ["KeyError", "ValueError"] * 300


def test_the_smaller_size_is_remembered():
    model, limit = Model(fits=40), RowLimit(128)
    model.over(256, limit)
    assert limit.rows == 32
    model.sizes.clear()
    model.over(256, limit)
    assert model.sizes == [32] * 8


def test_one_row_that_is_too_large_does_not_slow_the_others():
    model, limit = Model(heavy={5}), RowLimit(128)
    assert _failed(model.over(256, limit)) == [5]
    assert limit.rows == 128


def test_fewer_rows_than_the_smallest_size_may_fit():
    model, limit = Model(fits=3), RowLimit(64)
    assert _failed(model.over(64, limit)) == []
    assert limit.rows == 2


def test_a_model_that_always_fails_takes_a_call_for_each_row():
    model = Model(bad=range(1000))
    assert _failed(model.over(1000, RowLimit(1000))) == list(range(1000))
    assert len(model.sizes) <= 1000 + 10


def test_errors_that_no_row_is_to_blame_for_pass():
    def call(start, count, padded):
        raise Stop

    calls = Calls(call, lambda error: False, str, (Stop,))
    with pytest.raises(Stop):
        list(calls.over(3, RowLimit(8)))


@pytest.mark.parametrize(
    ("limit", "count", "padded"),
    [(8192, 1, SMALLEST), (8192, 17, 32), (8192, 8192, 8192), (1000, 600, 1000), (4, 3, 4)],
)
def test_padding(limit, count, padded):
    assert RowLimit(limit).padded(count) == padded


def test_a_fixed_size_is_always_padded_to_and_never_lowered():
    limit = RowLimit(32, fixed=True)
    limit.lower(4)
    assert (limit.rows, limit.padded(3)) == (32, 32)


def test_a_trial_lowers_the_limit_until_a_call_fits():
    limit = RowLimit(128)
    calls = Calls(Model(fits=20), lambda e: isinstance(e, MemoryError), str)
    calls.trial(128, limit)
    assert limit.rows == 16


def test_threads_share_the_limit():
    limit, model = RowLimit(4096), Model(fits=100)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(_rows(model.over(5000, limit))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [list(range(5000))] * 4
    assert limit.rows == 64


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=20))
def test_groups_part_the_rows(sizes):
    table = np.array(sizes, np.int64).reshape(-1, 2)
    found = list(groups(table)) if len(sizes) else []
    assert sorted(row for group in found for row in group) == list(range(len(sizes)))
    for group in found:
        assert len({sizes[row] for row in group}) == 1
        assert list(group) == sorted(group)
    assert len(found) == len(set(sizes))
