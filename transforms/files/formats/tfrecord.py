"""TFRecord files of tf.Examples and tf.SequenceExamples.

The framing is a loop in Python, about a microsecond a record; what the records hold is decoded
and encoded in C++ by tfx-bsl (`transforms.examples.convert`).
"""

import functools
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from transforms.arrow.types import is_text
from transforms.batches import row_sources, select_rows, with_source
from transforms.conform import conform, fault_message
from transforms.errors import ConfigError, MillraceError
from transforms.examples.convert import (
    EXAMPLE,
    SEQUENCE,
    Decoding,
    check_example_schema,
    decode_examples,
    encode_examples,
)
from transforms.examples.schema import infer_example_schema
from transforms.files.format import BrokenFile, Chunk, File, Split, whole
from transforms.files.formats.forward import fill
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, Outcome, join_rejects, reject_payloads

SAMPLE_RECORDS = 10_000
SAMPLE_BYTES = 8 << 20
MAX_RECORD_BYTES = (2 << 30) - 1
"""The most that protobuf can parse: a larger length is a broken one."""

_HEADER, _CRC = struct.Struct("<QI"), struct.Struct("<I")


@dataclass(frozen=True)
class TfRecord:
    """TFRecord files of tf.Examples. A file is one split: no mark shows where a record starts.

    Args:
      column: Do not decode: one binary column of this name holds the serialized records, as a
        model takes them that parses examples itself.
    """

    column: str | None = None
    decoding: Decoding = field(default=EXAMPLE, init=False)
    name: str = field(default="tfrecord", init=False)
    suffixes: tuple[str, ...] = field(default=(".tfrecord", ".tfrecords", ".tfrec"), init=False)
    unit: str = field(default="record", init=False)
    splittable: bool = field(default=False, init=False)

    def sample_schema(self, stream: BinaryIO, uri: str) -> pa.Schema:
        """Returns the schema of up to 10,000 records (or 8 MiB of them).

        Raises:
          BrokenFile: Not one record could be read.
        """
        if self.column is not None:
            return pa.schema([(self.column, pa.binary())])
        values, bad = next(_groups(stream, SAMPLE_RECORDS, SAMPLE_BYTES), ([], np.zeros(0, bool)))
        good = [value for value, corrupt in zip(values, bad, strict=True) if not corrupt]
        return infer_example_schema(good, self.decoding)

    def plan(self, stream: BinaryIO | None, file: File, target_bytes: int) -> Iterator[Split]:
        """Returns one split for the whole file."""
        yield whole(file)

    def read(
        self, stream: BinaryIO, split: Split, schema: pa.Schema, max_rows: int, max_bytes: int
    ) -> Iterator[Chunk]:
        """Reads all records; one with a wrong checksum is rejected alone."""
        first = split.first
        for values, bad in _groups(stream, max_rows, max_bytes):
            raw = pa.RecordBatch.from_arrays([pa.array(values, pa.binary())], [self.column or ""])
            raw = with_source(raw, split.file.uri, first, self.unit)
            yield self._chunk(raw, bad, schema, first)
            first += len(values)

    def _chunk(self, raw: pa.RecordBatch, bad: np.ndarray, schema: pa.Schema, first: int) -> Chunk:
        corrupt = NO_REJECTS
        if bad.any():
            raw, corrupt = select_rows(raw, ~bad), _corrupt(raw, bad)
        rows, rejects = self._decoded(raw, schema)
        rejects = join_rejects([corrupt, rejects])
        return Chunk(rows, rejects, None if rejects.num_rows else first)

    def _decoded(self, raw: pa.RecordBatch, schema: pa.Schema) -> Outcome:
        if self.column is not None:
            return conform(raw, schema)
        return decode_examples(raw, schema, self.decoding)

    def writer(self, stream: BinaryIO, schema: pa.Schema) -> "_Writer":
        """Writes tf.Examples, or with `column` the records that it holds.

        Raises:
          ConfigError: A column that a tf.Example can't hold, or no such column of bytes.
        """
        if self.decoding.sequence:
            raise ConfigError("tf.SequenceExamples can be read but not written: use tfrecord")
        if self.column is None:
            check_example_schema(schema)
        elif self.column not in schema.names or not is_text(schema.field(self.column).type):
            raise ConfigError(f"there is no column {self.column!r} of bytes to write as records")
        return _Writer(stream, self.column)


@dataclass(frozen=True)
class TfSequence(TfRecord):
    """TFRecord files of tf.SequenceExamples.

    Context features are columns; the feature lists are the fields of a struct column
    `##SEQUENCE##` (tfx-bsl's name), each a list of steps of lists of values.
    """

    decoding: Decoding = field(default=SEQUENCE, init=False)
    name: str = field(default="tfsequence", init=False)
    suffixes: tuple[str, ...] = field(default=(), init=False)


