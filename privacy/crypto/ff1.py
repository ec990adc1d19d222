"""Format-preserving encryption of columns: FF1 of NIST SP 800-38G with AES.

Equal to Cloud DLP's `CryptoReplaceFfxFpeConfig` without a context (checked with the pair that
Google publishes) and, by its documentation, with one. A text of fewer than 1,000,000 possible
values can be found by trying all (revision 1 of the standard forbids it): `is_weak` says so, and
nothing is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from privacy.crypto.alphabets import MAX_RADIX, MIN_RADIX
from privacy.crypto.blocks import Aes
from privacy.crypto.feistel import Rounds
from privacy.crypto.texts import Texts, groups, text_column
from transforms.errors import ConfigError

KEY_SIZES = (16, 24, 32)
MIN_VALUES = 100
WEAK_VALUES = 1_000_000
_BAD = 255

Tweak: TypeAlias = bytes | pa.Array | None
"""One for all values; or a binary value for each, as `alphabets.tweaks` makes them; or none."""


def encrypt(
    values: pa.Array, key: bytes, tweak: Tweak, alphabet: str
) -> tuple[pa.Array, np.ndarray]:
    """Encrypts a column of texts, each to a text of its length and alphabet.

    Args:
      values: n strings. Nulls stay null, and empty texts empty, as with DLP.
      key: 16, 24 or 32 bytes.
      tweak: The tweak; the same is needed to decrypt.
      alphabet: The characters, in the order of what they stand for.

    Returns: n strings, null at faults, and n booleans: the faults, which are texts with a character
    outside the alphabet, and such that are too short (of less than 2 characters or 100 values).

    Raises:
      ConfigError: The key is of another size, or the alphabet can't be used.
    """
    return _column(values, key, tweak, alphabet, lambda rounds, digits: rounds.encrypt(digits))


def decrypt(
    values: pa.Array, key: bytes, tweak: Tweak, alphabet: str
) -> tuple[pa.Array, np.ndarray]:
    """Decrypts what `encrypt` made, with the same key, tweak and alphabet; see there."""
    return _column(values, key, tweak, alphabet, lambda rounds, digits: rounds.decrypt(digits))


def shortest(radix: int) -> int:
    """Returns the least number of characters that can be encrypted."""
    length = 2
    while radix**length < MIN_VALUES:
        length += 1
    return length


def is_weak(length: int, radix: int) -> bool:
    """Tells whether texts of a length have so few possible values that trying them all is easy."""
    return bool(radix**length < WEAK_VALUES)


def _column(
    values: pa.Array,
    key: bytes,
    tweak: Tweak,
    alphabet: str,
    run: Callable[[Rounds, np.ndarray], np.ndarray],
) -> tuple[pa.Array, np.ndarray]:
    codes = _codes(alphabet)
    cipher = _cipher(key)
    texts = Texts.of(text_column(values))
    digits = codes[texts.data]
    faults = _faults(texts, digits, len(alphabet))
    given, letters = _Tweaks.of(tweak, len(values)), np.frombuffer(alphabet.encode(), np.uint8)
    out = np.zeros(len(texts.data), np.uint8)
    good = np.flatnonzero(texts.valid & ~faults & (texts.lengths > 0))
    lengths = texts.lengths
    kinds = lengths << 32 | given.lengths if len(given.lengths) else lengths
    for rows in groups(good, kinds, lengths):
        length = int(lengths[rows[0]])
        places = texts.places(rows, length)
        part = np.ascontiguousarray(digits[places].reshape(len(rows), length).T)
        rounds = Rounds(cipher, len(alphabet), length, given.rows(rows))
        out[places] = letters[run(rounds, part).T].reshape(-1)
    return texts.array(out, texts.valid & ~faults), faults


def _codes(alphabet: str) -> np.ndarray:
    """Returns the digit of each byte, 255 for bytes outside the alphabet."""
    if not alphabet.isascii() or len(set(alphabet)) != len(alphabet):
        raise ConfigError("an alphabet is made of different ASCII characters")
    if not MIN_RADIX <= len(alphabet) <= MAX_RADIX:
        raise ConfigError(f"an alphabet has 2 to 95 characters, not {len(alphabet)}")
    codes = np.full(256, _BAD, np.uint8)
    codes[np.frombuffer(alphabet.encode(), np.uint8)] = np.arange(len(alphabet))
    return codes


def _cipher(key: bytes) -> Aes:
    if len(key) not in KEY_SIZES:
        raise ConfigError(f"a key of FF1 has 16, 24 or 32 bytes, not {len(key)}")
    return Aes(key)


def _faults(texts: Texts, digits: np.ndarray, radix: int) -> np.ndarray:
    faults = texts.valid & (texts.lengths > 0) & (texts.lengths < shortest(radix))
    bad = np.flatnonzero(digits == _BAD)
    if len(bad):
        faults[texts.rows_of(bad)] = True
        faults &= texts.valid
    return faults


@dataclass(frozen=True)
class _Tweaks:
    """The tweaks of a column.

    Args:
      lengths: In bytes, of each row; empty where one tweak serves all.
      shared: The tweak of all, 1 by t bytes.
      texts: The tweaks of rows.
    """

    lengths: np.ndarray
    shared: np.ndarray | None = None
    texts: Texts | None = None

    @classmethod
    def of(cls, tweak: Tweak, rows: int) -> "_Tweaks":
        if isinstance(tweak, pa.Array):
            if len(tweak) != rows or tweak.null_count:
                raise ConfigError("a tweak for each value is needed, and none may be null")
            texts = Texts.of(tweak.cast(pa.binary()))
            return cls(texts.lengths, texts=texts)
        return cls(np.zeros(0, np.int64), np.frombuffer(tweak or b"", np.uint8)[None])

    def rows(self, rows: np.ndarray) -> np.ndarray:
        """Returns the tweaks of rows whose tweaks have one length: 1 or k by t bytes."""
        if self.texts is None:
            assert self.shared is not None
            return self.shared
        return self.texts.matrix(rows)
