"""JSON text says what json.loads reads back, for every type and any slice."""

import base64
import json
import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transforms.arrow.base64_text import decode_base64, encode_base64
from transforms.arrow.json_text import json_object, json_rows, json_values

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
CONTROLS = st.text('"\\\x00\x01\x1f\x7f\b\f\n\r\t/\u2028é😀a', max_size=8)
INTS = st.integers(-(2**63), 2**63 - 1)
SCALARS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.int64(): INTS,
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.int8(): st.integers(-128, 127),
    pa.float64(): st.floats(),
    pa.float32(): st.floats(width=32),
    pa.float16(): st.floats(width=16),
    pa.bool_(): st.booleans(),
    pa.string(): TEXT | CONTROLS,
    pa.binary(): st.binary(max_size=8),
    pa.null(): st.none(),
}


@st.composite
def typed_arrays(draw: st.DrawFn) -> pa.Array:
    """Arrays of any nesting of scalars, with nulls, often a slice of a larger one."""
    type, values = draw(st.recursive(st.sampled_from(list(SCALARS.items())), _nested, max_leaves=4))
    rows = draw(st.lists(st.none() | values, max_size=8))
    array = pa.array(rows, type)
    return array.slice(draw(st.integers(0, 2)), draw(st.integers(0, 8)))


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        inner.map(lambda tv: (pa.list_(tv[0]), st.lists(st.none() | tv[1], max_size=3))),
        inner.map(
            lambda tv: (pa.list_(tv[0], 2), st.lists(st.none() | tv[1], min_size=2, max_size=2))
        ),
        inner.map(lambda tv: (pa.map_(pa.string(), tv[0]), _maps(tv[1]))),
        st.tuples(inner, inner).map(
            lambda pair: (
                pa.struct([("x", pair[0][0]), ('"\\', pair[1][0])]),
                st.fixed_dictionaries({"x": st.none() | pair[0][1], '"\\': st.none() | pair[1][1]}),
            )
        ),
    )


def _maps(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(CONTROLS, st.none() | values, max_size=3).map(lambda d: list(d.items()))


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return {key: plain(item) for key, item in value}
    return [plain(item) for item in value] if isinstance(value, list) else value


def same(found: Any, value: Any, type: pa.DataType) -> bool:
    """Equality, where an empty map is an empty object."""
    if pa.types.is_map(type) and value is not None:
        return list(found) == [key for key, _ in value] and all(
            same(found[key], item, type.item_type) for key, item in value
        )
    if pa.types.is_struct(type) and value is not None:
        return found.keys() == value.keys() and all(
            same(found[field.name], value[field.name], field.type) for field in type
        )
    if pa.types.is_nested(type) and value is not None:
        return len(found) == len(value) and all(
            same(one, other, type.value_type) for one, other in zip(found, value, strict=True)
        )
    if pa.types.is_floating(type) and isinstance(found, int | float):
        # A whole number is written without a point, and Python reads it as an integer.
        found = pa.array([float(found) if isinstance(found, int) else found])
        found = found.cast(pa.float32() if type.bit_width < 64 else type)
        found = found.cast(type)[0].as_py()
    return found == plain(value) and (found is None) == (plain(value) is None)


@settings(max_examples=120)
@given(typed_arrays())
@example(pa.array([16777218.0], pa.float32()))
def test_every_value_is_read_back(array: pa.Array) -> None:
    texts = json_values(array)
    assert texts.type == pa.string()
    texts.validate(full=True)
    for text, value in zip(texts.to_pylist(), array.to_pylist(), strict=True):
        assert same(json.loads(text), value, array.type)


@settings(max_examples=100)
@given(st.lists(typed_arrays(), min_size=1, max_size=3))
def test_every_row_is_read_back_and_is_one_line(arrays: list[pa.Array]) -> None:
    rows = min(map(len, arrays))
    names = ["a", 'quote"', "ü\n"][: len(arrays)]
    batch = pa.RecordBatch.from_arrays([array.slice(0, rows) for array in arrays], names)
    texts = json_rows(batch).to_pylist()
    assert len(texts) == rows
    for text, row in zip(texts, batch.to_pylist(), strict=True):
        found = json.loads(text)
        assert list(found) == names
        assert not set(text) & set("\r\n")
        for field in batch.schema:
            assert same(found[field.name], row[field.name], field.type)


@given(st.lists(st.none() | TEXT | CONTROLS))
def test_text_is_written_as_json_dumps_would(values: list[str | None]) -> None:
    texts = json_values(pa.array(values, pa.string())).to_pylist()
    assert texts == [json.dumps(value, ensure_ascii=False) for value in values]


_FLOATS = pa.map_(pa.float64(), pa.float64())
AT = datetime(2026, 1, 2, 3, 4, 5, 6000)


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([math.inf, -math.inf], pa.float32()), ['"Infinity"', '"-Infinity"']),
        (pa.array([[(math.nan, -math.inf)]], _FLOATS), ['{"NaN":"-Infinity"}']),
        (pa.array([AT, None], pa.timestamp("ms")), ['"2026-01-02T03:04:05.006"', "null"]),
        (pa.array([AT], pa.timestamp("us", "UTC")), ['"2026-01-02T03:04:05.006000Z"']),
        (
            pa.array([AT.replace(tzinfo=UTC)], pa.timestamp("s", "+02:00")),
            ['"2026-01-02T03:04:05Z"'],
        ),
        (pa.array([-(10**11)], pa.timestamp("s")), ['"-1199-02-15T14:13:20"']),
        (pa.array([date(2026, 1, 2)]), ['"2026-01-02"']),
        (pa.array([time(3, 4, 5)], pa.time32("s")), ['"03:04:05"']),
        (pa.array([90], pa.duration("s")), ["90"]),
        (pa.array([Decimal("1.50")]), ['"1.50"']),
        (pa.array([0.1, 1e22, -0.0, 5e-324, math.nan]), ["0.1", "1e+22", "-0", "5e-324", '"NaN"']),
        (pa.array([0.1], pa.float32()), ["0.1"]),
        (pa.array([2**63 - 1]), ["9223372036854775807"]),
        (pa.array(["é/\x7f\u2028"]), ['"é/\x7f\u2028"']),
        (pa.array(["a", None, "a"]).dictionary_encode(), ['"a"', "null", '"a"']),
        (pa.array(["a", None], pa.large_string()), ['"a"', "null"]),
        (pa.array(["a", None], pa.string_view()), ['"a"', "null"]),
        (pa.array([[1], None], pa.list_view(pa.int64())), ["[1]", "null"]),
        (pa.array([b"ab", None], pa.binary(2)), ['"YWI="', "null"]),
        (pa.array([[(1, 2)]], pa.map_(pa.int64(), pa.int64())), ['{"1":2}']),
        (
            pa.array([[(AT, 2)]], pa.map_(pa.timestamp("s"), pa.int64())),
            ['{"2026-01-02T03:04:05":2}'],
        ),
        (pa.array([{}, None], pa.struct([])), ["{}", "null"]),
        (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), ["[1, 2, 3]"]),
    ],
)
def test_what_types_look_like(array: pa.Array, texts: list[str]) -> None:
    assert json_values(array).to_pylist() == texts
    assert json_values(array[:0]).to_pylist() == []


