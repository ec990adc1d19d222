"""How often texts stand in a column, where statistics may hold only the most frequent ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transforms.metadata.columns import Column

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TextMass:
    """The counts of texts, and their possible errors.

    Attributes:
      counts: Of the texts that the statistics hold.
      total: Of all values.
      short: The most by which a count may be too small.
      unseen: The largest possible count of a text that they do not hold.
    """

    counts: Mapping[str, float]
    total: float
    short: float = 0.0
    unseen: float = 0.0

    def bounds(self, texts: Sequence[str]) -> tuple[_Floats, _Floats]:
        """Returns the least and the greatest possible count of each text."""
        least = np.array([self.counts.get(text, 0.0) for text in texts])
        more = [self.short if text in self.counts else self.unseen for text in texts]
        return least, least + np.array(more)


def text_mass_of(column: Column) -> TextMass | None:
    """Returns the counts of a column; None if its statistics count no texts."""
    if column.unique is None:
        return None
    held = sum(column.counts.values())
    error = column.count_error
    if error is None and column.unique <= len(column.counts):
        return TextMass(column.counts, held)
    total = max(column.total_values, held)
    rest = total - held
    if error is not None:
        return TextMass(column.counts, total, min(error, rest), min(error, rest))
    # Of TFDV's statistics those that are held are right, and what is not held is no more frequent.
    return TextMass(column.counts, total, 0.0, min([rest, *column.counts.values()]))
