"""What tests of file formats share: files in memory, written and read."""

import io
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa

from tests.support import batch_of
from transforms.files.format import File

DAY, AT = date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5, 6)
EVERY_TYPE = batch_of(
    text=["", None, 'a"b,\t\r\n\\\0'],
    coded=pa.array(["x", None, "y"]).dictionary_encode(),
    half=pa.array([1.5, None, -2], pa.float16()),
    exact=[Decimal("1.50"), None, Decimal("-0.01")],
    day=[DAY, None, DAY],
    at=pa.array([AT, None, AT], pa.timestamp("us")),
    zoned=pa.array([AT, None, AT], pa.timestamp("us", "America/New_York")),
    clock=pa.array([time(1, 2, 3), None, time(0)], pa.time32("ms")),
    span=pa.array([timedelta(1), None, timedelta(0)], pa.duration("us")),
    bytes=[b"", None, b"\x00\xff"],
    code=pa.array([b"ab", None, b"\n\n"], pa.binary(2)),
    list=[[["a\n", None], []], None, []],
    point=[{"x": 1, "b": b"\xff"}, None, {"x": None, "b": None}],
    pair=pa.array([[1, 2], None, [3, None]], pa.list_(pa.int64(), 2)),
)
"""Of every type that text can hold, but a map."""


def written(format, *batches):
    """The file that a format makes of some batches."""
    stream = io.BytesIO()
    writer = format.writer(stream, batches[0].schema)
    for batch in batches:
        writer.write(batch)
    writer.close()
    return stream.getvalue()


def table(chunks):
    """The rows of some chunks."""
    return pa.Table.from_batches([c.rows.replace_schema_metadata(None) for c in chunks])


def read_lines(format, data, schema, target=1 << 30, rows=100):
    """All rows of a text with their lines, and (source, reason, column, payload) of all rejects."""
    kept, lost = [], []
    for split in format.plan(io.BytesIO(data), File("f", len(data)), target):
        for chunk in format.read(io.BytesIO(data), split, schema, rows, 1 << 20):
            assert chunk.rows.schema.equals(schema)
            assert chunk.rows.num_rows <= rows
            chunk.rows.validate(full=True)
            kept += zip(chunk.first.tolist(), chunk.rows.to_pylist(), strict=True)
            for r in chunk.rejects.to_pylist():
                payload = r["payloadString"] if r["payloadBytes"] is None else r["payloadBytes"]
                lost.append((r["source"], r["reason"], r["column"], payload))
    return kept, lost
