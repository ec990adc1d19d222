"""Outputs become typed columns."""

import ml_dtypes
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inference.signature.spec import Layout, TensorSpec
from inference.tensors.predictions import RaggedOutput, column_type, predicted
from transforms.errors import ConfigError

NUMBERS = ("bool", "int8", "int32", "int64", "uint8", "uint64", "float16", "float32", "float64")


def output(dtype, *shape, layout=Layout.DENSE, splits=0):
    return TensorSpec("out", dtype, (None, *shape), layout, splits=splits)


@given(st.data(), st.sampled_from(NUMBERS), hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
def test_values_and_nesting_are_kept(data, dtype, shape):
    value = data.draw(
        hnp.arrays(dtype, shape, elements={"allow_nan": False} if "f" in dtype else {})
    )
    rows = data.draw(st.integers(1, shape[0]))
    for sizes in (shape[1:], (None,) * len(shape[1:])):
        found = predicted(output(dtype, *sizes), value, rows, shape[0])
        assert found.bad is None
        assert found.values.type == column_type(output(dtype, *sizes))
        expected = value[:rows]
        if sizes == (1,):
            expected = expected.reshape(rows)
        assert found.values.to_pylist() == expected.tolist()
        found.values.validate(full=True)


@pytest.mark.parametrize(
    ("spec", "type"),
    [
        (output("float32"), pa.float32()),
        (output("float32", 1), pa.float32()),
        (output("float32", 3), pa.list_(pa.float32(), 3)),
        (output("int64", 2, None), pa.list_(pa.list_(pa.int64()), 2)),
        (output("bfloat16"), pa.float32()),
        (output("string", 2), pa.list_(pa.string(), 2)),
        (output("int32", None, layout=Layout.RAGGED, splits=1), pa.list_(pa.int32())),
        (output("int32", None, 2, layout=Layout.RAGGED, splits=1), pa.list_(pa.list_(pa.int32(), 2))),  # noqa: E501
        (output("int32", None, layout=Layout.SPARSE), pa.list_(pa.int32())),
        (TensorSpec("out", "int32", None), pa.int32()),
    ],
)  # fmt: skip
def test_types(spec, type):
    assert column_type(spec) == type


def test_one_value_for_all_rows_is_repeated():
    assert predicted(output("int64"), np.array(7), 2, 4).values.to_pylist() == [7, 7]


def test_bfloat16_widens():
    value = np.array([1.5, 2.5], ml_dtypes.bfloat16)
    assert predicted(output("bfloat16"), value, 2, 2).values.to_pylist() == [1.5, 2.5]


def test_bytes_that_are_no_text_are_pointed_out():
    value = np.array([[b"a", b"\xff"], [b"b", b"c"], [b"\xc3\xa9", b""]], object)
    found = predicted(output("string", 2), value, 3, 3)
    assert found.bad.tolist() == [True, False, False]
    assert found.values.to_pylist()[1:] == [["b", "c"], ["\u00e9", ""]]


ROWS = st.lists(st.lists(st.lists(st.integers(0, 99), max_size=3), max_size=3), min_size=1)


@given(ROWS, st.data())
def test_ragged_values_are_kept(rows, data):
    wanted = data.draw(st.integers(1, len(rows)))
    inner = [part for row in rows for part in row]
    flat = np.array([value for part in inner for value in part], np.int64)
    splits = [np.cumsum([0, *map(len, level)]) for level in (rows, inner)]
    spec = output("int64", None, None, layout=Layout.RAGGED, splits=2)
    found = predicted(spec, RaggedOutput(flat, tuple(splits)), wanted, len(rows))
    assert found.values.to_pylist() == rows[:wanted]
    assert found.values.type == column_type(spec)


def test_ragged_text_that_is_none():
    values = np.array([b"a", b"\xff", b"b"], object)
    value = RaggedOutput(values, (np.array([0, 1, 1, 3]),))
    spec = output("string", None, layout=Layout.RAGGED, splits=1)
    found = predicted(spec, value, 3, 3)
    assert found.bad.tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("spec", "value", "texts"),
    [
        (output("float32"), np.zeros(3, np.float32), ["'out'", "3 rows", "4 rows"]),
        (TensorSpec("out", "float32", None), np.zeros((4, 2), np.float32), ["'out'", "[2]"]),
        (output("float32", 3), np.zeros((4, 2), np.float32), ["'out'", "[2]"]),
        (
            output("int64", None, layout=Layout.RAGGED, splits=1),
            RaggedOutput(np.arange(2), (np.array([0, 2]),)),
            ["1 rows"],
        ),
    ],
)
def test_an_output_unlike_its_signature(spec, value, texts):
    with pytest.raises(ConfigError) as error:
        predicted(spec, value, 4, 4)
    for text in texts:
        assert text in str(error.value)
