"""A resolved input of any kind, by its URI."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.io.file_source import Source
from transforms.io.pubsub.source import PubSubSource
from transforms.io.pubsub.uris import is_pubsub


def resolve_input(
    uri: str,
    schema: str | None,
    types: Mapping[str, pa.DataType] | None = None,
    limit: int | None = None,
    **streaming: Any,
) -> Source | PubSubSource:
    """Looks at an input: files are listed, messages have a schema.

    Args:
      uri: Files, or `pubsub://projects/P/subscriptions/S`.
      schema: The URI of a schema file.
      types: The types of some columns, where the input does not tell them.
      limit: Most rows to read of files.
      streaming: What `PubSubSource` has besides.

    Raises:
      ConfigError: It isn't there, or its schema can't be settled.
    """
    if is_pubsub(uri):
        if limit is not None:
            raise ConfigError(
                "--limit is for files: messages do not come in an order of which it could take the "
                "first. Leave it out, and end the run with Ctrl-C"
            )
        return PubSubSource.resolve(uri, schema, types, **streaming)
    return Source.resolve(uri, schema, types=types, limit=limit)
