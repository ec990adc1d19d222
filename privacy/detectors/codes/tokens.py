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
      letters: A number whose bit i says that the word's byte i is a letter; -1 where it holds
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
    joints = _joints(part, starts, ends, edges)
    sizes = ends - starts
    numbers = _digits(part, starts, ends)
    chosen = _chosen(numbers > 0, sizes, joints > 0)
    following = np.append(np.diff(chosen) == 1, False)
    return Tokens(
        data,
        np.searchsorted(offsets - low, starts[chosen], side="right") - 1,
        starts[chosen] + low,
        sizes[chosen],
        _letters(part, starts[chosen], sizes[chosen], numbers[chosen]),
        np.where(following, joints[chosen], 0),
        np.concatenate([np.zeros(1, np.uint8), joints])[chosen],
        joints[chosen],
    )


def _digits(part: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Returns how many digits each word has; of words of more than 255 bytes the rest by 256."""
    digits = _DIGIT[part].view(np.uint8)
    # Sums of bytes may run over: their differences don't, within a word.
    sums = np.cumsum(digits, dtype=np.uint8)
    return np.asarray(sums[ends - 1] - sums[starts] + digits[starts])


def _joints(
    part: np.ndarray, starts: np.ndarray, ends: np.ndarray, edges: np.ndarray
) -> np.ndarray:
    """Returns the byte behind each word where one byte and no row's end parts it from the next."""
    whole = ~(edges[ends[:-1]] | edges[starts[1:]])
    near = np.append((starts[1:] - ends[:-1] == 1) & whole, False)
    return np.where(near, part[np.minimum(ends, len(part) - 1)], 0).astype(np.uint8)


def _chosen(numbers: np.ndarray, sizes: np.ndarray, joined: np.ndarray) -> np.ndarray:
    """Returns the numbers of the words with a digit, and of short ones that are joined to one."""
    beside = np.zeros(len(sizes), bool)
    beside[1:] |= numbers[:-1] & joined[:-1]
    beside[:-1] |= numbers[1:] & joined[:-1]
    return np.flatnonzero((numbers & (sizes <= LONGEST)) | (beside & (sizes <= _SHORT)))


def _letters(
    part: np.ndarray, starts: np.ndarray, sizes: np.ndarray, numbers: np.ndarray
) -> np.ndarray:
    """Returns which bytes of each word are letters; most words hold digits alone, or none."""
    made = np.zeros(len(starts), np.int32)
    mixed = numbers != sizes
    for some in (mixed & (sizes <= _SHORT), mixed & (sizes > _SHORT)):
        which = np.flatnonzero(some)
        if len(which):
            made[which] = _marked(part, starts[which], sizes[which], numbers[which])
    return made


def _marked(
    part: np.ndarray, starts: np.ndarray, sizes: np.ndarray, numbers: np.ndarray
) -> np.ndarray:
    width = int(sizes.max())
    places = starts[:, None] + np.arange(width)
    found = part[np.minimum(places, len(part) - 1)]
    letters = _LETTER[found] & (np.arange(width) < sizes[:, None])
    bits = np.zeros((len(starts), 4), np.uint8)
    packed = np.packbits(letters, axis=1, bitorder="little")
    bits[:, : packed.shape[1]] = packed
    whole = letters.sum(1) + numbers == sizes
    return np.where(whole, bits.view("<i4")[:, 0], -1)


def _none(data: np.ndarray) -> Tokens:
    empty = np.zeros(0, np.int64)
    return Tokens(data, *([empty] * 7))
