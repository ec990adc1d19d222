"""Levels of lists in lists: which lists are there, and how many values each holds."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Level:
    """Rows, or the lists that are in those of the level above.

    Attributes:
      valid: Which are there.
      lengths: How many values those hold that are there; None of what is no list.
      weights: The weights of all, where rows have any.
    """

    valid: np.ndarray
    lengths: np.ndarray | None
    weights: np.ndarray | None

    @classmethod
    def of(cls, lists: pa.Array, weights: np.ndarray | None) -> "Level":
        """Returns the level of some lists."""
        lengths = pc.list_value_length(lists).drop_null().to_numpy().astype(np.int64)
        return cls(valid_of(lists), lengths, weights)

    def weights_of_values(self) -> np.ndarray | None:
        """Returns the weights of the lists' items."""
        if self.weights is None or self.lengths is None:
            return None
        return np.repeat(self.weights[self.valid], self.lengths)


def valid_of(array: pa.Array) -> np.ndarray:
    """Returns which values are not null."""
    if not array.null_count:
        return np.ones(len(array), bool)
    valid: np.ndarray = array.is_valid().to_numpy(zero_copy_only=False)
    return valid


def values_of_rows(levels: list[Level]) -> np.ndarray | None:
    """Returns how many values each present row has in its innermost lists; None without lists."""
    counts = levels[-1].lengths
    for above, level in zip(levels[-2::-1], levels[:0:-1], strict=True):
        assert counts is not None
        assert above.lengths is not None
        inner = np.zeros(len(level.valid), np.int64)
        inner[level.valid] = counts
        ends = np.cumsum(np.concatenate([[0], inner]))[np.cumsum(above.lengths)]
        counts = np.diff(ends, prepend=0)
    return counts
