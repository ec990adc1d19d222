"""The kind of payload that a Pub/Sub URI asks for."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from transforms.files.filesystem import read_text
from transforms.io.payloads.payload import Payload
from transforms.io.payloads.table import load_payload

DEFAULT = "json"


def payload_of(format: str | None, settings: Mapping[str, str]) -> Payload:
    """Returns the kind of payload that a URI's query names.

    Args:
      format: Its name; JSON where there is none.
      settings: Texts: `attributes=a,b`, and for Avro `avsc=URI` and `single_object=true`.

    Raises:
      ConfigError: One that isn't known, or a schema that can't be read.
    """
    typed: dict[str, Any] = dict(settings)
    typed["attributes"] = names(settings.get("attributes", ""))
    if "avsc" in settings:
        typed["avsc"] = _text(settings["avsc"])
    if "single_object" in settings:
        typed["single_object"] = settings["single_object"] == "true"
    return load_payload(format or DEFAULT, **typed)


def own_columns(payload: Payload) -> pa.Schema | None:
    """Returns the fixed columns of a kind of payload; None if it takes any."""
    from transforms.files.formats.avro.types import avro_to_arrow, parsed_schema
    from transforms.io.payloads.avro import Avro
    from transforms.io.payloads.text import TEXT, Text

    if isinstance(payload, Text):
        return pa.schema([(TEXT, pa.string())])
    if isinstance(payload, Avro):
        import json

        return avro_to_arrow(parsed_schema(json.loads(payload.avsc)), None)
    return None


def names(text: str) -> tuple[str, ...]:
    """Returns names separated by commas."""
    return tuple(name for name in text.split(",") if name)


def _text(uri: str) -> str:
    return read_text(uri, "avsc")
