"""The one table of types between Arrow, tensorflow-metadata, tf.Example and TensorFlow."""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Scalar:
    """A row of the table.

    Attributes:
      arrow: The Arrow type.
      tensor: TensorFlow's name of the dtype.
      feature: tensorflow-metadata's FeatureType, whose names tf.Example's kinds follow.
      example: The Arrow type to which tf.Example narrows it.
    """

    arrow: pa.DataType
    tensor: str
    feature: str
    example: pa.DataType


SCALARS = (
    Scalar(pa.int64(), "int64", "INT", pa.int64()),
    Scalar(pa.float32(), "float32", "FLOAT", pa.float32()),
    Scalar(pa.string(), "string", "BYTES", pa.binary()),
    Scalar(pa.binary(), "string", "BYTES", pa.binary()),
    Scalar(pa.float64(), "float64", "FLOAT", pa.float32()),
    Scalar(pa.float16(), "float16", "FLOAT", pa.float32()),
    Scalar(pa.int8(), "int8", "INT", pa.int64()),
    Scalar(pa.int16(), "int16", "INT", pa.int64()),
    Scalar(pa.int32(), "int32", "INT", pa.int64()),
    Scalar(pa.uint8(), "uint8", "INT", pa.int64()),
    Scalar(pa.uint16(), "uint16", "INT", pa.int64()),
    Scalar(pa.uint32(), "uint32", "INT", pa.int64()),
    Scalar(pa.uint64(), "uint64", "INT", pa.int64()),
    Scalar(pa.bool_(), "bool", "INT", pa.int64()),
)
"""The first row that matches is the preferred one, in either direction."""


def from_tensor(name: str) -> pa.DataType:
    """Returns the Arrow type of a TensorFlow dtype.

    Args:
      name: As in `tf.float32.name`.

    Raises:
      KeyError: No column can hold it (complex, quantized, resource).
    """
    return _first({scalar.tensor: scalar.arrow for scalar in reversed(SCALARS)}, name)


def from_feature(name: str) -> pa.DataType:
    """Returns the Arrow type of a tensorflow-metadata FeatureType ("INT", "FLOAT", "BYTES")."""
    return _first({scalar.feature: scalar.arrow for scalar in reversed(SCALARS)}, name)


def to_example(type: pa.DataType) -> pa.DataType | None:
    """Returns the type to which tf.Example narrows an Arrow type, or None if it can't hold it."""
    if is_list(type):
        value = to_example(type.value_type)
        return None if value is None or is_list(value) else pa.list_(value)
    return next((scalar.example for scalar in SCALARS if scalar.arrow.equals(type)), None)


def _first(table: dict[str, pa.DataType], name: str) -> pa.DataType:
    if name not in table:
        raise KeyError(f"no column type for {name!r}; there are: {', '.join(sorted(table))}")
    return table[name]


def is_list(type: pa.DataType) -> bool:
    """Returns whether it is a list of any kind."""
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    views = (pa.types.is_list_view, pa.types.is_large_list_view)
    return any(kind(type) for kind in kinds + views)


def is_time(type: pa.DataType) -> bool:
    """Returns whether a plain type is of points in time, times of day or durations."""
    return bool(pa.types.is_temporal(type) and not pa.types.is_interval(type))


def feature_type(type: pa.DataType) -> pa.DataType:
    """Returns a plain type, no list, as features see it: decimals are doubles, all bytes are alike.

    Times are not listed here, because some callers keep them as times: see `whole_times`.
    """
    if pa.types.is_decimal(type):
        return pa.float64()
    return pa.binary() if pa.types.is_fixed_size_binary(type) else type


def whole_times(array: pa.Array) -> pa.Array:
    """Times as whole numbers of 64 bits: of their own unit, dates as days."""
    return array.view(pa.int32() if array.type.bit_width == 32 else pa.int64()).cast(pa.int64())


def is_text(type: pa.DataType) -> bool:
    """Returns whether it is a string or byte string of any kind."""
    return plain_type(type) in (pa.string(), pa.binary())


def plain_type(type: pa.DataType) -> pa.DataType:
    """Returns the type without dictionaries, views and 64-bit offsets, as sources emit it.

    A slice of a dictionary or view drags its whole parent along, and batches are bounded well
    below what 32-bit offsets hold.
    """
    kinds = pa.types
    if kinds.is_primitive(type):
        return type
    if kinds.is_dictionary(type) or kinds.is_run_end_encoded(type):
        return plain_type(type.value_type)
    if kinds.is_large_string(type) or kinds.is_string_view(type):
        return pa.string()
    if kinds.is_large_binary(type) or kinds.is_binary_view(type):
        return pa.binary()
    if kinds.is_fixed_size_list(type):
        return pa.list_(_plain_field(type.value_field), type.list_size)
    if is_list(type):
        return pa.list_(_plain_field(type.value_field))
    if kinds.is_struct(type):
        return pa.struct([_plain_field(type.field(i)) for i in range(type.num_fields)])
    if kinds.is_map(type):
        return pa.map_(plain_type(type.key_type), plain_type(type.item_type))
    return type.storage_type if isinstance(type, pa.BaseExtensionType) else type


def has_map(type: pa.DataType) -> bool:
    """Returns whether it is a map, or has one in it."""
    if not pa.types.is_nested(type):
        return False
    inner = (type.field(index).type for index in range(type.num_fields))
    return bool(pa.types.is_map(type)) or any(map(has_map, inner))


MOST_DEEP = 100
"""A column is nested no deeper: what walks through types, or pickles them, does so by recursion."""


def too_deep(schema: pa.Schema) -> str | None:
    """Returns the first column that is nested more than `MOST_DEEP` deep, or None."""
    for field in schema:
        level = [field.type]
        for _ in range(MOST_DEEP):
            level = [t.field(i).type for t in level for i in range(t.num_fields)]
        if level:
            return str(field.name)
    return None


def has_float(type: pa.DataType) -> bool:
    """Returns whether it is a float, or has one in it."""
    if not pa.types.is_nested(type):
        return bool(pa.types.is_floating(type))
    return any(has_float(type.field(index).type) for index in range(type.num_fields))


def unmapped_type(type: pa.DataType) -> pa.DataType:
    """Returns the plain type in which a map is a list of structs of `key` and `value`.

    It is what schemas and statistics, which know no maps, take a column for; `casts.as_plain` casts
    to it.
    """
    return _unmapped(plain_type(type))


def _unmapped(type: pa.DataType) -> pa.DataType:
    if not has_map(type):
        return type
    if pa.types.is_map(type):
        entry = (("key", _unmapped(type.key_type)), ("value", _unmapped(type.item_type)))
        return pa.list_(pa.struct(entry))
    if pa.types.is_struct(type):
        return pa.struct([pa.field(field.name, _unmapped(field.type)) for field in type])
    values = pa.field(type.value_field.name, _unmapped(type.value_type))
    size = type.list_size if pa.types.is_fixed_size_list(type) else -1
    return pa.list_(values, size)


def _plain_field(field: pa.Field) -> pa.Field:
    name = "item" if field.name == "element" else field.name
    return pa.field(name, plain_type(field.type))


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Returns a schema of plain, nullable types and no metadata."""
    return pa.schema([pa.field(field.name, plain_type(field.type)) for field in schema])
