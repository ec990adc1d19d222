"""A resolved input of any family, by its URI."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.families import Family, family_of


class Input(Protocol):
    """An input that was looked at in the launcher: files were listed, messages have a schema."""

    @property
    def uri(self) -> str:
        """The URI, as the user gave it."""

    @property
    def family(self) -> Family:
        """How it is read."""

    @property
    def bounded(self) -> bool:
        """Whether it has an end."""

    @property
    def schema(self) -> pa.Schema:
        """The columns of its rows."""

    @property
    def content(self) -> pa.Schema:
        """The columns of the rows themselves, without those of the messages that bring them."""

    @property
    def guessed(self) -> tuple[str, ...]:
        """The columns that are read only because the reader needs them: no schema names any."""

    def select(self, columns: Iterable[str]) -> "Input":
        """Returns the input with only some columns, where it can leave out others."""

    def held(self, seconds: float) -> "Input":
        """Returns the input with event time standing still for so long from the start."""


def selected(schema: pa.Schema, columns: Iterable[str]) -> pa.Schema:
    """Returns only some columns of an input, in its order.

    Raises:
      ConfigError: A column that isn't there.
    """
    wanted = set(columns)
    if missing := sorted(wanted - set(schema.names)):
        raise ConfigError(
            f"--input has no column {', '.join(missing)}; it has: {', '.join(schema.names)}"
        )
    return pa.schema([field for field in schema if field.name in wanted])


def resolve_input(
    uri: str,
    schema: pa.Schema | str | None,
    types: Mapping[str, pa.DataType] | None = None,
    limit: int | None = None,
    **settings: Any,
) -> Input:
    """Looks at an input: lists files, or settles what messages hold.

    Args:
      uri: Files, `pubsub://projects/P/subscriptions/S` or `bq://project.dataset.table`.
      schema: The columns, or the URI of a schema file; a table has its own.
      types: The types of some columns, where the input has no types.
      limit: Most rows to read of files or a table.
      settings: What inputs without end have besides: see `PubSubSource`.

    Raises:
      ConfigError: It isn't there, or its schema can't be settled.
    """
    resolve = family_of(uri).load("resolve", uri)
    found: Input = resolve(uri, schema, types, limit, settings)
    return found


def resolve_bounded(
    uri: str,
    schema: pa.Schema | str | None = None,
    types: Mapping[str, pa.DataType] | None = None,
    limit: int | None = None,
) -> Any:
    """Looks at an input that comes to an end: files, or a table; see `resolve_input`.

    Raises:
      ConfigError: It has no end; it isn't there, or its schema can't be settled.
    """
    if not family_of(uri).bounded:
        raise ConfigError(
            f"--input: {uri} has no end, and this job needs all rows: read files or a table"
        )
    return resolve_input(uri, schema, types, limit)
