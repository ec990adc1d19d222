"""Pairs: covariances as numpy has them, and exact sums."""

import itertools
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of
from transforms.statistics import state
from transforms.statistics.collect import Collector, statistics_of
from transforms.statistics.dataset import described, merged
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.pairs import MOST

OPTIONS = StatisticsOptions(pairs=True)


def pairs(*batches):
    (data,) = statistics_of(batches, OPTIONS).datasets
    return {(found.path_x.step[0], found.path_y.step[0]): found for found in data.cross_features}


def test_covariance_and_correlation():
    draw = np.random.default_rng(3)
    x = draw.normal(size=1000) + 1e6
    y, z = 2 * x + draw.normal(size=1000), draw.integers(0, 9, 1000)
    batches = [
        pa.RecordBatch.from_pydict({"x": x[part], "y": y[part], "z": z[part], "t": ["a"] * 250})
        for part in np.split(np.arange(1000), 4)
    ]
    found = pairs(*batches)
    assert set(found) == {("x", "y"), ("x", "z"), ("y", "z")}
    for (one, other), cross in found.items():
        values = {"x": x, "y": y, "z": z}
        expected = np.cov(values[one], values[other], bias=True)[0, 1]
        assert cross.count == 1000
        assert cross.num_cross_stats.covariance == pytest.approx(expected, rel=1e-6)
        assert cross.num_cross_stats.correlation == pytest.approx(
            np.corrcoef(values[one], values[other])[0, 1], rel=1e-6
        )


def test_rows_count_where_both_are_there():
    found = pairs(batch_of(x=[1.0, 2.0, None, 4.0, np.nan], y=[1, 2, 3, None, 5]))
    cross = found["x", "y"]
    assert cross.count == 2
    assert cross.num_cross_stats.covariance == pytest.approx(0.25)
    assert cross.num_cross_stats.correlation == pytest.approx(1.0)


def test_a_constant_has_no_correlation():
    cross = pairs(batch_of(x=[1, 1, 1], y=[1, 2, 3]))["x", "y"]
    assert (cross.num_cross_stats.covariance, cross.num_cross_stats.correlation) == (0, 0)


def held(*batches):
    """What a state keeps of rows."""
    collector = Collector(OPTIONS)
    for batch in batches:
        collector.add(batch)
    return state.from_batches(state.to_batches(collector.slices()))


BOTH = batch_of(a=[1.0, 2.0, 4.0], b=[1.0, 3.0, 2.0])


@pytest.mark.parametrize(
    "other",
    [
        batch_of(a=[9.0, 5.0]),
        batch_of(q=["text"]),
        pa.record_batch({"b": pa.nulls(2), "a": pa.array([7.0, 8.0])}),
        pa.record_batch({"a": pa.nulls(2, pa.float64()), "b": pa.array([7.0, 8.0])}),
        batch_of(b=[[1.0], []], a=[7.0, 8.0]),
        BOTH.slice(0, 0),
    ],
)
def test_a_batch_without_a_column_has_no_row_of_its_pairs(other):
    for parts in ((BOTH, other), (other, BOTH)):
        assert pairs(*parts) == pairs(BOTH)
        (data,) = described(merged(map(held, parts)), OPTIONS).datasets
        assert list(data.cross_features) == [*pairs(BOTH).values()]


def test_pairs_are_named_alike_in_whatever_order_columns_come():
    parts = batch_of(b=[1, 2]), batch_of(c=[1, 2]), batch_of(a=[1, 2])
    for ordered in itertools.permutations(parts):
        assert list(pairs(*ordered)) == [("a", "b"), ("a", "c"), ("b", "c")]


def test_of_too_many_columns_the_same_are_left_in_whatever_order_they_come():
    names = [f"c{number:03}" for number in range(MOST + 10)]
    one, other = (
        pa.record_batch({name: pa.array([1.0, 2.0]) for name in some})
        for some in (names[5:], names[:-20])
    )
    expected = set(itertools.combinations(names[:MOST], 2))
    assert set(pairs(one, other)) == set(pairs(other, one)) == expected


def test_only_columns_that_are_asked_for_are_in_pairs():
    batch = batch_of(x=[1, 2], y=[1, 2], z=[1, 2])
    (data,) = statistics_of(batch, StatisticsOptions(pairs=True, columns=("z", "x"))).datasets
    (cross,) = data.cross_features
    assert (cross.path_x.step, cross.path_y.step) == (["x"], ["z"])


FAR = 1e9 + np.random.default_rng(5).normal(size=1000)
"""Numbers whose squares lose what distinguishes them."""


@pytest.mark.parametrize(
    "before",
    [[None] * 10, [0.0] * 10, [-3e9] * 10, [1e9 - 3e6] * 10],
    ids=["null", "zero", "elsewhere", "near"],
)
def test_rows_of_other_pairs_leave_their_digits_to_the_rows_of_a_pair(before):
    only_a = pa.record_batch(
        {"a": pa.array(before, pa.float64()), "b": pa.nulls(10, pa.float64()), "z": ["t"] * 10}
    )
    both = pa.record_batch({"a": FAR, "b": 2 * FAR})
    for parts in ((only_a, both), (both, only_a), (only_a.select(["a", "b"]), both)):
        cross = pairs(*parts)["a", "b"]
        assert cross.count == 1000
        expected = np.cov(FAR, 2 * FAR, bias=True)[0, 1]
        assert cross.num_cross_stats.covariance == pytest.approx(expected, rel=1e-5)
        assert cross.num_cross_stats.correlation == pytest.approx(1, rel=1e-6)


