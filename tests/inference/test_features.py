"""Columns become tensors: cast, checked, and put into the layout that a model takes."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.signature.binding import bind
from inference.signature.spec import Layout, Signature, TensorSpec
from inference.tensors.features import features_of
from inference.tensors.inputs import ALIGNMENT, tensors
from transforms.reasons import Reason

FLOATS = st.floats(width=32, allow_nan=False)
INTS = st.integers(-(2**40), 2**40)


def dense(*shape, dtype="float32", name="x"):
    return TensorSpec(name, dtype, (None, *shape), parts=(name,))


def ragged(*shape, splits=1, dtype="int64"):
    parts = ("x", *(f"s{level}" for level in range(splits)))
    return TensorSpec("x", dtype, (None, *shape), Layout.RAGGED, parts, splits, required=False)


def sparse(*shape, dtype="float32"):
    parts = ("i", "v", "d")
    return TensorSpec("x", dtype, (None, *shape), Layout.SPARSE, parts, required=False)


def fed(spec, columns, **mapping):
    """The features of some columns, and the faulty rows, each under its first fault."""
    batch = pa.RecordBatch.from_pydict(columns)
    binding = bind(Signature("s", (spec,), ()), mapping, batch.schema)
    features, faults = features_of(batch, binding)
    taken, found = np.zeros(batch.num_rows, bool), []
    for fault in faults:
        rows = np.flatnonzero(fault.mask & ~taken).tolist()
        taken |= fault.mask
        if rows:
            found.append((fault.column, fault.reason, rows))
    return features, found


def fed_tensors(spec, columns, padded=None, **mapping):
    features, faults = fed(spec, columns, **mapping)
    assert faults == []
    count = len(next(iter(columns.values())))
    return tensors(features, 0, count, padded or count)


@given(st.lists(FLOATS, min_size=1, max_size=20), st.integers(0, 5))
def test_scalars(values, more):
    column = pa.array(values, pa.float32())
    found = fed_tensors(dense(), {"x": column}, len(values) + more)["x"]
    assert found.tolist() == values + [values[-1]] * more
    assert found.dtype == np.float32


def test_numbers_without_nulls_are_not_copied():
    column = pa.array(np.arange(64, dtype=np.float32))
    found = fed_tensors(dense(), {"x": column})["x"]
    assert found.ctypes.data == column.buffers()[1].address


def test_what_is_filled_is_aligned():
    found = fed_tensors(dense(3), {c: np.ones(5, np.float32) for c in "abc"}, x=("a", "b", "c"))
    assert found["x"].ctypes.data % ALIGNMENT == 0


@given(st.lists(st.tuples(FLOATS, st.integers(-100, 100), st.booleans()), min_size=1))
def test_columns_are_stacked(rows):
    first, second, third = zip(*rows, strict=True)
    columns = {
        "a": pa.array(first, pa.float32()),
        "b": pa.array(second, pa.int8()),
        "c": pa.array(third, pa.bool_()),
    }
    found = fed_tensors(dense(3), columns, x=("a", "b", "c"))["x"]
    assert found.tolist() == [[float(value) for value in row] for row in rows]


@given(st.lists(st.lists(INTS, min_size=6, max_size=6), min_size=1, max_size=8))
def test_lists(rows):
    for type in (pa.list_(pa.int64()), pa.list_(pa.int64(), 6), pa.large_list(pa.int64())):
        found = fed_tensors(dense(6, dtype="int64"), {"x": pa.array(rows, type)})["x"]
        assert found.tolist() == rows
    nested = [[row[:2], row[2:4], row[4:]] for row in rows]
    column = pa.array(nested, pa.list_(pa.list_(pa.int64(), 2)))
    assert fed_tensors(dense(3, 2, dtype="int64"), {"x": column})["x"].tolist() == nested


@given(st.lists(st.text(max_size=4), min_size=1), st.integers(0, 3))
def test_text(values, more):
    for type in (
        pa.string(),
        pa.binary(),
        pa.large_string(),
        pa.dictionary(pa.int8(), pa.string()),
    ):
        content = [value.encode() for value in values]
        column = pa.array(content if type == pa.binary() else values, type)
        found = fed_tensors(dense(dtype="string"), {"x": column}, len(values) + more)["x"]
        assert found.tolist() == content + content[-1:] * more


def test_a_slice_is_only_its_rows():
    whole = pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], pa.list_(pa.float32()))
    assert fed_tensors(dense(2), {"x": whole.slice(1)})["x"].tolist() == [[3.0, 4.0], [5.0, 6.0]]


@pytest.mark.parametrize(
    ("spec", "column", "faults"),
    [
        (dense(), pa.array([1.0, None]), [("x", Reason.MISSING_VALUE, [1])]),
        (dense(), pa.array([1e300, 2.0]), [("x", Reason.OVERFLOW, [0])]),
        (dense(dtype="int32"), pa.array([1.5, 2.0]), [("x", Reason.LOSSY_CAST, [0])]),
        (dense(dtype="int8"), pa.array([1, 300]), [("x", Reason.OVERFLOW, [1])]),
        (dense(), pa.array([2**24 + 1, 5]), [("x", Reason.LOSSY_CAST, [0])]),
        (dense(), pa.array([[1.0], [], [2.0, 3.0]]), [("x", Reason.WRONG_SHAPE, [2]), ("x", Reason.MISSING_VALUE, [1])]),  # noqa: E501
        (dense(2), pa.array([[1.0, 2.0], [1.0], None, [1.0, None]]), [("x", Reason.MISSING_VALUE, [2]), ("x", Reason.MISSING_VALUE, [3]), ("x", Reason.WRONG_SHAPE, [1])]),  # noqa: E501
        (dense(2, 2), pa.array([[[1.0, 2.0], [3.0]], [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0]]]), [("x", Reason.WRONG_SHAPE, [0, 2])]),  # noqa: E501
        (dense(None, None), pa.array([[[1.0, 2.0], [3.0]], [[1.0], [2.0]], []]), [("x", Reason.WRONG_SHAPE, [0])]),  # noqa: E501
        (sparse(2), pa.array([[1.0, 2.0], [1.0, 2.0, 3.0], None]), [("x", Reason.WRONG_SHAPE, [1])]),  # noqa: E501
        (ragged(None, 2, dtype="float32"), pa.array([[[1.0, 2.0]], [[1.0]], []]), [("x", Reason.WRONG_SHAPE, [1])]),  # noqa: E501
    ],
)  # fmt: skip
def test_faulty_rows(spec, column, faults):
    assert fed(spec, {"x": column})[1] == faults


def test_lists_of_open_size_tell_their_sizes():
    column = pa.array([[1.0], [2.0, 3.0], []])
    (feature,), faults = fed(dense(None), {"x": column})
    assert faults == []
    assert feature.sizes.tolist() == [[1], [2], [0]]
    assert tensors([feature], 1, 1, 2)["x"].tolist() == [[2.0, 3.0]] * 2


NESTED = st.lists(st.none() | st.lists(st.none() | st.integers(0, 9), max_size=4), min_size=1)


@given(NESTED, st.integers(0, 3))
def test_ragged(rows, more):
    found = fed_tensors(ragged(None), {"x": pa.array(rows, pa.list_(pa.int32()))}, len(rows) + more)
    kept = [[v for v in row or [] if v is not None] for row in rows + rows[-1:] * more]
    assert found["x"].tolist() == [value for row in kept for value in row]
    assert np.diff(found["s0"]).tolist() == [len(row) for row in kept]
    assert found["x"].dtype == np.int64


@given(st.lists(NESTED, min_size=1, max_size=6))
def test_ragged_twice(rows):
    column = pa.array(rows, pa.list_(pa.list_(pa.int64())))
    found = fed_tensors(ragged(None, None, splits=2), {"x": column})
    inner = [[v for v in part or [] if v is not None] for row in rows for part in row]
    assert np.diff(found["s0"]).tolist() == [len(row) for row in rows]
    assert np.diff(found["s1"]).tolist() == [len(part) for part in inner]
    assert found["x"].tolist() == [value for part in inner for value in part]


def test_ragged_with_uniform_inner_size():
    column = pa.array([[[1.0, 2.0], [3.0, 4.0]], [], None])
    found = fed_tensors(ragged(None, 2, dtype="float32"), {"x": column})
    assert found["x"].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert found["s0"].tolist() == [0, 2, 2, 2]


def test_scalars_are_ragged_and_sparse_lists_of_one():
    column = pa.array([1, None, 3])
    found = fed_tensors(ragged(None), {"x": column})
    assert (found["x"].tolist(), found["s0"].tolist()) == ([1, 3], [0, 1, 1, 2])
    found = fed_tensors(sparse(None), {"x": column})
    assert found["i"].tolist() == [[0, 0], [2, 0]]
    assert found["v"].tolist() == [1.0, 3.0]
    assert found["d"].tolist() == [3, 1]


@given(NESTED)
def test_sparse(rows):
    found = fed_tensors(sparse(None), {"x": pa.array(rows, pa.list_(pa.float32()))})
    expected = [(i, j, v) for i, row in enumerate(rows) for j, v in enumerate(row or [])]
    expected = [entry for entry in expected if entry[2] is not None]
    assert found["i"].tolist() == [[i, j] for i, j, _ in expected]
    assert found["v"].tolist() == [v for _, _, v in expected]
    assert found["d"].tolist() == [len(rows), max(len(row or []) for row in rows)]


def test_sparse_of_three_dimensions_and_of_a_known_size():
    column = pa.array([[[1.0], [2.0, 3.0]], [[]]])
    found = fed_tensors(sparse(None, None), {"x": column})
    assert found["i"].tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert found["d"].tolist() == [2, 2, 2]
    found = fed_tensors(sparse(9), {"x": pa.array([[1.0], None])})
    assert found["d"].tolist() == [2, 9]


def test_an_input_without_a_column_has_no_values():
    found = fed_tensors(sparse(None), {"other": pa.array([1, 2])}, x=())
    assert found["i"].shape == (0, 2)
    assert found["d"].tolist() == [2, 1]


def test_no_value_of_a_row_is_told():
    features, faults = features_of(
        batch := pa.RecordBatch.from_pydict({"x": [123456789.5, 1.0]}),
        bind(Signature("s", (dense(dtype="int32"),), ()), {}, batch.schema),
    )
    assert "123456789" not in faults[0].message
    assert features[0].select(~faults[0].mask).columns[0].to_pylist() == [1]
