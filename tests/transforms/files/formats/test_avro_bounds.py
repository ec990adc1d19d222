"""Avro that claims more than it holds, or would fill the memory; unions of numbers."""

import bz2
import io
import json
import lzma
import zlib

import fastavro
import pyarrow as pa
import pytest

from tests.transforms.files.formats.avro_files import chunks, own_schema, rows_of
from transforms.files.formats.avro import codecs
from transforms.files.formats.avro.blocks import _HEADER as HEADER
from transforms.files.formats.avro.blocks import _varint as varint
from transforms.reasons import Reason

NULLS = {"type": "array", "items": "null"}
INNER = {"type": "record", "name": "inner", "fields": [{"name": "y", "type": "null"}]}


def record(type):
    """The schema of rows of one field."""
    return {"type": "record", "name": "r", "fields": [{"name": "x", "type": type}]}


def stored(type, values):
    """A file of some values, as fastavro writes it."""
    sink = io.BytesIO()
    fastavro.writer(sink, record(type), [{"x": value} for value in values])
    return sink.getvalue()


def claiming(type, rows, data, codec="null"):
    """A file of one block that says it holds so many rows."""
    meta = {"avro.codec": codec.encode(), "avro.schema": json.dumps(record(type)).encode()}
    sink, sync = io.BytesIO(), b"s" * 16
    header = {"magic": b"Obj\x01", "meta": meta, "sync": sync}
    fastavro.schemaless_writer(sink, HEADER, header)
    return sink.getvalue() + varint(rows) + varint(len(data)) + data + sync


def bomb(codec):
    """As a block, more zeros than are decompressed."""
    zeros = bytes(codecs.MOST_BYTES + 1)
    if codec == "deflate":
        return zlib.compress(zeros, 9)[2:-4]
    if codec == "snappy":
        return pa.Codec("snappy").compress(zeros, asbytes=True) + b"none"
    if codec == "zstandard":
        return pa.Codec("zstd").compress(zeros, asbytes=True)
    return {"bzip2": bz2, "xz": lzma}[codec].compress(zeros)


@pytest.mark.parametrize(
    ("type", "rows", "data"),
    [
        ("null", 1 << 40, b""),
        (INNER, 1 << 40, b""),
        ("int", 1 << 30, bytes(100)),
        (NULLS, 1, varint(1 << 33) + b"\0"),
        ({"type": "array", "items": INNER}, 1, varint(1 << 33) + b"\0"),
        ({"type": "map", "values": NULLS}, 1, varint(1) + b"\x02k" + varint(1 << 33) + b"\0\0"),
    ],
)
def test_what_claims_more_than_it_holds_is_a_corrupt_block(type, rows, data):
    found, broken = chunks(claiming(type, rows, data))
    assert sum(chunk.rows.num_rows for chunk in found) == 0
    assert broken.reason == Reason.TRUNCATED_FILE
    assert broken.message == f"{rows} rows stand in blocks that can't be decoded"


@pytest.mark.parametrize("codec", ["deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_a_block_that_would_fill_the_memory_is_not_decompressed(codec, monkeypatch):
    monkeypatch.setattr(codecs, "MOST_BYTES", 1 << 20)
    found, broken = chunks(claiming("bytes", 7, bomb(codec), codec))
    assert not found
    assert broken.message == "7 rows stand in blocks that can't be decoded"


def test_rows_of_null_and_empty_arrays_of_null_are_read():
    assert rows_of(stored("null", [None] * 3)) == [{"x": None}] * 3
    assert rows_of(stored(NULLS, [[], []])) == [{"x": []}] * 2


@pytest.mark.parametrize(
    ("union", "values", "type"),
    [
        (["int", "long"], [1, 1 << 40], pa.int64()),
        (["int", "double"], [1, 2.5], pa.float64()),
        (["null", "long", "float"], [None, 1, 2.5], pa.float64()),
        (["float", "double"], [0.5, 0.1], pa.float64()),
    ],
)
def test_unions_of_numbers_are_read_as_the_type_that_holds_all(union, values, type):
    content = stored({"type": "array", "items": union}, [values])
    assert own_schema(content) == pa.schema([("x", pa.list_(type))])
    if "float" not in union or "double" not in union:
        assert rows_of(content) == [{"x": values}]
    content = stored(union, values)
    assert own_schema(content) == pa.schema([("x", type)])
    found = [row["x"] for row in rows_of(content)]
    assert found == pytest.approx(values) if None not in values else found == values


def test_a_long_that_no_double_holds_is_a_dead_letter():
    (found, broken) = chunks(stored(["long", "double"], [(1 << 60) + 1, 0.5]))
    assert broken is None
    assert [row for chunk in found for row in chunk.rows.to_pylist()] == [{"x": 0.5}]
    rejects = [row for chunk in found for row in chunk.rejects.to_pylist()]
    assert [(row["reason"], row["source"]) for row in rejects] == [("overflow", "f#row=1")]
