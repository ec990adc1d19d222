"""JSON Lines: what json.loads reads, typed, in whatever parts; bad lines by number."""

import io
import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, example, given, settings

from tests.support import batch_of, record_batches
from tests.transforms.files.formats import hostile
from tests.transforms.files.formats.formats import EVERY_TYPE, read_lines, written
from transforms.arrow.types import plain_schema
from transforms.files.format import File, whole
from transforms.files.formats.json import objects
from transforms.files.formats.json.elements import is_document
from transforms.files.formats.json.format import JsonLines
from transforms.files.formats.text.text import Sizes

SMALL = JsonLines(sizes=Sizes(block=16, record=1 << 12))
INTS = pa.schema([("a", pa.int64()), ("b", pa.string())])


def value_of(text: str, type: pa.DataType) -> tuple[Any, str | None]:
    """What a value is read as, or why it isn't."""
    line = f'{{"v":{text}}}\n'.encode()
    kept, lost = read_lines(SMALL, line, pa.schema([("v", type)]))
    assert len(kept) + len(lost) == 1
    return (kept[0][1]["v"], None) if kept else (None, lost[0][1])


def test_lines_blank_lines_and_missing_fields() -> None:
    data = b'\xef\xbb\xbf{"b":"x","a":1,"more":[{}]}\r\n\r\n  \n {"a":null} \n\n{"a":2}'
    expected = [(1, {"a": 1, "b": "x"}), (4, {"a": None, "b": None}), (6, {"a": 2, "b": None})]
    assert read_lines(SMALL, data, INTS) == (expected, [])
    assert read_lines(JsonLines(), data, INTS) == (expected, [])


BAD = [
    (b"[1]", "wrong_type", None),
    (b"3", "wrong_type", None),
    (b"null", "wrong_type", None),
    (b'{"a":1', "unparsable", None),
    (b'{"a":1}{"a":2}', "unparsable", None),
    (b'{"a":1} {"a":2}', "unparsable", None),
    (b'{"a":01}', "unparsable", None),
    (b'{"a":Inf}', "unparsable", None),
    (b'{"c":' + b"[" * 300 + b"]" * 300 + b"}", "unparsable", None),
    (b'{"c":' + b'{"d":' * 90_000 + b"1" + b"}" * 90_001, "unparsable", None),
    (b'{"b":"\xff"}', "invalid_utf8", None),
    (b'{"c":"\xff"}', "invalid_utf8", None),
    (b'{"b":"\\ud800"}', "invalid_utf8", "b"),
    (b'{"a":9223372036854775808}', "overflow", "a"),
    (b'{"a":' + b"9" * 5000 + b"}", "overflow", "a"),
    (b'{"a":1.5}', "lossy_cast", "a"),
    (b'{"a":NaN}', "lossy_cast", "a"),
    (b'{"a":"x"}', "unparsable", "a"),
    (b'{"a":[1]}', "wrong_type", "a"),
    (b'{"b":{}}', "wrong_type", "b"),
]


@pytest.mark.parametrize(("line", "reason", "column"), BAD)
def test_a_bad_line_is_one_reject(line: bytes, reason: str, column: str | None) -> None:
    data = b'{"a":1}\n' + line + b'\n{"a":2}\n'
    kept, lost = read_lines(JsonLines(), data, INTS)
    assert kept == [(1, {"a": 1, "b": None}), (3, {"a": 2, "b": None})]
    payload = line if b"\xff" in line else line.decode()
    assert lost == [("f#line=2", reason, column, payload)]


def test_bad_lines_among_many_do_not_take_their_neighbours() -> None:
    lines = [b'{"a":%d}' % n for n in range(5000)]
    for place, (line, *_) in zip(range(0, 5000, 250), BAD, strict=True):
        lines[place] = line
    kept, lost = read_lines(JsonLines(), b"\n".join(lines), INTS, rows=1000)
    bad = set(range(0, 5000, 250))
    assert [line - 1 for line, _ in kept] == [n for n in range(5000) if n not in bad]
    assert all(row["a"] == line - 1 for line, row in kept)
    assert [source for source, *_ in lost] == [f"f#line={n + 1}" for n in sorted(bad)]


