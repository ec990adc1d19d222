"""CSV and TSV: read in byte ranges, with cells that span lines, and bad lines by their number."""

import csv
import io
import logging
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from transforms.arrow.base64_text import encode_base64
from transforms.arrow.json_text import json_values
from transforms.arrow.types import is_list, plain_type
from transforms.errors import ConfigError
from transforms.files.format import BrokenFile, Chunk, File, Split, whole
from transforms.files.formats.csv.cells import Cells
from transforms.files.formats.csv.quotes import QuotedRecords
from transforms.files.formats.csv.schema import infer_schema
from transforms.files.formats.text.cutting import blocks, byte_ranges
from transforms.files.formats.text.encoding import as_utf8, check_encoding
from transforms.files.formats.text.records import Parsed, oversized, unclosed
from transforms.files.formats.text.text import (
    SIZES,
    Block,
    Sizes,
    first_record,
    pieces,
    without_bom,
)
from transforms.reasons import Reason

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Csv:
    """Comma-separated values with a header; quotes as in RFC 4180, see `QuotedRecords`.

    Attributes:
      delimiter: What parts cells, one character.
      null: Cells that are null beside the empty one, parted by commas: "NA,NULL".
      encoding: The files' encoding, by any name that Python knows; files in another than UTF-8
        are each read in one part.
      sizes: How much of a file is held at a time.
    """

    delimiter: str = ","
    null: str = ""
    encoding: str = "utf-8"
    sizes: Sizes = SIZES
    name: str = field(default="csv", init=False)
    suffixes: tuple[str, ...] = field(default=(".csv",), init=False)
    unit: str = field(default="line", init=False)
    splittable: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        """Checks the settings that a URI may hold.

        Raises:
          ConfigError: The delimiter is not a single character, or may be part of a number.
        """
        mark = self.delimiter
        if len(mark) != 1 or not mark.isascii() or mark.isalnum() or mark in '"\r\n.+-':
            raise ConfigError(f"format {self.name}: delimiter={mark!r} can't part cells; try ';'")
        object.__setattr__(self, "encoding", check_encoding(self.encoding, self.name))

    @property
    def nulls(self) -> tuple[str, ...]:
        """Cells that are null beside the empty one."""
        return tuple(word for word in self.null.split(",") if word)

    def _pieces(self, stream: BinaryIO, length: int | None = None) -> Iterator[bytes]:
        """Yields the text in UTF-8."""
        return pieces(as_utf8(stream, self.encoding), self.sizes.block, length)

    @property
    def rules(self) -> QuotedRecords:
        """Where records end."""
        return QuotedRecords(self.delimiter)

    def sample_schema(self, stream: BinaryIO, uri: str) -> pa.Schema:
        """Returns the header's columns, with types inferred from the first 4 MiB.

        Raises:
          ConfigError: Two columns of the same name.
          BrokenFile: No header can be read.
        """
        names, parts, line = self._header(self._pieces(stream))
        if repeated := _repeated(names):
            raise ConfigError(
                f"{uri}: its header names {', '.join(map(repr, repeated))} twice; rename a column"
            )
        if other := _other_delimiter(names):
            _log.warning(
                "%s has one column, %r: if %r parts its cells, read it with ?delimiter=%s",
                uri,
                names[0],
                other,
                quote(other),
            )
        cells = Cells(names, pa.schema([]), self.rules, self.nulls)
        return infer_schema(self._sample(parts, line), names, cells)

    def _sample(self, parts: Iterator[bytes], line: int) -> Block | None:
        try:
            found = blocks(parts, self.rules, self.sizes, line)
            return next((block for block in found if not block.oversized), None)
        except BrokenFile:
            return None

    def plan(self, stream: BinaryIO | None, file: File, target_bytes: int) -> Iterator[Split]:
        """Ranges of whole records, by one pass over the file that counts quotes and lines."""
        if stream is None or file.size <= target_bytes or self.encoding != "utf-8":
            yield whole(file)
        else:
            parts = pieces(stream, self.sizes.block)
            yield from byte_ranges(parts, file, target_bytes, self.rules)

    def read(
        self, stream: BinaryIO, split: Split, schema: pa.Schema, max_rows: int, max_bytes: int
    ) -> Iterator[Chunk]:
        """Yields the rows of a split; malformed lines are rejected with their text.

        Raises:
          BrokenFile: No header can be read, or the file breaks off.
        """
        sizes, length = self.sizes, split.end - split.start
        if split.start:
            names, _, _ = self._header(pieces(stream, min(1 << 16, sizes.block)))
            stream.seek(split.start)
            parts, line = pieces(stream, sizes.block, length), split.first
        else:
            ranged = None if split.end >= split.file.size else length
            names, parts, line = self._header(self._pieces(stream, ranged))
        if repeated := _repeated(names):
            why = f"its header names {', '.join(map(repr, repeated))} twice"
            raise BrokenFile(Reason.UNREADABLE_FILE, why)
        cells = Cells(names, schema, self.rules, self.nulls)
        found = blocks(parts, self.rules, sizes, line, guess=True)
        for parsed in _parsed(found, cells, split.file.uri, sizes):
            yield from parsed.chunks(max_rows, max_bytes)

    def _header(self, parts: Iterator[bytes]) -> tuple[tuple[str, ...], Iterator[bytes], int]:
        """Returns the columns' names, the text after them, and its first line; skips blanks."""
        parts, line, record = without_bom(parts), 1, b"\n"
        while record and not record.strip(b"\r\n"):
            record, parts = first_record(parts, self.rules, self.sizes.record)
            line += self.rules.lines(record)
        return self._names(record), parts, line

    def _names(self, record: bytes) -> tuple[str, ...]:
        why = None
        if len(record) > self.sizes.record:
            why = f"its header is longer than {self.sizes.record:,} bytes"
        elif len(self.rules.quotes(record)) % 2:
            why = "a quote in its header is never closed"
        try:
            text = record.decode()
        except UnicodeDecodeError:
            why = "its header is not valid UTF-8"
        if why:
            raise BrokenFile(Reason.UNREADABLE_FILE, why)
        return tuple(next(csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter), ()))

    def writer(self, stream: BinaryIO, schema: pa.Schema) -> "_Writer":
        """Writes text in quotes, null as an empty cell, nested values as JSON, bytes as base64.

        Raises:
          ConfigError: A setting that is for reading.
        """
        if self.nulls or self.encoding != "utf-8":
            raise ConfigError(
                f"{self.name} is written in UTF-8, and null as an empty cell: null= and encoding= "
                "are for reading"
            )
        return _Writer(stream, schema, self.delimiter)


