"""Figures: the same of any parts of the rows, within the error they state, and kept as bytes."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import ConfigError
from transforms.preprocess.declared.values import Many
from transforms.preprocess.figures import counts
from transforms.preprocess.figures.counts import Counts
from transforms.preprocess.figures.covariance import Covariance
from transforms.preprocess.figures.documents import Documents
from transforms.preprocess.figures.numbers import Bounds, Ranks, Spread
from transforms.statistics.state import value_bytes, value_of

FLOATS = st.floats(-1e6, 1e6, width=32) | st.sampled_from([float("nan"), float("inf")])


def of(made, parts):
    """A state of parts, each on its own and then merged, after a turn as bytes."""
    whole = made()
    for part in parts:
        state = made()
        state.add(part)
        whole.merge(value_of(value_bytes(state), made))
    return value_of(value_bytes(whole), made)


@given(rows=st.lists(FLOATS, max_size=40), cut=st.integers(0, 40))
def test_numbers_in_parts(rows, cut):
    values = np.array(rows, np.float32)
    parts = [values[:cut], values[cut:]]
    finite = values[np.isfinite(values)].astype(np.float64)
    bounds, spread, ranks = of(Bounds, parts), of(Spread, parts), of(Ranks, parts)
    if not len(finite):
        assert bounds.least > bounds.most
        assert not len(ranks.at(np.array([0.5])))
        return
    assert (bounds.least, bounds.most) == (finite.min(), finite.max())
    assert spread.moments.mean == pytest.approx(finite.mean(), rel=1e-9, abs=1e-9)
    assert spread.moments.deviation == pytest.approx(finite.std(), rel=1e-7, abs=1e-4)
    shares = np.array([0.25, 0.5, 0.9])
    expected = np.quantile(finite, shares, method="inverted_cdf")
    assert ranks.at(shares).tolist() == expected.tolist()
    assert ranks.error == 0


@given(rows=st.lists(FLOATS, min_size=1, max_size=20), number=st.integers(0, 9))
def test_a_number_so_often(rows, number):
    values = np.array(rows, np.float32)
    for made in (Bounds, Spread, Ranks):
        one, other = made(), made()
        one.add(values)
        one.repeat(3.5, number)
        other.add(np.concatenate([values, np.full(number, 3.5, np.float32)]))
        if made is Spread:
            assert one.moments.mean == pytest.approx(other.moments.mean, rel=1e-6, abs=1e-6)
        elif made is Bounds:
            assert one == other
        else:
            shares = np.array([0.3, 0.8])
            assert one.at(shares).tolist() == other.at(shares).tolist()


def test_ranks_of_many_numbers_within_their_error():
    draw = np.random.default_rng(3)
    parts = [draw.lognormal(0, 2, 50_000).astype(np.float32) for _ in range(6)]
    ranks = of(Ranks, parts)
    assert 0 < ranks.error < 0.005
    values = np.sort(np.concatenate(parts).astype(np.float64))
    shares = np.arange(1, 100) / 100
    found = np.searchsorted(values, ranks.at(shares), side="right") / len(values)
    assert np.abs(found - shares).max() <= ranks.error + 1e-9


@given(st.lists(st.lists(st.sampled_from(["a", "b", "", "ä", "long one"]), max_size=9), max_size=5))
def test_counts_in_parts(parts):
    state = of(Counts, [pa.array([word.encode() for word in part], pa.binary()) for part in parts])
    values, numbers = state.ranked()
    words = [word.encode() for part in parts for word in part]
    expected = sorted(((words.count(w), w) for w in set(words)), reverse=True)
    assert list(zip(numbers.tolist(), values.to_pylist(), strict=True)) == expected


def test_counts_join_as_they_grow():
    state = Counts()
    for start in range(0, 50_000, 1000):
        state.add(np.arange(start, start + 2000))
    values, numbers = state.ranked()
    assert len(values) == 51_000
    assert numbers.sum() == 100_000
    assert values[0].as_py() == b"9999"


def test_a_vocabulary_larger_than_memory_is_told(monkeypatch):
    monkeypatch.setattr(counts, "MOST_BYTES", 1000)
    with pytest.raises(ConfigError, match="use hash_strings, which needs no vocabulary"):
        Counts().add(np.arange(10_000))


def test_covariance_in_parts():
    draw = np.random.default_rng(1)
    values = draw.normal(1e4, 3, (300, 3)) @ draw.normal(0, 1, (3, 3))
    values[5, 1] = np.nan
    state = of(Covariance, [values[:10], values[10:11], values[11:11], values[11:]])
    kept = np.delete(values, 5, axis=0)
    np.testing.assert_allclose(state.mean, kept.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(state.moments / 299, np.cov(kept.T, bias=True), rtol=1e-9)


def test_documents_in_parts():
    one = Many(np.array([0, 0, 2, -1]), np.array([0, 0, 0, 1]), 3, size=3)
    other = Many(np.array([2, 1]), np.array([0, 1]), 2, size=3)
    state = of(Documents, [one, other])
    assert (state.documents, state.terms.tolist()) == (5, [1, 1, 2])


def test_broken_bytes_are_told():
    content = value_bytes(Bounds())
    with pytest.raises(ConfigError, match="a stored Bounds is broken"):
        value_of(content[:-40], Bounds)
    with pytest.raises(ConfigError, match="a stored Spread is broken"):
        value_of(content, Spread)
