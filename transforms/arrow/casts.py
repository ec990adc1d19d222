"""Casts that lose nothing unseen: a value that does not fit is pointed out, row by row."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import Cast, attempt, marked, true_where, wrong_type
from transforms.arrow.lists import list_lengths
from transforms.arrow.number_casts import (
    bits,
    doubles,
    exact_floats,
    integers,
    narrow,
    whole_numbers,
)
from transforms.arrow.parsing import parse, parse_bytes
from transforms.arrow.types import feature_type, is_list, plain_type
from transforms.arrow.views import without_views
from transforms.faults import Fault
from transforms.reasons import Reason


def checked_cast(array: pa.Array, type: pa.DataType) -> Cast:
    """Casts a column, and returns which rows don't fit, instead of failing or rounding silently.

    Text is parsed; an integer must be in range; an integer that becomes a float must be exact
    and a float that becomes an integer whole; a float64 rounds to float32 but must not overflow;
    bytes that become a string must be UTF-8, and a UUID becomes its usual text; a list of at most
    one value may become a scalar.

    Args:
      array: n values of any type.
      type: A plain type (`types.plain_type`).

    Returns: n values and the faults. Nulls stay null and are no fault.
    """
    if array.type.equals(type):
        return Cast(array)
    if isinstance(array.type, pa.UuidType) and pa.types.is_string(type):
        return Cast(_uuid_texts(array))
    plain = plain_type(array.type)
    if not plain.equals(array.type):
        return checked_cast(as_plain(array, plain), type)
    return _rule(array.type, type)(array, type)


def as_plain(array: pa.Array, plain: pa.DataType) -> pa.Array:
    """Returns an array without dictionaries, views and 64-bit offsets.

    Args:
      array: n values of any type.
      plain: `types.plain_type` of its type, or `types.unmapped_type`.
    """
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_run_end_encoded(array.type):
        array = pc.run_end_decode(array)
    array = without_views(array)
    if array.type.equals(plain):
        return array
    if array.offset and pa.types.is_nested(array.type):
        # Arrow's cast ends the process where a slice has a child of type null.
        array = pa.concat_arrays([array])
    return array.cast(plain)


def as_feature(array: pa.Array) -> pa.Array:
    """Returns values of a plain type as features know them; see `types.feature_type`."""
    type = feature_type(array.type)
    if array.type.equals(type):
        return array
    return doubles(array) if pa.types.is_floating(type) else array.cast(type)


def _uuid_texts(array: pa.Array) -> pa.Array:
    """UUIDs as 32 hexadecimal digits in five groups."""
    texts = [None if value is None else str(value) for value in array.to_pylist()]
    return pa.array(texts, pa.string())


def _rule(source: pa.DataType, type: pa.DataType) -> Callable[[pa.Array, pa.DataType], Cast]:
    kinds = pa.types
    if kinds.is_null(source):
        return lambda array, type: Cast(pa.nulls(len(array), type))
    if is_list(source):
        return _lists if is_list(type) else _single
    if is_list(type):
        return wrong_type
    if kinds.is_struct(source) and kinds.is_struct(type):
        return _structs
    if kinds.is_string(source):
        return parse
    if kinds.is_floating(source) and kinds.is_integer(type):
        return whole_numbers
    if kinds.is_floating(source) and kinds.is_floating(type):
        return narrow
    if (kinds.is_integer(source) or kinds.is_floating(source)) and kinds.is_boolean(type):
        return bits
    if kinds.is_fixed_size_binary(source) and (kinds.is_string(type) or kinds.is_binary(type)):
        return lambda array, type: checked_cast(array.cast(pa.binary()), type)
    if kinds.is_binary(source) and kinds.is_string(type):
        return lambda array, type: attempt(array, type, Reason.INVALID_UTF8)
    if kinds.is_binary(source) and not kinds.is_string(type):
        return parse_bytes
    if kinds.is_integer(source) and kinds.is_floating(type):
        return exact_floats
    if kinds.is_integer(source) and kinds.is_integer(type):
        return integers
    return lambda array, type: attempt(array, type, Reason.LOSSY_CAST)


def _structs(array: pa.Array, type: pa.DataType) -> Cast:
    valid = array.is_valid()
    fields, faults = [], []
    for index in range(type.num_fields):
        field = type.field(index)
        if array.type.get_field_index(field.name) < 0:
            fields.append(pa.nulls(len(array), field.type))
            continue
        part = checked_cast(pc.struct_field(array, field.name), field.type)
        fields.append(part.values)
        faults += [Fault(fault.mask & true_where(valid), fault.reason) for fault in part.faults]
    names = [type.field(index).name for index in range(type.num_fields)]
    joined = pa.StructArray.from_arrays(fields, names, mask=pc.invert(valid))
    return marked(joined.cast(type), *faults)


def _lists(array: pa.Array, type: pa.DataType) -> Cast:
    """Lists to lists: the values are cast; one bad value makes its row bad."""
    lengths = list_lengths(array)
    inner = checked_cast(pc.list_flatten(array), type.value_type)
    rows = np.repeat(np.arange(len(array)), lengths)
    faults = []
    for fault in inner.faults:
        bad = np.zeros(len(array), bool)
        bad[rows[fault.mask]] = True
        faults.append(Fault(bad, fault.reason))
    valid = true_where(array.is_valid())
    if pa.types.is_fixed_size_list(type):
        wrong = valid & (lengths != type.list_size)
        faults.append(Fault(wrong, Reason.WRONG_SHAPE))
        return _fixed(inner.values, lengths, valid & ~wrong, type, faults)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    joined = pa.ListArray.from_arrays(offsets, inner.values, type=type, mask=pa.array(~valid))
    return marked(joined, *faults)


def _fixed(
    values: pa.Array, lengths: np.ndarray, kept: np.ndarray, type: pa.DataType, faults: list[Fault]
) -> Cast:
    size = type.list_size
    starts = np.cumsum(lengths) - lengths
    places = np.zeros((len(lengths), size), np.int64)
    places[kept] = starts[kept, None] + np.arange(size)
    absent = np.repeat(~kept, size)
    taken = values.take(pa.array(places.ravel(), mask=absent))
    joined = pa.FixedSizeListArray.from_arrays(taken, type=type, mask=pa.array(~kept))
    return marked(joined, *faults)


def _single(array: pa.Array, type: pa.DataType) -> Cast:
    """Lists of at most one value to scalars; an empty list is null."""
    lengths = list_lengths(array)
    many = lengths > 1
    flat = pc.list_flatten(array)
    starts = np.cumsum(lengths) - lengths
    first = flat.take(pa.array(np.where(lengths > 0, starts, 0), mask=lengths == 0))
    inner = checked_cast(first, type)
    return marked(inner.values, Fault(many, Reason.WRONG_SHAPE), *inner.faults)
