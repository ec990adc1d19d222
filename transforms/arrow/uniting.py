"""One schema for several: columns that some lack, and types that widen so that they hold both."""

import pyarrow as pa

from transforms.arrow.types import is_list

_DIGITS = {8: 3, 16: 5, 32: 10, 64: 19}
"""How many decimal digits an integer of so many bits may have; an unsigned one of 64 has 20."""


def unite_schemas(first: pa.Schema, second: pa.Schema) -> pa.Schema:
    """Unites two schemas by Arrow's rules, but for integers beside decimals.

    Of an integer beside a decimal Arrow makes a decimal that holds the integer's digits or the
    decimal's fraction, not both: of int64 and decimal(3, 2) decimal(20, 2), not decimal(21, 2).

    Args:
      first: Plain types; its columns come first.
      second: Plain types.

    Raises:
      pyarrow.ArrowTypeError: A column whose types have nothing in common.
      pyarrow.ArrowInvalid: The same.
    """
    others = {field.name: field.type for field in second}
    firsts = {field.name: field.type for field in first}
    widened = [_widened(first, others), _widened(second, firsts)]
    return pa.unify_schemas(widened, promote_options="permissive")


def _widened(schema: pa.Schema, others: dict[str, pa.DataType]) -> pa.Schema:
    return pa.schema(
        [field.with_type(_beside(field.type, others.get(field.name))) for field in schema]
    )


def _beside(type: pa.DataType, other: pa.DataType | None) -> pa.DataType:
    """Returns the type, with decimals in place of integers where the other type has decimals."""
    if other is None or type.equals(other):
        return type
    if pa.types.is_integer(type) and pa.types.is_decimal(other):
        return _whole(type, other)
    if pa.types.is_decimal(type) and pa.types.is_integer(other):
        return _joint(type, _whole(other, type))
    if is_list(type) and is_list(other):
        values = type.value_field.with_type(_beside(type.value_type, other.value_type))
        return pa.list_(values, getattr(type, "list_size", -1))
    if pa.types.is_struct(type) and pa.types.is_struct(other):
        theirs = {field.name: field.type for field in other}
        return pa.struct([f.with_type(_beside(f.type, theirs.get(f.name))) for f in type])
    if pa.types.is_map(type) and pa.types.is_map(other):
        return pa.map_(type.key_type, _beside(type.item_type, other.item_type))
    return type


def _whole(integer: pa.DataType, decimal: pa.DataType) -> pa.DataType:
    """Returns the decimal for all digits of an integer, and the fraction of a decimal."""
    digits = _DIGITS[integer.bit_width] + integer.equals(pa.uint64())
    return _joined(decimal, digits, 0)


def _joint(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    return _joined(one, other.precision - other.scale, other.scale)


def _joined(decimal: pa.DataType, whole: int, scale: int) -> pa.DataType:
    """Returns the decimal for another decimal and so many digits, of 128 bits if they suffice."""
    scale = max(decimal.scale, scale)
    digits = scale + max(decimal.precision - decimal.scale, whole)
    if digits > 76:
        raise pa.ArrowInvalid("no decimal has as many digits as both need")
    return (pa.decimal128 if digits <= 38 else pa.decimal256)(digits, scale)
