"""Characters masked, by the rules of Cloud DLP's `CharacterMaskConfig`."""

import string
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.spans import text_offsets
from privacy.transformations.transformation import no_faults

COMMON = {
    "NUMERIC": string.digits,
    "ALPHA_UPPER_CASE": string.ascii_uppercase,
    "ALPHA_LOWER_CASE": string.ascii_lowercase,
    "PUNCTUATION": string.punctuation,
    "WHITESPACE": " \t\n\x0b\f\r",
}
"""The groups of characters to ignore that have a name."""


@dataclass(frozen=True)
class CharacterMask:
    """Masks the characters of each value, all or some.

    Attributes:
      character: What stands in their place.
      number: How many are masked; 0 for all, and a negative number leaves so many unmasked.
      reverse: Whether masking begins at the end.
      ignored: Characters that stay, and are not counted.
    """

    character: str = "*"
    number: int = 0
    reverse: bool = False
    ignored: str = ""

    def __call__(self, values: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """Masks n texts; null stays null."""
        texts = values.fill_null("")
        points = np.frombuffer("".join(texts.to_pylist()).encode("utf-32-le"), np.uint32)
        rows = _rows_of(texts, points)
        masked = np.where(self._which(points, rows, len(texts)), ord(self.character), points)
        made = _texts(masked.astype(np.uint32), rows, len(texts))
        return _with_nulls(made, values), no_faults(values)

    def _which(self, points: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
        """Tells which characters are masked."""
        open_ones = ~np.isin(points, [ord(letter) for letter in self.ignored])
        if not self.number:
            return open_ones
        totals = np.bincount(rows, open_ones, count).astype(np.int64)
        before = np.cumsum(totals) - totals
        rank = np.cumsum(open_ones) - before[rows]
        if self.reverse:
            rank = totals[rows] - rank + 1
        if self.number > 0:
            return np.asarray(open_ones & (rank <= self.number))
        return np.asarray(open_ones & (rank <= totals[rows] + self.number))


def _widths(points: np.ndarray) -> np.ndarray:
    """Returns how many bytes each code point takes in UTF-8."""
    wide = (points >= 0x80).astype(np.int64) + (points >= 0x800) + (points >= 0x10000)
    return np.asarray(1 + wide)


def _rows_of(texts: pa.Array, points: np.ndarray) -> np.ndarray:
    """Returns the row of each code point."""
    offsets = text_offsets(texts)
    first = np.cumsum(_widths(points)) - _widths(points) + offsets[0]
    return np.asarray(np.searchsorted(offsets, first, side="right") - 1)


def _texts(points: np.ndarray, rows: np.ndarray, count: int) -> pa.Array:
    sizes = np.bincount(rows, _widths(points), count).astype(np.int64)
    offsets = np.zeros(count + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    data = points.tobytes().decode("utf-32-le").encode()
    return pa.Array.from_buffers(
        pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )


def _with_nulls(made: pa.Array, values: pa.Array) -> pa.Array:
    if not values.null_count:
        return made
    return pc.if_else(values.is_valid(), made, pa.scalar(None, pa.string()))