def test_a_reject_says_why_without_a_value() -> None:
    data = b'{"a":"secret"}\nsecret\n["secret"]\n{"a":secret}\n'
    chunks = list(SMALL.read(io.BytesIO(data), whole(File("f", len(data))), INTS, 9, 1 << 20))
    assert [m for chunk in chunks for m in chunk.rejects.column("errorMessage").to_pylist()] == [
        "a value of column 'a' can't be read as int64",
        "the line is not valid JSON",
        "the line is not a JSON object",
        "the line is not valid JSON",
    ]


@pytest.mark.parametrize(
    ("text", "type", "value"),
    [
        ('"12"', pa.int64(), 12),
        ("3.0", pa.int64(), 3),
        ("1e3", pa.int16(), 1000),
        ("true", pa.int64(), 1),
        ("18446744073709551615", pa.uint64(), 2**64 - 1),
        ("3", pa.float64(), 3.0),
        ("12345678901234567891", pa.float64(), 12345678901234567891.0),
        ("0.1", pa.float16(), 0.0999755859375),
        ("Infinity", pa.float64(), math.inf),
        ('"1.5"', pa.float32(), 1.5),
        ("1.50", pa.string(), "1.50"),
        ("12345678901234567891", pa.string(), "12345678901234567891"),
        ("true", pa.string(), "true"),
        ('"\\ud83d\\ude00\\u0000\\n"', pa.string(), "😀\0\n"),
        ("1", pa.bool_(), True),
        ('"false"', pa.bool_(), False),
        ("1.50", pa.decimal128(5, 2), Decimal("1.50")),
        ('"1.50"', pa.decimal128(5, 2), Decimal("1.50")),
        ("0.12345678901234567890", pa.decimal128(38, 20), Decimal("0.12345678901234567890")),
        ('"2026-01-02"', pa.date32(), date(2026, 1, 2)),
        ('"2026-01-02T03:04:05Z"', pa.timestamp("s", "UTC"), datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
        ('"2026-01-02 03:04:05.5"', pa.timestamp("ms"), datetime(2026, 1, 2, 3, 4, 5, 500000)),
        ('"03:04:05"', pa.time64("us"), time(3, 4, 5)),
        ("90", pa.duration("s"), timedelta(seconds=90)),
        ('"AP8="', pa.binary(), b"\x00\xff"),
        ('"YWI="', pa.binary(2), b"ab"),
        ('[1,null,"2",3.0]', pa.list_(pa.int64()), None),
        ("[1,null,3.0]", pa.list_(pa.int64()), [1, None, 3]),
        ('["1","2"]', pa.list_(pa.int64()), [1, 2]),
        ("[1,2.5]", pa.list_(pa.float32()), [1.0, 2.5]),
        ("[1,2]", pa.list_(pa.int64(), 2), [1, 2]),
        ('["AP8=",null]', pa.list_(pa.binary()), [b"\x00\xff", None]),
        ('[["2026-01-02"],[]]', pa.list_(pa.list_(pa.date32())), [[date(2026, 1, 2)], []]),
        ('["03:04"]', pa.list_(pa.time32("s")), [time(3, 4)]),
        (
            '{"x":1,"z":{}}',
            pa.struct([("x", pa.float32()), ("y", pa.string())]),
            {"x": 1, "y": None},
        ),
        ('{"k":1,"l":null}', pa.map_(pa.string(), pa.int64()), [("k", 1), ("l", None)]),
        ('{"1":"AA=="}', pa.map_(pa.int64(), pa.binary()), [(1, b"\0")]),
        ("[{},null]", pa.list_(pa.map_(pa.string(), pa.int8())), [[], None]),
    ],
)
@pytest.mark.parametrize("beside", ['"n":1', '"n":1,"n":2'])
def test_values_of_every_type(text: str, type: pa.DataType, value: Any, beside: str) -> None:
    """Once as pyarrow may read it, and once in a line that needs a closer look."""
    schema = pa.schema([("v", type), ("n", pa.int64())])
    kept, lost = read_lines(
        SMALL, f'{{"v":{text},{beside}}}\n{{"v":null}}\n{{}}\n'.encode(), schema
    )
    if value is None:
        assert [reason for _, reason, *_ in lost] == ["wrong_type"]
    else:
        assert lost == []
    assert [row["v"] for _, row in kept] == [value, None, None][value is None :]


@pytest.mark.parametrize(
    ("text", "type", "reason"),
    [
        ("1e999", pa.float64(), "overflow"),
        ("-1e300", pa.float32(), "overflow"),
        ("[1e999]", pa.list_(pa.float64()), "overflow"),
        ("9" * 400, pa.float64(), "overflow"),
        (f'{{"x":[{"9" * 400}]}}', pa.struct([("x", pa.list_(pa.float64()))]), "overflow"),
        ("300", pa.int8(), "overflow"),
        ("1577836800", pa.timestamp("us"), "wrong_type"),
        ("[1577836800]", pa.list_(pa.timestamp("us")), "wrong_type"),
        ('"2026-02-30"', pa.date32(), "unparsable"),
        ('"AP8"', pa.binary(), "unparsable"),
        ('["AP8"]', pa.list_(pa.binary()), "unparsable"),
        ("1", pa.binary(), "wrong_type"),
        ("[1]", pa.list_(pa.int64(), 2), "wrong_shape"),
        ("1", pa.list_(pa.int64()), "wrong_type"),
        ('{"x":"y"}', pa.struct([("x", pa.int64())]), "unparsable"),
        ('["\\udfff"]', pa.list_(pa.string()), "invalid_utf8"),
    ],
)
def test_values_that_do_not_fit(text: str, type: pa.DataType, reason: str) -> None:
    assert value_of(text, type) == (None, reason)


def test_too_long_lines_are_rejected_by_their_head() -> None:
    format = JsonLines(sizes=Sizes(block=8, record=24, head=6))
    data = b'{"a":1}\n{"b":"' + b"y" * 50 + b'"}\n{"a":2}\n' + b"x" * 30
    kept, lost = read_lines(format, data, INTS)
    assert [(line, row["a"]) for line, row in kept] == [(1, 1), (3, 2)]
    assert lost == [
        ("f#line=2", "oversized", None, '{"b":"'),
        ("f#line=4", "oversized", None, "xxxxxx"),
    ]


def test_schema_from_a_sample() -> None:
    lines = [
        {
            **{"int": 1, "float": 1, "bool": True, "text": "x", "null": None, "mixed": 1},
            **{"day": "2026-01-02", "at": "2026-01-02", "zoned": "2026-01-02T00:00:00+01:00"},
            **{"list": [], "point": {"x": 1}, "deep": [{"y": [None]}], "empty": {}, "big": 2**64},
        },
        {
            **{"int": -(2**63), "float": 2.5, "bool": False, "text": "2026-01-02", "mixed": "a"},
            **{"at": "2026-01-02 03:04:05.123456", "list": [1, 2.5], "point": {"z": "a"}},
            **{"late": 1, "hollow": [{}]},
        },
    ]
    data = b"\xef\xbb\xbfbad\n" + "\n".join(map(json.dumps, lines)).encode() + b'\n{"cut'
    schema = JsonLines().sample_schema(io.BytesIO(data), "f")
    assert dict(zip(schema.names, schema.types, strict=True)) == {
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "text": pa.string(),
        "null": pa.null(),
        "mixed": pa.string(),
        "day": pa.date32(),
        "at": pa.timestamp("us"),
        "zoned": pa.timestamp("us", "UTC"),
        "list": pa.list_(pa.float64()),
        "point": pa.struct([("x", pa.int64()), ("z", pa.string())]),
        "deep": pa.list_(pa.struct([("y", pa.list_(pa.string()))])),
        "big": pa.string(),
        "late": pa.int64(),
    }
    wanted = schema.set(schema.get_field_index("null"), pa.field("null", pa.string()))
    kept, _ = read_lines(SMALL, data, wanted)
    assert kept[0][1]["big"] == str(2**64)


def _many_keys(number: int) -> bytes:
    pairs = (f'"k{key}":":"' for key in range(number - 1))
    return ('{"a":3,' + ",".join(pairs) + "}\n").encode()


def test_a_line_of_very_many_keys_is_rejected_alone() -> None:
    data = b'{"a":1}\n' + _many_keys(objects.MAX_KEYS + 1) + b'{"a":2}\n'
    assert JsonLines().sample_schema(io.BytesIO(data), "f").names == ["a"]
    kept, lost = read_lines(JsonLines(), data, INTS)
    assert [(line, row["a"]) for line, row in kept] == [(1, 1), (3, 2)]
    assert [reject[:3] for reject in lost] == [("f#line=2", "oversized", None)]
    kept, lost = read_lines(JsonLines(), _many_keys(objects.MAX_KEYS), INTS)
    assert [row["a"] for _, row in kept] == [3]
    assert not lost


def test_very_many_columns_may_change_between_numbers_and_strings() -> None:
    names = [f"k{number}" for number in range(150)]
    wide = pa.schema([(name, pa.int64()) for name in names])
    lines = [json.dumps(dict.fromkeys(names, value)).encode() for value in (1, "2", 3)]
    kept, lost = read_lines(SMALL, b"\n".join(lines), wide)
    assert [set(row.values()) for _, row in kept] == [{1}, {2}, {3}]
    assert not lost


@pytest.mark.parametrize("data", [b"", b"\n\n", b"{}\n{}\n"])
def test_samples_without_fields(data: bytes) -> None:
    assert JsonLines().sample_schema(io.BytesIO(data), "f") == pa.schema([])


@settings(max_examples=150)
@given(hostile.JSONL)
def test_the_same_objects_as_json_loads(data: bytes) -> None:
    """A line is a row where json.loads finds an object whose values fit, and a reject elsewhere."""
    assume(not is_document(data))
    kept, lost = read_lines(SMALL, data, pa.schema([("a", pa.float64())]))
    found = dict(kept)
    rejected = {int(source[7:]) for source, *_ in lost}
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            value = json.loads(line.decode())
        except ValueError:
            value = None
        if not line.strip(b" \t\r"):
            assert number not in {*found, *rejected}
        elif isinstance(value, dict) and isinstance(value.get("a", 0.0), int | float):
            assert repr(found[number]["a"]) == repr(float(value["a"]) if "a" in value else None)
        elif not isinstance(value, dict):
            assert number in rejected
        assert (number in found) + (number in rejected) <= 1


@settings(max_examples=60)
@given(record_batches())
@example(EVERY_TYPE)
def test_a_row_is_written_as_a_line(batch: pa.RecordBatch) -> None:
    kept, _ = read_lines(SMALL, written(SMALL, batch), plain_schema(batch.schema))
    assert [line for line, _ in kept] == list(range(1, batch.num_rows + 1))


def test_a_writer_of_no_rows_writes_nothing() -> None:
    assert written(JsonLines(), pa.RecordBatch.from_pydict({"a": pa.array([], pa.int64())})) == b""


INF, NAN = float("inf"), float("nan")
NOT_FINITE = {
    "x": [1.5, NAN, INF, -INF, None],
    "l": [[1.0, NAN], [-INF], [], None, [None, INF]],
    "s": [{"y": NAN}, {"y": 1.0}, None, {"y": -INF}, {"y": None}],
    "t": ["NaN", "Infinity", '"NaN",', ':"NaN"}', None],
}


@pytest.mark.parametrize("rows", [1, 700])
def test_what_is_not_finite_is_written_as_a_word_and_read_back(rows):
    batch = batch_of(**{name: values * rows for name, values in NOT_FINITE.items()})
    data = written(JsonLines(), batch)
    assert data.splitlines()[1] == (b'{"x":"NaN","l":["-Infinity"],"s":{"y":1},"t":"Infinity"}')
    schema = JsonLines().sample_schema(io.BytesIO(data), "f")
    assert schema == batch.schema
    kept, lost = read_lines(JsonLines(), data, schema, rows=10_000)
    assert not lost
    found = pa.RecordBatch.from_pylist([row for _, row in kept], schema)
    # NaN equals nothing: as texts they are alike.
    assert found.to_pydict().__repr__() == batch.to_pydict().__repr__()


def test_a_column_of_such_words_alone_is_text():
    schema = JsonLines().sample_schema(io.BytesIO(b'{"x":"NaN"}\n'), "f")
    assert schema == pa.schema([("x", pa.string())])