def test_what_is_constant_where_the_other_is_there_has_no_correlation():
    away = np.random.default_rng(6).normal(size=40)
    for constant in (0.1, 19.99, 1e9 + 0.1):
        x = np.where(np.arange(40) < 30, constant, 1e12 * away)
        batch = pa.record_batch({"x": x, "y": pa.array(away, mask=np.arange(40) >= 30)})
        cut = [batch.slice(30), batch.slice(0, 7), batch.slice(7)]
        for parts in ([batch], cut[1:], [cut[0], cut[1], batch.slice(7, 23)]):
            (data,) = described(merged(held(part) for part in parts), OPTIONS).datasets
            (cross,) = data.cross_features
            told = cross.num_cross_stats
            assert (cross.count, told.covariance, told.correlation) == (30, 0, 0)


@pytest.mark.parametrize("scale", [1e-140, 1e-90, 1e80, 1e140])
def test_correlation_of_very_small_and_very_large_numbers(scale):
    x = np.array([1.0, 2.0, 4.0, 8.0]) * scale
    crosses = pairs(pa.record_batch({"x": x, "y": 2 * x, "z": -x}))
    told = {names: cross.num_cross_stats.correlation for names, cross in crosses.items()}
    assert told == pytest.approx({("x", "y"): 1, ("x", "z"): -1, ("y", "z"): -1})


@pytest.mark.parametrize("scale", [1e-160, 1e-170, 1e160, 1e300])
def test_no_correlation_is_told_where_squares_are_no_numbers(scale):
    x = np.array([1.0, 2.0, 4.0, 8.0, 3.0]) * scale
    cross = pairs(pa.record_batch({"x": x, "y": -x}), pa.record_batch({"x": x}))["x", "y"]
    assert (cross.count, cross.num_cross_stats.correlation) == (5, 0)


@pytest.mark.parametrize(
    ("type", "values"),
    [
        (pa.bool_(), [False, True, True, None]),
        (pa.decimal128(10, 2), [Decimal("1.25"), Decimal("-3.5"), Decimal("8"), None]),
        (pa.float16(), [1.5, -2, 8, None]),
        (pa.uint64(), [2**63, 2**64 - 1, 1, None]),
        (pa.date32(), [5, 1000, -20, None]),
        (pa.timestamp("ms"), [5, 1000, -20, None]),
        (pa.duration("s"), [5, 1000, -20, None]),
        (pa.time32("s"), [5, 1000, 20, None]),
    ],
)
def test_numbers_are_those_that_other_statistics_have(type, values):
    plain = pa.array(values, type)
    y = pa.array([1.0, 5.0, 2.0, 4.0])
    expected = np.cov(np.array(values[:3], float), [1, 5, 2], bias=True)[0, 1]
    codes = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3], pa.int8()), plain)
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([1, 2, 3, 4], pa.int32()), plain)
    for column in (plain, codes, runs):
        batch = pa.record_batch({"x": column, "y": y})
        cross = pairs(batch)["x", "y"]
        assert cross.count == 3
        assert cross.num_cross_stats.covariance == pytest.approx(expected, rel=1e-6)


def test_texts_and_what_holds_others_are_in_no_pair():
    batch = batch_of(x=[1, 2], t=["1", "2"], l=[[1], [2]], s=[{"a": 1}, {"a": 2}])
    texts = pa.array(["1", "2"]).dictionary_encode()
    assert pairs(batch.append_column("d", texts)) == {}


NUMBERS = st.sampled_from([None, np.nan, -np.inf, 0.0, 0.1, 0.3, -7.0, 1e9, 1e9 + 1, 1e9 + 2.5])
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=12)


@given(st.lists(ROWS, min_size=1, max_size=4), st.sampled_from([pa.null(), pa.float64(), None]))
def test_however_rows_are_cut_pairs_are_those_of_exact_sums(parts, empty):
    states = [held(batch_of_rows(part, empty)) for part in parts]
    (data,) = described(merged(states), OPTIONS).datasets
    rows = [dict(zip("abc", row, strict=True)) for part in parts for row in part]
    for cross in data.cross_features:
        one, other = cross.path_x.step[0], cross.path_y.step[0]
        both = [(row[one], row[other]) for row in rows if is_there(row[one], row[other])]
        covariance, *variances = moments(both)
        spread = math.sqrt(variances[0]) * math.sqrt(variances[1])
        told = cross.num_cross_stats
        assert cross.count == len(both)
        assert told.covariance == pytest.approx(float(covariance), rel=1e-6, abs=1e-7 * spread)
        correlation = float(covariance) / spread if spread else 0
        assert told.correlation == pytest.approx(correlation, abs=1e-6)


def batch_of_rows(rows, empty):
    """Rows of a, b and c; a column without any value is of a type, or left out where it is None."""
    columns = zip(*rows, strict=True) if rows else [()] * 3
    arrays = {}
    for name, values in zip("abc", columns, strict=True):
        is_empty = all(value is None for value in values)
        if not is_empty or empty is not None:
            arrays[name] = pa.array(values, empty if is_empty else pa.float64())
    return pa.RecordBatch.from_pydict({**arrays, "t": ["a"] * len(rows)})


def is_there(*numbers):
    return all(number is not None and np.isfinite(number) for number in numbers)


def moments(rows):
    """Covariance and both variances, exactly."""
    number = max(len(rows), 1)
    columns = [[Fraction(row[at]) for row in rows] for at in (0, 1)]
    x, y = ([value - sum(column) / number for value in column] for column in columns)
    return [
        sum((a * b for a, b in zip(one, other, strict=True)), Fraction()) / number
        for one, other in ((x, y), (x, x), (y, y))
    ]
