"""Format-preserving encryption: FF1, as DLP's `CryptoReplaceFfxFpeConfig` asks for it."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.crypto import ff1


@dataclass(frozen=True)
class FfxFpe:
    """Encrypts each value to one of the same length and alphabet.

    Attributes:
      key: 16, 24 or 32 bytes.
      alphabet: The characters that a value may have.
      surrogate: An infoType's name that is put before, with the length, as `NAME(n):token`; empty
        for none.
    """

    key: bytes = field(repr=False)
    alphabet: str
    surrogate: str = ""

    def __call__(self, values: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """Encrypts n texts; one with other characters, or too short, is a fault."""
        made, faults = ff1.encrypt(values, self.key, None, self.alphabet)
        if not self.surrogate:
            return made, faults
        size = pc.utf8_length(made).cast(pa.string())
        head = pa.scalar(f"{self.surrogate}(")
        return pc.binary_join_element_wise(head, size, "):", made, ""), faults
