"""The types in which pyarrow.json reads columns, and the way from these to the types wanted."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import Cast
from transforms.arrow.casts import checked_cast
from transforms.arrow.lists import list_lengths
from transforms.arrow.types import is_list
from transforms.files.formats.text.cast import text_cast
from transforms.reasons import Reason


class Unfit(Exception):
    """Some value does not fit; which one is not said.

    Args:
      reason: Why.
      message: The same for a person, without a value; "" where it is about one column.
    """

    def __init__(self, reason: Reason, message: str = "") -> None:
        """Keeps both."""
        super().__init__(message)
        self.reason, self.message = reason, message


def wire_type(type: pa.DataType) -> pa.DataType | None:
    """Returns the type in which pyarrow.json reads a column; None if it can't.

    What is a string in JSON is read as one, and floats with all their digits, so that
    `checked_cast` decides what fits. An object with any keys is beyond pyarrow.json.
    """
    kinds = pa.types
    if kinds.is_map(type):
        return None
    if is_list(type):
        value = wire_type(type.value_type)
        return None if value is None else pa.list_(value)
    if kinds.is_struct(type):
        wires = [(field.name, wire_type(field.type)) for field in type]
        return None if any(wire is None for _, wire in wires) else pa.struct(wires)
    if kinds.is_floating(type):
        return pa.float64()
    if kinds.is_duration(type):
        return pa.int64()
    tests = (kinds.is_integer, kinds.is_boolean, kinds.is_decimal, kinds.is_null)
    return type if any(test(type) for test in tests) else pa.string()


def unwire(array: pa.Array, type: pa.DataType) -> pa.Array:
    """Casts a column from its type in JSON to the wanted type.

    Args:
      array: n values: of the wire type, or of what Arrow makes of Python's objects.
      type: A plain type; a map comes as a list of structs of key and value.

    Raises:
      Unfit: Some value does not fit.
    """
    kinds = pa.types
    if array.type.equals(type):
        return array
    if is_list(array.type) and is_list(type):
        return _list(array, type)
    if is_list(array.type) and kinds.is_map(type):
        return _map(array, type)
    if kinds.is_struct(array.type) and kinds.is_struct(type):
        fields = [_field(array, field) for field in type]
        return pa.StructArray.from_arrays(fields, fields=list(type), mask=array.is_null())
    return _sound((text_cast if kinds.is_string(array.type) else checked_cast)(array, type))


def wire_cast(array: pa.Array, type: pa.DataType) -> Cast:
    """Casts likewise, and reports values that do not fit if the type is not nested.

    Raises:
      Unfit: Some nested value does not fit.
    """
    if array.type.equals(type):
        return Cast(array)
    if is_list(type) or pa.types.is_struct(type):
        return Cast(unwire(array, type))
    return (text_cast if pa.types.is_string(array.type) else checked_cast)(array, type)


def _sound(cast: Cast) -> pa.Array:
    if cast.faults:
        raise Unfit(cast.reason)
    return cast.values


def _field(array: pa.Array, field: pa.Field) -> pa.Array:
    if array.type.get_field_index(field.name) < 0:
        return pa.nulls(len(array), field.type)
    return unwire(pc.struct_field(array, field.name), field.type)


def _list(array: pa.Array, type: pa.DataType) -> pa.Array:
    values = unwire(array.flatten(), type.value_type)
    listed = pa.list_(type.value_field)
    lists = pa.ListArray.from_arrays(_offsets(array), values, type=listed, mask=array.is_null())
    return lists if listed.equals(type) else _sound(checked_cast(lists, type))


def _map(array: pa.Array, type: pa.DataType) -> pa.Array:
    pair = pa.struct([("key", type.key_type), ("value", type.item_type)])
    entries = unwire(array.flatten(), pair)
    offsets = pa.array(_offsets(array), mask=np.append(_nulls(array), False))
    return pa.MapArray.from_arrays(offsets, entries.field(0), entries.field(1)).cast(type)


def _offsets(array: pa.Array) -> np.ndarray:
    lengths = list_lengths(array)
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)


def _nulls(array: pa.Array) -> np.ndarray:
    nulls: np.ndarray = array.is_null().to_numpy(zero_copy_only=False)
    return nulls
