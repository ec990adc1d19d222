"""JSON Lines: read in byte ranges, bad lines by their number; written column by column."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.json_text import json_rows
from transforms.batches import with_source
from transforms.files.format import BrokenFile, Chunk, File, Split, whole
from transforms.files.formats.json.elements import Element, grouped, is_document
from transforms.files.formats.json.lines import Lines
from transforms.files.formats.json.schema import infer_schema
from transforms.files.formats.text.cutting import blocks, byte_ranges
from transforms.files.formats.text.encoding import as_utf8, check_encoding
from transforms.files.formats.text.records import Records, oversized
from transforms.files.formats.text.text import (
    SIZES,
    Block,
    PlainRecords,
    Sizes,
    pieces,
    without_bom,
)

_HEAD_BYTES = 1 << 12
"""Bytes at the start of a file that show whether it is an array."""


@dataclass(frozen=True)
class JsonLines:
    """One JSON object per line, or an array of objects; blank lines are skipped.

    Attributes:
      encoding: The files' encoding, by any name that Python knows; files in another than UTF-8
        are each read in one part.
      sizes: How much of a file is held at a time.
    """

    encoding: str = "utf-8"
    sizes: Sizes = SIZES
    name: str = field(default="jsonl", init=False)
    suffixes: tuple[str, ...] = field(default=(".jsonl", ".ndjson", ".json"), init=False)
    unit: str = field(default="line", init=False)
    splittable: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        """Checks the settings that a URI may hold.

        Raises:
          ConfigError: An encoding that is not known.
        """
        object.__setattr__(self, "encoding", check_encoding(self.encoding, self.name))

    def _pieces(self, stream: BinaryIO, length: int | None = None) -> Iterator[bytes]:
        """Yields the text in UTF-8, without a byte order mark."""
        text = as_utf8(stream, self.encoding)
        return without_bom(pieces(text, self.sizes.block, length))

    def sample_schema(self, stream: BinaryIO, uri: str) -> pa.Schema:
        """Returns types for the values of the first 4 MiB; bad lines are skipped."""
        document, parts = self._looked_at(self._pieces(stream))
        try:
            if document:
                found = (each for each in grouped(parts, self.sizes) if isinstance(each, Records))
                texts = next((records.data for records in found), b"")
            else:
                lines = blocks(parts, PlainRecords(), self.sizes, 1)
                texts = next((block.data for block in lines if not block.oversized), b"")
        except BrokenFile:
            texts = b""
        return infer_schema(texts.split(b"\n"), uri)

    def _looked_at(self, parts: Iterator[bytes]) -> tuple[bool, Iterator[bytes]]:
        """Returns whether it is an array or has objects of several lines, and the same pieces."""
        held: list[bytes] = []
        broken: BrokenFile | None = None
        try:
            while sum(map(len, held)) < _HEAD_BYTES and (part := next(parts, None)) is not None:
                held.append(part)
        except BrokenFile as error:
            broken = error
        return is_document(b"".join(held)), itertools.chain(held, _then(parts, broken))

    def plan(self, stream: BinaryIO | None, file: File, target_bytes: int) -> Iterator[Split]:
        """Ranges of whole lines, by one pass over the file that counts them.

        An array, or objects of several lines, are one range.
        """
        in_parts = stream is not None and file.size > target_bytes and self.encoding == "utf-8"
        if not in_parts or stream is None or self._looked_at(self._pieces(stream))[0]:
            yield whole(file)
        else:
            stream.seek(0)
            parts = pieces(stream, self.sizes.block)
            yield from byte_ranges(parts, file, target_bytes, PlainRecords())

    def read(
        self, stream: BinaryIO, split: Split, schema: pa.Schema, max_rows: int, max_bytes: int
    ) -> Iterator[Chunk]:
        """Yields the rows of a split; malformed lines are rejected with their text.

        Raises:
          BrokenFile: The file breaks off.
        """
        sizes, uri, lines = self.sizes, split.file.uri, Lines(schema)
        if split.start:
            stream.seek(split.start)
            parts = pieces(stream, sizes.block, split.end - split.start)
        else:
            length = None if split.end >= split.file.size else split.end
            document, parts = self._looked_at(self._pieces(stream, length))
            if document:
                yield from self._elements(parts, lines, uri, max_rows, max_bytes)
                return
        for block in blocks(parts, PlainRecords(), sizes, split.first):
            if block.oversized:
                parsed = oversized(block, schema, sizes, uri)
            else:
                parsed = lines.parse(block, uri)
            yield from parsed.chunks(max_rows, max_bytes)

    def _elements(
        self, parts: Iterator[bytes], lines: Lines, uri: str, max_rows: int, max_bytes: int
    ) -> Iterator[Chunk]:
        """Yields the rows of an array of objects, or of objects of several lines each."""
        number = 1
        for found in grouped(parts, self.sizes):
            if isinstance(found, Element):
                parsed = oversized(Block(found.data, number), lines.schema, self.sizes, uri)
                number += 1
            else:
                parsed = lines.parse_records(found, uri)
                number = int(found.lines[-1]) + 1
            for chunk in parsed.chunks(max_rows, max_bytes):
                rows = with_source(chunk.rows, uri, chunk.first, "element")
                yield Chunk(rows, chunk.rejects)

    def writer(self, stream: BinaryIO, schema: pa.Schema) -> "_Writer":
        """Writes each row as `json_text.json_rows` has it, NaN as "NaN", infinities likewise."""
        return _Writer(stream)


def _then(parts: Iterator[bytes], broken: BrokenFile | None) -> Iterator[bytes]:
    """Yields the rest of some pieces, which may have broken off before."""
    if broken is not None:
        raise broken
    yield from parts


class _Writer:
    """Writes batches as lines of JSON."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, batch: pa.RecordBatch) -> None:
        lines = pc.binary_join_element_wise(json_rows(batch), "", "\n")
        if len(lines):
            _, offsets, data = lines.buffers()
            first, *_, last = np.frombuffer(offsets, np.int32)[lines.offset :][: len(lines) + 1]
            self._stream.write(data[first:last])

    def close(self) -> None:
        """Does nothing: nothing is kept for the end."""
