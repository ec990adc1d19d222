"""Counts: how many rows of a window are in each cell. They add up, in any order."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from transforms.drift.counting.cells import ABSENT, ColumnCells
from transforms.drift.counting.layout import Integers, Layout

NEW_COLUMNS = 100
"""Of columns that the baseline does not know so many names are kept."""
_ANY = np.dtype(np.int64)


@dataclass(frozen=True)
class Counts:
    """What is known of the rows of a window.

    Attributes:
      cells: A row of counts for each slice, a column for each cell of the layout.
      rows: How many rows each slice has.
      new: Columns that the layout does not know, by name; the first `NEW_COLUMNS` of them.
    """

    cells: Integers
    rows: Integers
    new: tuple[str, ...] = field(default=())

    @classmethod
    def empty(cls, layout: Layout) -> "Counts":
        """Returns the counts of no rows."""
        slices, cells = layout.shape
        return cls(np.zeros((slices, cells), _ANY), np.zeros(slices, _ANY))

    def merge(self, other: "Counts") -> "Counts":
        """Returns the counts of the rows of both."""
        new = tuple(sorted({*self.new, *other.new})[:NEW_COLUMNS])
        return Counts(self.cells + other.cells, self.rows + other.rows, new)

    @property
    def nbytes(self) -> int:
        """How many bytes its counts are, as `packed` makes them."""
        return len(self.packed()[0])

    def packed(self) -> tuple[bytes, str, tuple[int, ...], tuple[str, ...]]:
        """Bytes of integers no wider than the greatest count needs, their type, and the rest."""
        width = np.min_scalar_type(int(self.cells.max(initial=0)))
        shape = self.cells.shape
        return (
            self.cells.astype(width).tobytes(),
            width.str,
            (*shape, *self.rows.tolist()),
            self.new,
        )

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickles it as narrow as it is."""
        return unpacked, self.packed()


def unpacked(content: bytes, width: str, told: tuple[int, ...], new: tuple[str, ...]) -> Counts:
    """Returns the counts from `Counts.packed`."""
    cells = np.frombuffer(content, width).astype(_ANY).reshape(told[:2])
    return Counts(cells, np.array(told[2:], _ANY), new)


def count_batch(layout: Layout, batch: pa.RecordBatch) -> Counts:
    """Counts the rows of a batch as those of one window; see `count_groups`."""
    if layout.slices:
        return count_groups(layout, batch, np.zeros(batch.num_rows, np.intp), 1)[0]
    cells = np.concatenate([_column(each, batch) for each in layout.columns])
    return Counts(cells[None, :], np.array([batch.num_rows], _ANY), new_columns(layout, batch))


def count_groups(
    layout: Layout, batch: pa.RecordBatch, groups: np.ndarray, number: int
) -> list[Counts]:
    """Counts the rows of a batch group by group: one pass over each column for all groups.

    Args:
      layout: The cells.
      batch: n rows.
      groups: The group of each row, from 0; a window, say.
      number: How many groups there are.

    Returns: The counts of each group.

    Raises:
      ConfigError: A column has values that can't be counted in its cells.
    """
    rows = _slices_of_rows(layout, batch, groups)
    slices, cells = layout.shape
    table = np.zeros((number, slices, cells), _ANY)
    for place, column in enumerate(layout.columns):
        part = table[:, :, layout.starts[place] : layout.starts[place + 1]]
        index = _index(column, batch)
        for keys, first, each in rows:
            size = number * each * column.number
            found = np.bincount(keys * column.number + index, minlength=size)
            part[:, first : first + each] = found.reshape(number, each, column.number)
    totals = table[:, :, : layout.columns[0].number].sum(axis=2)
    new = new_columns(layout, batch)
    return [Counts(table[group], totals[group], new) for group in range(number)]


def new_columns(layout: Layout, batch: pa.RecordBatch) -> tuple[str, ...]:
    """Returns the columns of a batch that are not in the layout, in the order of their names."""
    return tuple(
        sorted(set(batch.schema.names) - set(layout.places) - set(layout.ignored))[:NEW_COLUMNS]
    )


def _slices_of_rows(
    layout: Layout, batch: pa.RecordBatch, groups: np.ndarray
) -> list[tuple[np.ndarray, int, int]]:
    """Returns each row's group and slice, for all rows and each slice column; and the slices."""
    rows = [(groups, 0, 1)]
    for place, first, number in layout.groups:
        labels = _index(layout.columns[place], batch) - 2
        # Rows without a label are with the rest.
        labels[labels < 0] = number - 1
        rows.append((groups * number + labels, first, number))
    return rows


def _index(column: ColumnCells, batch: pa.RecordBatch) -> np.ndarray:
    at = batch.schema.get_field_index(column.name)
    if at < 0:
        return np.full(batch.num_rows, ABSENT, np.intp)
    return column.index(batch.column(at))


def _column(column: ColumnCells, batch: pa.RecordBatch) -> Integers:
    at = batch.schema.get_field_index(column.name)
    if at >= 0:
        return column.count(batch.column(at))
    counts = np.zeros(column.number, _ANY)
    counts[ABSENT] = batch.num_rows
    return counts
