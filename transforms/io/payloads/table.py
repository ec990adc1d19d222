"""The kinds of payload by name."""

from typing import Any, cast

from transforms.errors import ConfigError
from transforms.io.payloads.payload import Payload
from transforms.lazy import Registry

PAYLOADS = Registry(
    "payload",
    {
        "arrow": "transforms.io.payloads.arrow:Arrow",
        "avro": "transforms.io.payloads.avro:Avro",
        "csv": "transforms.io.payloads.csv:Csv",
        "json": "transforms.io.payloads.json:Json",
        "text": "transforms.io.payloads.text:Text",
        "tf_example": "transforms.io.payloads.tf_example:TfExample",
    },
)


def load_payload(name: str, **settings: Any) -> Payload:
    """Returns the kind of payload of a name, and imports its module only now.

    Args:
      name: A key of `PAYLOADS`.
      settings: The fields of its class; all have `attributes`.

    Raises:
      ConfigError: A name, or a setting, that isn't known, or a setting that is missing.
    """
    try:
        return cast(Payload, PAYLOADS.load(name)(**settings))
    except TypeError as error:
        message = str(error).partition("__init__() ")[2] or str(error)
        raise ConfigError(f"payload {name}: {message}") from None
