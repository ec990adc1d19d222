"""What is tested of the cells: those of columns, some joined, and whether values are missing."""

from dataclasses import dataclass

import numpy as np

from transforms.drift.counting.cells import ABSENT, NULL, ColumnCells
from transforms.drift.counting.layout import Integers, Layout

PARTS = 10
"""Into about so many cells the bins of numbers are joined."""


@dataclass(frozen=True)
class TestedCells:
    """How a vector of counts becomes what is tested: c distributions, then c times missing or not.

    Attributes:
      joins: The first cell of each cell that is tested.
      starts: Of each of 2 c measures its first place in what is tested.
      columns: How many columns there are: c.
      missing: Which cells hold missing values: no column, null, NaN.
      first: The first cell of each column.
    """

    joins: Integers
    starts: Integers
    columns: int
    missing: np.ndarray
    first: Integers

    @classmethod
    def of(cls, layout: Layout, counts: Integers) -> "TestedCells":
        """Returns the tested cells of a layout.

        Args:
          layout: The cells.
          counts: The baseline's count of each cell: bins are joined to about a tenth of them.
        """
        joins: list[int] = []
        starts: list[int] = []
        missing = np.zeros(layout.number, bool)
        for column, first in zip(layout.columns, layout.starts[:-1].tolist(), strict=True):
            starts.append(len(joins))
            joins += [first + at for at in _joins(column, counts[layout.of(column.name)])]
            missing[[first + ABSENT, first + NULL]] = True
            missing[first + column.number - 1] = column.counts_numbers
        pairs = len(joins) + 2 * np.arange(len(layout.columns))
        return cls(
            np.array(joins), np.append(starts, pairs), len(starts), missing, layout.starts[:-1]
        )

    def __call__(self, counts: Integers) -> Integers:
        """Returns the counts that are tested."""
        joined = np.add.reduceat(counts, self.joins)
        lacking = np.add.reduceat(np.where(self.missing, counts, 0), self.first)
        rows = np.add.reduceat(counts, self.first)
        pairs = np.stack([lacking, rows - lacking], axis=1).ravel()
        return np.concatenate([joined, pairs])


def _joins(column: ColumnCells, counts: Integers) -> list[int]:
    """Returns the first of the cells that are tested as one: always missing columns and nulls."""
    if not column.counts_numbers or not column.edges:
        return [ABSENT, *range(NULL + 1, column.number)]
    below = NULL + 2
    bins = counts[below + 1 : below + len(column.edges)]
    joins = [ABSENT, below - 1, below]
    held, total = 0, int(bins.sum())
    for place, count in enumerate(bins.tolist()):
        # Four fifths of a part are enough: two bins of a twentieth are one, also by a hair less.
        if not held or 5 * PARTS * held >= 4 * total or _is_single(column, place):
            joins.append(below + 1 + place)
            held = 0
        held += count
        if _is_single(column, place):
            held = total
    above = below + len(column.edges)
    return [*joins, above, above + 1, above + 2]


def _is_single(column: ColumnCells, place: int) -> bool:
    """Returns whether a bin is of just one number."""
    start, end = column.edges[place], column.edges[place + 1]
    return bool(np.nextafter(start, np.inf) == end)
