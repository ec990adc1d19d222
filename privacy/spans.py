"""Spans: stretches of the bytes of a text column, as parallel arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Spans:
    """n stretches of a column's bytes.

    Attributes:
      rows: The row that each lies in.
      starts: The first byte, counted from the beginning of the column's bytes.
      ends: The byte behind the last one.
      kinds: Which detector found it, by its number.
      likelihoods: From 1 (very unlikely) to 5.
    """

    rows: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    kinds: np.ndarray
    likelihoods: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, which: np.ndarray) -> "Spans":
        """Returns some spans, by a mask or by their numbers."""
        return Spans(*(each[which] for each in self._arrays))

    @property
    def _arrays(self) -> tuple[np.ndarray, ...]:
        return self.rows, self.starts, self.ends, self.kinds, self.likelihoods

    @classmethod
    def of_kind(
        cls,
        kind: int,
        rows: np.ndarray,
        starts: np.ndarray,
        ends: np.ndarray,
        likelihoods: np.ndarray,
    ) -> "Spans":
        """Returns spans that one detector found."""
        kinds = np.full(len(rows), kind, np.int16)
        return cls(rows, starts, ends, kinds, likelihoods.astype(np.int8))

    @classmethod
    def joined(cls, parts: Sequence["Spans"]) -> "Spans":
        """Returns the spans of several, ordered by where they start."""
        if not parts:
            return NO_SPANS
        arrays = zip(*(part._arrays for part in parts), strict=True)
        all_of_them = cls(*(np.concatenate(each) for each in arrays))
        return all_of_them.take(np.lexsort((all_of_them.ends, all_of_them.starts)))


NO_SPANS = Spans(
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros(0, np.int16),
    np.zeros(0, np.int8),
)


def text_offsets(column: pa.Array) -> np.ndarray:
    """Returns the n + 1 places where the rows of a text column begin and end in its bytes."""
    wide = pa.types.is_large_string(column.type) or pa.types.is_large_binary(column.type)
    kind = np.dtype(np.int64 if wide else np.int32)
    buffer = column.buffers()[1]
    if buffer is None or not buffer.size:
        return np.zeros(1, np.int64)
    start = column.offset * kind.itemsize
    places = np.frombuffer(buffer, kind, len(column) + 1, start)
    return places.astype(np.int64)


def text_bytes(column: pa.Array) -> np.ndarray:
    """Returns the bytes of a text column; `text_offsets` has their places."""
    buffer = column.buffers()[2]
    return np.zeros(0, np.uint8) if buffer is None else np.frombuffer(buffer, np.uint8)


BLOCK = 1 << 19
"""Bytes that are looked at together: what is made of them stays in the processor's cache."""


def blocks(offsets: np.ndarray, size: int = BLOCK) -> Iterator[tuple[int, int]]:
    """Yields the first and last row of blocks of texts.

    Args:
      offsets: The n + 1 places where the texts begin and end.
      size: The most bytes of a block of several texts.
    """
    first, count = 0, len(offsets) - 1
    while first < count:
        last = int(np.searchsorted(offsets, offsets[first] + size, side="right")) - 1
        last = min(max(last, first + 1), count)
        yield first, last
        first = last


def pieces(data: pa.Buffer | np.ndarray, starts: np.ndarray, ends: np.ndarray) -> pa.Array:
    """Returns the n stretches of some bytes and what lies between them, without a copy.

    Args:
      data: Bytes of UTF-8.
      starts: Where each begins, in order; none overlaps the next.
      ends: Where each ends.

    Returns: 2n texts: what lies before the first, the first, what lies between, the second, ...
    """
    places = np.empty(2 * len(starts) + 1, np.int32)
    places[0] = 0
    places[1::2], places[2::2] = starts, ends
    buffer = data if isinstance(data, pa.Buffer) else pa.py_buffer(data)
    buffers = [None, pa.py_buffer(places), buffer]
    return pa.Array.from_buffers(pa.string(), 2 * len(starts), buffers)


def quotes(data: pa.Buffer | np.ndarray, starts: np.ndarray, ends: np.ndarray) -> pa.Array:
    """Returns n stretches of some bytes as texts; see `pieces`."""
    return pieces(data, starts, ends).take(pa.array(np.arange(1, 2 * len(starts), 2)))


def windows(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> pa.Array:
    """Returns n stretches of some bytes that may overlap, as byte strings."""
    lengths = ends - starts
    places = np.zeros(len(starts) + 1, np.int32)
    np.cumsum(lengths, out=places[1:])
    index = np.arange(places[-1]) + np.repeat(starts - places[:-1], lengths)
    buffers = [None, pa.py_buffer(places), pa.py_buffer(data[index])]
    return pa.Array.from_buffers(pa.binary(), len(starts), buffers)
