"""Reads the Schema of a gate: what it says of rows is lost in a plain Arrow schema."""

from typing import Any

from transforms.errors import ConfigError


def schema_of(schema: Any) -> Any:
    """A tensorflow-metadata Schema, read where only its place is given.

    Args:
      schema: A `Schema`, or the URI of a `.pbtxt`.

    Raises:
      ConfigError: There is no such file, or it is not such a schema.
    """
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    from transforms.io.files import read_bytes

    if isinstance(schema, schema_pb2.Schema):
        return schema
    if not isinstance(schema, str):
        raise ConfigError(
            "schema is a tensorflow-metadata Schema, or the URI of a .pbtxt, not a "
            f"{type(schema).__module__}.{type(schema).__name__}"
        )
    try:
        return text_format.Parse(read_bytes(schema).decode(), schema_pb2.Schema())
    except OSError as error:
        raise ConfigError(f"schema {schema}: can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"schema {schema}: is not UTF-8 text") from None
    except text_format.ParseError as error:
        raise ConfigError(
            f"schema {schema}: not a tensorflow-metadata Schema: line {error}"
        ) from None
