"""Numbers among bounds, against a search for the place of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.drift.counting.among import at_or_beyond, places

SIZES = [0, 1, 7, 8, 2039, 2040, 2041, 4095, 4096, 8192, 8193, 40_001]
SPECIAL = st.sampled_from([float("nan"), np.inf, -np.inf, 0.0, -0.0, 1.0, 5e-324, 1.7e308])


def searched(values, bounds):
    found = np.searchsorted(bounds, values, side="right")
    return np.where(np.isnan(values), 0, found)


def beyond(values, bounds):
    return [int((values >= bound).sum()) for bound in bounds]


@given(st.lists(SPECIAL | st.floats(), max_size=70), st.lists(SPECIAL, max_size=9))
def test_any_numbers(values, bounds):
    values = np.array(values, np.float64)
    rising = np.unique(np.array([each for each in bounds if each == each], np.float64))
    assert places(values, rising).tolist() == searched(values, rising).tolist()
    assert at_or_beyond(values, rising).tolist() == beyond(values, rising)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_any_number_of_them(size, kind):
    values = np.random.default_rng(size).normal(size=size).astype(kind)
    # Beyond the first bound are all: no sum of ones may run over.
    bounds = np.array([-np.inf, -1, 0, 0.5, 9], kind)
    assert at_or_beyond(values, bounds).tolist() == beyond(values, bounds)
    assert places(values, bounds).tolist() == searched(values, bounds).tolist()


@pytest.mark.parametrize("odd", [np.nan, -np.inf, np.inf, 3.0])
@pytest.mark.parametrize("size", [3, 5000])
def test_one_number_is_odd(size, odd):
    """Bounds that all or no numbers are beyond need no look, unless one is NaN."""
    values, bounds = np.full(size, 1.5), np.array([-np.inf, -1.7e308, 1.0, 1.5, 2.0, np.inf])
    values[-1] = odd
    assert at_or_beyond(values, bounds).tolist() == beyond(values, bounds)


def test_more_bounds_than_a_byte_counts():
    values, bounds = np.arange(-5.0, 400.0), np.arange(300.0)
    assert places(values, bounds).tolist() == searched(values, bounds).tolist()
    assert places(values, bounds).max() == 300


def test_numpy_works_as_before():
    before = np.getbufsize()
    at_or_beyond(np.arange(9.0), np.arange(3.0))
    assert np.getbufsize() == before
