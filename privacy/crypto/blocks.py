"""AES on many blocks in one call of the library: what FF1 and tokens are built from."""

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 16


class Aes:
    """AES, block by block.

    Args:
      key: 16, 24 or 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        # Modes of operation are built on top: ECB is how the library gives single blocks.
        self._cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()

    def encrypt(self, blocks: np.ndarray) -> np.ndarray:
        """Returns n by 16 bytes, encrypted; they may be given as words of any width."""
        data = np.ascontiguousarray(blocks)
        out = bytearray(data.nbytes + BLOCK - 1)
        self._cipher.update_into(data.reshape(-1).view(np.uint8).data, out)
        return np.frombuffer(out, np.uint8, data.nbytes).reshape(-1, BLOCK)