@dataclass(frozen=True)
class Tsv(Csv):
    """The same, parted by tabs."""

    delimiter: str = "\t"
    name: str = field(default="tsv", init=False)
    suffixes: tuple[str, ...] = field(default=(".tsv",), init=False)


def _parsed(
    found: Generator[Block, bytes | None, None], cells: Cells, uri: str, sizes: Sizes
) -> Iterator[Parsed]:
    """Parses blocks; what a guessed one holds of its last record goes back into the next."""
    rest: bytes | None = None
    while True:
        try:
            block, rest = found.send(rest), None
        except StopIteration:
            return
        if block.oversized:
            parsed = oversized(block, cells.schema, sizes, uri)
        elif block.unclosed:
            parsed = unclosed(block, cells.schema, uri)
        elif block.guessed:
            parsed, rest = cells.parse_guessed(block, uri)
        else:
            parsed = cells.parse(block, uri)
        yield parsed


def _other_delimiter(names: tuple[str, ...]) -> str | None:
    """Returns the likely delimiter of a header that was read as one column."""
    return next((mark for mark in ";\t|," if len(names) == 1 and mark in names[0]), None)


def _repeated(names: tuple[str, ...]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


class _Writer:
    """Writes batches as CSV, the header first."""

    def __init__(self, stream: BinaryIO, schema: pa.Schema, delimiter: str) -> None:
        self._stream, self._delimiter = stream, delimiter
        self._write(pa.RecordBatch.from_arrays([pa.nulls(0)] * len(schema), schema.names), True)

    def write(self, batch: pa.RecordBatch) -> None:
        self._write(batch, False)

    def _write(self, batch: pa.RecordBatch, header: bool) -> None:
        self._stream.write(csv_text(batch, self._delimiter, header))

    def close(self) -> None:
        """Does nothing: nothing is kept for the end."""


def csv_text(batch: pa.RecordBatch, delimiter: str, header: bool = False) -> pa.Buffer:
    """Returns rows as lines of CSV; see `Csv.writer`."""
    columns = [_cells(column) for column in batch.columns]
    sink = pa.BufferOutputStream()
    options = pa_csv.WriteOptions(include_header=header, delimiter=delimiter)
    pa_csv.write_csv(pa.RecordBatch.from_arrays(columns, batch.schema.names), sink, options)
    return sink.getvalue()


def _cells(column: pa.Array) -> pa.Array:
    """Returns a column in a type that pyarrow.csv writes, and we read back."""
    type, kinds = plain_type(column.type), pa.types
    column = column if column.type.equals(type) else column.cast(type)
    if is_list(type) or kinds.is_struct(type) or kinds.is_map(type):
        return pc.if_else(column.is_valid(), json_values(column), pa.scalar(None, pa.string()))
    if kinds.is_binary(type) or kinds.is_fixed_size_binary(type):
        return encode_base64(column.cast(pa.binary()))
    if kinds.is_duration(type):
        return column.cast(pa.int64())
    if kinds.is_timestamp(type) and type.tz:
        return column.cast(pa.timestamp(type.unit, "UTC"))
    return column.cast(pa.float32()) if kinds.is_float16(type) else column
