"""Masks example rows: of values that have nothing to do with the matter, their form is shown."""

import re
from collections.abc import Collection
from typing import Any

import pyarrow as pa

from transforms.arrow.scalars import python_values

_TEXT = pa.string()
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")


def masked(rows: pa.RecordBatch, but: Collection[str] = ()) -> pa.RecordBatch:
    """Returns a few rows with the form of each value in its place: `Ada 36` becomes `Aaa 99`.

    Args:
      rows: n rows.
      but: Columns that stay as they are.

    Returns: n rows; the columns that were masked are texts, and missing values stay missing.
    """
    arrays = [
        rows[name] if name in but else pa.array(map(form_of, python_values(rows[name])), _TEXT)
        for name in rows.schema.names
    ]
    return pa.RecordBatch.from_arrays(arrays, names=rows.schema.names)


def form_of(value: Any) -> str | None:
    """Returns the form of a value: `Aaa 99` of `Ada 36`; missing stays missing."""
    if value is None:
        return None
    text = _DIGIT.sub("9", str(value))
    return _LETTER.sub(lambda found: "A" if found[0].isupper() else "a", text)
