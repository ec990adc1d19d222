import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.metadata.datasets import dataset_of
from transforms.reports.bins import number_bins, text_ranks
from transforms.statistics.collect import statistics_of


def column(values, type=None):
    data = dataset_of(statistics_of([pa.record_batch({"x": pa.array(values, type)})]))
    return data.columns[("x",)]


NUMBERS = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30)


@given(NUMBERS, st.none() | NUMBERS)
def test_shares_are_those_of_the_finite_numbers(current, baseline):
    with np.errstate(over="ignore"):
        columns = [None if each is None else column(each) for each in (current, baseline)]
        bins = number_bins(*columns)
    known = [each for each in (current, baseline) if each is not None]
    finite = [value for each in known for value in each if math.isfinite(value)]
    if bins is None:
        assert finite == []
        return
    assert (bins.least, bins.greatest) == (min(finite), max(finite))
    assert np.isfinite(bins.edges).all()
    assert (np.diff(bins.edges) >= 0).all()
    for each, shares in zip((current, baseline), bins.shares, strict=True):
        assert (shares is None) == (each is None)
        if shares is not None:
            assert len(shares) == len(bins.edges) - 1
            expected = sum(map(math.isfinite, each)) / len(each)
            assert shares.sum() == pytest.approx(expected)


def test_few_integers_have_a_bin_each():
    bins = number_bins(column([1, 1, 4]), column([2, 3, 3, 3]))
    assert bins.edges.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert bins.shares[0].tolist() == pytest.approx([2 / 3, 0, 0, 1 / 3])
    assert bins.shares[1].tolist() == pytest.approx([0, 0.25, 0.75, 0])


def test_a_value_far_out_does_not_squeeze_the_others():
    values = [*np.random.default_rng(1).normal(0, 1, 5000), 1e6]
    bins = number_bins(column(values), None)
    assert bins.edges[-1] < 10
    assert bins.greatest == 1e6
    assert bins.shares[0].sum() == pytest.approx(1)


def test_nothing_finite_makes_no_bins():
    assert number_bins(column([math.nan, math.inf]), None) is None
    assert number_bins(None, None) is None
    assert number_bins(column([None, None], pa.float64()), None) is None


def test_ranks_of_both():
    ranks = text_ranks(column(["a", "a", "b", None]), column(["c", "b", "b", "b"]), limit=2)
    assert (ranks.labels, ranks.more, ranks.is_exact) == (["a", "b"], 1, True)
    assert ranks.shares[0].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert ranks.shares[1].tolist() == pytest.approx([0, 3 / 4])
    assert text_ranks(column([None], pa.string()), None, limit=2) is None


def test_a_text_that_statistics_do_not_tell_of_is_not_known_to_be_missing():
    rng = np.random.default_rng(1)
    many = column([f"v{each}" for each in rng.integers(0, 10**6, 20_000)])
    ranks = text_ranks(column(["strange"]), many, limit=1)
    assert np.isnan(ranks.shares[1]).all()
    assert not ranks.is_exact
    assert ranks.more == many.unique - 1
