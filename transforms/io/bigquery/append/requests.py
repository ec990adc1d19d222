"""Rows to requests of the Storage Write API, each below the size that the service takes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.batches import slice_rows, take_rows

MOST_BYTES = 10_000_000
"""The size of a request that the service still takes."""
_AROUND = 2_000
"""Bytes of a request beside rows and schema: names, lengths, the trace."""


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of one request.

    Attributes:
      rows: n rows.
      numbers: Which rows of the whole they are: n ascending integers.
      content: They, serialized.
    """

    rows: pa.RecordBatch
    numbers: np.ndarray
    content: bytes = field(repr=False)

    @classmethod
    def of(cls, rows: pa.RecordBatch, numbers: np.ndarray) -> "Part":
        """Serializes rows."""
        plain = rows.replace_schema_metadata(None)
        return cls(rows, numbers, plain.serialize().to_pybytes())

    def halves(self) -> list["Part"]:
        """Returns the two halves of at least two rows."""
        half = len(self.numbers) // 2
        first, second = self.numbers[:half], self.numbers[half:]
        return [
            Part.of(slice_rows(self.rows, 0, half), first),
            Part.of(slice_rows(self.rows, half, len(second)), second),
        ]

    def without(self, places: set[int]) -> list["Part"]:
        """Returns the rows but those at some places, if any are left."""
        left = np.setdiff1d(np.arange(len(self.numbers)), sorted(places))
        return [Part.of(take_rows(self.rows, left), self.numbers[left])] if len(left) else []


def schema_bytes(rows: pa.RecordBatch) -> bytes:
    """Returns the schema of a batch as requests bear it."""
    schema: bytes = rows.schema.remove_metadata().serialize().to_pybytes()
    return schema


def parts_of(rows: pa.RecordBatch, most_bytes: int = MOST_BYTES) -> Iterator[Part]:
    """Cuts rows into requests.

    Args:
      rows: n rows.
      most_bytes: Most bytes of a request.

    Yields: Parts in the order of the rows. One of a single row may be too large: see `too_large`.
    """
    if not rows.num_rows:
        return
    room = _room(rows, most_bytes)
    step = max(1, int(rows.num_rows / max(1.0, 1.05 * rows.nbytes / room)))
    for start in range(0, rows.num_rows, step):
        some = slice_rows(rows, start, step)
        yield from _small(Part.of(some, np.arange(start, start + some.num_rows)), room)


def _small(part: Part, room: int) -> Iterator[Part]:
    if len(part.content) <= room or len(part.numbers) == 1:
        yield part
        return
    for half in part.halves():
        yield from _small(half, room)


def _room(rows: pa.RecordBatch, most_bytes: int) -> int:
    return most_bytes - len(schema_bytes(rows)) - _AROUND


def too_large(part: Part, most_bytes: int = MOST_BYTES) -> bool:
    """Returns whether no request can hold a part: it is of one row."""
    return len(part.content) > _room(part.rows, most_bytes)


def request(part: Part, stream: str, offset: int | None) -> Any:
    """Returns the request that appends a part.

    Args:
      part: The rows.
      stream: The stream's name.
      offset: How many rows the stream has before them; None appends them wherever it ends.
    """
    from google.cloud.bigquery_storage_v1 import types

    rows = {
        "writer_schema": {"serialized_schema": schema_bytes(part.rows)},
        "rows": {"serialized_record_batch": part.content},
    }
    return types.AppendRowsRequest(
        write_stream=stream, offset=offset, arrow_rows=rows, trace_id="millrace"
    )
