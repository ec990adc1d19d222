"""The words of texts that may belong to a code: runs of letters and digits, and what joins them."""

from dataclasses import dataclass

import numpy as np

from privacy.detectors.detector import WORD

LONGEST = 24
"""Longer words belong to no code."""

_SHORT = 6
_DIGIT = np.zeros(256, bool)
_DIGIT[48:58] = True
_LETTER = np.zeros(256, bool)
_LETTER[65:91] = _LETTER[97:123] = True


@dataclass(frozen=True, eq=False)
class Tokens:
    """Words that hold a digit, and short words beside these, in the order of the text.

    Attributes:
      data: The bytes of the texts, one after the other.
      rows: The row of each of the n words.
      starts: Where each begins.
      sizes: How many bytes each has.
      letters: A number of which bit i says that the word's byte i is a letter; -1 where it holds
        anything but ASCII letters and digits.
      joints: The byte between a word and the next one; 0 where it is not one byte, or the next
        word is in another row.
      ahead: The byte between a word and the one before it, of whatever kind that is; or 0.
      behind: The byte between a word and the one that follows, of whatever kind; or 0.
    """

    data: np.ndarray
    rows: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    letters: np.ndarray
    joints: np.ndarray
    ahead: np.ndarray
    behind: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)


def tokens_of(data: np.ndarray, offsets: np.ndarray) -> Tokens:
    """Returns the words of n texts that may belong to a code.

    Args:
      data: The texts' bytes.
      offsets: The n + 1 places where they begin and end.
    """
    low, high = int(offsets[0]), int(offsets[-1])
    part = data[low:high]
    word = WORD[part]
    edges = np.zeros(len(part) + 1, bool)
    edges[offsets - low] = True
    before = np.concatenate([[False], word[:-1]]) & ~edges[:-1]
    after = np.concatenate([word[1:], [False]]) & ~edges[1:]
    starts = np.flatnonzero(word & ~before)
    ends = np.flatnonzero(word & ~after) + 1
    if not len(starts):
        return _none(data)
    rows = np.searchsorted(offsets - low, starts, side="right") - 1
    joints = _joints(part, starts, ends, rows)
    chosen = _chosen(part, starts, ends, joints > 0)
    following = np.append(np.diff(chosen) == 1, False)
    return Tokens(
        data,
        rows[chosen],
        starts[chosen] + low,
        (ends - starts)[chosen],
        _letters(part, starts[chosen], ends[chosen]),
        np.where(following, joints[chosen], 0),
        np.concatenate([np.zeros(1, np.uint8), joints])[chosen],
        joints[chosen],
    )


def _joints(part: np.ndarray, starts: np.ndarray, ends: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns the byte behind each word where one byte and no row's end parts it from the next."""
    near = np.append((starts[1:] - ends[:-1] == 1) & (rows[1:] == rows[:-1]), False)
    return np.where(near, part[np.minimum(ends, len(part) - 1)], 0).astype(np.uint8)


def _chosen(
    part: np.ndarray, starts: np.ndarray, ends: np.ndarray, joined: np.ndarray
) -> np.ndarray:
    """Returns the numbers of the words with a digit, and of short ones that are joined to one."""
    numbers = np.add.reduceat(_DIGIT[part], starts, dtype=np.int32) > 0
    sizes = ends - starts
    beside = np.zeros(len(starts), bool)
    beside[1:] |= numbers[:-1] & joined[:-1]
    beside[:-1] |= numbers[1:] & joined[:-1]
    return np.flatnonzero((numbers & (sizes <= LONGEST)) | (beside & (sizes <= _SHORT)))


def _letters(part: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    if not len(starts):
        return np.zeros(0, np.int32)
    width = int((ends - starts).max())
    places = starts[:, None] + np.arange(width)
    inside = places < ends[:, None]
    found = part[np.minimum(places, len(part) - 1)]
    letters = _LETTER[found] & inside
    odd = (inside & ~letters & ~_DIGIT[found]).any(1)
    return np.where(odd, -1, letters @ (1 << np.arange(width)))


def _none(data: np.ndarray) -> Tokens:
    empty = np.zeros(0, np.int64)
    return Tokens(data, *([empty] * 7))
