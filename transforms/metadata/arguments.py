"""Schemas and statistics are given as messages; for a file's name the error names its reader."""

import os
from typing import Any

from transforms.errors import ConfigError
from transforms.metadata.protos import schema_pb2, statistics_pb2


def check_schema(schema: Any, argument: str = "schema") -> None:
    """Looks whether an argument is a schema.

    Raises:
      ConfigError: It is something else; of the name of a file, the text says how it is read.
    """
    if not isinstance(schema, schema_pb2.Schema):
        wanted = "a tensorflow-metadata Schema"
        raise _other(argument, schema, wanted, "read_metadata(uri) of transforms.schema")


def check_statistics(statistics: Any, argument: str = "statistics") -> None:
    """Looks whether an argument is statistics.

    Raises:
      ConfigError: It is something else; of the name of a file, the text says how it is read.
    """
    if not isinstance(statistics, statistics_pb2.DatasetFeatureStatisticsList):
        wanted = "a DatasetFeatureStatisticsList"
        reader = "read_statistics(uri) of transforms.gate.places"
        raise _other(argument, statistics, wanted, reader)


def _other(argument: str, found: Any, wanted: str, reader: str) -> ConfigError:
    if isinstance(found, str | os.PathLike):
        way = f"the name of a file: read it with {reader}"
    else:
        way = f"a {type(found).__module__}.{type(found).__qualname__}"
    return ConfigError(f"{argument} is {wanted}, not {way}")
