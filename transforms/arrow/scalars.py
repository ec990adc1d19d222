"""Single values: Arrow's as Python's own, and Python's and numpy's as a column of one row."""

from typing import Any

import numpy as np
import pyarrow as pa

from transforms.arrow.json_text import json_values


def python_values(array: pa.Array) -> list[Any]:
    """Returns the values of a column to be shown to a person.

    Python's times end with the year 9999, have no nanoseconds and know only the time zones of its
    machine; a column with such is given as JSON texts.

    Args:
      array: n values of any type.

    Returns: n values; None where there is none.
    """
    try:
        values: list[Any] = array.to_pylist()
    except (LookupError, OverflowError, ValueError):
        texts = json_values(array).to_pylist()
        valid = array.is_valid().to_pylist()
        return [text if there else None for text, there in zip(texts, valid, strict=True)]
    return values


def one_value(value: Any) -> pa.Array:
    """Returns a column of one row."""
    if isinstance(value, np.generic | np.ndarray):
        value = plain_value(value)
    try:
        return pa.array([value])
    except OverflowError:
        # Arrow takes integers for signed ones, so an unsigned integer of 64 bits needs its type.
        return pa.array([value], lists_of(pa.uint64(), _depth(value)))


def plain_value(value: np.generic | np.ndarray) -> Any:
    """Returns a numpy value as a Python one; times stay, since Python has no nanoseconds."""
    return value if value.dtype.kind in "mM" else value.tolist()


def _depth(value: Any) -> int:
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def lists_of(type: pa.DataType, depth: int) -> pa.DataType:
    """Returns the type of lists of a type, with so many levels."""
    for _ in range(depth):
        type = pa.list_(type)
    return type
