"""Format-preserving encryption: FF1, as DLP's `CryptoReplaceFfxFpeConfig` asks for it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.crypto import ff1
from privacy.crypto.alphabets import tweaks


@dataclass(frozen=True)
class FfxFpe:
    """Encrypts each value to one of the same length and alphabet.

    Attributes:
      key: 16, 24 or 32 bytes.
      alphabet: The characters that a value may have.
      surrogate: An infoType's name that is put before, with the length, as `NAME(n):token`; empty
        for none.
      context: The field that gives the tweak; empty for the empty tweak.
    """

    key: bytes = field(repr=False)
    alphabet: str
    surrogate: str = ""
    context: str = ""

    def __call__(
        self, values: pa.Array, context: pa.Array | None = None
    ) -> tuple[pa.Array, np.ndarray]:
        """Encrypts n texts; one with other characters, or too short, is a fault."""
        made, faults = ff1.encrypt(values, self.key, _tweak(context), self.alphabet)
        return (with_head(made, self.surrogate), faults) if self.surrogate else (made, faults)

    def reversed(self) -> "Decrypted":
        """Returns what takes the encryption back."""

        def decrypt(tokens: pa.Array, context: pa.Array | None) -> tuple[pa.Array, np.ndarray]:
            return ff1.decrypt(tokens, self.key, _tweak(context), self.alphabet)

        return Decrypted(decrypt, self.surrogate, self.context)


def _tweak(context: pa.Array | None) -> pa.Array | None:
    return None if context is None else tweaks(context)


@dataclass(frozen=True)
class Decrypted:
    """Takes tokens back.

    Attributes:
      decrypt: Makes texts of tokens without their heads, and tells the faults.
      surrogate: What their heads name; empty where they have none.
      context: The field that they were made with; empty for none.
    """

    decrypt: Callable[[pa.Array, pa.Array | None], tuple[pa.Array, np.ndarray]] = field(repr=False)
    surrogate: str = ""
    context: str = ""

    def __call__(
        self, values: pa.Array, context: pa.Array | None = None
    ) -> tuple[pa.Array, np.ndarray]:
        """Decrypts n tokens; one that is none, or is of another key, is a fault."""
        if not self.surrogate:
            return self.decrypt(values, context)
        pattern = rf"^{re.escape(self.surrogate)}\((?P<size>[0-9]+)\):(?P<token>(?s:.*))$"
        parts = pc.extract_regex(values, pattern)
        tokens = pc.struct_field(parts, "token")
        sizes = pc.struct_field(parts, "size")
        # An empty text is the head with nothing behind it; `extract_regex` gives null for no match.
        right = pc.equal(pc.utf8_length(tokens).cast(pa.string()), sizes)
        made, faults = self.decrypt(pc.if_else(right, tokens, None), context)
        missing = np.asarray(pc.and_(values.is_valid(), pc.invert(pc.fill_null(right, False))))
        return made, faults | missing


def with_head(tokens: pa.Array, surrogate: str) -> pa.Array:
    """Returns tokens with their heads: `NAME(n):token`."""
    size = pc.utf8_length(tokens).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar(f"{surrogate}("), size, "):", tokens, "")