def test_nested_values_under_null_are_not_shown() -> None:
    inner = pa.array([1, 2, 3, 4])
    lists = pa.ListArray.from_arrays([0, 2, 4], inner, mask=pa.array([True, False]))
    assert json_values(lists).to_pylist() == ["null", "[3,4]"]
    structs = pa.StructArray.from_arrays([inner], ["x"], mask=pa.array([True, False, False, True]))
    assert json_values(structs).to_pylist() == ["null", '{"x":2}', '{"x":3}', "null"]


def test_a_batch_of_no_columns_or_rows() -> None:
    assert json_rows(pa.RecordBatch.from_pydict({"a": pa.array([], pa.int64())})).to_pylist() == []
    assert json_rows(pa.RecordBatch.from_arrays([], [])).to_pylist() == []


@given(st.lists(st.none() | st.binary(max_size=9), max_size=9), st.integers(0, 3))
def test_base64_is_that_of_the_standard_library(values: list[bytes | None], start: int) -> None:
    array = pa.array(values, pa.binary()).slice(start)
    texts = encode_base64(array)
    expected = [v if v is None else base64.b64encode(v).decode() for v in values[start:]]
    assert texts.to_pylist() == expected
    decoded, bad = decode_base64(texts)
    assert decoded.to_pylist() == values[start:]
    assert not bad.any()


def test_what_is_no_base64() -> None:
    texts = pa.array(["YQ==", "YQ=", "Y Q==", None, "", "YQ==YQ==", "é", "YWJj"])
    decoded, bad = decode_base64(texts)
    assert decoded.to_pylist() == [b"a", None, None, None, b"", None, None, b"abc"]
    assert bad.tolist() == [False, True, True, False, False, True, True, False]


def test_objects_of_python_have_the_same_words_for_what_is_not_finite():
    inf = math.inf
    value = {"a": math.nan, "b": [inf, {"c": (-inf, 1.5)}], "d": b"x", "é": None}
    text = json_object(value)
    assert "NaN" not in text.replace('"NaN"', "")
    assert json.loads(text) == {
        "a": "NaN",
        "b": ["Infinity", {"c": ["-Infinity", 1.5]}],
        "d": "b'x'",
        "é": None,
    }
    assert json_object({"a": 1.5, "d": date(2026, 1, 2)}, str) == '{"a": 1.5, "d": "2026-01-02"}'
