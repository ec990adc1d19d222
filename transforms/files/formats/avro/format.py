"""Avro object container files, through fastavro.

fastavro makes a Python dict of each row, in C, and its writer takes them so: row by row, as no
other format here, and at a small part of the speed of Parquet.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from transforms.arrow.casts import checked_cast
from transforms.arrow.json_text import json_object
from transforms.batches import cut, row_positions, with_source
from transforms.conform import conform, fault_message
from transforms.errors import ConfigError, MillraceError
from transforms.files.format import BrokenFile, Chunk, File, Split, whole
from transforms.files.formats.avro.blocks import (
    Block,
    Header,
    block_starts,
    container,
    read_blocks,
    read_header,
)
from transforms.files.formats.avro.types import (
    arrow_to_avro,
    avro_to_arrow,
    number_type,
    parsed_schema,
    stored_type,
)
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, Outcome, join_rejects, reject_payloads

MOST_ROWS = 1 << 22
"""A block holds at most as many rows: writers make blocks of kilobytes."""

_UNFIT = (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError)


@dataclass(frozen=True)
class Avro:
    """Avro files. Splits are runs of blocks.

    Args:
      codec: How the blocks of a written file are compressed: "deflate" or "null".
    """

    codec: str = "deflate"
    name: str = field(default="avro", init=False)
    suffixes: tuple[str, ...] = field(default=(".avro",), init=False)
    unit: str = field(default="row", init=False)
    splittable: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        if self.codec not in ("deflate", "null"):
            raise ConfigError(f"Avro is written with codec deflate or null, not {self.codec!r}")

    def sample_schema(self, stream: BinaryIO, uri: str) -> pa.Schema:
        """Returns the file's own schema.

        Raises:
          ConfigError: A field that a column can't hold: a union of several types, a recursion.
        """
        return _columns(read_header(stream), uri, None)

    def plan(self, stream: BinaryIO | None, file: File, target_bytes: int) -> Iterator[Split]:
        """Runs of blocks of about `target_bytes` each, by a pass over the blocks' sizes."""
        if stream is None or file.size <= target_bytes:
            yield whole(file)
            return
        header = read_header(stream)
        start, first, row = stream.tell(), 1, 1
        for position, rows in block_starts(stream, header):
            if position - start >= target_bytes:
                yield Split(file, start, position, first, position - start)
                start, first = position, row
            row += rows
        yield Split(file, start, file.size, first, file.size - start)

    def read(
        self, stream: BinaryIO, split: Split, schema: pa.Schema, max_rows: int, max_bytes: int
    ) -> Iterator[Chunk]:
        """Reads the blocks from `split.start` to `split.end`.

        A block that can't be decoded is left out whole and reported at the end, as Avro has no
        mark or checksum that would show its good rows.
        """
        header, uri = read_header(stream), split.file.uri
        own = _columns(header, uri, schema.names)
        if split.start:
            stream.seek(split.start)
        size = None if split.end == split.file.size else split.end - split.start
        first, lost = split.first, 0
        for blocks in _groups(read_blocks(stream, header, size), max_rows, max_bytes):
            for count, rows in _decoded(header, blocks):
                if rows is None:
                    lost += count
                else:
                    outcome = _outcome(rows, own, schema, uri, first)
                    yield from _chunks(outcome, first, max_rows, max_bytes)
                first += count
        if lost:
            why = f"{lost} rows stand in blocks that can't be decoded"
            raise BrokenFile(Reason.TRUNCATED_FILE, why)

    def writer(self, stream: BinaryIO, schema: pa.Schema) -> "_Writer":
        """Writes rows in blocks of about 16 kB, each column nullable.

        Raises:
          ConfigError: A name or type that Avro does not have.
        """
        return _Writer(stream, schema, self.codec)


def _columns(header: Header, uri: str, names: list[str] | None) -> pa.Schema:
    """Returns the wanted columns that the file has."""
    try:
        return avro_to_arrow(parsed_schema(header.schema), names)
    except ConfigError as error:
        raise ConfigError(f"{uri}: {error}") from None


def _groups(blocks: Iterator[Block], max_rows: int, max_bytes: int) -> Iterator[list[Block]]:
    """Yields blocks, grouped up to a batch's rows and bytes; a cut block is a group by itself."""
    held: list[Block] = []
    rows = size = 0
    broken = None
    try:
        for block in blocks:
            rows, size = rows + block.rows, size + len(block.data or b"")
            if held and (rows > max_rows or size > max_bytes or block.cut):
                yield held
                held, rows, size = [], block.rows, len(block.data or b"")
            held.append(block)
    except BrokenFile as error:
        broken = error
    if held:
        yield held
    if broken is not None:
        raise broken


