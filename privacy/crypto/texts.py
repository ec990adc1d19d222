"""The bytes of a column of texts, as Numpy sees them without a copy."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.errors import ConfigError


def text_column(values: pa.Array) -> pa.Array:
    """Returns a column as plain strings.

    Raises:
      ConfigError: The column holds no texts.
    """
    kinds = pa.types
    if kinds.is_dictionary(values.type):
        values = values.dictionary_decode()
    if kinds.is_string(values.type):
        return values
    if kinds.is_large_string(values.type) or kinds.is_string_view(values.type):
        return values.cast(pa.string())
    raise ConfigError(f"texts are needed, not {values.type}: turn the column into strings first")


CHUNK = 1 << 18
"""How many bytes are worked on at once: what fits into a core's cache."""


def groups(rows: np.ndarray, kinds: np.ndarray, width: np.ndarray) -> Iterator[np.ndarray]:
    """Yields rows of one kind each, at most some 256 KB of text at once.

    Args:
      rows: The rows to group, in ascending order.
      kinds: A number for each row of the column.
      width: The bytes of each row of the column, which rows of a kind share.
    """
    if not len(rows):
        return
    found = kinds[rows]
    if (found == found[0]).all():
        parts = [rows]
    else:
        order = np.argsort(found, kind="stable")
        parts = np.split(rows[order], np.flatnonzero(np.diff(found[order])) + 1)
    for part in parts:
        step = max(1, CHUNK // max(1, int(width[part[0]])))
        yield from (part[at : at + step] for at in range(0, len(part), step))


@dataclass(frozen=True)
class Texts:
    """A column of strings or bytes, n rows.

    Args:
      data: The bytes of all rows, one after the other, also those beneath nulls.
      offsets: n + 1 positions in `data`.
      valid: n booleans.
    """

    data: np.ndarray
    offsets: np.ndarray
    valid: np.ndarray

    @classmethod
    def of(cls, array: pa.Array) -> "Texts":
        """Returns the bytes of a column of type string or binary."""
        if not len(array):
            return cls(np.zeros(0, np.uint8), np.zeros(1, np.int64), np.zeros(0, bool))
        _, starts, data = array.buffers()
        offsets = np.frombuffer(starts, np.int32)[array.offset :][: len(array) + 1]
        codes = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
        valid = np.asarray(array.is_valid().to_numpy(zero_copy_only=False), bool)
        moved = offsets.astype(np.int64) - int(offsets[0])
        return cls(codes[offsets[0] : offsets[-1]], moved, valid)

    @classmethod
    def blank(cls, lengths: np.ndarray, valid: np.ndarray) -> "Texts":
        """Returns a column to be written into: zeros, of given lengths."""
        offsets = np.concatenate([[0], np.cumsum(np.where(valid, lengths, 0))]).astype(np.int64)
        return cls(np.zeros(int(offsets[-1]), np.uint8), offsets, valid)

    @property
    def lengths(self) -> np.ndarray:
        """N lengths in bytes."""
        lengths: np.ndarray = np.diff(self.offsets)
        return lengths

    def rows_of(self, places: np.ndarray) -> np.ndarray:
        """Returns the row of each position in `data`."""
        rows: np.ndarray = np.searchsorted(self.offsets, places, side="right") - 1
        return rows

    def places(self, rows: np.ndarray, length: int) -> np.ndarray | slice:
        """Returns where the bytes of rows of one length are; rows that touch give a slice."""
        first, last = int(rows[0]), int(rows[-1])
        begin, end = int(self.offsets[first]), int(self.offsets[last]) + length
        if last - first + 1 == len(rows) and end - begin == len(rows) * length:
            return slice(begin, end)
        places: np.ndarray = (self.offsets[rows][:, None] + np.arange(length)).reshape(-1)
        return places

    def matrix(self, rows: np.ndarray) -> np.ndarray:
        """Returns the bytes of rows of one length, rows by length."""
        length = int(self.offsets[rows[0] + 1] - self.offsets[rows[0]])
        return self.data[self.places(rows, length)].reshape(len(rows), length)

    def array(self, data: np.ndarray, valid: np.ndarray) -> pa.Array:
        """Returns strings of the same lengths, of other bytes; null where they are not valid."""
        offsets = pa.py_buffer(self.offsets.astype(np.int32))
        bits = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
        buffers = [bits, offsets, pa.py_buffer(data)]
        return pa.Array.from_buffers(pa.string(), len(valid), buffers)
