"""The cells of a column: where each of its values is counted. They are frozen in a baseline."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from transforms.arrow.casts import as_plain
from transforms.arrow.number_casts import doubles
from transforms.arrow.types import is_list, is_text, is_time, plain_type
from transforms.errors import ConfigError

Cells = NDArray[np.intp]

ABSENT, NULL = 0, 1
"""The first two cells of every column: the batch had no such column; it had, and no value."""
_FIRST = 2
KINDS = ("numbers", "labels", "list_lengths", "text_lengths", "digits", "presence")
"""What is counted of a value. The last three tell only the shape of what is like an id."""
_OF_NUMBERS = frozenset({"numbers", "list_lengths", "text_lengths", "digits"})
_BLOCK = 4096
"""So many numbers are compared at once: what that makes stays in the processor's cache."""
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
        """Where the cells of numbers begin but for the first: rising; NaN is beyond none."""
        return np.array([_LEAST, *self.edges, np.inf])

    @cached_property
    def _bounds32(self) -> NDArray[np.float32]:
        """The least number of 32 bits that is not below each bound: it parts them alike."""
        with np.errstate(over="ignore"):
            nearest = self.bounds.astype(np.float32)
        above = np.nextafter(nearest, np.float32(np.inf))
        return np.where(nearest.astype(np.float64) < self.bounds, above, nearest)

    @cached_property
    def _known(self) -> pc.SetLookupOptions:
        """The labels as Arrow looks them up, with null behind them."""
        return pc.SetLookupOptions(pa.array([*self.labels, None], pa.binary()))

    @cached_property
    def _other(self) -> pa.Scalar:
        return pa.scalar(len(self.labels) + 1, pa.int32())

    def index(self, array: pa.Array) -> Cells:
        """Returns the cell of each value.

        Args:
          array: n values.

        Returns: n numbers of cells.

        Raises:
          ConfigError: Values of this type can't be counted so.
        """
        array = _plain(array)
        return self._of_numbers(array) if self.counts_numbers else self._of_labels(array)

    def count(self, array: pa.Array) -> NDArray[np.int64]:
        """Counts the values in each cell."""
        if self.counts_numbers:
            return self._count_numbers(_plain(array))
        if self.kind == "presence":
            return np.bincount(self.index(array), minlength=self.number).astype(np.int64)
        found = np.bincount(self._codes(_plain(array)), minlength=len(self._places))
        counts = np.zeros(self.number, np.int64)
        counts[self._places] = found
        return counts

    def _count_numbers(self, array: pa.Array) -> NDArray[np.int64]:
        values, missing = self._numbers(array)
        counts = np.zeros(self.number, np.int64)
        # The cell of NaN is behind those that have an order.
        counts[_FIRST:-1] = np.bincount(self._beyond(values), minlength=self.number - _FIRST - 1)
        if counts[_FIRST]:
            # NaN is beyond nothing, as -inf is; and null came as NaN.
            nan = int(np.count_nonzero(np.isnan(values)))
            counts[_FIRST] -= nan
            counts[-1], counts[NULL] = nan - missing, missing
        return counts

    def _beyond(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Returns beyond how many bounds each number is."""
        bounds = self._bounds32 if values.dtype == np.float32 else self.bounds
        places = np.empty(len(values), np.uint8)
        held = np.empty((len(bounds), min(_BLOCK, len(values))), bool)
        for start in range(0, len(values), _BLOCK):
            block = values[start : start + _BLOCK]
            # To compare with every edge is four times as fast as to search for the right one.
            beyond = held[:, : len(block)]
            np.greater_equal(block, bounds[:, None], out=beyond)
            part = places[start : start + _BLOCK]
            beyond.view(np.uint8).sum(axis=0, dtype=np.uint8, out=part)
        return places

    def _of_numbers(self, array: pa.Array) -> Cells:
        values, missing = self._numbers(array)
        places = self._beyond(values)
        cells = places.astype(np.intp)
        cells += _FIRST
        if not places.all():
            cells[np.isnan(values)] = self.number - 1
        if missing:
            cells[array.is_null().to_numpy(zero_copy_only=False)] = NULL
        return cells

    def _of_labels(self, array: pa.Array) -> Cells:
        if self.kind == "presence":
            valid = array.is_valid().to_numpy(zero_copy_only=False)
            return np.where(valid, _FIRST, NULL)
        return self._places[self._codes(array)]

    def _codes(self, array: pa.Array) -> NDArray[np.int32]:
        """Returns the place of each text among the labels; behind them null, then other texts."""
        if pa.types.is_null(array.type):
            array = array.cast(pa.binary())
        if not is_text(array.type):
            raise self._wrong(array.type)
        if pa.types.is_string(array.type):
            array = array.view(pa.binary())
        found = pc.index_in(array, options=self._known)
        if found.null_count:
            found = pc.coalesce(found, self._other)
        codes: NDArray[np.int32] = found.to_numpy()
        return codes

    @cached_property
    def _places(self) -> Cells:
        """The cells of what is looked up: the labels, null, anything else."""
        labels = len(self.labels)
        return np.array([*range(_FIRST, _FIRST + labels), NULL, _FIRST + labels], np.intp)

    def _numbers(self, array: pa.Array) -> tuple[NDArray[Any], int]:
        """Returns the numbers to count, NaN for null, and the number of nulls."""
        is_narrow = self.kind == "numbers" and pa.types.is_float32(array.type)
        numbers = array if is_narrow else numbers_of(array, self.kind)
        if numbers is None:
            raise self._wrong(array.type)
        missing = numbers.null_count
        return numbers.to_numpy(zero_copy_only=False), missing

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


def numbers_of(array: pa.Array, kind: str) -> pa.Array | None:
    """Returns plain values as the doubles to count; None if the type has none."""
    type = array.type
    if pa.types.is_null(type):
        return array.cast(pa.float64())
    if kind == "numbers":
        is_number = pa.types.is_floating(type) or pa.types.is_integer(type)
        is_number = is_number or pa.types.is_decimal(type) or pa.types.is_boolean(type)
        if is_number:
            return array if type == pa.float64() else doubles(array)
        return None
    if kind == "digits":
        if not pa.types.is_integer(type):
            return None
        texts = array.cast(pa.string())
        return pc.utf8_length(pc.utf8_ltrim(texts, "-")).cast(pa.float64())
    if kind == "text_lengths":
        return pc.binary_length(array).cast(pa.float64()) if is_text(type) else None
    return pc.list_value_length(array).cast(pa.float64()) if is_list(type) else None


def kind_of(type: pa.DataType) -> str:
    """Returns what to count for a plain type if nothing else is known."""
    if pa.types.is_null(type) or is_text(type):
        return "labels"
    if is_list(type):
        return "list_lengths"
    if pa.types.is_nested(type) or is_time(type) or pa.types.is_interval(type):
        return "presence"
    return "numbers"


def _plain(array: pa.Array) -> pa.Array:
    plain = plain_type(array.type)
    return array if array.type.equals(plain) else as_plain(array, plain)
