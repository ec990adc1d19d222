"""Marks of texts: which kinds of bytes each holds, so that most patterns need not be tried."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from privacy.detectors.needs import DIGIT, JOINED, LETTER, MARKS, MOST_DIGITS
from privacy.spans import blocks, text_bytes, text_offsets

_TABLE = MARKS.tobytes()


@dataclass(frozen=True, eq=False)
class Marked:
    """m texts of a column that may hold something.

    Attributes:
      rows: Their numbers in the column.
      texts: The texts.
      codes: What each holds; see `needs.CODES`.
    """

    rows: np.ndarray
    texts: pa.Array
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, rows: np.ndarray, texts: pa.Array) -> "Marked":
        """Returns texts with their marks."""
        return cls(rows, texts, codes_of(texts))

    def take(self, which: np.ndarray) -> "Marked":
        """Returns some of them, by their places; the same where these are all."""
        if len(which) == len(self.rows):
            return self
        return Marked(self.rows[which], self.texts.take(pa.array(which)), self.codes[which])

    def fitting(self, needs: np.ndarray) -> np.ndarray:
        """Returns the places of those that may hold what needs these codes."""
        return np.flatnonzero(needs[self.codes])


def codes_of(texts: pa.Array) -> np.ndarray:
    """Returns the code of each of n texts; see `needs.CODES`."""
    offsets, data = text_offsets(texts), text_bytes(texts)
    codes = np.zeros(len(texts), np.uint16)
    for first, last in blocks(offsets):
        codes[first:last] = _of_block(data, offsets[first : last + 1])
    return codes


def _of_block(data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    codes = np.zeros(len(offsets) - 1, np.uint16)
    filled = np.flatnonzero(np.diff(offsets))
    if not len(filled):
        return codes
    starts = offsets[filled] - offsets[0]
    part = data[offsets[0] : offsets[-1]].tobytes()
    marks = np.frombuffer(part.translate(_TABLE), np.uint8)
    digits = np.add.reduceat(marks & DIGIT, starts, dtype=np.uint32)
    held = marks & ~np.uint8(LETTER)
    # A row may begin behind another's letter: then it is tried for nothing.
    held[1:] |= (marks[:-1] & LETTER) & (marks[1:] & DIGIT) * np.uint8(JOINED)
    joined = np.bitwise_or.reduceat(held, starts)
    codes[filled] = joined | np.minimum(digits, MOST_DIGITS).astype(np.uint16) << 8
    return codes
