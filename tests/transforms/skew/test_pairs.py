import datetime
import math
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import record_batches
from transforms.skew.pairs import compare_pairs

N = None


def told(base, test, digits=None):
    """For each pair: "=", "x", "base", "test" or ""."""
    base, test = (x if isinstance(x, pa.Array) else pa.array(x) for x in (base, test))
    found = compare_pairs(base, test, digits)
    names = [("=", found.match), ("x", found.mismatch), ("base", found.base_only)]
    names.append(("test", found.test_only))
    return ["".join(name for name, mask in names if mask[i]) for i in range(len(base))]


def decimals(*texts, scale):
    values = [None if text is None else Decimal(text) for text in texts]
    return pa.array(values, pa.decimal256(76, scale))


@pytest.mark.parametrize(
    ("base", "test", "expected"),
    [
        ([1, 2, N, 4, N], [1, 3, 3, N, N], ["=", "x", "test", "base", ""]),
        ([1, 2], [1.0, 2.5], ["=", "x"]),
        ([True, False], [1, 1], ["=", "x"]),
        (pa.array([2**64 - 1, 1], pa.uint64()), [-1, 1], ["x", "="]),
        (pa.array([1.5, 0.1], pa.float32()), [1.5, 0.1], ["=", "x"]),
        ([math.nan, 0.0, math.inf], [math.nan, -0.0, -math.inf], ["=", "=", "x"]),
        ([math.nan, N], [N, math.nan], ["base", "test"]),
        (["a", "é"], [b"a", "é".encode()], ["=", "="]),
        (["1"], [1], ["x"]),
        (pa.nulls(2), [1, N], ["test", ""]),
        ([[1, 2], [1], N, []], [[1, 2], [2], [1], []], ["=", "x", "test", "="]),
        ([[1.0]], pa.array([[1.0]], pa.list_(pa.float32())), ["="]),
        ([["a"]], pa.array([["a"]], pa.large_list(pa.large_string())), ["="]),
        ([{"a": 1, "b": "x"}], [{"a": 1, "b": "y"}], ["x"]),
        ([{"a": 1, "b": "x"}], [{"b": b"x", "a": 1.0}], ["="]),
        ([["a"], ["b"]], [[b"a"], [b"c"]], ["=", "x"]),
        ([["1"]], [[1]], ["x"]),
        (
            decimals("1.0", "2.5", N, scale=1),
            decimals("1", "2.51", "3", scale=2),
            ["=", "x", "test"],
        ),
        (decimals("1", "2.5", scale=1), [1.0, 2.4], ["=", "x"]),
        (decimals("9007199254740993", "1.5", scale=1), [2**53 + 1, 1], ["=", "x"]),
        (decimals("1", "0", scale=1), [True, True], ["=", "x"]),
        (decimals("9e60", "1", scale=0), decimals("1e-30", "1", scale=30), ["x", "="]),
        ([decimals("1", scale=1).to_pylist()], [decimals("1", scale=2).to_pylist()], ["="]),
        ([[math.nan], [math.nan], [math.inf]], [[math.nan], [N], [-math.inf]], ["=", "x", "x"]),
        ([[math.nan], [math.inf, N]], [[math.inf], [math.inf, N]], ["x", "="]),
        ([{"a": math.nan}, {"a": N}], [{"a": N}, {"a": N}], ["x", "="]),
        ([[1], [2]], [[1.0], [math.nan]], ["=", "x"]),
        (["a", N], pa.array(["a", "b"]).dictionary_encode(), ["=", "test"]),
        ([datetime.date(2026, 1, 1)], [datetime.date(2026, 1, 1)], ["="]),
        (
            pa.array([1, 2], pa.timestamp("s")),
            pa.array([1000, 2001], pa.timestamp("ms")),
            ["=", "x"],
        ),
        ([], [], []),
    ],
)
def test_pairs(base, test, expected):
    assert told(base, test) == expected


def test_rounding():
    assert told([1.234, 1.236], [1.2341, 1.2541], 2) == ["=", "x"]
    assert told([[1.234]], [[1.2341]], 3) == ["="]
    assert told([[{"a": 1.234}], N], [[{"a": 1.2341}], N], 2) == ["=", ""]
    assert told([1], [1.0001], 2) == ["="]


@given(record_batches(), st.sampled_from([None, 3]))
def test_a_column_is_equal_to_itself_sliced_or_not(batch, digits):
    for column in batch.columns:
        expected = ["" if value is None else "=" for value in column.to_pylist()]
        assert told(column, column, digits) == expected
        again = pa.array(column.slice(1).to_pylist(), column.type)
        assert told(column.slice(1), again, digits) == expected[1:]


def test_rounding_leaves_great_floats_what_they_are():
    great = [1.7e305, -1.7e305, 1e16]
    assert told([*great, 0.12378], [*great, 0.12341], 4) == ["=", "=", "=", "x"]
    assert told([*great, 0.12378], [*great, 0.12341], 2) == ["="] * 4
