"""Schemas from files: tensorflow-metadata, BigQuery's JSON and Avro."""

import json
import posixpath
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

from transforms.arrow.types import MOST_DEEP, from_feature, too_deep
from transforms.errors import ConfigError
from transforms.schema.bigquery_types import arrow_schema
from transforms.words import repeated


def read_schema(uri: str) -> pa.Schema:
    """Reads a schema file; its suffix says which kind it is.

    Args:
      uri: A `.pbtxt` (a tensorflow-metadata Schema, as TFX and TFDV write it), a `.json` (a list of
        BigQuery fields, or a table's description that has one) or an `.avsc` (an Avro record).

    Returns: Its columns, all nullable, of plain types.

    Raises:
      ConfigError: The file isn't there, or is not such a schema; the text names the line or field.
    """
    from transforms.files.filesystem import read_text

    suffix = posixpath.splitext(uri)[1].lower()
    if suffix not in _PARSERS:
        known = ", ".join(_PARSERS)
        raise ConfigError(f"--schema {uri}: a schema file ends in one of {known}")
    text = read_text(uri, "--schema")
    try:
        schema = _PARSERS[suffix](text)
    except ConfigError as error:
        raise ConfigError(f"--schema {uri}: {error}") from None
    except RecursionError:
        raise ConfigError(f"--schema {uri}: is nested too deeply") from None
    if deep := too_deep(schema):
        raise ConfigError(f"--schema {uri}: column {deep!r} is nested more than {MOST_DEEP} deep")
    if not schema.names:
        raise ConfigError(f"--schema {uri}: has no columns")
    if twice := repeated(schema.names):
        raise ConfigError(f"--schema {uri}: field {twice[0]!r} is there twice")
    return schema


def schema_from_pbtxt(text: str) -> pa.Schema:
    """Returns the columns of a tensorflow-metadata Schema, without deprecated features.

    Raises:
      ConfigError: The text is not such a schema, or a feature has no type.
    """
    from transforms.schema.text.typos import parse_schema

    schema = parse_schema(text)
    return pa.schema(_features(schema.feature, ""))


def _features(features: Iterable[Any], path: str) -> list[tuple[str, pa.DataType]]:
    from tensorflow_metadata.proto.v0 import schema_pb2

    return [
        (feature.name, _shaped(feature, _value(feature, path + feature.name)))
        for feature in features
        if feature.lifecycle_stage != schema_pb2.DEPRECATED
    ]


def _value(feature: Any, path: str) -> pa.DataType:
    from tensorflow_metadata.proto.v0 import schema_pb2

    kind = schema_pb2.FeatureType.Name(feature.type)
    if kind == "STRUCT":
        return pa.struct(_features(feature.struct_domain.feature, f"{path}."))
    if kind == "TYPE_UNKNOWN":
        raise ConfigError(f"feature {path!r} has no type: give it INT, FLOAT, BYTES or STRUCT")
    if kind == "BYTES" and feature.HasField("image_domain"):
        return pa.binary()
    return from_feature(kind)


def _shaped(feature: Any, value: pa.DataType) -> pa.DataType:
    """Returns a scalar, or a list of it, as the feature's shape or number of values says.

    With neither it is a scalar: TFDV leaves both out where a row may lack the feature. Rows of
    more values are rejected by the reader, not cut.
    """
    if feature.HasField("shape"):
        return _fixed([dim.size for dim in feature.shape.dim], value)
    if feature.HasField("value_counts"):
        for _ in feature.value_counts.value_count:
            value = pa.list_(value)
        return value
    many = feature.HasField("value_count") and feature.value_count.max != 1
    return pa.list_(value) if many else value


def _fixed(sizes: list[int], value: pa.DataType) -> pa.DataType:
    """Returns the type of a tensor's values; a dimension without a size makes a plain list."""
    total = 1
    for size in sizes:
        total *= size
    if total == 1:
        return value
    return pa.list_(value, total) if total > 1 else pa.list_(value)


def schema_from_bigquery(text: str) -> pa.Schema:
    """Returns the columns in BigQuery's JSON: `[{"name", "type", "mode", "fields"}, ...]`.

    Raises:
      ConfigError: The text is not such a list; the text names the line or field.
    """
    described = _json(text)
    if isinstance(described, dict):
        table = described.get("schema", described)
        described = table.get("fields") if isinstance(table, dict) else None
    if not isinstance(described, list):
        raise ConfigError('neither a list of fields nor {"schema": {"fields": [...]}}')
    return arrow_schema(described)


def schema_from_avsc(text: str) -> pa.Schema:
    """Returns the columns of an Avro record schema.

    Raises:
      ConfigError: It isn't one, or a field has several types.
    """
    from transforms.files.formats.avro.types import avro_to_arrow, parsed_schema

    return avro_to_arrow(parsed_schema(_json(text)))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"line {error.lineno}: not JSON: {error.msg}") from None


_PARSERS: dict[str, Callable[[str], pa.Schema]] = {
    ".avsc": schema_from_avsc,
    ".json": schema_from_bigquery,
    ".pbtxt": schema_from_pbtxt,
}
SCHEMA_SUFFIXES = tuple(_PARSERS)
"""How the names of schema files end."""
