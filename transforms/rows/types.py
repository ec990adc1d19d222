"""The types of Beam's rows and of Arrow, each as the other's.

Beam has such a mapping too, but it knows no timestamps, and takes `float | None` for anything.
"""

import collections.abc
import dataclasses
import datetime
import keyword
import types
import typing
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam import typehints
from apache_beam.typehints.native_type_compatibility import convert_to_python_type
from apache_beam.typehints.row_type import RowTypeConstraint
from apache_beam.typehints.typehints import TypeConstraint
from apache_beam.utils.timestamp import Timestamp

from transforms.arrow.types import is_list, plain_schema

_ARROW: dict[Any, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    Timestamp: pa.timestamp("us", "UTC"),
    datetime.datetime: pa.timestamp("us", "UTC"),
    datetime.date: pa.date32(),
}

_PYTHON = (
    (pa.types.is_boolean, bool),
    (pa.types.is_integer, int),
    (pa.types.is_floating, float),
    (pa.types.is_string, str),
    (pa.types.is_binary, bytes),
    (pa.types.is_struct, dict),
)


def hinted_schema(hint: Any) -> pa.Schema | None:
    """Returns the schema in the element type of a PCollection.

    Args:
      hint: A NamedTuple, dataclass or Beam Row type; anything else tells nothing.

    Returns: The columns, or None where the hint, or the type of a field, tells nothing.
    """
    found = _arrow(hint)
    return pa.schema(list(found)) if found is not None and pa.types.is_struct(found) else None


def _arrow(hint: Any) -> pa.DataType | None:
    if isinstance(hint, TypeConstraint) and not isinstance(hint, RowTypeConstraint):
        hint = convert_to_python_type(hint)
    if isinstance(hint, type) and issubclass(hint, np.number | np.bool_):
        return pa.from_numpy_dtype(hint)
    if (fields := _fields(hint)) is not None:
        known = [(name, _arrow(type)) for name, type in fields]
        return None if any(type is None for _, type in known) else pa.struct(known)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        (one, *more) = [part for part in arguments if part is not type(None)]
        return None if more else _arrow(one)
    if origin in (list, collections.abc.Sequence):
        item = _arrow(arguments[0])
        return None if item is None else pa.list_(item)
    return _ARROW.get(hint) if isinstance(hint, collections.abc.Hashable) else None


def _fields(hint: Any) -> list[tuple[str, Any]] | None:
    if isinstance(hint, RowTypeConstraint):
        return list(hint._fields)
    if isinstance(hint, type) and (hasattr(hint, "_fields") or dataclasses.is_dataclass(hint)):
        return list(typing.get_type_hints(hint).items())
    return None


def row_hint(schema: pa.Schema | None) -> Any:
    """Beam's type of the rows of a schema; every field may be None.

    Without a schema, or with names that Python can't use, it is just `beam.Row`.
    """
    if schema is None or not all(map(_is_field_name, schema.names)):
        return beam.Row
    fields = [
        (field.name, typehints.Optional[_python(field.type)]) for field in plain_schema(schema)
    ]
    return RowTypeConstraint.from_fields(fields)


def _is_field_name(name: str) -> bool:
    """Returns whether a NamedTuple, which Beam makes of a row's type, may have such a field."""
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")


def _python(type: pa.DataType) -> Any:
    """Returns the Python type of a column's values, as `to_pylist` gives them."""
    if is_list(type):
        return typehints.Sequence[typehints.Optional[_python(type.value_type)]]
    return next((python for test, python in _PYTHON if test(type)), Any)
