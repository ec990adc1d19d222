"""Pseudonyms: keyed hashes, tokens of AES-SIV, and words from a list."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from privacy.crypto import hmac, siv
from privacy.transformations.fpe import Decrypted, with_head
from privacy.transformations.transformation import no_faults


@dataclass(frozen=True)
class CryptoHash:
    """Puts the base64 text of a keyed hash in the place of each value.

    Attributes:
      key: At least 16 bytes.
    """

    key: bytes = field(repr=False)

    def __call__(self, values: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """Hashes n texts; null stays null."""
        return hmac.digest(values, self.key), no_faults(values)


@dataclass(frozen=True)
class Deterministic:
    """Puts a token in the place of each value: the same one for the same value and context.

    Attributes:
      key: 16, 24, 32 or 64 bytes.
      surrogate: An infoType's name for the token's head; empty for none.
      context: The field that the token is bound to; empty for none.
    """

    key: bytes = field(repr=False)
    surrogate: str = ""
    context: str = ""

    def __call__(
        self, values: pa.Array, context: pa.Array | None = None
    ) -> tuple[pa.Array, np.ndarray]:
        """Encrypts n texts; null stays null."""
        made, faults = siv.encrypt(values, self.key, context)
        return (with_head(made, self.surrogate) if self.surrogate else made), faults

    def reversed(self) -> Decrypted:
        """Returns what takes tokens back."""

        def decrypt(tokens: pa.Array, context: pa.Array | None) -> tuple[pa.Array, np.ndarray]:
            return siv.decrypt(tokens, self.key, context)

        return Decrypted(decrypt, self.surrogate, self.context)


@dataclass(frozen=True)
class ReplaceDictionary:
    """Puts a word of a list in the place of each value.

    Which one is decided by a key that lives as long as the run, so that a bundle that is tried
    again gives the same; without the key nobody can tell.

    Attributes:
      words: The list.
      key: At least 16 bytes.
    """

    words: tuple[str, ...]
    key: bytes = field(repr=False)

    def __call__(self, values: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """Replaces n texts; null stays null."""
        hashes = hmac.raw_digest(values.cast(pa.binary()).fill_null(b""), self.key)
        numbers = np.frombuffer(b"".join(hashes.to_pylist()), ">u8").reshape(-1, 4)[:, 0]
        places = pa.array((numbers % np.uint64(len(self.words))).astype(np.int64))
        where = pa.array(np.asarray(places), mask=~np.asarray(values.is_valid()))
        return pa.array(self.words, pa.string()).take(where), no_faults(values)
