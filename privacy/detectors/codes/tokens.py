"""The words of texts that may belong to a code: runs of letters and digits, and what joins them."""

from dataclasses import dataclass, fields, replace

import numpy as np

from privacy.detectors.detector import WORD
from privacy.spans import BLOCK, blocks

LONGEST = 24
"""Longer words belong to no code."""

_SHORT = 6
_IS_WORD, _IS_DIGIT, _IS_LETTER = 1, 2, 4
_KINDS = np.where(WORD, np.uint8(_IS_WORD), np.uint8(0))
_KINDS[48:58] |= _IS_DIGIT
_KINDS[65:91] |= _IS_LETTER
_KINDS[97:123] |= _IS_LETTER
_TABLE = _KINDS.tobytes()


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


def tokens_of(data: np.ndarray, offsets: np.ndarray, size: int = BLOCK) -> Tokens:
    """Returns the words of n texts that may belong to a code.

    Args:
      data: The texts' bytes.
      offsets: The n + 1 places where they begin and end.
      size: How many bytes are looked at together.
    """
    made = [
        replace(block, rows=block.rows + first)
        for first, last in blocks(offsets, size)
        for block in [_of_block(data, offsets[first : last + 1])]
    ]
    return _joined(data, made)


def _joined(data: np.ndarray, parts: list[Tokens]) -> Tokens:
    if len(parts) == 1:
        return parts[0]
    names = [each.name for each in fields(Tokens) if each.name != "data"]
    made = {name: [getattr(part, name) for part in parts] for name in names}
    return (
        Tokens(data, **{name: np.concatenate(each) for name, each in made.items()})
        if parts
        else _none(data)
    )


def _of_block(data: np.ndarray, offsets: np.ndarray) -> Tokens:
    """Returns the words of some texts."""
    low, high = int(offsets[0]), int(offsets[-1])
    part, places = data[low:high], offsets - low
    kinds = np.frombuffer(part.tobytes().translate(_TABLE), np.uint8)
    starts, ends = _words(kinds, places)
    if not len(starts):
        return _none(data)
    numbered, numbers = _numbered(kinds, starts)
    joints = _joints(part, starts, ends, _near(numbered), places)
    chosen = _chosen(numbered, ends - starts, joints > 0)
    starts, sizes, numbers = starts[chosen], (ends - starts)[chosen], numbers[chosen]
    following = np.append(np.diff(chosen) == 1, False)
    behind = joints[chosen]
    return Tokens(
        data,
        _rows(starts, places),
        starts + low,
        sizes,
        _letters(kinds, starts, sizes, numbers),
        np.where(following, behind, 0),
        np.where(chosen > 0, joints[chosen - 1], 0),
        behind,
    )


def _words(kinds: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns where words begin and end; rows end at places, and words with them."""
    word = (kinds & _IS_WORD).view(bool)
    before, after = np.zeros(len(word) + 1, bool), np.zeros(len(word) + 1, bool)
    before[1:], after[:-1] = word, word
    before[places] = after[places] = False
    return np.flatnonzero(word > before[:-1]), np.flatnonzero(word > after[1:]) + 1


def _numbered(kinds: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns which words hold digits, and how many each."""
    digits = kinds & _IS_DIGIT
    before = np.zeros(len(kinds), np.uint8)
    before[1:] = digits[:-1]
    before[starts] = 0
    firsts = np.flatnonzero(digits > before)
    numbered, numbers = np.zeros(len(starts), bool), np.zeros(len(starts), np.int64)
    numbered[np.searchsorted(starts, firsts, side="right") - 1] = True
    which = np.flatnonzero(numbered)
    if len(which):
        # Between the beginnings of two such words stand digits of the first one only.
        numbers[which] = np.add.reduceat(digits >> 1, starts[which], dtype=np.uint32)
    return numbered, numbers


def _near(numbered: np.ndarray) -> np.ndarray:
    """Returns the numbers of the words with digits, and of the neighbours that count."""
    near = numbered.copy()
    near[1:] |= numbered[:-1]
    near[:-1] |= numbered[1:]
    near[:-2] |= numbered[2:]
    return np.flatnonzero(near)


def _joints(
    part: np.ndarray, starts: np.ndarray, ends: np.ndarray, asked: np.ndarray, places: np.ndarray
) -> np.ndarray:
    """Returns the byte behind each word that is asked for, if nothing else parts it from the next.

    It is 0 where more bytes do, or the end of a row, and for the other words.
    """
    asked = asked[: np.searchsorted(asked, len(starts) - 1)]
    asked = asked[starts[asked + 1] - ends[asked] == 1]
    at = ends[asked]
    # Both words belong to one row: none begins at the byte between them, or right behind it.
    rows = np.searchsorted(places, at + 1, side="right")
    whole = places[rows - 1] < at
    made = np.zeros(len(starts), np.uint8)
    made[asked[whole]] = part[at[whole]]
    return made


def _rows(starts: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Returns the row of each of some ordered places."""
    firsts = np.searchsorted(starts, places)
    return np.repeat(np.arange(len(places) - 1), np.diff(firsts))


def _chosen(numbered: np.ndarray, sizes: np.ndarray, joined: np.ndarray) -> np.ndarray:
    """Returns the numbers of the words with a digit, and of short ones that are joined to one."""
    beside = np.zeros(len(sizes), bool)
    beside[1:] |= numbered[:-1] & joined[:-1]
    beside[:-1] |= numbered[1:] & joined[:-1]
    return np.flatnonzero((numbered & (sizes <= LONGEST)) | (beside & (sizes <= _SHORT)))


def _letters(
    kinds: np.ndarray, starts: np.ndarray, sizes: np.ndarray, numbers: np.ndarray
) -> np.ndarray:
    """Returns which bytes of each word are letters; most words hold digits alone, or none."""
    made = np.zeros(len(starts), np.int32)
    mixed = numbers != sizes
    for some in (mixed & (sizes <= _SHORT), mixed & (sizes > _SHORT)):
        which = np.flatnonzero(some)
        if len(which):
            made[which] = _marked(kinds, starts[which], sizes[which], numbers[which])
    return made


def _marked(
    kinds: np.ndarray, starts: np.ndarray, sizes: np.ndarray, numbers: np.ndarray
) -> np.ndarray:
    width = int(sizes.max())
    places = starts[:, None] + np.arange(width)
    found = kinds[np.minimum(places, len(kinds) - 1)]
    letters = (found & _IS_LETTER > 0) & (np.arange(width) < sizes[:, None])
    bits = np.zeros((len(starts), 4), np.uint8)
    packed = np.packbits(letters, axis=1, bitorder="little")
    bits[:, : packed.shape[1]] = packed
    whole = letters.sum(1) + numbers == sizes
    return np.where(whole, bits.view("<i4")[:, 0], -1)


def _none(data: np.ndarray) -> Tokens:
    empty = np.zeros(0, np.int64)
    return Tokens(data, *([empty] * 7))
