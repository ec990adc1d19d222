"""Avro files of the tests: of many blocks, and how they are read."""

import io

import fastavro
import pyarrow as pa

from tests.support import batch_of
from tests.transforms.files.formats.formats import table
from transforms.files.format import BrokenFile, File
from transforms.files.formats.avro.blocks import block_starts, read_header
from transforms.files.formats.avro.format import Avro

ROWS = batch_of(
    n=pa.array(range(500), pa.int64()),
    s=pa.array([f"row {i} {'x' * (i % 37)}" for i in range(500)]),
)


def small_blocks(codec="deflate", rows=ROWS, interval=400):
    """A file of many blocks."""
    stream = io.BytesIO()
    fields = [{"name": "n", "type": "long"}, {"name": "s", "type": ["string", "null"]}]
    schema = fastavro.parse_schema({"type": "record", "name": "R", "fields": fields})
    fastavro.writer(stream, schema, rows.to_pylist(), codec=codec, sync_interval=interval)
    return stream.getvalue()


def starts_of(content):
    """Where its blocks start, and how many rows each holds."""
    stream = io.BytesIO(content)
    return list(block_starts(stream, read_header(stream)))


def own_schema(content):
    return Avro().sample_schema(io.BytesIO(content), "f.avro")


def chunks(content, schema=None, target=1 << 40, max_rows=1000, max_bytes=1 << 20):
    """The chunks of all splits, and how the file broke off."""
    found, broken = [], None
    for split in Avro().plan(io.BytesIO(content), File("f", len(content)), target):
        try:
            for chunk in Avro().read(
                io.BytesIO(content), split, schema or own_schema(content), max_rows, max_bytes
            ):
                found.append(chunk)
        except BrokenFile as error:
            broken = error
    return found, broken


def rows_of(content, **options):
    found, broken = chunks(content, **options)
    assert broken is None
    assert all(chunk.rejects.num_rows == 0 for chunk in found)
    return table(found).to_pylist()
