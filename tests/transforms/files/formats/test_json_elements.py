"""JSON that is no JSON Lines: arrays of objects, and objects over several lines."""

import io
import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.batches import row_sources
from transforms.errors import ConfigError
from transforms.files.format import BrokenFile, File
from transforms.files.formats.json import schema as schema_module
from transforms.files.formats.json.format import JsonLines
from transforms.files.formats.text.text import Sizes

SCHEMA = pa.schema([("a", pa.int64()), ("t", pa.string())])
VALUES = st.fixed_dictionaries(
    {"a": st.integers(-9, 99), "t": st.none() | st.text('a"\\[]{},:\n ü', max_size=6)}
)


def read(text, sizes=None, schema=SCHEMA):
    """Rows with their sources, (source, reason, message) of rejects, and how it broke off."""
    data = text.encode()
    format = JsonLines(sizes=sizes or Sizes())
    (split,) = format.plan(io.BytesIO(data), File("f", len(data)), 8)
    rows, lost, broken = [], [], None
    try:
        for chunk in format.read(io.BytesIO(data), split, schema, 100, 1 << 20):
            places = row_sources(chunk.rows, range(chunk.rows.num_rows)).to_pylist()
            rows += zip(places, chunk.rows.to_pylist(), strict=True)
            names = ("source", "reason", "errorMessage")
            lost += [tuple(row[name] for name in names) for row in chunk.rejects.to_pylist()]
    except BrokenFile as error:
        broken = error.message
    return rows, lost, broken


@given(
    st.lists(VALUES, min_size=1, max_size=9),
    st.sampled_from([None, 2]),
    st.sampled_from([1, 7, 1 << 20]),
    st.booleans(),
)
def test_objects_of_an_array_or_of_several_lines_are_rows(values, indent, block, array):
    if array:
        text = json.dumps(values, indent=indent)
    else:
        text = "\n".join(json.dumps(value, indent=2) for value in values)
    rows, lost, broken = read(text, Sizes(block=block))
    assert [row for _, row in rows] == values
    assert [place for place, _ in rows] == [f"f#element={n}" for n in range(1, len(values) + 1)]
    assert (lost, broken) == ([], None)


def test_bad_elements_are_dead_letters_and_no_others():
    rows, lost, broken = read('[{"a":1}, 7, [{"a":2}], {"a":"x"}, {"a":3} ]\n{"a":4}')
    assert [row["a"] for _, row in rows] == [1, 3, 4]
    assert lost == [
        ("f#element=2", "wrong_type", "the element is not a JSON object"),
        ("f#element=3", "wrong_type", "the element is not a JSON object"),
        ("f#element=4", "unparsable", "a value of column 'a' can't be read as int64"),
    ]
    assert broken is None


def test_an_array_that_is_never_closed_is_told_after_its_rows():
    rows, _, broken = read('[{"a":1},\n{"a":2}')
    assert [row["a"] for _, row in rows] == [1, 2]
    assert broken == "the file ends inside a JSON array or object"


def test_an_element_that_is_too_long_is_a_dead_letter():
    long = json.dumps([{"a": n} for n in range(100)])
    text = f'[{{"a":1}}, {{"l":{long}}}, {{"a":2}}]'
    rows, lost, broken = read(text, Sizes(block=16, record=200, head=9))
    assert [(place, row["a"]) for place, row in rows] == [("f#element=1", 1), ("f#element=3", 2)]
    assert [reason for _, reason, _ in lost] == ["oversized"]
    assert broken is None


@pytest.mark.parametrize("text", ['[1,2]\n{"a":1}\n', '{"a":\n1}\n{"a":1}\n', '"["\n{"a":1}\n'])
def test_bad_first_lines_of_json_lines_stay_bad_lines(text):
    data = text.encode()
    (split,) = JsonLines().plan(None, File("f", len(data)), 1)
    chunks = list(JsonLines().read(io.BytesIO(data), split, SCHEMA, 100, 1 << 20))
    assert [row["a"] for chunk in chunks for row in chunk.rows.to_pylist()] == [1]
    assert {c.rejects["source"][0].as_py().partition("=")[0] for c in chunks} == {"f#line"}


def test_the_schema_is_that_of_the_elements():
    data = b'[\n{"a": 1,\n"t": "x"}, {"a": 2.5}]'
    schema = JsonLines().sample_schema(io.BytesIO(data), "f")
    assert schema == pa.schema([("a", pa.float64()), ("t", pa.string())])


def test_an_object_of_very_many_keys_is_no_schema(monkeypatch):
    monkeypatch.setattr(schema_module, "MOST_KEYS", 3)
    wide = dict.fromkeys("abcd", 1)
    for row in (wide, {"s": wide}, {"l": [wide]}):
        data = json.dumps(row).encode()
        with pytest.raises(ConfigError, match="f: its first objects have more than 3 keys"):
            JsonLines().sample_schema(io.BytesIO(data), "f")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
def test_other_encodings(encoding):
    data = '{"a":1,"t":"Zürich"}\n'.encode(encoding)
    format = JsonLines(encoding=encoding)
    (split,) = format.plan(io.BytesIO(data), File("f", len(data)), 1)
    (chunk,) = format.read(io.BytesIO(data), split, SCHEMA, 9, 1 << 20)
    assert chunk.rows.to_pylist() == [{"a": 1, "t": "Zürich"}]
