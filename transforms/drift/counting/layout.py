"""The cells of all columns in one row, so that a window is one vector of counts."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from transforms.drift.counting.cells import ColumnCells

WHOLE = ""
"""The slice of all rows."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Where the cells of each column lie in a vector; and the slices, each a vector of its own.

    Attributes:
      columns: Their cells, by name.
      slices: Columns of labels; each of their labels is a slice, and the rest another.
      ignored: Columns that are not counted, and not new where they are: that of event times.
    """

    columns: tuple[ColumnCells, ...]
    slices: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @cached_property
    def starts(self) -> Integers:
        """The first cell of each column, and the number of all cells."""
        return np.cumsum([0, *(each.number for each in self.columns)])

    @property
    def number(self) -> int:
        """How many cells there are."""
        return int(self.starts[-1])

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each column, by name."""
        return {each.name: place for place, each in enumerate(self.columns)}

    @cached_property
    def groups(self) -> tuple[tuple[int, int, int], ...]:
        """Of each slice column: its place, its first slice, and how many slices it has."""
        found, first = [], 1
        for name in self.slices:
            cells = self.columns[self.places[name]]
            number = len(cells.labels) + 1
            found.append((self.places[name], first, number))
            first += number
        return tuple(found)

    @cached_property
    def slice_names(self) -> tuple[str, ...]:
        """All rows first, then each label of each slice column, then its other labels."""
        names = [WHOLE]
        for place, _, _ in self.groups:
            cells = self.columns[place]
            texts = [f"={label.decode(errors='replace')}" for label in cells.labels]
            names += [cells.name + text for text in [*texts, " of others"]]
        return tuple(names)

    @property
    def shape(self) -> tuple[int, int]:
        """Of the counts of a window: slices and cells."""
        return len(self.slice_names), self.number

    def of(self, name: str) -> slice:
        """Returns the cells of a column."""
        place = self.places[name]
        return slice(int(self.starts[place]), int(self.starts[place + 1]))
