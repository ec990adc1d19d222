"""Moments: right to the last digits of numbers of any size, however they are cut into parts."""

import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transforms.statistics.collect import statistics_of
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.sketches.moments import Moments

LARGE = np.finfo(np.float64).max
NANOSECONDS = 1_700_000_000_000_000_000
ANY = st.floats(allow_nan=False, allow_infinity=False)


def moments_of(*parts, weights=None):
    """Those of parts, each taken in by itself and then joined."""
    whole = Moments()
    for at, part in enumerate(parts):
        made = Moments()
        made.add(np.array(part), None if weights is None else np.array(weights[at]))
        whole.join(made)
    return whole


def exact(values, weights=None):
    """Mean and standard deviation, of fractions."""
    values = [Fraction(value) for value in values]
    weights = [Fraction(1)] * len(values) if weights is None else [Fraction(w) for w in weights]
    weight = sum(weights)
    mean = sum(v * w for v, w in zip(values, weights, strict=True)) / weight
    squares = sum((v - mean) ** 2 * w for v, w in zip(values, weights, strict=True))
    return mean, root(squares / weight)


def root(square):
    """The square root of a fraction whose root, but maybe not itself, a double holds."""
    if not square:
        return 0.0
    half = (square.numerator.bit_length() - square.denominator.bit_length()) // 2
    scaled = square / Fraction(4) ** half
    return float(Fraction(math.sqrt(scaled)) * Fraction(2) ** half)


def is_right(made, values, weights=None):
    """The mean is off by some last digits of the largest number, the deviation by some of its own.

    The deviation of the doubles that were given: away from a mean that no double may hold.
    """
    mean, deviation = exact(values, weights)
    size = max(abs(Fraction(value)) for value in values)
    assert made.mean == pytest.approx(float(mean), rel=0, abs=max(float(size * 2**-50), 5e-324))
    assert made.deviation == pytest.approx(deviation, rel=1e-9, abs=1e-322)


@given(st.lists(st.lists(ANY, min_size=1, max_size=8), min_size=1, max_size=4))
@example([[1e308], [-1e308]])
@example([[LARGE, LARGE], [-LARGE], [LARGE]])
@example([[LARGE] * 3 + [1e308] * 3])
@example([[1e200, -1e200], [1e-200]])
@example([[1e-170, 3e-170], [2e-170]])
@example([[0.1] * 3, [0.1] * 7])
def test_finite_doubles_of_any_size(parts):
    is_right(moments_of(*parts), [value for part in parts for value in part])


@given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8), min_size=1))
@example([[2**60 + 1, 2**60], [2**60 + 2]])
@example([[2**63 - 1, -(2**63)], [2**63 - 2]])
@example([[0] + [1] * 7])
def test_integers_of_64_bits(parts):
    is_right(moments_of(*parts), [value for part in parts for value in part])


@given(
    st.integers(-(2**63), 2**63 - 1000),
    st.lists(st.lists(st.integers(0, 999), min_size=1, max_size=8), min_size=1, max_size=4),
    st.sampled_from([1e-300, 0.3, 1e270]),
)
@example(-94_358_898_675_477_820, [[174, 441], [0, 0, 0, 251, 373, 999], [0]], 1e-300)
def test_integers_that_are_near_each_other(start, parts, unit):
    """With weights, also extreme ones; far from zero only the spread of the differences counts."""
    weights = [[unit * (1 + value % 3) for value in part] for part in parts]
    made = moments_of(*([start + each for each in part] for part in parts), weights=weights)
    apart = [each for part in parts for each in part]
    mean, deviation = exact(apart, [weight for part in weights for weight in part])
    assert made.deviation == pytest.approx(deviation, rel=1e-9, abs=1e-9)
    assert float(Fraction(made.mean) + Fraction(made.rest) - start) == pytest.approx(
        float(mean), rel=1e-9, abs=1e-9
    )


def test_equal_numbers_have_no_spread_and_are_their_mean():
    for value in (0.1, 1e-320, LARGE, 2**60 + 1, 0):
        made = moments_of([value] * 3, [value] * 70_000, [value])
        assert (made.mean, made.deviation) == (float(value), 0.0)


def test_what_weighs_nothing_changes_nothing():
    made = moments_of([7.0], [1.0, 3.0], weights=[[0.0], [0.0, 2.0]])
    assert made == Moments(2.0, 3.0, 0.0, 0.0)
    assert moments_of([7.0], weights=[[0.0]]) == Moments()


@pytest.mark.parametrize("type", [pa.int64(), pa.timestamp("ns")])
@pytest.mark.parametrize("rows", [1000, 70_000, 200_000])
@pytest.mark.parametrize("weight", [None, "w"])
def test_times_in_nanoseconds(type, rows, weight):
    numbers = np.arange(rows) % 1000
    table = pa.table({"x": pa.array(NANOSECONDS + numbers, type), "w": np.full(rows, 0.3)})
    feature = statistics_of(table, StatisticsOptions(weight=weight)).datasets[0].features[0]
    stats = feature.num_stats.weighted_numeric_stats if weight else feature.num_stats
    assert stats.std_dev == pytest.approx(numbers.std(), rel=1e-9)


def test_large_numbers_in_one_table_or_in_parts():
    values = np.array([1.7e308] * 70_000 + [-1.7e308] * 70_000)
    (feature,) = statistics_of(pa.table({"x": values})).datasets[0].features
    assert feature.num_stats.mean == 0
    assert feature.num_stats.std_dev == pytest.approx(1.7e308)
    parts = [pa.record_batch({"x": [1e308]}), pa.record_batch({"x": [-1e308], "other": [1]})]
    feature = statistics_of(parts).datasets[0].features[0]
    assert (feature.num_stats.mean, feature.num_stats.std_dev) == (0, 1e308)
