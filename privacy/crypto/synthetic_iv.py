"""AES-SIV (RFC 5297) on many texts of one length at once.

The names are the standard's: S2V turns a context and a text into the synthetic IV, which is both
the tag and where the counter of CTR begins. CMAC is that of RFC 4493.
"""

import numpy as np

from privacy.crypto.blocks import BLOCK, Aes

_TOP = np.uint64(63)
_POLYNOMIAL = np.uint64(0x87)


class SyntheticIv:
    """AES-SIV with one key.

    Args:
      key: 32, 48 or 64 bytes: half of them for S2V, half for CTR.
    """

    def __init__(self, key: bytes) -> None:
        half = len(key) // 2
        self._mac, self._counter = Aes(key[:half]), Aes(key[half:])
        self._whole = doubled(self._mac.encrypt(np.zeros((1, BLOCK), np.uint8)))
        self._padded = doubled(self._whole)
        self._zero = self.cmac(np.zeros((1, BLOCK), np.uint8))

    def starts(self, contexts: np.ndarray | None) -> np.ndarray:
        """Returns what S2V makes of contexts, before it takes a text.

        Args:
          contexts: n by c bytes; or None, for texts without a context.

        Returns: n by 16 bytes, or 1 by 16.
        """
        return self._zero if contexts is None else doubled(self._zero) ^ self.cmac(contexts)

    def seal(self, texts: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Returns n by 16 + m bytes, IV and ciphertext, of n texts of m bytes."""
        iv = self._iv(texts, starts)
        return np.concatenate([iv, texts ^ self._stream(iv, texts.shape[1])], axis=1)

    def open(self, sealed: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns n texts of m bytes, and n booleans: whether they are what was sealed."""
        iv = sealed[:, :BLOCK]
        texts = sealed[:, BLOCK:] ^ self._stream(iv, sealed.shape[1] - BLOCK)
        return texts, (self._iv(texts, starts) == iv).all(axis=1)

    def cmac(self, messages: np.ndarray) -> np.ndarray:
        """Returns the 16 bytes of the CMAC of n messages of m bytes."""
        rows, length = messages.shape
        count = max(1, -(-length // BLOCK))
        blocks = _ended(messages, count * BLOCK)
        subkey = self._whole if length == count * BLOCK else self._padded
        blocks[:, -BLOCK:] ^= subkey
        state = np.zeros((rows, BLOCK), np.uint8)
        for at in range(0, count * BLOCK, BLOCK):
            state = self._mac.encrypt(state ^ blocks[:, at : at + BLOCK])
        return state

    def _iv(self, texts: np.ndarray, starts: np.ndarray) -> np.ndarray:
        if texts.shape[1] < BLOCK:
            return self.cmac(_ended(texts, BLOCK) ^ doubled(starts))
        last = texts.copy()
        last[:, -BLOCK:] ^= starts
        return self.cmac(last)

    def _stream(self, iv: np.ndarray, length: int) -> np.ndarray:
        """Returns the key stream: the bits that the standard clears leave room to count blocks."""
        count = -(-length // BLOCK)
        first = np.ascontiguousarray(iv).view(">u4").astype(np.uint32)
        first[:, 2:] &= np.uint32(0x7FFFFFFF)
        counters = np.repeat(first[:, None], count, axis=1)
        counters[:, :, 3] += np.arange(count, dtype=np.uint32)
        stream = self._counter.encrypt(counters.byteswap())
        return stream.reshape(len(iv), count * BLOCK)[:, :length]


def doubled(blocks: np.ndarray) -> np.ndarray:
    """Returns blocks doubled in the field of CMAC, of 2^128 elements."""
    words = np.ascontiguousarray(blocks).view(">u8").astype(np.uint64)
    carry = words >> _TOP
    words <<= np.uint64(1)
    words[:, 0] |= carry[:, 1]
    words[:, 1] ^= carry[:, 0] * _POLYNOMIAL
    return words.byteswap().view(np.uint8)


def _ended(texts: np.ndarray, width: int) -> np.ndarray:
    """Returns texts filled up to a width: a bit 1, and then zeros."""
    rows, length = texts.shape
    filled = np.zeros((rows, width), np.uint8)
    filled[:, :length] = texts
    if length < width:
        filled[:, length] = 0x80
    return filled
