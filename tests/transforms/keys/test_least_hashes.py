"""Distinct values by their least hashes: exact of few, near of many, whatever rows were chosen."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.keys import least_hashes
from transforms.keys.key_hash import arrays_hash
from transforms.keys.least_hashes import KEPT, distinct_values, hashes_of, joined, least

PARTS = st.lists(st.lists(st.integers(0, 50), max_size=30), min_size=1, max_size=4)


def held(numbers):
    return least(hashes_of(pa.array(numbers, pa.int64())))


@given(PARTS)
def test_parts_joined_are_the_whole(parts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(least_hashes, "KEPT", 8)
        made = held([])
        for part in parts:
            made = joined(made, hashes_of(pa.array(part, pa.int64())))
        assert made.tolist() == held([number for part in parts for number in part]).tolist()
        assert len(made) <= 9


@pytest.mark.parametrize("number", [0, 1, KEPT - 1, KEPT])
def test_few_are_counted(number):
    assert distinct_values(held(list(range(number)) * 2)) == number


@pytest.mark.parametrize("number", [KEPT + 1, 100_000])
def test_many_are_estimated(number):
    assert distinct_values(held(range(number))) == pytest.approx(number, rel=4 / KEPT**0.5)


def test_values_chosen_by_the_hash_of_keys():
    """A share of rows that hashing chose: theirs are low, and so would be all."""
    numbers = pa.array(np.arange(400_000))
    low = arrays_hash([numbers], len(numbers)) < np.uint64(2**62)
    found = distinct_values(least(hashes_of(numbers.filter(pa.array(low)))))
    assert found == pytest.approx(low.sum(), rel=4 / KEPT**0.5)