def _corrupt(raw: pa.RecordBatch, bad: np.ndarray) -> pa.RecordBatch:
    return reject_payloads(
        raw.column(0).filter(pa.array(bad)),
        Reason.UNPARSABLE,
        "the record's checksum is wrong: its bytes are not those that were written",
        sources=row_sources(raw, np.flatnonzero(bad)),
    )


def frames(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yields the records of a TFRecord file: length, its checksum, record, its checksum.

    Args:
      stream: At the start of a frame; it need not be seekable.

    Yields: Each record, and the checksum written with it.

    Raises:
      BrokenFile: The file ends inside a record, or a length is not what was written, so that
        nothing shows where the next record starts.
    """
    buffer, at = b"", 0
    while True:
        if len(buffer) - at < 12:
            buffer, at = fill(stream, buffer[at:], 12), 0
            if not buffer:
                return
        length = _length(buffer[at : at + 12])
        if len(buffer) - at < length + 16:
            buffer, at = fill(stream, buffer[at:], length + 16), 0
            if len(buffer) < length + 16:
                raise BrokenFile(Reason.TRUNCATED_FILE, "the file ends inside a record")
        end = at + 12 + length
        yield buffer[at + 12 : end], _CRC.unpack_from(buffer, end)[0]
        at = end + 4


@functools.lru_cache(maxsize=1 << 14)
def _length(header: bytes) -> int:
    """Returns the length in a frame's header. Files hold few lengths, so each is checked once."""
    if len(header) < 12:
        raise BrokenFile(Reason.TRUNCATED_FILE, "the file ends inside a record")
    length, crc = _HEADER.unpack(header)
    if crc != checksums([header[:8]])[0] or length > MAX_RECORD_BYTES:
        why = "a record's length is corrupt, or this is not a TFRecord file"
        raise BrokenFile(Reason.TRUNCATED_FILE, why)
    return int(length)


@functools.lru_cache(maxsize=1 << 14)
def _header(length: int) -> bytes:
    return _HEADER.pack(length, checksums([struct.pack("<Q", length)])[0])


def checksums(values: list[bytes]) -> np.ndarray:
    """Returns the masked CRC-32C that TFRecord writes after each value, as n uint32."""
    import google_crc32c

    crc = np.fromiter(map(google_crc32c.value, values), np.uint32, len(values))
    return ((crc >> 15) | (crc << 17)) + np.uint32(0xA282EAD8)


def _groups(
    stream: BinaryIO, max_rows: int, max_bytes: int
) -> Iterator[tuple[list[bytes], np.ndarray]]:
    """Yields the records of a file, grouped by rows and bytes, and which of a group are corrupt."""
    values: list[bytes] = []
    written: list[int] = []
    size, broken = 0, None
    try:
        for value, crc in frames(stream):
            size += len(value)
            if values and (len(values) >= max_rows or size > max_bytes):
                yield values, checksums(values) != np.array(written, np.uint32)
                values, written, size = [], [], len(value)
            values.append(value)
            written.append(crc)
    except BrokenFile as error:
        broken = error
    if values:
        yield values, checksums(values) != np.array(written, np.uint32)
    if broken is not None:
        raise broken


class _Writer:
    """Writes the rows of each batch as framed records."""

    def __init__(self, stream: BinaryIO, column: str | None) -> None:
        self._stream, self._column = stream, column

    def write(self, batch: pa.RecordBatch) -> None:
        if self._column is not None:
            records = batch.column(self._column).cast(pa.binary())
            if records.null_count:
                raise MillraceError(f"column {self._column!r} holds nulls, which are no records")
        else:
            records = _encoded(batch)
        self._stream.write(b"".join(_framed(records.to_pylist())))

    def close(self) -> None:
        """Does nothing: nothing is kept for the end."""


def _encoded(batch: pa.RecordBatch) -> pa.Array:
    records, casts = encode_examples(batch)
    for column, cast in casts.items():
        if cast.bad is not None:
            why = fault_message(cast.reason, column, cast.values.type)
            raise MillraceError(
                f"{why}, which is what a tf.Example holds: leave the column out, cast it, "
                "or write Parquet or Avro"
            )
    return records


def _framed(records: list[bytes]) -> Iterator[bytes]:
    for record, crc in zip(records, checksums(records).tolist(), strict=True):
        yield _header(len(record))
        yield record
        yield _CRC.pack(crc)
