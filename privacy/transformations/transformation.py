"""What a transformation is: a function of a column of texts, with the faults beside."""

from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa


class Transformation(Protocol):
    """Makes texts of texts. The same text always becomes the same."""

    def __call__(self, values: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """Transforms n texts; null stays null.

        Returns: n texts, null at faults; and n booleans: which could not be transformed.
        """
        ...


@runtime_checkable
class Reversible(Protocol):
    """A transformation that can be taken back by who has the key."""

    def reversed(self) -> Transformation:
        """Returns the transformation that makes of each result what it was made of."""
        ...


def context_of(transformation: Transformation) -> str:
    """Returns the field that decides about a transformation beside the value; empty for none."""
    return str(getattr(transformation, "context", ""))


def transform(
    transformation: Transformation, values: pa.Array, context: pa.Array | None
) -> tuple[pa.Array, np.ndarray]:
    """Transforms n texts, each with its context where the transformation has one."""
    if context is None or not context_of(transformation):
        return transformation(values)
    return transformation(values, context)  # type: ignore[call-arg]


def no_faults(values: pa.Array) -> np.ndarray:
    """Returns n times false."""
    return np.zeros(len(values), bool)
