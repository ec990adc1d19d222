"""Parquet through pyarrow: row groups are read apart, only the columns wanted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.arrow.types import plain_schema
from transforms.batches import cut, with_source
from transforms.conform import conform
from transforms.errors import MillraceError
from transforms.files.format import BrokenFile, Chunk, File, Split, whole
from transforms.files.formats.parquet.decoded import decoded, row_bytes, text_paths
from transforms.files.formats.parquet.wide import column_blocks, read_blocks
from transforms.reasons import Reason

ROW_GROUP_ROWS = 1 << 17
ROW_GROUP_BYTES = 64 << 20


@dataclass(frozen=True)
class Parquet:
    """Parquet files. Splits are runs of row groups."""

    name: str = field(default="parquet", init=False)
    suffixes: tuple[str, ...] = field(default=(".parquet", ".pq"), init=False)
    unit: str = field(default="row", init=False)
    splittable: bool = field(default=True, init=False)

    def sample_schema(self, stream: BinaryIO, uri: str) -> pa.Schema:
        """Returns the file's own schema."""
        return plain_schema(_opened(stream).schema_arrow)

    def plan(self, stream: BinaryIO | None, file: File, target_bytes: int) -> Iterator[Split]:
        """Runs of row groups of about `target_bytes` each."""
        if stream is None:
            yield whole(file)
            return
        meta = _opened(stream).metadata
        sizes = _group_bytes(meta, file.size)
        first = start = rows = size = 0
        for group in range(meta.num_row_groups):
            if size and size + sizes[group] > target_bytes:
                yield Split(file, start, group, first + 1, size, rows=rows)
                first, start, rows, size = first + rows, group, 0, 0
            rows, size = rows + meta.row_group(group).num_rows, size + sizes[group]
        yield Split(file, start, meta.num_row_groups, first + 1, size, rows=rows)

    def read(
        self, stream: BinaryIO, split: Split, schema: pa.Schema, max_rows: int, max_bytes: int
    ) -> Iterator[Chunk]:
        """Yields the rows of the row groups `split.start` to `split.end`."""
        source = _opened(stream)
        # Arrow builds the schema anew each time it is asked for.
        own = source.schema_arrow
        there = Counter(own.names)
        names = [name for name in schema.names if name in there]
        if twice := [name for name in names if there[name] > 1]:
            why = f"it has more than one column {', '.join(twice)}"
            raise BrokenFile(Reason.UNREADABLE_FILE, why)
        first = split.first
        groups = list(range(split.start, split.end))
        if split.end > source.metadata.num_row_groups:
            why = f"it has {source.metadata.num_row_groups:,} row groups, and had {split.end:,}"
            raise BrokenFile(Reason.TRUNCATED_FILE, f"{why} or more: it was replaced")
        blocks = column_blocks(source.metadata, own, groups, names)
        batches = _decoded(stream, source, groups, blocks, max_rows, max_bytes)
        for batch in _unbroken(batches, split.file):
            for piece in cut(batch, max_rows, max_bytes):
                rows, rejects = conform(with_source(piece, split.file.uri, first), schema)
                yield Chunk(rows, rejects)
                first += piece.num_rows
        _check_rows(source.metadata, groups, first - split.first)

    def writer(self, stream: BinaryIO, schema: pa.Schema) -> "_Writer":
        """Writes row groups of up to 131,072 rows or about 64 MiB."""
        return _Writer(stream, schema)


def _opened(stream: BinaryIO, dictionaries: list[str] | None = None) -> Any:
    """Opens a file; the texts of some paths come with the dictionaries by which they are stored.

    INT96 times, which Spark and Impala write, are read to the microsecond: in nanoseconds, 64 bits
    hold 1677 to 2262 only, and Arrow lets what lies outside wrap.
    """
    try:
        return pq.ParquetFile(
            stream,
            buffer_size=1 << 16,
            page_checksum_verification=True,
            coerce_int96_timestamp_unit="us",
            read_dictionary=dictionaries,
            pre_buffer=dictionaries is None,
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeError, OSError) as error:
        raise BrokenFile(Reason.UNREADABLE_FILE, f"not a readable Parquet file: {error}") from None


