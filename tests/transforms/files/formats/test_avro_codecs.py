"""Avro: blocks compressed in every known way."""

import gzip
import io
import itertools
import struct
import zlib

import fastavro
import pyarrow as pa
import pytest

from tests.transforms.files.formats.avro_files import ROWS, own_schema, rows_of, small_blocks
from tests.transforms.files.formats.formats import table
from transforms.files.format import BrokenFile, File
from transforms.files.formats.avro.blocks import block_starts, read_header
from transforms.files.formats.avro.format import Avro


def test_gzip_on_top():
    content = gzip.compress(small_blocks("null"))
    (split,) = Avro().plan(None, File("f", len(content)), 1)
    stream = gzip.GzipFile(fileobj=io.BytesIO(content))
    found = list(Avro().read(stream, split, ROWS.schema, 1000, 1 << 20))
    assert table(found).num_rows == 500


def recoded(codec, compress):
    """A file of many blocks with its blocks compressed as fastavro can't without a package."""
    content = small_blocks("null")
    header = read_header(stream := io.BytesIO(content))
    begin = stream.tell()
    stream = io.BytesIO(content)
    read_header(stream)
    out = io.BytesIO()
    out.write(content[:begin].replace(b"\x08null", bytes([len(codec) * 2]) + codec.encode()))
    starts = [start for start, _ in block_starts(stream, header)] + [len(content)]
    for start, end in itertools.pairwise(starts):
        block = io.BytesIO(content[start:end])
        rows = fastavro.schemaless_reader(block, "long", None)
        data = compress(fastavro.schemaless_reader(block, "bytes", None))
        fastavro.schemaless_writer(out, "long", rows)
        fastavro.schemaless_writer(out, "bytes", data)
        out.write(header.sync)
    return out.getvalue()


def snappy(data):
    packed = pa.Codec("snappy").compress(data, asbytes=True)
    return packed + struct.pack(">I", zlib.crc32(data))


def zstandard(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


@pytest.mark.parametrize("compress", [snappy, zstandard])
def test_codecs_through_arrow(compress):
    content = recoded(compress.__name__, compress)
    assert rows_of(content, schema=ROWS.schema) == ROWS.to_pylist()


def test_an_unknown_codec():
    with pytest.raises(BrokenFile, match="codec 'zip' is not known"):
        own_schema(recoded("zip", bytes))
