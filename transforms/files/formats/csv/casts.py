"""Cells of CSV to any type, whether pyarrow.csv read them as such, as strings or as bytes."""

import contextlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import Cast
from transforms.arrow.types import is_list
from transforms.files.formats.json.lines import json_cast
from transforms.files.formats.text.cast import text_cast, utf8_cast

_HEX = r"^[ \t]*0[xX]"


def cell_type(type: pa.DataType) -> pa.DataType:
    """Returns the type in which a column is read: its own if pyarrow.csv reads it as we do."""
    kinds = pa.types
    numbers = (kinds.is_integer, kinds.is_float32, kinds.is_float64, kinds.is_decimal128)
    tests = (kinds.is_boolean, *numbers)
    times = (kinds.is_date, kinds.is_time, kinds.is_timestamp)
    return type if any(test(type) for test in tests + times) else pa.string()


def arrived(column: pa.Array | None, type: pa.DataType, like: pa.Array) -> Cast | None:
    """Returns a column read as its cell type in its own type; None if its cells must be checked."""
    if column is None:
        return Cast(pa.nulls(len(like), type))
    if not column.type.equals(type):
        return _parsed(column, type)
    # An infinity may be a number that overflowed.
    if pa.types.is_floating(type) and pc.any(pc.is_inf(column)).as_py():
        return None
    return Cast(column)


def cell_cast(cells: pa.Array, type: pa.DataType) -> Cast:
    """Cells as bytes, to a type."""
    texts = utf8_cast(cells)
    parsed = _parsed(texts.values, type)
    return Cast(parsed.values, texts.faults + parsed.faults)


def _parsed(texts: pa.Array, type: pa.DataType) -> Cast:
    """Cells as strings, to a type."""
    if pa.types.is_string(type):
        return Cast(texts)
    if not pa.types.is_binary(type):
        texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    if is_list(type) or pa.types.is_struct(type) or pa.types.is_map(type):
        return json_cast(texts, type)
    plainly = _plainly(texts, type)
    if plainly is not None:
        return plainly
    return text_cast(_decimal(texts, type) if pa.types.is_integer(type) else texts, type)


def _plainly(texts: pa.Array, type: pa.DataType) -> Cast | None:
    """Casts by Arrow alone, several times as fast as a checked cast, if every cell fits."""
    if not cell_type(type).equals(type):
        return None
    try:
        return arrived(texts.cast(type), type, texts)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _decimal(texts: pa.Array, type: pa.DataType) -> pa.Array:
    """Integers such as 0x1F in decimal: pyarrow.csv reads them, `checked_cast` does not."""
    places = np.flatnonzero(pc.fill_null(pc.match_substring_regex(texts, _HEX), False))
    if not len(places):
        return texts
    cells = texts.to_pylist()
    for place in places.tolist():
        with contextlib.suppress(pa.ArrowInvalid):
            cells[place] = str(pa.scalar(cells[place].strip(" \t")).cast(type))
    return pa.array(cells, pa.string())
