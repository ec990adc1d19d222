"""Hashes are found in a set, and no others."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from privacy.erasure.hash_set import HashSet, hash_set

halves = st.sampled_from([bytes(8), b"\xff" * 8, bytes(7) + b"\1", b"\1" + bytes(7)])
hashes = st.tuples(halves, halves).map(b"".join) | st.binary(min_size=16, max_size=16)


@given(st.frozensets(hashes, max_size=30), st.lists(hashes | st.none()), st.integers(0, 2))
def test_a_set_holds_its_hashes(given, others, skipped):
    asked = [None, b"x" * 16, *others, *given]
    column = pa.array(asked, pa.binary(16)).slice(skipped)
    want = [each in given for each in asked[skipped:]]
    assert HashSet(given).holds(column).tolist() == want
    assert HashSet(given).holds(column.cast(pa.binary())).tolist() == want


def test_the_set_is_made_once():
    hashes = frozenset([b"a" * 16])
    assert hash_set(hashes) is hash_set(frozenset(hashes))
    assert hash_set(frozenset()).holds(pa.array([b"a" * 16], pa.binary(16))).tolist() == [False]
