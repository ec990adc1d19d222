"""Slices by values of columns: payment_type, or payment_type=Cash, or several of them at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from transforms.arrow.types import is_list
from transforms.batches import take_rows
from transforms.errors import ConfigError
from transforms.statistics.texts import as_text

_Integers = NDArray[np.int64]


@dataclass(frozen=True)
class SliceBy:
    """A slice for each value of a column, or of several: each combination that occurs.

    The name of a slice is that of TFDV: `column_value`, for several columns joined by `_`. A row
    with a null in one of the columns is in no slice. A row with a list is in the slice of each
    value.

    Attributes:
      columns: The columns.
      values: Only this value of each, as text; None takes all of its column.
    """

    columns: tuple[str, ...]
    values: tuple[str | None, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "SliceBy":
        """Reads `column`, `column=value`, or several with commas between.

        Raises:
          ConfigError: A column has no name, or is there twice.
        """
        parts = [part.strip().partition("=") for part in text.split(",")]
        columns = tuple(name.strip() for name, _, _ in parts)
        if not all(columns) or len(set(columns)) < len(columns):
            raise ConfigError(
                f"slice {text!r}: name each column once: column, column=value, or column,column"
            )
        return cls(columns, tuple(value if mark else None for _, mark, value in parts))

    @property
    def of(self) -> str:
        """Returns what defines the slices, without values, so that names stay unique."""
        return ",".join(self.columns)

    def wanted(self) -> tuple[str | None, ...]:
        """Returns the wanted value of each column; None for all."""
        return self.values or (None,) * len(self.columns)

    def __call__(self, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Returns the slices of a batch.

        Raises:
          ConfigError: There is no such column, it is of a type without texts, or names of slices
            could be read in two ways.
        """
        held = [
            _held(batch, column, wanted)
            for column, wanted in zip(self.columns, self.wanted(), strict=True)
        ]
        rows, codes, places = held[0].rows, held[0].codes, np.arange(len(held[0].values))[:, None]
        for each in held[1:]:
            rows, codes, places = _crossed(rows, codes, places, each)
        for code, part in parts(batch, rows, codes):
            values = [
                each.values[int(place)].as_py()
                for each, place in zip(held, places[code], strict=True)
            ]
            yield self._name(values), part

    def _name(self, values: list[str]) -> str:
        name = "_".join(
            f"{column}_{value}" for column, value in zip(self.columns, values, strict=True)
        )
        if len(values) > 1 and _readings(name, self.columns) > 1:
            raise ConfigError(
                f"slices by {self.of!r} can't be told apart by their names: a value holds the name "
                "of a column between underscores; name the values that are wanted in expressions, "
                "or give the column another name"
            )
        return name


def parts(
    batch: pa.RecordBatch, rows: _Integers, codes: _Integers
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yields each code, and the rows of the batch that have it.

    Args:
      batch: n rows.
      rows: Numbers of rows, ascending; one may be there several times, each with another code.
      codes: As many whole numbers from 0.
    """
    order = np.argsort(codes, kind="stable")
    rows, codes = rows[order], codes[order]
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    for start, end in zip(starts, np.append(starts, len(codes))[1:], strict=True):
        some = rows[start:end]
        yield int(codes[start]), batch if len(some) == batch.num_rows else take_rows(batch, some)


@dataclass(frozen=True)
class _Held:
    """Which of its values a column has in which rows.

    Attributes:
      rows: Ascending; those that have none are left out, those with several are there as often.
      codes: Of each, the place of its value.
      values: Texts.
    """

    rows: _Integers
    codes: _Integers
    values: pa.Array


def _held(batch: pa.RecordBatch, column: str, wanted: str | None) -> _Held:
    if column not in batch.schema.names:
        raise ConfigError(f"there is no column {column!r} to slice by")
    array = batch[column]
    rows = np.arange(batch.num_rows)
    has_lists = is_list(array.type)
    if has_lists:
        rows = pc.list_parent_indices(array).to_numpy()
        array = pc.list_flatten(array)
    try:
        if pa.types.is_string(array.type):
            array, _ = as_text(array)
        coded = array.cast(pa.string()).dictionary_encode()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ConfigError(
            f"column {column!r} is {array.type}: slices are by texts, numbers and the like"
        ) from None
    codes = pc.fill_null(coded.indices, -1).to_numpy().astype(np.int64)
    values = coded.dictionary
    at = None if wanted is None else pc.index(values, wanted).as_py()
    # What does not occur has the place -1, as null has.
    kept = codes >= 0 if at is None else (codes == at) & (codes >= 0)
    rows, codes = rows[kept], codes[kept]
    if has_lists:
        pairs = np.unique(rows * len(values) + codes)
        rows, codes = pairs // max(len(values), 1), pairs % max(len(values), 1)
    return _Held(rows, codes, values)


def _crossed(
    rows: _Integers, codes: _Integers, places: _Integers, other: _Held
) -> tuple[_Integers, _Integers, _Integers]:
    """Combinations of values with those of one more column.

    Args:
      rows: Ascending.
      codes: Of each, the number of its combination.
      places: Of each combination, the places of its values.
      other: The column.

    Returns: The same of all columns; a row has each value of the one with each of the other.
    """
    first = np.searchsorted(other.rows, rows, "left")
    counts = np.searchsorted(other.rows, rows, "right") - first
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    added = other.codes[np.repeat(first, counts) + within]
    size = max(len(other.values), 1)
    found, combined = np.unique(np.repeat(codes, counts) * size + added, return_inverse=True)
    return (
        np.repeat(rows, counts),
        combined,
        np.column_stack([places[found // size], found % size]),
    )


def _readings(name: str, columns: tuple[str, ...]) -> int:
    """Returns in how many ways a name can be read as columns and values."""
    head = f"{columns[0]}_"
    if not name.startswith(head):
        return 0
    if len(columns) == 1:
        return 1
    rest, mark = name[len(head) :], f"_{columns[1]}_"
    places = (at for at in range(len(rest)) if rest.startswith(mark, at))
    return sum(_readings(rest[at + 1 :], columns[1:]) for at in places)
