"""Arrow values as Python's own, also those that Python has none for."""

from typing import Any

import pyarrow as pa

from transforms.arrow.json_text import json_values


def python_values(array: pa.Array) -> list[Any]:
    """The values of a column to be shown to a person.

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
