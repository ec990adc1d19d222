"""Vocabulary: texts by rank."""

from dataclasses import dataclass

import pyarrow as pa

EMPTY = b"__EMPTY_VOCABULARY__"
"""The line of a vocabulary without texts: no table is made of an empty file."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Texts by rank.

    Attributes:
      values: Different texts, as bytes.
    """

    values: pa.LargeBinaryArray

    def __len__(self) -> int:
        return max(1, len(self.values))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and bool(self.values.equals(other.values))

    def __hash__(self) -> int:
        return len(self.values)

    def write(self, path: str) -> None:
        """Writes a file of a text a line."""
        lines = self.values.to_pylist() or [EMPTY]
        with open(path, "wb") as file:
            file.write(b"".join(line + b"\n" for line in lines))
