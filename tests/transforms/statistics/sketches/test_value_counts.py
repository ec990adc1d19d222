"""ValueCounts: exact while few values differ, then within its stated errors."""

import pickle
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.metadata.long_texts import digest
from transforms.statistics.sketches import value_counts
from transforms.statistics.sketches.value_counts import DISTINCT_ERROR, ValueCounts

TEXTS = st.lists(st.sampled_from(["a", "b", "", "ä", "zz", None]), max_size=40)
BYTES = st.lists(st.binary(max_size=2), max_size=60)


def counted(*parts):
    made = ValueCounts()
    for part in parts:
        made.add(pa.array(part, pa.string()))
    return made


def merged(*parts):
    made = ValueCounts()
    for part in parts:
        made.merge(counted(part))
    return made


def table(made):
    return dict(zip(made.values.to_pylist(), made.weights.tolist(), strict=True))


@given(st.lists(TEXTS, max_size=4))
def test_few_values_are_exact_however_they_come(parts):
    expected = Counter(text.encode() for part in parts for text in part if text is not None)
    for made in (counted(*parts), merged(*parts)):
        assert table(made) == expected
        assert made.distinct() == len(expected)
        assert made.is_exact
        assert made.error == 0


@given(st.lists(BYTES, min_size=1, max_size=4))
def test_many_values_are_within_the_error(parts):
    expected = Counter(value for part in parts for value in part)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(value_counts, "EXACT", 8)
        patch.setattr(value_counts, "KEPT", 4)
        one, both = ValueCounts(), ValueCounts()
        for part in parts:
            one.add(pa.array(part, pa.binary()))
            other = ValueCounts()
            other.add(pa.array(part, pa.binary()))
            both.merge(other)
        for made in (one, both):
            found = table(made)
            for value, count in expected.items():
                assert count - made.error <= found.get(value, 0) <= count
            # Less than its 4,096 hashes are there: the estimate is exact.
            assert made.distinct() == len(expected)
            assert made.is_exact == (len(expected) <= 8)


def test_a_million_different_values():
    made = ValueCounts()
    often = [f"often {number}" for number in range(20)] * 2500
    for part in range(20):
        rare = [f"value {50_000 * part + number}" for number in range(50_000)]
        made.add(pa.array(rare + often))
    assert not made.is_exact
    assert made.distinct() == pytest.approx(1_000_020, rel=DISTINCT_ERROR)
    assert made.error <= 2_000_000 / value_counts.KEPT
    values, weights = made.ranked()
    assert {value.decode() for value in values[:20].to_pylist()} == set(often)
    assert all(50_000 - made.error <= weight <= 50_000 for weight in weights[:20])
    assert len(pickle.dumps(made)) <= 256 << 10


def test_long_values_take_little_and_stay_apart():
    made = ValueCounts()
    begin = "x" * 5000
    made.add(pa.array([begin + "1", begin + "2", begin + "1", "short"]))
    assert sorted(made.weights.tolist()) == [1, 1, 2]
    assert max(map(len, made.values.to_pylist())) < 200
    assert digest(b"x" * 5000).startswith(b"x" * 64 + b"... (5000 bytes, ")


def test_long_values_of_a_sketch_are_bounded_in_bytes():
    made = ValueCounts()
    made.add(pa.array([f"{number:01000d}" for number in range(10_000)]))
    assert made.values.nbytes <= value_counts.KEPT_BYTES + (16 << 10)
    assert len(pickle.dumps(made)) <= 256 << 10


def test_weights():
    made = ValueCounts()
    made.add(pa.array(["a", None, "b", "a"]), np.array([0.5, 9.0, 2.0, 1.0]))
    assert table(made) == {b"a": 1.5, b"b": 2.0}


def test_ranks():
    values, weights = counted(["b", "a", "c", "c"]).ranked()
    assert values.to_pylist() == [b"c", b"b", b"a"]
    assert weights.tolist() == [2, 1, 1]