def _decoded(header: Header, blocks: list[Block]) -> Iterator[tuple[int, list[Any] | None]]:
    """Yields the rows of blocks, with their number; None in place of a corrupt block's rows."""
    rows = _rows(header, blocks)
    if rows is not None:
        yield len(rows), rows
        return
    for block in blocks:
        yield block.rows, _rows(header, [block])


def _rows(header: Header, blocks: list[Block]) -> list[Any] | None:
    """Returns the rows of blocks, up to the cut of a cut block; None for a corrupt block."""
    import fastavro

    if any(block.data is None or not _may_hold(header, block) for block in blocks):
        return None
    number = sum(block.rows for block in blocks)
    rows: list[Any] = []
    with contextlib.suppress(Exception):
        # Bytes that are not what the schema says fail in any way there is, and so should one row
        # more than there are. Text that is not UTF-8 comes as surrogates: its row is rejected.
        file = container(header, blocks, number + 1)
        rows.extend(fastavro.reader(file, handle_unicode_errors="surrogateescape"))
    if not any(block.data for block in blocks):
        return rows[:number]
    return rows if len(rows) == number or blocks[0].cut else None


def _may_hold(header: Header, block: Block) -> bool:
    """Returns whether a block can hold the rows that it claims: rows of nulls take no bytes."""
    fit = block.cut or block.rows * header.least <= len(block.data or b"")
    return fit and block.rows <= MOST_ROWS


def _outcome(rows: list[Any], own: pa.Schema, schema: pa.Schema, uri: str, first: int) -> Outcome:
    """Returns rows as a batch; if one does not fit its own column, the outcomes of each half."""
    try:
        batch = _batch(rows, own)
    except _UNFIT as error:
        if len(rows) == 1:
            return _empty(schema), _unfit(rows[0], error, f"{uri}#row={first}")
        half = len(rows) // 2
        left = _outcome(rows[:half], own, schema, uri, first)
        right = _outcome(rows[half:], own, schema, uri, first + half)
        return _joined(left, right, uri)
    return conform(with_source(batch, uri, first), schema)


def _joined(left: Outcome, right: Outcome, uri: str) -> Outcome:
    parts = [rows for rows, _ in (left, right)]
    rows = pa.concat_batches([part.replace_schema_metadata(None) for part in parts])
    known = [row_positions(part) for part in parts]
    positions = [some for some in known if some is not None]
    where = np.concatenate(positions) if positions else None
    return with_source(rows, uri, where), join_rejects([left[1], right[1]])


def _batch(rows: list[Any], own: pa.Schema) -> pa.RecordBatch:
    if not own.names:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * len(rows), pa.struct([])))
    # Column by column: eight times as fast as an array of structs.
    columns = [pa.array([row[field.name] for row in rows], field.type) for field in own]
    return pa.RecordBatch.from_arrays(columns, schema=own)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)


def _unfit(row: Any, error: Exception, source: str) -> pa.RecordBatch:
    text = isinstance(error, UnicodeEncodeError)
    return reject_payloads(
        pa.array([json_object(row)]),
        Reason.INVALID_UTF8 if text else Reason.OVERFLOW,
        "a text is not valid UTF-8" if text else "a value is out of the range of its own type",
        sources=pa.array([source]),
    )


def _chunks(outcome: Outcome, first: int, max_rows: int, max_bytes: int) -> Iterator[Chunk]:
    rows, rejects = outcome
    position = None if rejects.num_rows else first
    for piece in cut(rows, max_rows, max_bytes):
        yield Chunk(piece, rejects, position)
        rejects = NO_REJECTS
        position = None if position is None else position + piece.num_rows


class _Writer:
    """Hands rows to fastavro as dicts."""

    def __init__(self, stream: BinaryIO, schema: pa.Schema, codec: str) -> None:
        import fastavro
        from fastavro.write import Writer

        stored = [(field.name, stored_type(field.type, field.name)) for field in schema]
        self._stored = pa.schema(stored)
        avro = fastavro.parse_schema(arrow_to_avro(self._stored))
        self._writer = Writer(stream, avro, codec=codec)

    def write(self, batch: pa.RecordBatch) -> None:
        columns = [
            _values(batch.column(field.name), field.type, field.name) for field in self._stored
        ]
        for values in zip(*columns, strict=True):
            self._writer.write(dict(zip(self._stored.names, values, strict=True)))

    def close(self) -> None:
        self._writer.flush()


def _values(column: pa.Array, stored: pa.DataType, name: str) -> list[Any]:
    """Returns a column as the Python values that fastavro takes."""
    cast = checked_cast(column, stored)
    if cast.bad is not None:
        raise MillraceError(f"{fault_message(cast.reason, name, stored)}: cast it first")
    numbers = checked_cast(cast.values, number_type(stored)).values
    try:
        return list(numbers.to_pylist(maps_as_pydicts="strict"))
    except KeyError:
        raise MillraceError(f"a map of column {name!r} has a key twice") from None
