"""What a file format gives to Read and Write."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

import numpy as np
import pyarrow as pa

from transforms.errors import MillraceError
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS


class BrokenFile(MillraceError):
    """A file that can't be read to its end; what it held past this point is unknown.

    Args:
      reason: UNREADABLE_FILE (nothing could be read) or TRUNCATED_FILE (it breaks off).
      message: What is wrong with it, without a value of a row.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        return BrokenFile, (self.reason, self.message)


@dataclass(frozen=True)
class File:
    """An input file as it was at launch.

    Attributes:
      uri: Where it is.
      size: In bytes.
      partition: Its Hive partition, (key, value) pairs.
      modified: When it was last written, in seconds since 1970; 0 where that is unknown.
    """

    uri: str
    size: int
    partition: tuple[tuple[str, str], ...] = ()
    modified: float = 0.0


@dataclass(frozen=True)
class Split:
    """A part of a file that is read on its own.

    Attributes:
      file: The file.
      start: First byte or row group.
      end: One past the last byte or row group.
      first: Position (line, row or record, counted from 1) of the first row.
      weight: Its share of the file, in bytes.
      rows: How many rows it has; 0 where that is not known before they are read.
      note: What else the format has to remember about it.
    """

    file: File
    start: int
    end: int
    first: int = 1
    weight: int = 0
    note: str = ""
    rows: int = 0


@dataclass(frozen=True)
class Chunk:
    """Rows read, and rows that could not be.

    Attributes:
      rows: The rows, with exactly the schema that was asked for.
      rejects: Rejected rows (`rejects.REJECTS`).
      first: Position of `rows[0]` where the rows are consecutive, else the positions of all. None
        where the rows bear a note of it (`batches.with_source`), or it is unknown.
    """

    rows: pa.RecordBatch
    rejects: pa.RecordBatch = field(default_factory=lambda: NO_REJECTS)
    first: int | np.ndarray | None = None


class Writer(Protocol):
    """Writes batches to one stream, which stays open."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends the rows of a batch."""

    def close(self) -> None:
        """Writes what the format keeps for the end."""


class Format(Protocol):
    """A file format.

    Attributes:
      name: As in `?format=`.
      suffixes: File name endings that mean it.
      unit: What its positions count: "line", "row" or "record"; "file" where a file is one row.
      splittable: Whether parts of an uncompressed file can be read apart.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def suffixes(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def unit(self) -> str: ...  # noqa: D102

    @property
    def splittable(self) -> bool: ...  # noqa: D102

    def sample_schema(self, stream: BinaryIO, uri: str) -> pa.Schema:
        """Returns the schema of a file: its own, or one inferred from its first megabytes."""

    def plan(self, stream: BinaryIO | None, file: File, target_bytes: int) -> Iterator[Split]:
        """Cuts a file into splits of about `target_bytes`; one whole split without a stream."""

    def read(
        self, stream: BinaryIO, split: Split, schema: pa.Schema, max_rows: int, max_bytes: int
    ) -> Iterator[Chunk]:
        """Reads a split as chunks of at most `max_rows` rows and about `max_bytes` bytes.

        Raises:
          BrokenFile: After the last chunk that could be read.
        """

    def writer(self, stream: BinaryIO, schema: pa.Schema) -> Writer:
        """Returns a writer of this format for an open stream."""


def whole(file: File) -> Split:
    """Returns one split for a whole file."""
    return Split(file, 0, file.size, 1, file.size)
