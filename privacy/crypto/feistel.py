"""The ten rounds of FF1 (NIST SP 800-38G, algorithms 7 and 8), on many texts of one length at once.

The names of the variables are the standard's: n digits in halves of u and v; b bytes hold the
number of a half, d bytes are taken of the pseudo-random function, t is the length of the tweak.
The AES calls of a round go out as one call of the library, of one block a text.
"""

from typing import Any

import numpy as np

from privacy.crypto.blocks import BLOCK, Aes
from privacy.crypto.limbs import Layout

ROUNDS = 10


class Rounds:
    """The rounds for texts of one length and tweaks of one length.

    Args:
      aes: The block cipher.
      radix: The size of the alphabet.
      length: n.
      tweaks: k by t bytes: k is 1, or the number of texts.
    """

    def __init__(self, aes: Aes, radix: int, length: int, tweaks: np.ndarray) -> None:
        self._aes = aes
        u, v = length // 2, length - length // 2
        self._u, self._layouts = u, (Layout(radix, u), Layout(radix, v))
        self._b = ((radix**v - 1).bit_length() + 7) // 8
        self._words = -(-self._b // 4)
        self._make_template(radix, length, tweaks)

    def encrypt(self, digits: np.ndarray) -> np.ndarray:
        """Returns the encrypted digits of n by rows digits, in the same shape."""
        left, right = (half.of_digits(part) for half, part in self._halves(digits))
        self._begin(digits.shape[1])
        for i in range(ROUNDS):
            layout = self._layouts[i % 2]
            left, right = right, layout.add(left, layout.of_words(self._random(i, right, i)))
        return self._joined(left, right, digits)

    def decrypt(self, digits: np.ndarray) -> np.ndarray:
        """Returns the digits that `encrypt` was given."""
        left, right = (half.of_digits(part) for half, part in self._halves(digits))
        self._begin(digits.shape[1])
        for i in reversed(range(ROUNDS)):
            layout = self._layouts[i % 2]
            left, right = layout.subtract(right, layout.of_words(self._random(i, left, i))), left
        return self._joined(left, right, digits)

    def _halves(self, digits: np.ndarray) -> Any:
        return zip(self._layouts, (digits[: self._u], digits[self._u :]), strict=True)

    def _joined(self, left: np.ndarray, right: np.ndarray, like: np.ndarray) -> np.ndarray:
        out = np.empty_like(like)
        for (layout, part), limbs in zip(self._halves(out), (left, right), strict=True):
            layout.to_digits(limbs, part)
        return out

    def _make_template(self, radix: int, length: int, tweaks: np.ndarray) -> None:
        """Makes P and the part of Q that no round changes, and encrypts the whole blocks of it."""
        t, b = tweaks.shape[1], self._b
        first = bytes([1, 2, 1]) + radix.to_bytes(3) + bytes([ROUNDS, self._u % 256])
        first += length.to_bytes(4) + t.to_bytes(4)
        q = np.zeros((len(tweaks), t + (-t - b - 1) % BLOCK + 1 + b), np.uint8)
        q[:, :t] = tweaks
        place = q.shape[1] - b - 1
        start = place // BLOCK * BLOCK
        state = np.tile(np.frombuffer(first, np.uint8), (len(tweaks), 1))
        state = self._aes.encrypt(state)
        for at in range(0, start, BLOCK):
            state = self._aes.encrypt(state ^ q[:, at : at + BLOCK])
        self._template = q[:, start:]
        self._template[:, :BLOCK] ^= state
        self._round_word, byte = divmod(place - start, 4)
        self._round_shift = 8 * (3 - byte)

    def _begin(self, rows: int) -> None:
        """Lays out the last blocks of Q for all rows; rounds write only the words that change."""
        self._constant = self._template.view(">u4").astype(np.uint64)
        words = self._template.view(np.uint32)
        self._blocks = np.array(np.broadcast_to(words, (rows, words.shape[1])))

    def _random(self, i: int, half: np.ndarray, round_number: int) -> np.ndarray:
        """Returns y of round i as words of 32 bits, the highest first: d/4 by rows."""
        words = self._layouts[1 - i % 2].to_words(half, self._words)
        self._fill(words, round_number)
        rows = len(self._blocks)
        state = self._aes.encrypt(self._blocks[:, :4])
        for at in range(4, self._blocks.shape[1], 4):
            state = self._aes.encrypt(state.view(np.uint32) ^ self._blocks[:, at : at + 4])
        d = self._words + 1
        parts = [state]
        for j in range(1, -(-4 * d // BLOCK)):
            more = state.copy()
            more[:, -4:] ^= np.frombuffer(j.to_bytes(4), np.uint8)
            parts.append(self._aes.encrypt(more))
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        taken = whole.view(np.uint32).reshape(rows, -1)[:, :d].T
        return taken.byteswap().astype(np.uint64)

    def _fill(self, words: np.ndarray, round_number: int) -> None:
        """Writes the number of the round and that of the half into the blocks."""
        count = self._constant.shape[1]
        first = count - len(words)
        for place in {self._round_word, *range(first, count)}:
            value = self._constant[:, place]
            if place == self._round_word:
                value = value ^ np.uint64(round_number << self._round_shift)
            if place >= first:
                value = value ^ words[place - first]
            self._blocks[:, place] = value.astype(np.uint32).byteswap()
