"""What must hold of every file format."""

import datetime
import gzip
import io
import random

import pyarrow as pa
import pytest

from tests.transforms.files.formats.formats import table, written
from transforms.files.format import BrokenFile, File, whole
from transforms.files.uris import FORMATS, READ_ONLY, load_format
from transforms.reasons import Reason

ROWS = pa.RecordBatch.from_pydict(
    {
        "n": pa.array([1, None, -(2**40)], pa.int64()),
        "x": pa.array([1.5, None, -0.1], pa.float32()),
        "s": pa.array(["a,b", None, 'ü"\\\n'], pa.string()),
    }
)
RICH = pa.RecordBatch.from_pydict(
    {
        "b": pa.array([True, None, False]),
        "d": pa.array([0.1, None, 1e300], pa.float64()),
        "raw": pa.array([b"\x00\xff", None, b""], pa.binary()),
        "at": pa.array([datetime.datetime(2026, 1, 2, 3, 4, 5, 6), None, None], pa.timestamp("us")),
        "day": pa.array([datetime.date(2026, 1, 2), None, None]),
        "list": pa.array([[1, 2], None, []], pa.list_(pa.int64())),
        "point": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": None}]),
    }
)
ROW_FORMATS = [name for name in FORMATS if name not in READ_ONLY]
STREAMED = [name for name in ROW_FORMATS if name not in ("arrow", "parquet")]
"""The footers of the others are at the end: of a part, nothing can be read."""
TYPED = ("arrow", "parquet", "avro", "jsonl")


def read(name, content, schema, rows=1000):
    format = load_format(name)
    split = whole(File("f", len(content)))
    splits = list(format.plan(io.BytesIO(content), split.file, 1 << 40))
    assert len(splits) == 1
    return list(format.read(io.BytesIO(content), splits[0], schema, rows, 1 << 20))


@pytest.mark.parametrize("name", ROW_FORMATS)
def test_round_trip(name):
    content = written(load_format(name), ROWS, ROWS.slice(1, 1), ROWS.slice(2))
    chunks = read(name, content, ROWS.schema)
    expected = pa.Table.from_batches([ROWS, ROWS.slice(1, 1), ROWS.slice(2)])
    assert table(chunks).to_pylist() == expected.to_pylist()
    assert all(chunk.rejects.num_rows == 0 for chunk in chunks)


@pytest.mark.parametrize("name", TYPED)
def test_rich_types(name):
    found = table(read(name, written(load_format(name), RICH), RICH.schema))
    assert found.schema.equals(RICH.schema)
    assert found.to_pylist() == RICH.to_pylist()


@pytest.mark.parametrize("name", ROW_FORMATS)
def test_own_schema(name):
    """What a file says of itself, or what its text looks like, holds the rows written."""
    content = written(load_format(name), ROWS)
    schema = load_format(name).sample_schema(io.BytesIO(content), "f")
    assert sorted(schema.names) == ["n", "s", "x"]
    order = [schema.field(field) for field in ("n", "x", "s")]
    found = table(read(name, content, pa.schema(order)))
    assert found.cast(ROWS.schema).to_pylist() == ROWS.to_pylist()


@pytest.mark.parametrize("name", ROW_FORMATS)
def test_only_the_columns_wanted(name):
    wanted = pa.schema([("x", pa.float32()), ("new", pa.string())])
    found = table(read(name, written(load_format(name), ROWS), wanted))
    assert found.schema.equals(wanted)
    assert found["x"].to_pylist() == ROWS["x"].to_pylist()
    assert found["new"].null_count == 3


@pytest.mark.parametrize("name", ROW_FORMATS)
def test_chunks_are_bounded(name):
    content = written(load_format(name), *[ROWS] * 5)
    chunks = read(name, content, ROWS.schema, rows=2)
    assert max(chunk.rows.num_rows for chunk in chunks) == 2
    assert sum(chunk.rows.num_rows for chunk in chunks) == 15


@pytest.mark.parametrize("name", ROW_FORMATS)
def test_nothing_written(name):
    stream = io.BytesIO()
    load_format(name).writer(stream, ROWS.schema).close()
    chunks = read(name, stream.getvalue(), ROWS.schema)
    assert sum(chunk.rows.num_rows for chunk in chunks) == 0


@pytest.mark.parametrize("name", STREAMED)
def test_a_file_cut_short_loses_no_row_before(name):
    """Whole rows before the cut are read; then the file is reported, or the last row rejected."""
    draw = random.Random(0)
    numbers = {"n": list(range(1200)), "x": [draw.random() for _ in range(1200)]}
    rows = pa.RecordBatch.from_pydict(
        {**numbers, "s": [draw.randbytes(9).hex() for _ in range(1200)]}
    )
    content = gzip.compress(written(load_format(name), rows.cast(ROWS.schema)))[:-20]
    format = load_format(name)
    stream = gzip.GzipFile(fileobj=io.BytesIO(content))
    seen: list[int] = []
    chunks = format.read(stream, whole(File("f", 1)), ROWS.schema, 100, 1 << 20)
    with pytest.raises(BrokenFile) as broken:
        seen.extend(chunk.rows.num_rows for chunk in chunks)
    assert broken.value.reason == Reason.TRUNCATED_FILE
    assert sum(seen) > (0 if name == "avro" else 1000)


@pytest.mark.parametrize("name", ["arrow", "parquet", "avro", "tfrecord"])
def test_garbage(name):
    with pytest.raises(BrokenFile):
        read(name, b"garbage, not data", ROWS.schema)
