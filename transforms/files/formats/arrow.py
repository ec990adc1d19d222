"""Arrow IPC files (Feather): every type as it is, at the speed of the disk."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pyarrow as pa

from transforms.arrow.types import plain_schema
from transforms.batches import cut, with_source
from transforms.conform import conform
from transforms.files.format import BrokenFile, Chunk, File, Split, whole
from transforms.reasons import Reason


@dataclass(frozen=True)
class Arrow:
    """Arrow IPC files, read as one split."""

    name: str = field(default="arrow", init=False)
    suffixes: tuple[str, ...] = field(default=(".arrow", ".feather"), init=False)
    unit: str = field(default="row", init=False)
    splittable: bool = field(default=False, init=False)

    def sample_schema(self, stream: BinaryIO, uri: str) -> pa.Schema:
        """Returns the file's own schema."""
        return plain_schema(_opened(stream).schema)

    def plan(self, stream: BinaryIO | None, file: File, target_bytes: int) -> Iterator[Split]:
        """Returns one split for the whole file."""
        yield whole(file)

    def read(
        self, stream: BinaryIO, split: Split, schema: pa.Schema, max_rows: int, max_bytes: int
    ) -> Iterator[Chunk]:
        """Yields the rows of the file."""
        first = split.first
        for batch in _batches(_opened(stream)):
            for piece in cut(batch, max_rows, max_bytes):
                rows, rejects = conform(with_source(piece, split.file.uri, first), schema)
                yield Chunk(rows, rejects)
                first += piece.num_rows

    def writer(self, stream: BinaryIO, schema: pa.Schema) -> "_Writer":
        """Writes each batch as it comes, compressed by LZ4."""
        return _Writer(stream, schema)


def _opened(stream: BinaryIO) -> Any:
    try:
        return pa.ipc.open_file(stream)
    except (pa.ArrowInvalid, OSError) as error:
        raise BrokenFile(Reason.UNREADABLE_FILE, f"not a readable Arrow file: {error}") from None


def _batches(reader: Any) -> Iterator[pa.RecordBatch]:
    for index in range(reader.num_record_batches):
        try:
            yield reader.get_batch(index)
        except (pa.ArrowInvalid, OSError) as error:
            message = f"batch {index} can't be read: {error}"
            raise BrokenFile(Reason.TRUNCATED_FILE, message) from None


class _Writer:
    """Writes batches to an Arrow file."""

    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._writer = pa.ipc.new_file(stream, schema, options=options)

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()
