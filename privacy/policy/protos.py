"""DLP's own protos, imported late: they take a third of a second."""

import functools
from typing import Any, NamedTuple


class Messages(NamedTuple):
    """The raw protobuf classes of a policy."""

    inspect: Any
    deidentify: Any


@functools.cache
def messages() -> Messages:
    """Returns the classes of `InspectConfig` and `DeidentifyConfig`."""
    from google.cloud.dlp_v2.types import DeidentifyConfig, InspectConfig

    return Messages(InspectConfig.pb(), DeidentifyConfig.pb())


def parse(kind: Any, content: Any) -> bytes:
    """Returns a message in DLP's JSON form, camelCase or snake_case, serialised.

    Raises:
      google.protobuf.json_format.ParseError: A field is unknown, or has another type.
    """
    from google.protobuf import json_format

    serialised: bytes = json_format.ParseDict(content, kind()).SerializeToString(deterministic=True)
    return serialised
