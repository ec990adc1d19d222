import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of
from transforms.drift.counting.cells import ColumnCells
from transforms.drift.counting.counts import Counts, count_batch, count_groups
from transforms.drift.counting.layout import Layout

AMOUNT = ColumnCells("amount", "numbers", (0.0, 1.0, 2.0), (0.5, 1.5))
KIND = ColumnCells("kind", "labels", labels=(b"Cash", b"Card"))
PLAIN = Layout((AMOUNT, KIND))
SLICED = Layout((AMOUNT, KIND), ("kind",))

ROWS = st.lists(
    st.tuples(
        st.none() | st.sampled_from([-1.0, 0.5, 1.5, float("nan"), np.inf]),
        st.none() | st.sampled_from(["Cash", "Card", "Coupon"]),
        st.integers(0, 2),
    ),
    max_size=40,
)


def batch(rows):
    return batch_of(
        amount=pa.array([row[0] for row in rows], pa.float64()),
        kind=pa.array([row[1] for row in rows], pa.string()),
    )


def same(one, other):
    return (
        one.cells.tolist() == other.cells.tolist()
        and one.rows.tolist() == other.rows.tolist()
        and one.new == other.new
    )


def groups(rows):
    return np.array([row[2] for row in rows], np.intp)


@pytest.mark.parametrize("layout", [PLAIN, SLICED], ids=["whole", "slices"])
@given(rows=ROWS)
def test_a_group_is_counted_as_its_rows_alone(layout, rows):
    found = count_groups(layout, batch(rows), groups(rows), 3)
    for group, counts in enumerate(found):
        alone = count_batch(layout, batch([row for row in rows if row[2] == group]))
        assert same(counts, alone)


@pytest.mark.parametrize("layout", [PLAIN, SLICED], ids=["whole", "slices"])
@given(rows=ROWS, at=st.integers(0, 40), seed=st.integers(0, 9))
def test_counts_add_up_in_any_order(layout, rows, at, seed):
    whole = count_batch(layout, batch(rows))
    shuffled = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    parts = [count_batch(layout, batch(part)) for part in (shuffled[:at], shuffled[at:])]
    assert same(parts[1].merge(parts[0]), whole)
    assert same(Counts.empty(layout).merge(whole), whole)
    assert (whole.cells[:, :9].sum(axis=1) == whole.rows).all()


def test_slices():
    rows = [(0.5, "Cash", 0), (0.5, None, 0), (1.5, "Coupon", 0)]
    counts = count_batch(SLICED, batch(rows))
    assert SLICED.slice_names == ("", "kind=Cash", "kind=Card", "kind of others")
    assert counts.rows.tolist() == [3, 1, 0, 2]


def test_columns_that_are_missing_or_new():
    counts = count_batch(PLAIN, batch_of(amount=[0.5], other=[1], more=[2]))
    assert counts.cells[0, PLAIN.of("kind")].tolist() == [1, 0, 0, 0, 0]
    assert counts.new == ("more", "other")


@given(ROWS, st.integers(1, 10**12))
def test_pickled_narrow_and_the_same(rows, times):
    counts = count_batch(SLICED, batch(rows))
    many = Counts(counts.cells * times, counts.rows * times, ("new",))
    again = pickle.loads(pickle.dumps(many))
    assert same(again, many)
    assert again.cells.dtype == np.int64
    assert len(pickle.dumps(counts)) < 400 + counts.cells.size
