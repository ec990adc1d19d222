"""The types of JSON fields, by which messages of Dataflow's API are checked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A type of a field.

    Attributes:
      name: Its name, as faults have it.
      fits: Whether a value is of it.
    """

    name: str
    fits: Callable[[Any], bool]


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _pairs(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(part, str) for part in value.values())


TEXT = Kind("a text", lambda value: isinstance(value, str))
BOOLEAN = Kind("a boolean", lambda value: isinstance(value, bool))
WHOLE = Kind("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
LIST = Kind("a list", lambda value: isinstance(value, list))
TEXTS = Kind("a list of texts", _texts)
PAIRS = Kind("an object of texts", _pairs)
OBJECT = Kind("an object", lambda value: isinstance(value, dict))


def faults_of_fields(
    message: Mapping[str, Any], fields: Mapping[str, Kind], required: Sequence[str]
) -> Iterator[str]:
    """Yields what is wrong with a message's fields.

    Args:
      message: The message, of JSON.
      fields: The fields that the API knows, with their types.
      required: Those that it can't do without; a text among them must not be empty.
    """
    yield from (f"unknown key {key!r}" for key in sorted(set(message) - set(fields)))
    for name, kind in fields.items():
        value = message.get(name)
        if name in message and not kind.fits(value):
            yield f"{name} is not {kind.name}"
        elif name in required and (value is None or (isinstance(value, str) and not value.strip())):
            yield f"no {name}"
