"""What is counted of values: numbers, labels, or only their shape."""

from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.casts import as_plain
from transforms.arrow.number_casts import doubles
from transforms.arrow.types import is_list, is_text, is_time, plain_type

Column: TypeAlias = pa.Array | pa.ChunkedArray

DIRECT = frozenset({pa.float64(), pa.float32()})
"""Numbers of these types are counted as they are."""
_SIMPLE = DIRECT | {pa.string(), pa.binary()}


def plain(column: Column) -> Column:
    """Returns values of a plain type, in one array unless they are counted in their chunks."""
    if column.type in _SIMPLE:
        return column
    type = plain_type(column.type)
    if not isinstance(column, pa.ChunkedArray):
        return column if column.type.equals(type) else as_plain(column, type)
    if not column.num_chunks:
        return pa.nulls(0, type)
    # Each by itself: chunks of a dictionary may have different ones.
    return pa.concat_arrays([plain(chunk) for chunk in column.chunks])


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
