"""QuantileSummary: exact while few values differ, then within its stated error."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.statistics.sketches import summary
from transforms.statistics.sketches.summary import QuantileSummary, quantiles, weights_between

NUMBERS = st.lists(st.integers(-50, 50), max_size=80)


def summarized(*parts, weights=None):
    made = QuantileSummary()
    for part in parts:
        made.add(np.array(part), weights)
    return made


def merged(parts):
    made = QuantileSummary()
    for part in parts:
        made.merge(summarized(part))
    return made


def rank_error(made, values):
    """By how much the rank of a value is wrong, at worst."""
    values = np.sort(values)
    found, weights = made.table()
    ends = np.cumsum(weights)
    places = np.searchsorted(found, values, side="right")
    ranks = np.concatenate([[0.0], ends])[places]
    return np.abs(ranks - np.searchsorted(values, values, side="right")).max()


@given(st.lists(NUMBERS, max_size=4))
def test_few_values_are_exact_however_they_come(parts):
    every = list(itertools.chain(*parts))
    values, counts = np.unique(np.array(every, np.int64), return_counts=True)
    for made in (summarized(*parts), merged(parts)):
        assert made.error == 0
        assert made.table()[0].tolist() == values.tolist()
        assert made.table()[1].tolist() == counts.tolist()


@pytest.fixture
def tiny(monkeypatch):
    """A summary that is soon thinned."""
    monkeypatch.setattr(summary, "EXACT", 16)
    monkeypatch.setattr(summary, "KEPT", 8)
    monkeypatch.setattr(summary, "CHUNK", 32)


@given(parts=st.lists(st.lists(st.integers(-500, 500), max_size=150), min_size=1, max_size=4))
def test_many_values_are_within_the_error(parts):
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("EXACT", 16), ("KEPT", 8), ("CHUNK", 32)):
            patch.setattr(summary, name, size)
        values = np.array(list(itertools.chain(*parts)), np.int64)
        for made in (summarized(*parts), merged(parts)):
            assert made.table()[1].sum() == pytest.approx(len(values))
            if len(values):
                assert rank_error(made, values) <= made.error + 1e-6
            assert set(made.table()[0].tolist()) <= set(values.tolist())


def test_what_weighs_much_stays_exact(tiny):
    values = np.concatenate([np.zeros(1000), np.arange(1, 400)])
    made = summarized(np.random.default_rng(1).permutation(values))
    assert made.error > 0
    found, weights = made.table()
    assert weights[found == 0][0] == 1000


@pytest.mark.parametrize("shape", ["normal", "exponential", "uniform"])
def test_a_million_numbers(shape):
    draw = np.random.default_rng(2)
    values = getattr(draw, shape)(size=1_000_000)
    halves = merged(np.array_split(values, 7))
    for made in (summarized(values), halves):
        assert made.error <= 0.005 * len(values)
        assert rank_error(made, values) <= made.error
        assert len(pickle.dumps(made)) <= 256 << 10


def test_weights():
    made = summarized([3.0, 1.0, 3.0], weights=np.array([0.5, 2.0, 1.5]))
    assert [part.tolist() for part in made.table()] == [[1.0, 3.0], [2.0, 2.0]]


def test_integers_beyond_floats_stay_apart():
    made = summarized([2**53 + 1, 2**53])
    assert made.table()[0].tolist() == [2**53, 2**53 + 1]


def test_quantiles():
    table = summarized(list(range(1, 101))).table()
    assert quantiles(table, 4).tolist() == [1, 25, 50, 75, 100]
    assert quantiles(summarized([7]).table(), 10).tolist() == [7] * 11


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=50), st.integers(1, 12))
def test_quantiles_cut_equal_shares(values, parts):
    cuts = quantiles(summarized(values).table(), parts)
    for place, cut in enumerate(cuts):
        share = place / parts * len(values)
        assert sum(value <= cut for value in values) >= share - 1e-6
        assert sum(value < cut for value in values) <= max(0.0, share) + 1e-6


def test_weights_between_edges():
    table = summarized([0, 1, 1, 2, 5, 10]).table()
    assert weights_between(table, np.array([0, 1, 5, 10])).tolist() == [1, 3, 2]
