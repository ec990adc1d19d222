import math
from datetime import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import record_batches
from transforms.arrow.casts import checked_cast
from transforms.conform import conform

CASES = [
    (["1", "+2", " 3 ", None, "4.0", "1e3"], pa.int64(), [1, 2, 3, None, 4, 1000], {}),
    (["x", "4.5", "9" * 20, ""], pa.int64(), [None] * 4,
     {"unparsable": [0, 3], "lossy_cast": [1], "overflow": [2]}),
    (["1", ".5", "5.", "-inf", None], pa.float32(), [1, 0.5, 5, -math.inf, None], {}),
    (["abc", "1e39", "0x1F", "1_0"], pa.float32(), [None] * 4,
     {"unparsable": [0, 2, 3], "overflow": [1]}),
    (["1e400"], pa.float64(), [None], {"overflow": [0]}),
    (["true", "False", "1", "maybe"], pa.bool_(), [True, False, True, None], {"unparsable": [3]}),
    ([1.0, 2.5, None, 1e30, math.nan], pa.int64(), [1, None, None, None, None],
     {"lossy_cast": [1, 4], "overflow": [3]}),
    ([1.5, 1e300, math.inf], pa.float32(), [1.5, None, math.inf], {"overflow": [1]}),
    ([1, 2**24 + 1], pa.float32(), [1, None], {"lossy_cast": [1]}),
    ([1, 300], pa.int8(), [1, None], {"overflow": [1]}),
    ([-1, 2**40, None], pa.uint32(), [None] * 3, {"overflow": [0, 1]}),
    ([2.0**63, -(2.0**63), -1e19], pa.int64(), [None, -(2**63), None], {"overflow": [0, 2]}),
    ([0, 1, 2], pa.bool_(), [False, True, None], {"lossy_cast": [2]}),
    ([0.0, 1.0, 0.5, math.nan], pa.bool_(), [False, True, None, None], {"lossy_cast": [2, 3]}),
    ([b"a", b"\xff"], pa.string(), ["a", None], {"invalid_utf8": [1]}),
    ([[1], [], None, [1, 2]], pa.int64(), [1, None, None, None], {"wrong_shape": [3]}),
    ([["1", "x"], ["2"], None], pa.list_(pa.int64()), [None, [2], None], {"unparsable": [0]}),
    ([[1, 2], [3], None], pa.list_(pa.float32(), 2), [[1, 2], None, None], {"wrong_shape": [1]}),
    ([5], pa.list_(pa.int64()), [None], {"wrong_type": [0]}),
    ([{"a": 1, "b": 2}, None], pa.struct([("a", pa.string()), ("c", pa.int8())]),
     [{"a": "1", "c": None}, None], {}),
    ([b"7", b"x", b"\xff"], pa.int64(), [7, None, None],
     {"invalid_utf8": [2], "unparsable": [1]}),
    (["2026-01-02T03:00:00Z", "2026-01-02 04:00:00", "2026-01-02T04:00:00+01:00", "2026-13-01"],
     pa.timestamp("s", "UTC"), [datetime(2026, 1, 2, hour) for hour in (3, 4, 3)] + [None],
     {"unparsable": [3]}),
    (["2026-01-02T03:00:00Z", "2026-01-02", "soon"], pa.timestamp("s"),
     [datetime(2026, 1, 2, 3), datetime(2026, 1, 2), None], {"unparsable": [2]}),
    (["1.5", "x"], pa.decimal128(10, 2), [Decimal("1.5"), None], {"unparsable": [1]}),
]  # fmt: skip


@pytest.mark.parametrize(("values", "type", "expected", "faults"), CASES)
def test_cast(values, type, expected, faults):
    cast = checked_cast(pa.array(values), type)
    cast.values.validate(full=True)
    assert cast.values.type.equals(type)
    assert [str(v) for v in cast.values.to_pylist()] == [
        str(v) for v in pa.array(expected, type).to_pylist()
    ]
    assert {str(f.reason): np.flatnonzero(f.mask).tolist() for f in cast.faults} == faults


@pytest.mark.parametrize(
    ("array", "type", "expected"),
    [
        (pa.array(["a", None, "b" * 20], pa.string_view()), pa.string(), ["a", None, "b" * 20]),
        (pa.array([[1], [2, 3], None], pa.list_view(pa.int64())), pa.list_(pa.int8()),
         [[1], [2, 3], None]),
        (pc.run_end_encode(pa.array([1, 1, 2])), pa.int8(), [1, 1, 2]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), pa.string(), ["a", "b", "a"]),
    ],
)  # fmt: skip
def test_types_that_are_not_plain(array, type, expected):
    cast = checked_cast(array, type)
    cast.values.validate(full=True)
    assert cast.values.to_pylist() == expected
    assert cast.bad is None


def test_a_reject_beside_a_view():
    views = pa.array(["a", "b"], pa.string_view())
    rows = pa.record_batch({"n": pa.array([1, 300]), "s": views})
    schema = pa.schema([("n", pa.int8()), ("s", pa.string())])
    good, rejects = conform(rows, schema)
    assert good.to_pylist() == [{"n": 1, "s": "a"}]
    assert rejects["payloadString"].to_pylist() == ['{"n":300,"s":"b"}']


@given(record_batches(), st.data())
def test_a_row_alone_casts_as_in_its_batch(batch, data):
    type = data.draw(st.sampled_from([pa.int64(), pa.float32(), pa.string(), pa.bool_()]))
    column = batch.column(0)
    together = checked_cast(column, type)
    bad = together.bad if together.bad is not None else np.zeros(len(column), bool)
    for row in range(len(column)):
        alone = checked_cast(column.slice(row, 1), type)
        assert (alone.bad is not None and alone.bad[0]) == bad[row]
        assert str(alone.values[0]) == str(together.values[row])


@given(record_batches())
def test_a_fault_is_a_null_and_nulls_are_no_fault(batch):
    for type in (pa.int32(), pa.float32(), pa.string()):
        cast = checked_cast(batch.column(0), type)
        bad = cast.bad if cast.bad is not None else np.zeros(batch.num_rows, bool)
        was_null = batch.column(0).is_null().to_numpy(zero_copy_only=False)
        assert not (bad & was_null).any()
        if not pa.types.is_list(batch.column(0).type):
            null = cast.values.is_null().to_numpy(zero_copy_only=False)
            assert (null == (bad | was_null)).all()


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["7", None, "7"]).dictionary_encode(),
        pa.array(["7", None, "7"], pa.large_string()),
        pa.array(["7", None, "7"], pa.string_view()),
    ],
)
def test_other_layouts_of_text(array):
    assert checked_cast(array, pa.int64()).values.to_pylist() == [7, None, 7]


def test_bytes_of_fixed_size_are_text_where_they_are_utf8():
    column = pa.array([b"ab", None, b"\xff\xfe"], pa.binary(2))
    cast = checked_cast(column, pa.string())
    assert cast.values.to_pylist() == ["ab", None, None]
    assert [(str(fault.reason), fault.mask.tolist()) for fault in cast.faults] == [
        ("invalid_utf8", [False, False, True])
    ]
    assert checked_cast(column, pa.binary()).values.to_pylist() == column.to_pylist()


def test_a_uuid_is_its_usual_text_or_its_bytes():
    raw = bytes(range(16))
    column = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([raw, None], pa.binary(16)))
    texts = checked_cast(column, pa.string())
    assert texts.values.to_pylist() == ["00010203-0405-0607-0809-0a0b0c0d0e0f", None]
    assert checked_cast(column, pa.binary()).values.to_pylist() == [raw, None]
    assert not texts.faults
