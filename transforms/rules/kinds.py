"""What an expression may be made of: kinds of values, and columns brought to them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import pyarrow as pa

from transforms.arrow.casts import as_feature, as_plain, checked_cast
from transforms.arrow.number_casts import doubles
from transforms.arrow.types import (
    feature_type,
    has_map,
    is_list,
    is_text,
    is_time,
    plain_type,
    unmapped_type,
    whole_times,
)


class Kind(StrEnum):
    """A kind of values in an expression."""

    INT = "INT"
    FLOAT = "FLOAT"
    TEXT = "TEXT"
    BOOL = "BOOL"
    TIME = "TIME"
    LIST = "LIST"
    STRUCT = "STRUCT"


@dataclass(frozen=True)
class Struct:
    """A column of structs, and what its fields are.

    Attributes:
      fields: The kinds of its fields by name; those of other types are left out.
    """

    fields: Mapping[str, "Kinds"]


Kinds: TypeAlias = Kind | Struct
"""What a column is: of a kind, or structs with known fields."""


def kind_of(kinds: Kinds) -> Kind:
    """Returns the kind of a column, whatever its fields are."""
    return Kind.STRUCT if isinstance(kinds, Struct) else kinds


NUMBERS = frozenset({Kind.INT, Kind.FLOAT})

TYPES = {
    Kind.INT: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.TEXT: pa.string(),
    Kind.BOOL: pa.bool_(),
    Kind.TIME: pa.timestamp("us"),
}
"""As what values are computed with; times are in UTC."""


def kinds_of_columns(schema: pa.Schema) -> dict[str, Kinds]:
    """Returns the kinds of the columns of an Arrow schema, without columns of other types."""
    return _kinds_of_fields([(field.name, unmapped_type(field.type)) for field in schema])


def joined_kinds(of_data: Mapping[str, Kinds], of_schema: Mapping[str, Kinds]) -> dict[str, Kinds]:
    """Returns the kinds of the columns of either, those that a schema knows as it has them.

    A schema knows no times: to it they are integers. So what is a time in the data stays one.
    """
    joined = {**of_data, **of_schema}
    for name, kinds in of_data.items():
        said = joined[name]
        if kinds is Kind.TIME:
            joined[name] = kinds
        elif isinstance(kinds, Struct) and isinstance(said, Struct):
            joined[name] = Struct(joined_kinds(kinds.fields, said.fields))
    return joined


def _kinds_of_fields(fields: Iterable[tuple[str, pa.DataType]]) -> dict[str, Kinds]:
    found = {name: _kinds_of_type(type) for name, type in fields}
    return {name: kinds for name, kinds in found.items() if kinds is not None}


def _kinds_of_type(type: pa.DataType) -> Kinds | None:
    kind = _kind_of_type(type)
    if kind is not Kind.STRUCT:
        return kind
    return Struct(_kinds_of_fields([(each.name, each.type) for each in type.fields]))


def _kind_of_type(type: pa.DataType) -> Kind | None:
    kinds = pa.types
    tests = {
        Kind.BOOL: kinds.is_boolean,
        Kind.INT: kinds.is_integer,
        Kind.FLOAT: kinds.is_floating,
        Kind.TEXT: is_text,
        Kind.LIST: is_list,
        Kind.STRUCT: kinds.is_struct,
    }
    type = feature_type(type)
    if kinds.is_timestamp(type) or kinds.is_date(type):
        return Kind.TIME
    if is_time(type):
        return Kind.INT
    return next((kind for kind, test in tests.items() if test(type)), None)


def as_kind(array: pa.Array, kind: Kind) -> pa.Array:
    """Returns a column as a kind; values of another kind become null, and so unknown.

    Nothing is parsed: a text is no number. Integers become floats as float64 rounds them, and so do
    decimals; times that are asked for as integers are whole numbers of their unit. Bytes must be
    UTF-8, and of a column of lists each of at most one value is taken.
    """
    if has_map(array.type):
        array = as_plain(array, unmapped_type(array.type))
    if kind in (Kind.LIST, Kind.STRUCT):
        right = is_list(array.type) if kind is Kind.LIST else pa.types.is_struct(array.type)
        return array if right else pa.nulls(len(array), pa.list_(pa.null()))
    target = TYPES[kind]
    if array.type.equals(target):
        return array
    plain = plain_type(array.type)
    if is_list(plain):
        return as_kind(checked_cast(array, plain.value_type).values, kind)
    if not array.type.equals(plain):
        return as_kind(checked_cast(array, plain).values, kind)
    if not feature_type(plain).equals(plain):
        return as_kind(as_feature(array), kind)
    if not _becomes(plain, kind):
        return pa.nulls(len(array), target)
    if kind is Kind.INT and is_time(plain):
        return whole_times(array)
    if kind is Kind.FLOAT:
        return doubles(array)
    if kind is Kind.TIME:
        return _utc(array)
    return checked_cast(array, target).values


def _becomes(type: pa.DataType, kind: Kind) -> bool:
    if kind is Kind.INT:
        return _kind_of_type(type) in (Kind.INT, Kind.FLOAT, Kind.BOOL, Kind.TIME)
    if kind is Kind.FLOAT:
        return _kind_of_type(type) in NUMBERS and not is_time(type)
    return _kind_of_type(type) is kind


def _utc(array: pa.Array) -> pa.Array:
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("ms"))
    array = array.cast(pa.timestamp(array.type.unit))
    if array.type.unit == "ns":
        return array.cast(TYPES[Kind.TIME], safe=False)
    # Beyond what microseconds count a time is unknown.
    return checked_cast(array, TYPES[Kind.TIME]).values
