"""The schema that serialized tf.Examples show, which carry none."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.casts import checked_cast
from transforms.arrow.types import is_list, plain_type
from transforms.examples.convert import EXAMPLE, SEQUENCE_COLUMN, Decoding


def infer_example_schema(records: list[bytes], decoding: Decoding = EXAMPLE) -> pa.Schema:
    """Returns the schema of some serialized records, its columns in the order of their names.

    A feature with at most one value in every record is a scalar, others are lists. Bytes are
    string where all are valid UTF-8. Records that can't be parsed say nothing.

    Returns: The schema; a feature that never has a value is of type null.
    """
    found: dict[str, pa.DataType] = {}
    for batch in _untyped(records, decoding):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            found[name] = _wider(found.get(name), _inferred(column))
    names = sorted(found, key=lambda name: (name == SEQUENCE_COLUMN, name))
    return pa.schema([(name, found[name]) for name in names])


def _untyped(records: list[bytes], decoding: Decoding) -> Iterator[pa.RecordBatch]:
    batch = decoding.decode(records, None)
    if batch is not None:
        yield batch
    elif len(records) > 1:
        half = len(records) // 2
        yield from _untyped(records[:half], decoding)
        yield from _untyped(records[half:], decoding)


def _inferred(column: pa.Array) -> pa.DataType:
    if pa.types.is_null(column.type):
        return column.type
    if pa.types.is_struct(column.type):
        names = [field.name for field in column.type]
        return pa.struct([(name, _steps(pc.struct_field(column, name))) for name in names])
    value = _value_type(pc.list_flatten(column))
    many = pc.any(pc.greater(pc.list_value_length(column), 1)).as_py()
    return pa.list_(value) if many else value


def _steps(column: pa.Array) -> pa.DataType:
    """Returns the type of a feature list: lists of lists, whatever their lengths."""
    while is_list(column.type):
        column = pc.list_flatten(column)
    return pa.list_(pa.list_(_value_type(column)))


def _value_type(values: pa.Array) -> pa.DataType:
    if pa.types.is_null(values.type):
        return pa.string()
    type = plain_type(values.type)
    text = pa.types.is_binary(type) and checked_cast(values, pa.string()).bad is None
    return pa.string() if text else type


def _wider(one: pa.DataType | None, other: pa.DataType) -> pa.DataType:
    """Returns the kind for the values of two samples; for numbers and texts, the first kind.

    Integers beside floats are doubles, as over files.
    """
    if one is None or pa.types.is_null(one):
        return other
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        fields = {field.name: field.type for field in one}
        for field in other:
            fields[field.name] = _wider(fields.get(field.name), field.type)
        return pa.struct(fields.items())
    if is_list(other) and not is_list(one):
        return pa.list_(_wider(one, other.value_type))
    if is_list(one):
        return pa.list_(_wider(one.value_type, other.value_type if is_list(other) else other))
    if pa.types.is_integer(one) and pa.types.is_floating(other):
        return pa.float64()
    if pa.types.is_floating(one) and pa.types.is_integer(other):
        return pa.float64()
    if pa.types.is_floating(one) and pa.types.is_floating(other):
        return one if one.bit_width >= other.bit_width else other
    return other if pa.types.is_string(one) and pa.types.is_binary(other) else one
