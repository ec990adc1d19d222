"""The cells of a column: where each of its values is counted. They are frozen in a baseline."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from transforms.arrow.types import is_text
from transforms.drift.counting.among import at_or_beyond, places
from transforms.drift.counting.values import DIRECT, Column, numbers_of, plain
from transforms.errors import ConfigError

Cells = NDArray[np.intp]

ABSENT, NULL = 0, 1
"""The first two cells of every column: the batch had no such column; it had, and no value."""
_FIRST = 2
KINDS = ("numbers", "labels", "list_lengths", "text_lengths", "digits", "presence")
"""What is counted of a value. The last three tell only the shape of what is like an id."""
_OF_NUMBERS = frozenset({"numbers", "list_lengths", "text_lengths", "digits"})
_INDEX_IN = pc.get_function("index_in")
_LEAST = -np.finfo(np.float64).max


@dataclass(frozen=True)
class ColumnCells:
    """The cells of a column.

    Of numbers, after the first two: -inf, below, the bins, above, +inf, NaN; a bin is
    [edge, next edge). Of labels: one for each, and one for all others.

    Attributes:
      name: The column's.
      kind: One of `KINDS`.
      edges: Of numbers: finite and rising, one more than bins; none where no number was known.
      centers: Of each bin: the mean of the baseline's numbers in it.
      labels: Of labels: their bytes, each once.
    """

    name: str
    kind: str
    edges: tuple[float, ...] = ()
    centers: tuple[float, ...] = ()
    labels: tuple[bytes, ...] = ()

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickles what it is, and nothing that was made of it: Arrow's options can't be."""
        return ColumnCells, (self.name, self.kind, self.edges, self.centers, self.labels)

    @property
    def counts_numbers(self) -> bool:
        """Whether numbers are counted, which have an order."""
        return self.kind in _OF_NUMBERS

    @property
    def number(self) -> int:
        """How many cells there are."""
        if self.counts_numbers:
            return _FIRST + 4 + len(self.edges)
        return _FIRST + len(self.labels) + 1

    @property
    def outside(self) -> tuple[int, ...]:
        """The cells of values that the baseline's cells do not tell apart."""
        if not self.counts_numbers:
            return (self.number - 1,)
        below = _FIRST + 1
        return (below, below + len(self.edges)) if self.edges else ()

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """Where the cells of numbers begin: rising; NaN is beyond none."""
        return np.array([-np.inf, _LEAST, *self.edges, np.inf])

    @cached_property
    def _bounds32(self) -> NDArray[np.float32]:
        """The least number of 32 bits that is not below each bound: it parts them alike."""
        with np.errstate(over="ignore"):
            nearest = self.bounds.astype(np.float32)
        above = np.nextafter(nearest, np.float32(np.inf))
        return np.where(nearest.astype(np.float64) < self.bounds, above, nearest)

    @cached_property
    def _known(self) -> dict[pa.DataType, pc.SetLookupOptions]:
        """The labels as Arrow looks them up, with null behind them, among texts or bytes."""
        labels = pa.array([*self.labels, None], pa.binary())
        return {type: pc.SetLookupOptions(labels.view(type)) for type in (pa.string(), pa.binary())}

    @cached_property
    def _other(self) -> pa.Scalar:
        return pa.scalar(len(self.labels) + 1, pa.int32())

    def index(self, column: Column) -> Cells:
        """Returns the cell of each value.

        Args:
          column: n values.

        Returns: n numbers of cells.

        Raises:
          ConfigError: Values of this type can't be counted so.
        """
        column = plain(column)
        if self.counts_numbers:
            return self._of_numbers(column)
        if self.kind == "presence":
            valid = column.is_valid().to_numpy(zero_copy_only=False)
            return np.where(valid, _FIRST, NULL)
        return self._places[self._codes(column)]

    def count(self, column: Column) -> NDArray[np.int64]:
        """Counts the values in each cell."""
        column = plain(column)
        if self.counts_numbers:
            return self._count_numbers(column)
        counts = np.zeros(self.number, np.int64)
        if self.kind == "presence":
            counts[NULL] = column.null_count
            counts[_FIRST] = len(column) - column.null_count
            return counts
        labels = len(self.labels)
        found = np.bincount(self._codes(column), minlength=labels + 2)
        counts[_FIRST:-1], counts[NULL], counts[-1] = found[:labels], found[-2], found[-1]
        return counts

    def _count_numbers(self, column: Column) -> NDArray[np.int64]:
        numbers = self._numbers(column)
        missing = numbers.null_count
        values = _joined(numbers)
        beyond = at_or_beyond(values, self._bounds_of(values))
        counts = np.zeros(self.number, np.int64)
        np.subtract(beyond[:-1], beyond[1:], out=counts[_FIRST:-2])
        counts[-2] = beyond[-1]
        # Null came as NaN, which is beyond nothing; the cell of NaN is behind those with an order.
        counts[NULL], counts[-1] = missing, len(numbers) - beyond[0] - missing
        return counts

    def _bounds_of(self, values: NDArray[Any]) -> NDArray[Any]:
        return self._bounds32 if values.dtype == np.float32 else self.bounds

    def _of_numbers(self, column: Column) -> Cells:
        numbers = self._numbers(column)
        values = _joined(numbers)
        cells = places(values, self._bounds_of(values)).astype(np.intp)
        # What is beyond no bound, NaN and null, comes into the cell of null.
        cells += _FIRST - 1
        unordered = np.flatnonzero(cells == NULL)
        if len(unordered) > numbers.null_count:
            null = column.is_null().to_numpy(zero_copy_only=False)
            cells[unordered[~null[unordered]]] = self.number - 1
        return cells

    def _codes(self, column: Column) -> NDArray[np.int32]:
        """Returns the place of each text among the labels; behind them null, then other texts."""
        if pa.types.is_null(column.type):
            column = column.cast(pa.binary())
        known = self._known.get(column.type)
        if known is None:
            if not is_text(column.type):
                raise self._wrong(column.type)
            column, known = column.cast(pa.binary()), self._known[pa.binary()]
        found = _INDEX_IN.call([column], known)
        if found.null_count:
            found = pc.coalesce(found, self._other)
        codes: NDArray[np.int32] = found.to_numpy()
        return codes

    @cached_property
    def _places(self) -> Cells:
        """The cells of what is looked up: the labels, null, anything else."""
        labels = len(self.labels)
        return np.array([*range(_FIRST, _FIRST + labels), NULL, _FIRST + labels], np.intp)

    def _numbers(self, column: Column) -> Column:
        """Returns the numbers to count."""
        as_they_are = self.kind == "numbers" and column.type in DIRECT
        numbers = column if as_they_are else numbers_of(column, self.kind)
        if numbers is None:
            raise self._wrong(column.type)
        return numbers

    def _wrong(self, type: pa.DataType) -> ConfigError:
        return ConfigError(
            f"column {self.name!r} is {type}, and of that the baseline's {self.kind} can't be "
            "counted: read it with the type that it had then, or build the baseline anew"
        )

    def names(self) -> list[str]:
        """Returns the cells in words; labels as texts."""
        first = ["no column", "null"]
        if not self.counts_numbers:
            texts = [label.decode(errors="replace") for label in self.labels]
            return [*first, *texts, "other" if self.labels else "any value"]
        if not self.edges:
            return [*first, "-inf", "any number", "+inf", "NaN"]
        return [*first, "-inf", *self._bins(), "+inf", "NaN"]

    def _bins(self) -> list[str]:
        low, high = self.edges[0], np.nextafter(self.edges[-1], -np.inf)
        bins = []
        for start, end in zip(self.edges, self.edges[1:], strict=False):
            last = np.nextafter(end, -np.inf)
            bins.append(f"{start:.6g}" if last <= start else f"{start:.6g} to {last:.6g}")
        return [f"below {low:.6g}", *bins, f"above {high:.6g}"]


def _joined(numbers: Column) -> NDArray[Any]:
    """Returns the numbers, NaN for null."""
    if not isinstance(numbers, pa.ChunkedArray) or numbers.num_chunks < 2:
        values: NDArray[Any] = numbers.to_numpy(zero_copy_only=False)
        return values
    # NumPy joins chunks in a third of the time that Arrow takes.
    return np.concatenate([each.to_numpy(zero_copy_only=False) for each in numbers.chunks])
