"""Counts: how many rows of a window are in each cell. They add up, in any order."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from transforms.drift.counting.cells import ABSENT, ColumnCells
from transforms.drift.counting.layout import Integers, Layout

NEW_COLUMNS = 100
"""Of columns that the baseline does not know so many names are kept."""
_ANY = np.dtype(np.int64)
_TABLE_BYTES = 64 << 20
"""Tables of counts of many groups are made in parts of this size."""
Rows: TypeAlias = pa.RecordBatch | pa.Table


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
        return no_rows(*layout.shape)

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


def no_rows(slices: int, cells: int) -> Counts:
    """Returns the counts of no rows, by the shape of the layout."""
    return Counts(np.zeros((slices, cells), _ANY), np.zeros(slices, _ANY))


def unpacked(content: bytes, width: str, told: tuple[int, ...], new: tuple[str, ...]) -> Counts:
    """Returns the counts from `Counts.packed`."""
    cells = np.frombuffer(content, width).astype(_ANY).reshape(told[:2])
    return Counts(cells, np.array(told[2:], _ANY), new)


def count_batch(layout: Layout, rows: Rows) -> Counts:
    """Counts rows as those of one window; see `count_groups`."""
    if layout.slices:
        return next(count_groups(layout, rows, np.zeros(rows.num_rows, np.intp), 1))
    cells = np.concatenate([_column(each, rows) for each in layout.columns])
    return Counts(cells[None, :], np.array([rows.num_rows], _ANY), new_columns(layout, rows))


def count_groups(layout: Layout, rows: Rows, groups: np.ndarray, number: int) -> Iterator[Counts]:
    """Counts rows group by group: one pass over each column for all groups.

    Args:
      layout: The cells.
      rows: n of them.
      groups: The group of each row, from 0; a window, say.
      number: How many groups there are.

    Yields: The counts of each group, in order. Only some at a time are in memory.

    Raises:
      ConfigError: A column has values that can't be counted in its cells.
    """
    new = new_columns(layout, rows)
    indices = [_index(each, rows) for each in layout.columns]
    keys = _keys_of(layout, indices, groups)
    slices, cells = layout.shape
    step = max(1, _TABLE_BYTES // (_ANY.itemsize * slices * cells))
    if number <= step:
        yield from _grouped(layout, indices, keys, number, new)
        return
    order = np.argsort(groups, kind="stable")
    ends = np.searchsorted(groups[order], np.arange(step, number + step, step))
    for first, (start, end) in enumerate(pairwise([0, *ends.tolist()])):
        some = order[start:end]
        part = [_Keys(each.keys[some] - first * step * each.number, *each[1:]) for each in keys]
        held = min(step, number - first * step)
        yield from _grouped(layout, [index[some] for index in indices], part, held, new)


def _grouped(
    layout: Layout, indices: list[Integers], keys: "list[_Keys]", number: int, new: tuple[str, ...]
) -> Iterator[Counts]:
    """Counts the cells of rows by the group of each."""
    table = np.zeros((number, *layout.shape), _ANY)
    firsts: dict[tuple[int, int], Integers] = {}
    for place, (column, index) in enumerate(zip(layout.columns, indices, strict=True)):
        part = table[:, :, layout.starts[place] : layout.starts[place + 1]]
        for each in keys:
            # Columns with as many cells share where the cells of each row's group begin.
            first = firsts.get((each.first, column.number))
            if first is None:
                first = firsts[each.first, column.number] = each.keys * column.number
            size = number * each.number * column.number
            found = np.bincount(first + index, minlength=size)
            shaped = found.reshape(number, each.number, column.number)
            part[:, each.first : each.first + each.number] = shaped
    totals = table[:, :, : layout.columns[0].number].sum(axis=2)
    for cells, rows in zip(table, totals, strict=True):
        yield Counts(cells, rows, new)


def new_columns(layout: Layout, rows: Rows) -> tuple[str, ...]:
    """Returns the columns of rows that are not in the layout, in the order of their names."""
    return tuple(
        sorted(set(rows.schema.names) - set(layout.places) - set(layout.ignored))[:NEW_COLUMNS]
    )


class _Keys(NamedTuple):
    """The group and slice of each row: that of all rows, or those of a column.

    Attributes:
      keys: The group of each row times `number`, and the slice of the row.
      first: The first slice.
      number: How many there are.
    """

    keys: np.ndarray
    first: int
    number: int


def _keys_of(layout: Layout, indices: list[Integers], groups: np.ndarray) -> list[_Keys]:
    keys = [_Keys(groups, 0, 1)]
    for place, first, number in layout.groups:
        labels = indices[place] - 2
        # Rows without a label are with the rest.
        labels[labels < 0] = number - 1
        keys.append(_Keys(groups * number + labels, first, number))
    return keys


def _index(column: ColumnCells, rows: Rows) -> np.ndarray:
    at = rows.schema.get_field_index(column.name)
    if at < 0:
        return np.full(rows.num_rows, ABSENT, np.intp)
    return column.index(rows.column(at))


def _column(column: ColumnCells, rows: Rows) -> Integers:
    at = rows.schema.get_field_index(column.name)
    if at >= 0:
        return column.count(rows.column(at))
    counts = np.zeros(column.number, _ANY)
    counts[ABSENT] = rows.num_rows
    return counts
