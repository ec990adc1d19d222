"""The types of Avro and Arrow, each as the other's."""

import contextlib
import re
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

import pyarrow as pa

from transforms.arrow.types import is_list, plain_type
from transforms.errors import ConfigError

_PRIMITIVES = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.string(),
}

_LOGICAL = {
    ("int", "date"): pa.date32(),
    ("int", "time-millis"): pa.time32("ms"),
    ("long", "time-micros"): pa.time64("us"),
    ("long", "timestamp-millis"): pa.timestamp("ms", "UTC"),
    ("long", "timestamp-micros"): pa.timestamp("us", "UTC"),
    ("long", "timestamp-nanos"): pa.timestamp("ns", "UTC"),
    ("long", "local-timestamp-millis"): pa.timestamp("ms"),
    ("long", "local-timestamp-micros"): pa.timestamp("us"),
    ("long", "local-timestamp-nanos"): pa.timestamp("ns"),
}

_WIDENED = {
    pa.int8(): pa.int32(),
    pa.int16(): pa.int32(),
    pa.uint8(): pa.int32(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.int64(),
    pa.float16(): pa.float32(),
    pa.date64(): pa.date32(),
    pa.time32("s"): pa.time32("ms"),
    pa.time64("ns"): pa.time64("us"),
}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parsed_schema(schema: Any) -> Any:
    """Returns an Avro schema as JSON, with the full names of its types.

    Raises:
      ConfigError: It isn't an Avro schema.
    """
    import fastavro
    from fastavro.schema import SchemaParseException, UnknownType

    try:
        return fastavro.parse_schema(_without_defaults(schema))
    except (SchemaParseException, UnknownType, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"not a valid Avro schema: {error}") from None


def _without_defaults(schema: Any) -> Any:
    """Returns the schema without default values: readers don't use them, and many are wrong."""
    if isinstance(schema, list):
        return [_without_defaults(part) for part in schema]
    if isinstance(schema, Mapping):
        return {key: _without_defaults(schema[key]) for key in schema if key != "default"}
    return schema


def avro_to_arrow(schema: Any, columns: Container[str] | None = None) -> pa.Schema:
    """Returns the columns of an Avro record schema; all are nullable.

    Args:
      schema: Parsed JSON with references as full names, as `parsed_schema` makes it.
      columns: The columns wanted; None for all.

    Raises:
      ConfigError: It isn't a record, or a field wanted is a union of several types or holds itself.
    """
    if not isinstance(schema, Mapping) or schema.get("type") not in ("record", "error"):
        raise ConfigError("the Avro schema is not a record, so that it has no columns")
    names = {schema["name"]: None}
    fields = []
    for field in schema["fields"]:
        wanted = columns is None or field["name"] in columns
        # Types that are named in columns not wanted may be referred to later.
        with contextlib.nullcontext() if wanted else contextlib.suppress(ConfigError):
            found = (field["name"], _arrow(field["type"], field["name"], names))
            if wanted:
                fields.append(found)
    return pa.schema(fields)


def _arrow(schema: Any, path: str, names: dict[str, Any]) -> pa.DataType:
    """Returns the Arrow type of an Avro type; `names` holds the named types met so far."""
    if isinstance(schema, list):
        numbers = _number_union(schema)
        return numbers or _arrow(_single(schema, path), path, names)
    if isinstance(schema, str):
        return _referred(schema, path, names)
    kind = schema["type"]
    if not isinstance(kind, str):
        return _arrow(kind, path, names)
    if kind == "array":
        return pa.list_(_arrow(schema["items"], f"{path}[]", names))
    if kind == "map":
        return pa.map_(pa.string(), _arrow(schema["values"], f"{path}[]", names))
    if kind in ("record", "error"):
        return _record(schema, f"{path}.", names)
    found = _scalar(schema, kind, path, names)
    if "name" in schema:
        names[schema["name"]] = found
    return found


def _record(schema: Mapping[str, Any], path: str, names: dict[str, Any]) -> pa.StructType:
    names[schema["name"]] = None
    fields = [
        (field["name"], _arrow(field["type"], path + field["name"], names))
        for field in schema["fields"]
    ]
    names[schema["name"]] = pa.struct(fields)
    return names[schema["name"]]


def _scalar(schema: Mapping[str, Any], kind: str, path: str, names: dict[str, Any]) -> pa.DataType:
    logical = str(schema.get("logicalType"))
    if kind in ("bytes", "fixed") and logical == "decimal":
        return _decimal(schema["precision"], schema.get("scale", 0))
    if kind == "enum":
        return pa.string()
    if kind == "fixed":
        return pa.binary(schema["size"])
    return _LOGICAL.get((kind, logical)) or _referred(kind, path, names)


def _decimal(precision: int, scale: int) -> pa.DataType:
    return (pa.decimal128 if precision <= 38 else pa.decimal256)(precision, scale)


def _number_union(union: list[Any]) -> pa.DataType | None:
    """Returns the type that holds every kind of a union of numbers; None for other unions."""
    kinds = {kind for kind in map(_plain_kind, union) if kind != "null"}
    if len(kinds) < 2 or not kinds <= {"int", "long", "float", "double"}:
        return None
    if kinds <= {"int", "long"}:
        return pa.int64()
    # A float of 32 bits rounds integers that a double has exactly.
    return pa.float64()


def _plain_kind(kind: Any) -> str | None:
    """Returns the name of a type without a logical type, else None."""
    if isinstance(kind, Mapping) and "logicalType" not in kind:
        kind = kind.get("type")
    return kind if isinstance(kind, str) else None


def _single(union: list[Any], path: str) -> Any:
    kinds = [kind for kind in union if kind != "null"]
    if len(kinds) > 1:
        raise ConfigError(
            f"field {path!r} is a union of {len(kinds)} types, but a column has one: "
            "pass --schema with the other columns only"
        )
    return kinds[0] if kinds else "null"


def _referred(name: str, path: str, names: dict[str, Any]) -> pa.DataType:
    found = _PRIMITIVES.get(name) or names.get(name)
    if found is None:
        why = "holds itself" if name in names else f"is of an unknown type, {name!r}"
        raise ConfigError(f"field {path!r} {why}: pass --schema with the other columns only")
    return found


def least_bytes(schema: Any) -> int:
    """Returns the fewest bytes that a value takes in a file: 0 for null, and for records of it.

    Args:
      schema: Parsed JSON, as `parsed_schema` makes it.
    """
    if isinstance(schema, list):
        return 1
    if isinstance(schema, str):
        # A type that is named above: one that holds itself through a union or a list takes a byte.
        return {"null": 0, "float": 4, "double": 8}.get(schema, 1 if schema in _PRIMITIVES else 0)
    kind = schema.get("type")
    if kind in ("record", "error"):
        return sum(least_bytes(field["type"]) for field in schema["fields"])
    if kind == "fixed":
        return int(schema["size"])
    return 1 if kind in ("array", "map", "enum") else least_bytes(kind)


def without_free_items(schema: Any) -> Any:
    """Returns a schema by which items of arrays that take no bytes can't be read.

    A few bytes may claim a billion of them. Empty arrays of null, which programs do write, are
    read as before: of an empty union, which stands in the items' place, there is no value.

    Args:
      schema: Parsed JSON, as `parsed_schema` makes it.
    """
    if isinstance(schema, list):
        return [without_free_items(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    if schema.get("type") == "array" and not least_bytes(schema["items"]):
        return {**schema, "items": []}
    nested = {key: schema[key] for key in ("type", "items", "values") if key in schema}
    changed = {key: without_free_items(part) for key, part in nested.items()}
    if "fields" in schema:
        parts = [{**part, "type": without_free_items(part["type"])} for part in schema["fields"]]
        changed["fields"] = parts
    return {**schema, **changed}


def arrow_to_avro(schema: pa.Schema) -> dict[str, Any]:
    """Returns the Avro schema of columns, each of them a union with null.

    Args:
      schema: Columns of types that `stored_type` gives.

    Raises:
      ConfigError: A name that Avro does not allow.
    """
    return {"type": "record", "name": "Row", "fields": _avro_fields(schema, "Row")}


def _avro_fields(fields: Iterable[pa.Field], path: str) -> list[dict[str, Any]]:
    return [
        {"name": _checked(field.name), "type": _avro(field.type, f"{path}.{field.name}")}
        for field in fields
    ]


def _checked(name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    raise ConfigError(
        f"{name!r} can't be a field of an Avro file, whose names are letters, digits and "
        "underscores: rename the column, or write another format"
    )


def _avro(type: pa.DataType, path: str) -> Any:
    """Returns the Avro type of an Arrow type; the path gives named types their names."""
    if pa.types.is_null(type):
        return "null"
    if is_list(type):
        return ["null", {"type": "array", "items": _avro(type.value_type, f"{path}.item")}]
    if pa.types.is_map(type):
        return ["null", {"type": "map", "values": _avro(type.item_type, f"{path}.value")}]
    if pa.types.is_struct(type):
        return ["null", {"type": "record", "name": path, "fields": _avro_fields(type, path)}]
    return ["null", _avro_scalar(type, path)]


def _avro_scalar(type: pa.DataType, path: str) -> Any:
    if pa.types.is_decimal(type):
        digits = {"precision": type.precision, "scale": type.scale}
        return {"type": "bytes", "logicalType": "decimal", **digits}
    if pa.types.is_fixed_size_binary(type):
        return {"type": "fixed", "name": path, "size": type.byte_width}
    for (kind, logical), known in _LOGICAL.items():
        if known.equals(type):
            return {"type": kind, "logicalType": logical}
    return next(name for name, known in _PRIMITIVES.items() if known.equals(type))


def stored_type(type: pa.DataType, column: str) -> pa.DataType:
    """Returns the Arrow type that Avro has and that holds a column with little or no loss.

    Values of uint64, and of times in nanoseconds, need not fit: the cast to it is to be checked.

    Raises:
      ConfigError: Avro has no such type.
    """

    def stored(leaf: pa.DataType) -> pa.DataType:
        if pa.types.is_timestamp(leaf):
            unit = "ms" if leaf.unit == "s" else leaf.unit
            return pa.timestamp(unit, "UTC" if leaf.tz else None)
        leaf = _WIDENED.get(leaf, leaf)
        known = [*_PRIMITIVES.values(), *_LOGICAL.values()]
        if leaf in known or pa.types.is_decimal(leaf) or pa.types.is_fixed_size_binary(leaf):
            return leaf
        raise ConfigError(f"column {column!r} is {type}, which Avro has no type for: cast it first")

    return _with_leaves(plain_type(type), stored)


def number_type(type: pa.DataType) -> pa.DataType:
    """Returns the type with dates and times as the integers that Avro stores for them."""
    return _with_leaves(type, _number)


def _number(leaf: pa.DataType) -> pa.DataType:
    if not pa.types.is_temporal(leaf):
        return leaf
    return pa.int32() if leaf.bit_width == 32 else pa.int64()


def _with_leaves(type: pa.DataType, change: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    """Returns the type with its scalar types changed, and its lists of variable length."""
    if is_list(type):
        return pa.list_(_with_leaves(type.value_type, change))
    if pa.types.is_map(type):
        if not pa.types.is_string(type.key_type):
            raise ConfigError(f"{type}: the keys of an Avro map are strings: cast it first")
        return pa.map_(type.key_type, _with_leaves(type.item_type, change))
    if pa.types.is_struct(type):
        return pa.struct([(part.name, _with_leaves(part.type, change)) for part in type])
    return change(type)