def _decoded(
    stream: BinaryIO,
    source: Any,
    groups: list[int],
    blocks: list[list[str]],
    max_rows: int,
    max_bytes: int,
) -> Iterator[pa.RecordBatch]:
    """Decodes row groups in batches of bounded size, whatever their encoding."""
    at_once = _rows_at_once(source.metadata, groups, max_rows, max_bytes)
    names = [name for block in blocks for name in block]
    paths = text_paths(source, names)
    encoded = _opened(stream, paths)
    texts, nested = row_bytes(encoded, groups, blocks) if groups else (0, 0)
    at_once = max(1, min(at_once, max_bytes // max(1, nested)))
    is_large = bool(paths) and (texts + nested) * at_once > 2 * max_bytes
    chosen = encoded if is_large else source
    if len(blocks) == 1:
        batches = chosen.iter_batches(at_once, row_groups=groups, columns=names)
    else:
        batches = read_blocks(chosen, groups, blocks, at_once)
    for batch in batches:
        yield from decoded(batch, max_bytes) if is_large else [batch]


def _unbroken(batches: Iterator[pa.RecordBatch], file: File) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        # Arrow's text names a page or codec, not a value.
        why = f"a row group can't be read: {error}"
        if "Expected all lists to be of size" in why:
            why = "Arrow's reader can't take null in a column of fixed-size lists: write it as list"
        raise BrokenFile(Reason.TRUNCATED_FILE, why) from None


def _check_rows(meta: Any, groups: list[int], number: int) -> None:
    """Checks whether row groups gave all rows: Arrow passes over some broken pages in silence.

    Raises:
      BrokenFile: It were others.
    """
    expected = sum(meta.row_group(group).num_rows for group in groups)
    if number != expected:
        why = f"its row groups promise {expected:,} rows, and there are {number:,}"
        raise BrokenFile(Reason.TRUNCATED_FILE, why)


def _group_bytes(meta: Any, size: int) -> list[int]:
    """Returns about how many of a file's bytes its row groups take.

    Of single columns it is not asked: Arrow ends the process where one is encrypted.
    """
    plain = [meta.row_group(group).total_byte_size for group in range(meta.num_row_groups)]
    total = max(1, sum(plain))
    return [size * each // total for each in plain]


def _rows_at_once(meta: Any, groups: list[int], max_rows: int, max_bytes: int) -> int:
    """Returns how many rows to decode at once: fewer if there are many columns."""
    described = [meta.row_group(group) for group in groups]
    rows = sum(group.num_rows for group in described)
    size = sum(group.total_byte_size for group in described)
    return max(1, min(max_rows, max_bytes * int(rows) // max(int(size), 1)))


class _Writer:
    """Gathers batches to row groups of a useful size."""

    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        # A dictionary pays for text; for numbers it is built only to be given up.
        texts = [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_binary(f.type)]
        self._writer = pq.ParquetWriter(stream, schema, use_dictionary=texts or False)
        self._schema = schema
        self._held: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0

    def write(self, batch: pa.RecordBatch) -> None:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_fixed_size_list(column.type) and column.null_count:
                raise MillraceError(
                    f"column {name!r} has null among lists of fixed size, which Arrow can't "
                    "read back from Parquet: cast it to a list, or write another format"
                )
        self._held.append(batch)
        self._rows, self._bytes = self._rows + batch.num_rows, self._bytes + batch.nbytes
        if self._rows >= ROW_GROUP_ROWS or self._bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        table = pa.Table.from_batches(self._held, self._schema)
        self._writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
        self._held, self._rows, self._bytes = [], 0, 0

    def close(self) -> None:
        if self._held:
            self._flush()
        self._writer.close()
