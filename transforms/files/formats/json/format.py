"""JSON Lines: read in byte ranges, bad lines by their number; written column by column."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.json_text import json_rows
from transforms.files.format import BrokenFile, Chunk, File, Split, whole
from transforms.files.formats.json.lines import Lines
from transforms.files.formats.json.schema import infer_schema
from transforms.files.formats.text.cutting import blocks, byte_ranges
from transforms.files.formats.text.records import oversized
from transforms.files.formats.text.text import (
    SIZES,
    PlainRecords,
    Sizes,
    pieces,
    without_bom,
)


@dataclass(frozen=True)
class JsonLines:
    """One JSON object per line; blank lines are skipped.

    Attributes:
      sizes: How much of a file is held at a time.
    """

    sizes: Sizes = SIZES
    name: str = field(default="jsonl", init=False)
    suffixes: tuple[str, ...] = field(default=(".jsonl", ".ndjson", ".json"), init=False)
    unit: str = field(default="line", init=False)
    splittable: bool = field(default=True, init=False)

    def sample_schema(self, stream: BinaryIO, uri: str) -> pa.Schema:
        """The types that hold the values of the first 4 MiB; bad lines are passed over."""
        parts = without_bom(pieces(stream, self.sizes.block))
        found = blocks(parts, PlainRecords(), self.sizes, 1)
        try:
            block = next((block for block in found if not block.oversized), None)
        except BrokenFile:
            block = None
        return infer_schema(block.data.split(b"\n") if block else [])

    def plan(self, stream: BinaryIO | None, file: File, target_bytes: int) -> Iterator[Split]:
        """Ranges of whole lines, by one pass over the file that counts them."""
        if stream is None or file.size <= target_bytes:
            yield whole(file)
        else:
            parts = pieces(stream, self.sizes.block)
            yield from byte_ranges(parts, file, target_bytes, PlainRecords())

    def read(
        self, stream: BinaryIO, split: Split, schema: pa.Schema, max_rows: int, max_bytes: int
    ) -> Iterator[Chunk]:
        """The rows of a split; lines that are none are rejected as they stand in the file.

        Raises:
          BrokenFile: The file breaks off.
        """
        sizes, uri, lines = self.sizes, split.file.uri, Lines(schema)
        if split.start:
            stream.seek(split.start)
            parts = pieces(stream, sizes.block, split.end - split.start)
        else:
            length = None if split.end >= split.file.size else split.end
            parts = without_bom(pieces(stream, sizes.block, length))
        for block in blocks(parts, PlainRecords(), sizes, split.first):
            if block.oversized:
                parsed = oversized(block, schema, sizes, uri)
            else:
                parsed = lines.parse(block, uri)
            yield from parsed.chunks(max_rows, max_bytes)

    def writer(self, stream: BinaryIO, schema: pa.Schema) -> "_Writer":
        """Writes each row as `json_text.json_rows` has it, NaN as "NaN", infinities likewise."""
        return _Writer(stream)


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
        """Nothing is kept for the end."""
