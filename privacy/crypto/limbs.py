"""Whole numbers of any size, a column at a time: arrays of limbs instead of Python's integers.

A number of m digits in a radix is held as limbs in base radix^k, where k is the most digits that
32 bits hold; the first limb is the lowest, the last one has what is left of the digits. So adding
modulo radix^m drops the carry of the last limb, and no step needs more than 64 bits.
"""

import functools
from dataclasses import dataclass

import numpy as np

_WORD = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True)
class Layout:
    """How a number of m digits is cut into limbs.

    Args:
      radix: The base of the digits, 2 to 95.
      digits: m.
    """

    radix: int
    digits: int

    @functools.cached_property
    def widths(self) -> list[int]:
        """Returns how many digits each limb has, the lowest limb first."""
        most = max(k for k in range(1, 33) if self.radix**k <= 1 << 32)
        whole, rest = divmod(self.digits, most)
        return [most] * whole + ([rest] if rest else [])

    @functools.cached_property
    def bases(self) -> list[np.uint64]:
        """Returns the base of each limb."""
        return [np.uint64(self.radix**width) for width in self.widths]

    def of_digits(self, digits: np.ndarray) -> np.ndarray:
        """Returns the limbs of numbers.

        Args:
          digits: m by n bytes, the highest digit first.

        Returns: L by n unsigned 64-bit integers.
        """
        limbs = np.empty((len(self.widths), digits.shape[1]), np.uint64)
        stop = self.digits
        for limb, width in zip(limbs, self.widths, strict=True):
            value = digits[stop - width].astype(np.uint32)
            for row in digits[stop - width + 1 : stop]:
                value *= np.uint32(self.radix)
                value += row
            limb[:] = value
            stop -= width
        return limbs

    def to_digits(self, limbs: np.ndarray, out: np.ndarray) -> None:
        """Writes the digits of numbers, the highest first, into m by n bytes."""
        radix, place = np.uint32(self.radix), self.digits
        for limb, width in zip(limbs, self.widths, strict=True):
            value = limb.astype(np.uint32)
            for _ in range(width):
                place -= 1
                rest = value // radix
                value -= rest * radix
                out[place] = value
                value = rest

    def to_words(self, limbs: np.ndarray, count: int) -> np.ndarray:
        """Returns numbers as `count` words of 32 bits, the highest first: count by n."""
        if len(limbs) == 1:
            words = np.zeros((count, limbs.shape[1]), np.uint64)
            words[-1] = limbs[0]
            return words
        words = np.zeros((count, limbs.shape[1]), np.uint64)
        for limb, base in zip(limbs[::-1], self.bases[::-1], strict=True):
            carry = limb
            for word in words[::-1]:
                word *= base
                word += carry
                carry = word >> _WORD
                word &= _LOW
        return words

    def of_words(self, words: np.ndarray) -> np.ndarray:
        """Returns numbers modulo radix^m, given as words of 32 bits, the highest first."""
        if len(self.bases) == 1 and len(words) == 2:
            return _rest((words[0] << _WORD) | words[1], self.bases[0])[None]
        limbs = np.zeros((len(self.bases), words.shape[1]), np.uint64)
        for word in words:
            carry = word
            for limb, base in zip(limbs, self.bases, strict=True):
                limb <<= _WORD
                limb += carry
                carry = limb // base
                limb -= carry * base
        return limbs

    def add(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Returns left + right modulo radix^m."""
        total: np.ndarray = left + right
        carry: np.ndarray | None = None
        for limb, base in zip(total, self.bases, strict=True):
            if carry is not None:
                limb += carry
            carry = limb >= base
            limb -= carry * base
        return total

    def subtract(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Returns left - right modulo radix^m."""
        total: np.ndarray = left + np.array(self.bases)[:, None]
        total -= right
        borrow: np.ndarray | None = None
        for limb, base in zip(total, self.bases, strict=True):
            if borrow is not None:
                limb -= borrow
            enough = limb >= base
            limb -= enough * base
            borrow = ~enough
        return total


def _rest(value: np.ndarray, base: np.uint64) -> np.ndarray:
    """Returns value modulo base: Numpy divides by a constant much faster than it takes a rest."""
    rest: np.ndarray = value - value // base * base
    return rest
