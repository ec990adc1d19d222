"""The one table of types between BigQuery and Arrow; BigQuery's fields as its JSON has them."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from transforms.arrow.types import is_list, plain_type
from transforms.errors import ConfigError

SCALARS: dict[str, pa.DataType] = {
    "BOOL": pa.bool_(),
    "BYTES": pa.binary(),
    "DATE": pa.date32(),
    "DATETIME": pa.timestamp("us"),
    "FLOAT64": pa.float64(),
    "GEOGRAPHY": pa.string(),
    "INT64": pa.int64(),
    "INTERVAL": pa.month_day_nano_interval(),
    "JSON": pa.string(),
    "STRING": pa.string(),
    "TIME": pa.time64("us"),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
}
"""The types of one value that have no parameters, as the Storage API tells them in Arrow."""

ALIASES = {
    "BIGDECIMAL": "BIGNUMERIC",
    "BOOLEAN": "BOOL",
    "DECIMAL": "NUMERIC",
    "FLOAT": "FLOAT64",
    "INTEGER": "INT64",
    "RECORD": "STRUCT",
}
"""Other names of types: those of older interfaces, and of SQL."""

DECIMALS = {"NUMERIC": (38, 9), "BIGNUMERIC": (76, 38)}
"""Precision and scale of decimals whose field names none."""

NO_LOAD = ("INTERVAL", "RANGE")
"""Types that load jobs do not take from Parquet files."""

_RANGES = ("DATE", "DATETIME", "TIMESTAMP")
_MODES = ("NULLABLE", "REQUIRED", "REPEATED")
_LEGACY = {"FLOAT64": "FLOAT", "INT64": "INTEGER", "STRUCT": "RECORD", "BOOL": "BOOLEAN"}


def type_name(field: Mapping[str, Any]) -> str:
    """Returns the name of a field's type, the same for all its spellings."""
    name = str(field.get("type")).upper()
    return ALIASES.get(name, name)


def arrow_schema(fields: Any) -> pa.Schema:
    """Returns the columns that BigQuery's JSON describes, all nullable.

    Args:
      fields: `[{"name", "type", "mode", "fields"}, ...]`, as `bq show --schema` gives it.

    Raises:
      ConfigError: It is not such a list; the text names the field.
    """
    return pa.schema(_arrow_fields(fields, ""))


def _arrow_fields(fields: Any, path: str) -> list[tuple[str, pa.DataType]]:
    if not isinstance(fields, list) or (path and not fields):
        raise ConfigError(f"field {path.rstrip('.')!r} is a record without fields")
    made = []
    for number, field in enumerate(fields, 1):
        if not isinstance(field, dict) or not isinstance(field.get("name"), str):
            raise ConfigError(f"field {number} of {path.rstrip('.') or 'the list'} has no name")
        made.append((field["name"], _arrow_type(field, path + field["name"])))
    return made


def _arrow_type(field: dict[str, Any], path: str) -> pa.DataType:
    mode = str(field.get("mode") or "NULLABLE").upper()
    if mode not in _MODES:
        raise ConfigError(f"field {path!r} has an unknown mode {mode!r}")
    value = _arrow_value(field, type_name(field), path)
    return pa.list_(value) if mode == "REPEATED" else value


def _arrow_value(field: dict[str, Any], kind: str, path: str) -> pa.DataType:
    if kind == "STRUCT":
        return pa.struct(_arrow_fields(field.get("fields"), f"{path}."))
    if kind in DECIMALS:
        return _decimal(field, kind, path)
    if kind == "RANGE":
        return _range(field, path)
    if kind not in SCALARS:
        known = ", ".join([*SCALARS, *DECIMALS, "RANGE", "STRUCT", *ALIASES])
        raise ConfigError(
            f"field {path!r} has an unknown type {field.get('type')!r}; known: {known}"
        )
    return SCALARS[kind]


def _decimal(field: dict[str, Any], kind: str, path: str) -> pa.DataType:
    precision, scale = DECIMALS[kind]
    try:
        if "precision" in field:
            precision, scale = int(field["precision"]), int(field.get("scale", 0))
        return (pa.decimal128 if precision <= 38 else pa.decimal256)(precision, scale)
    except (TypeError, ValueError):
        raise ConfigError(f"field {path!r} has a wrong precision or scale") from None


def _range(field: dict[str, Any], path: str) -> pa.DataType:
    """Returns a range as a struct of its two ends; a null end is no bound."""
    element = field.get("rangeElementType")
    kind = type_name(element) if isinstance(element, dict) else ""
    if kind not in _RANGES:
        raise ConfigError(f"field {path!r} is a range of none of {', '.join(_RANGES)}")
    return pa.struct([("start", SCALARS[kind]), ("end", SCALARS[kind])])


def bigquery_fields(schema: Iterable[pa.Field]) -> list[dict[str, Any]]:
    """Returns the fields of a table that can hold such columns, as BigQuery's JSON has them.

    Args:
      schema: Arrow columns. Lists become REPEATED fields, and maps those of `key` and `value`.

    Raises:
      ConfigError: A column that no table can hold; the text names it.
    """
    return [_field(field.name, plain_type(field.type), field.name) for field in schema]


def _field(name: str, type: pa.DataType, path: str) -> dict[str, Any]:
    if pa.types.is_map(type):
        type = pa.list_(pa.struct([("key", type.key_type), ("value", type.item_type)]))
    if not is_list(type):
        return {"name": name, **_value(type, path), "mode": "NULLABLE"}
    inner = type.value_type
    if is_list(inner) or pa.types.is_map(inner):
        raise ConfigError(
            f"column {path!r} is {type}: BigQuery has no lists of lists. Leave the column out, or "
            "put the inner lists into a struct"
        )
    return {"name": name, **_value(inner, path), "mode": "REPEATED"}


def _value(type: pa.DataType, path: str) -> dict[str, Any]:
    if pa.types.is_struct(type):
        inner = [_field(each.name, each.type, f"{path}.{each.name}") for each in type]
        if not inner:
            raise ConfigError(f"column {path!r} is a struct without fields: leave it out")
        return {"type": "RECORD", "fields": inner}
    if pa.types.is_decimal(type):
        return _decimal_field(type, path)
    kind = _scalar_name(type)
    if kind is None:
        raise ConfigError(f"column {path!r} is {type}, which no BigQuery table can hold")
    return {"type": _LEGACY.get(kind, kind)}


def _scalar_name(type: pa.DataType) -> str | None:
    kinds = pa.types
    if kinds.is_uint64(type):
        return "NUMERIC"
    if kinds.is_timestamp(type):
        return "TIMESTAMP" if type.tz else "DATETIME"
    tests = {
        "STRING": (kinds.is_string, kinds.is_null),
        "BYTES": (kinds.is_binary, kinds.is_fixed_size_binary),
        "INT64": (kinds.is_integer, kinds.is_duration),
        "FLOAT64": (kinds.is_floating,),
        "BOOL": (kinds.is_boolean,),
        "DATE": (kinds.is_date,),
        "TIME": (kinds.is_time,),
        "INTERVAL": (kinds.is_interval,),
    }
    return next((name for name, fits in tests.items() if any(fit(type) for fit in fits)), None)


def _decimal_field(type: pa.DataType, path: str) -> dict[str, Any]:
    """Returns the narrower of the two decimals that holds all values of a type."""
    for name, (precision, scale) in DECIMALS.items():
        if 0 <= type.scale <= scale and type.precision - type.scale <= precision - scale:
            return {"type": name}
    raise ConfigError(
        f"column {path!r} is {type}: a BIGNUMERIC has at most 38 digits before the point and 38 "
        "after it"
    )
