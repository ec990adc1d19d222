"""Slips in a schema file that its parser lets pass, or whose error it words for programmers."""

import re
from collections.abc import Collection, Iterator
from typing import Any

from transforms.errors import ConfigError
from transforms.metadata.paths import path_text, walk_features
from transforms.metadata.protos import schema_pb2, text_format
from transforms.nearest import nearest_column
from transforms.schema.domains import domain_name
from transforms.schema.environments import environments_of

_NO_FIELD = re.compile(r'Message type "([\w.]+)" has no field named "([^"]+)"')
_NO_VALUE = re.compile(r'Enum type "([\w.]+)" has no value named (\w+)')
_PLACE = re.compile(r"^\d+:\d+ : ")


def parse_schema(text: str) -> schema_pb2.Schema:
    """Reads the text of a schema.

    Raises:
      ConfigError: It is not one, has a feature twice, or names a domain or an environment that is
        not there, but for a slip; the text names the line, and what was probably meant.
    """
    try:
        schema = text_format.Parse(text, schema_pb2.Schema())
    except text_format.ParseError as error:
        line = error.GetLine()
        raise ConfigError(f"line {line}: {_in_words(str(error))}") from None
    for place, words in _slips(schema):
        line = _line_of(text, *place)
        raise ConfigError(f"line {line}: {words}")
    return schema


def _in_words(error: str) -> str:
    message = _PLACE.sub("", error)
    field, value = _NO_FIELD.search(message), _NO_VALUE.search(message)
    if field:
        descriptor = _pool().FindMessageTypeByName(field[1])
        known = list(descriptor.fields_by_name)
        return f"{descriptor.name} has no field {field[2]!r}{nearest_column(field[2], known)}"
    if value:
        descriptor = _pool().FindEnumTypeByName(value[1])
        known = list(descriptor.values_by_name)
        return f"{descriptor.name} has no value {value[2]!r}{nearest_column(value[2], known)}"
    return f"not a tensorflow-metadata Schema: {message}"


def _pool() -> Any:
    return schema_pb2.DESCRIPTOR.pool


def _slips(schema: schema_pb2.Schema) -> Iterator[tuple[tuple[str, str, int], str]]:
    """Yields likely slips of the pen: the field, its value and its number, and words about it."""
    domains = [domain.name for domain in schema.string_domain]
    environments = environments_of(schema)
    seen = set()
    for path, feature in walk_features(schema):
        if path in seen:
            words = f"feature {path_text(path)!r} is there twice"
            yield ("name", path[-1], -1), words
        seen.add(path)
        if domain_name(feature) == "domain":
            yield from _unknown("domain", [feature.domain], domains, "string_domain")
        left_out = feature.not_in_environment
        yield from _unknown("not_in_environment", left_out, environments, "environment")
    for name in domains:
        if domains.count(name) > 1:
            yield ("name", name, -1), f"string_domain {name!r} is there twice"


def _unknown(
    field: str, names: Collection[str], known: Collection[str], what: str
) -> Iterator[tuple[tuple[str, str, int], str]]:
    for name in names:
        meant = nearest_column(name, known) if name not in known else ""
        # Without a near one it may be on purpose; validation then says that there is none.
        if meant:
            yield (field, name, 0), f"there is no {what} {name!r}{meant}"


def _line_of(text: str, field: str, value: str, which: int) -> int:
    """Returns the line where a field has a value: the first of several, or with -1 the last."""
    pattern = rf"\b{field}\s*:\s*[\"']{re.escape(value)}[\"']"
    found = [match.start() for match in re.finditer(pattern, text)]
    return text.count("\n", 0, found[which]) + 1 if found else 1
