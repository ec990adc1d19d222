"""The container of an Avro file: its header, and blocks of rows between sync marks."""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO

from transforms.files.format import BrokenFile
from transforms.files.formats.avro.codecs import CODECS, beginning, decompressed
from transforms.files.formats.avro.types import least_bytes, parsed_schema, without_free_items
from transforms.files.formats.forward import fill
from transforms.reasons import Reason

_MAGIC = b"Obj\x01"
_SYNC_BYTES = 16
_PREFIX_BYTES = 20
"""Two numbers of at most ten bytes begin a block: its rows and its size."""

_HEADER = {
    "type": "record",
    "name": "Header",
    "fields": [
        {"name": "magic", "type": {"type": "fixed", "name": "Magic", "size": 4}},
        {"name": "meta", "type": {"type": "map", "values": "bytes"}},
        {"name": "sync", "type": {"type": "fixed", "name": "Sync", "size": _SYNC_BYTES}},
    ],
}

_NO_HEADER = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    SystemError,
    ValueError,
    gzip.BadGzipFile,
    zlib.error,
)
"""What fastavro and gzip raise on bytes that are no header; a network's OSError is not among it."""


@dataclass(frozen=True)
class Header:
    """What an Avro file says of itself.

    Attributes:
      schema: The schema of its rows, as parsed JSON.
      codec: How its blocks are compressed.
      sync: The 16 bytes that end each block.
    """

    schema: Any
    codec: str
    sync: bytes

    @cached_property
    def readable(self) -> Any:
        """The schema by which fastavro reads the rows: without logical types but decimal.

        Dates and times so come as the integers that they are in the file, which Arrow takes.
        """
        return without_free_items(_physical(parsed_schema(self.schema)))

    @cached_property
    def least(self) -> int:
        """The fewest bytes of a row."""
        return least_bytes(self.readable)


@dataclass(frozen=True)
class Block:
    """Some rows, encoded one after the other.

    Attributes:
      rows: How many.
      data: Their bytes; None where the block can't be decompressed.
      cut: Whether the file ends inside the block, so that the last rows are missing.
    """

    rows: int
    data: bytes | None
    cut: bool = False


def read_header(stream: BinaryIO) -> Header:
    """Reads the header, and leaves the stream at the first block.

    Raises:
      BrokenFile: It isn't an Avro file.
    """
    import fastavro

    why = "not an Avro file"
    try:
        header: Any = fastavro.schemaless_reader(stream, _HEADER, None)
        codec = header["meta"].get("avro.codec", b"null").decode()
        schema = json.loads(header["meta"]["avro.schema"])
    except _NO_HEADER:
        raise BrokenFile(Reason.UNREADABLE_FILE, why) from None
    if header["magic"] != _MAGIC or codec not in CODECS:
        why = why if header["magic"] != _MAGIC else f"its codec {codec!r} is not known"
        raise BrokenFile(Reason.UNREADABLE_FILE, why)
    return Header(schema, codec, header["sync"])


def block_starts(stream: BinaryIO, header: Header) -> Iterator[tuple[int, int]]:
    """Passes over the blocks without reading them, from the first one on.

    Over a network this reads as much of the file as its buffers span.

    Yields: The byte at which each whole block starts, and its number of rows. A block without its
      sync mark ends the pass.
    """
    start = stream.tell()
    prefix = stream.read(_PREFIX_BYTES)
    while prefix:
        found = _prefix(prefix, 0)
        if found is None:
            return
        rows, size, used = found
        end = start + used + size
        stream.seek(end)
        tail = stream.read(_SYNC_BYTES + _PREFIX_BYTES)
        if tail[:_SYNC_BYTES] != header.sync:
            return
        yield start, rows
        start, prefix = end + _SYNC_BYTES, tail[_SYNC_BYTES:]


def read_blocks(stream: BinaryIO, header: Header, size: int | None) -> Iterator[Block]:
    """Reads blocks one after the other; the stream need not be seekable.

    Args:
      stream: At the start of a block.
      header: The file's.
      size: How many bytes of blocks to read; None reads to the end of the file.

    Yields: Blocks, the last of them perhaps cut short.

    Raises:
      BrokenFile: The file ends inside a block, or a block's end isn't where it says.
    """
    buffer, at, left = b"", 0, size
    while left is None or left > 0:
        if len(buffer) - at < _PREFIX_BYTES:
            buffer, at = fill(stream, buffer[at:], _PREFIX_BYTES), 0
        if len(buffer) == at:
            return
        found = _prefix(buffer, at)
        if found is None:
            raise BrokenFile(Reason.TRUNCATED_FILE, "a block's size is cut off or corrupt")
        rows, length, used = found
        end = at + used + length + _SYNC_BYTES
        if len(buffer) < end:
            buffer, at, end = fill(stream, buffer[at:], end - at), 0, end - at
        data = buffer[at + used : end - _SYNC_BYTES]
        if buffer[end - _SYNC_BYTES : end] != header.sync:
            if len(buffer) < end and header.sync not in data:
                yield Block(rows, beginning(header.codec, data), cut=True)
            raise BrokenFile(Reason.TRUNCATED_FILE, "a block is cut off, or its size is corrupt")
        yield Block(rows, decompressed(header.codec, data))
        left = None if left is None else left - (end - at)
        at = end


def container(header: Header, blocks: list[Block], rows: int) -> io.BytesIO:
    """Returns blocks as an uncompressed Avro file with one block of so many rows, for fastavro.

    Its schema is the header's `readable` one.
    """
    import fastavro

    meta = {"avro.codec": b"null", "avro.schema": json.dumps(header.readable).encode()}
    file = io.BytesIO()
    fastavro.schemaless_writer(file, _HEADER, {"magic": _MAGIC, "meta": meta, "sync": header.sync})
    data = [block.data or b"" for block in blocks]
    file.write(_varint(rows))
    file.write(_varint(sum(map(len, data))))
    file.writelines([*data, header.sync])
    file.seek(0)
    return file


def _physical(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_physical(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = schema.get("logicalType") == "decimal"
    return {key: _physical(value) for key, value in schema.items() if kept or key != "logicalType"}


def _prefix(buffer: bytes, at: int) -> tuple[int, int, int] | None:
    """Returns a block's rows and size, and the bytes that give them; None if they are malformed."""
    try:
        rows, end = _number(buffer, at)
        size, end = _number(buffer, end)
    except IndexError:
        return None
    return (rows, size, end - at) if rows >= 0 and 0 <= size < 1 << 40 else None


def _number(buffer: bytes, at: int) -> tuple[int, int]:
    """Returns an Avro long (zigzag, 7 bits a byte), and the index after it."""
    value = shift = 0
    while True:
        byte = buffer[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at


def _varint(value: int) -> bytes:
    value <<= 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
