"""Columns as DLP's cells and back: typed values, nulls, and their exact size on the wire."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.cloud.dlp_v2 import types

from transforms.errors import ConfigError

Value = types.Value.pb()
Table = types.Table.pb()

_STRING = attrgetter("string_value")


def kind_of(type: pa.DataType, column: str) -> str:
    """Returns the kind of value that DLP takes for a type.

    Raises:
      ConfigError: It takes none.
    """
    kinds = pa.types
    table = [
        (kinds.is_string, "string_value"),
        (kinds.is_large_string, "string_value"),
        (kinds.is_boolean, "boolean_value"),
        (kinds.is_integer, "integer_value"),
        (kinds.is_floating, "float_value"),
        (kinds.is_timestamp, "timestamp_value"),
        (kinds.is_date, "date_value"),
        (kinds.is_time, "time_value"),
        (kinds.is_null, "string_value"),
    ]
    for fits, kind in table:
        if fits(type):
            return kind
    raise ConfigError(
        f"column {column!r} of type {type} can't be sent to Cloud DLP: send texts, numbers, "
        "booleans, dates and times; fields of lists and structs by their paths"
    )


def row_sizes(columns: Sequence[pa.Array | pa.ChunkedArray]) -> np.ndarray:
    """Returns how many bytes each row takes in a serialised table: n integers.

    Texts are exact. Numbers are exact or a few bytes above, dates and times at their greatest.
    """
    total = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        size = _value_sizes(column)
        total += 1 + _varint(size) + size
    return 1 + _varint(total) + total


def _value_sizes(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    valid = np.asarray(column.is_valid(), bool)
    kind = kind_of(column.type, "")
    if kind == "string_value":
        lengths = pc.fill_null(pc.binary_length(column.cast(pa.string())), 0)
        length = np.asarray(lengths, np.int64)
        return np.where(valid, 1 + _varint(length) + length, 0)
    widths = {"integer_value": 11, "float_value": 9, "boolean_value": 2}
    return np.where(valid, widths.get(kind, 26), 0)


def _varint(lengths: np.ndarray) -> np.ndarray:
    """Returns how many bytes the varint of each length takes."""
    width: np.ndarray = 1 + np.searchsorted(1 << np.arange(7, 35, 7), lengths, side="right")
    return width


def make_table(names: Sequence[str], columns: Sequence[pa.Array]) -> Any:
    """Returns a table message of n rows; null is a value of no kind.

    `encode` writes the same as bytes, faster.
    """
    table = Table(headers=[{"name": name} for name in names])
    sets = [_setter(column.type) for column in columns]
    add = table.rows.add
    for row in zip(*(column.to_pylist() for column in columns), strict=True):
        values = add().values
        for put, value in zip(sets, row, strict=True):
            cell = values.add()
            if value is not None:
                put(cell, value)
    return table


def _setter(type: pa.DataType) -> Callable[[Any, Any], None]:
    kind = kind_of(type, "")
    if kind == "timestamp_value":
        return _timestamp
    if kind == "date_value":
        return _date
    if kind == "time_value":
        return _time

    def put(cell: Any, value: Any) -> None:
        setattr(cell, kind, value)

    return put


def _timestamp(cell: Any, value: datetime) -> None:
    zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
    cell.timestamp_value.FromDatetime(zoned.astimezone(UTC).replace(tzinfo=None))


def _date(cell: Any, value: date) -> None:
    day = cell.date_value
    day.year, day.month, day.day = value.year, value.month, value.day


def _time(cell: Any, value: time) -> None:
    clock = cell.time_value
    clock.hours, clock.minutes, clock.seconds = value.hour, value.minute, value.second
    clock.nanos = 1000 * value.microsecond
    # A message without fields set is still present: midnight is a time, and not null.
    clock.SetInParent()


def column_of(cells: Sequence[Any], type: pa.DataType) -> tuple[pa.Array, np.ndarray]:
    """Returns what a column became.

    Args:
      cells: n value messages.
      type: What the column shall be: string takes every value, another type only its own kind.

    Returns: n values; and n booleans: values of a kind that the type does not take, null there.
    """
    kind = kind_of(type, "")
    if kind == "string_value":
        return pa.array(_texts(cells), pa.string()).cast(type), np.zeros(len(cells), bool)
    other = np.array([cell.WhichOneof("type") not in (kind, None) for cell in cells], bool)
    values = [None if bad else _plain(cell) for cell, bad in zip(cells, other, strict=True)]
    return pa.array(values, None if any(x is not None for x in values) else type).cast(type), other


def _texts(cells: Sequence[Any]) -> list[str | None]:
    """Returns the texts of cells; an empty one is checked whether it is a text at all."""
    texts: list[str | None] = list(map(_STRING, cells))
    if all(texts):
        return texts
    pairs = zip(texts, cells, strict=True)
    return [text or plain_text(cell) for text, cell in pairs]


def plain_text(cell: Any) -> str | None:
    """Returns the text of a value, as DLP would write it; None for null."""
    kind = cell.WhichOneof("type")
    if kind == "string_value":
        text: str = cell.string_value
        return text
    if kind is None:
        return None
    value = _plain(cell)
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _plain(cell: Any) -> Any:
    kind = cell.WhichOneof("type")
    if kind is None:
        return None
    value = getattr(cell, kind)
    if kind == "timestamp_value":
        return value.ToDatetime(UTC)
    if kind == "date_value":
        return date(value.year, value.month, value.day)
    if kind == "time_value":
        return time(value.hours, value.minutes, value.seconds, value.nanos // 1000)
    return value
