"""A resolved Pub/Sub input: which subscription, how payloads are read, where event time is from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.families import PUBSUB
from transforms.io.payloads.payload import Payload
from transforms.io.pubsub.payloads import own_columns, payload_of
from transforms.io.pubsub.uris import Address, address

PUBLISH_TIME = "publish_time"
LINGER = 0.05
"""Seconds that a batch waits for more messages after its first one."""


@dataclass(frozen=True)
class PubSubSource:
    """An unbounded input, resolved once in the launcher and shipped to the workers.

    Attributes:
      uri: As the user gave it.
      address: The subscription.
      payload: How payloads are read.
      payload_schema: The columns of a payload.
      event_time: The column of event times: `publish_time`, an attribute's or a payload's. Texts
        are ISO 8601 or milliseconds since the epoch, as Beam's `timestamp_attribute` has them.
      disorder: By how many seconds messages may come out of order.
      idle: After how many seconds without a message event time goes on with the clock.
      dedup_key: A column: rows with a key that came before are duplicates. Messages that come
        twice, by their message id, always are.
      dedup_horizon: For how many seconds keys are remembered.
      max_rows: Most messages of a batch.
      linger: Seconds that a batch waits for more messages after its first one.
      hold: For how many seconds from the start event time stands still, so that what comes is not
        late.
      known_in: Folders of Arrow files that name messages (column `message_ids`, lists of ids) that
        an earlier start of the run has taken: where they come again they are duplicates.
      of_reader: Whether the columns are only those that the reader needs, for no schema names any.
    """

    uri: str
    address: Address
    payload: Payload
    payload_schema: pa.Schema
    event_time: str = PUBLISH_TIME
    disorder: float = 10.0
    idle: float = 30.0
    dedup_key: str | None = None
    dedup_horizon: float = 600.0
    max_rows: int = 8192
    linger: float = LINGER
    hold: float = 0.0
    of_reader: bool = False
    known_in: tuple[str, ...] = ()
    family = PUBSUB
    bounded = False

    @classmethod
    def resolve(
        cls,
        uri: str,
        schema: pa.Schema | str | None = None,
        types: Mapping[str, pa.DataType] | None = None,
        **settings: Any,
    ) -> "PubSubSource":
        """Settles how messages are read.

        Args:
          uri: `pubsub://projects/P/subscriptions/S`, with `?format=` (json where it isn't given)
            and `attributes=a,b`, the attributes that become columns.
          schema: The schema of a payload, or the URI of a schema file.
          types: Where there is no schema, the columns that the reader needs: a model's inputs,
            say. Other fields of the payloads are left out.
          settings: The other attributes of the class.

        Raises:
          ConfigError: No schema, a subscription or column that isn't there.
        """
        place = address(uri)
        payload = payload_of(place.format, dict(place.settings))
        if isinstance(schema, str):
            from transforms.schema.arrow_schema import read_schema

            schema = read_schema(schema)
        if schema is None:
            schema = own_columns(payload)
        if schema is None and types:
            schema, settings = pa.schema(list(types.items())), {**settings, "of_reader": True}
        if schema is None:
            raise ConfigError(f"--schema is needed: {uri} does not say what its payloads hold")
        source = cls(uri, place, payload, schema, **settings)
        source._check()
        return source

    @property
    def schema(self) -> pa.Schema:
        """The columns of its rows."""
        return self.payload.schema(self.payload_schema)

    @property
    def content(self) -> pa.Schema:
        """The columns of a payload."""
        return self.payload_schema

    @property
    def guessed(self) -> tuple[str, ...]:
        """The fields of payloads that are read only because the reader needs them."""
        return tuple(self.payload_schema.names) if self.of_reader else ()

    def select(self, columns: Iterable[str]) -> "PubSubSource":
        """Returns the source as it is: a payload is decoded whole."""
        return self

    def held(self, seconds: float) -> "PubSubSource":
        """Returns the source with event time standing still for so long from the start."""
        return replace(self, hold=seconds)

    def knowing(self, *folders: str) -> "PubSubSource":
        """Returns the source with the messages known that files of these folders name."""
        return replace(self, known_in=(*self.known_in, *folders))

    def _check(self) -> None:
        other = ", and fields of the payloads by --schema" if self.of_reader else ""
        for flag, name in (("event_time_column", self.event_time), ("dedup_key", self.dedup_key)):
            if name is not None and name not in self.schema.names:
                raise ConfigError(
                    f"--{flag}: there is no column {name!r}; there are: "
                    f"{', '.join(self.schema.names)}. Attributes become columns by "
                    f"?attributes=NAME,NAME in the URI{other}"
                )
        if self.dedup_key is not None:
            type = self.schema.field(self.dedup_key).type
            if pa.types.is_nested(type):
                raise ConfigError(
                    f"--dedup_key: column {self.dedup_key!r} is {type}, not one value"
                )
        type = self.schema.field(self.event_time).type
        if not (pa.types.is_string(type) or pa.types.is_timestamp(type) or pa.types.is_date(type)):
            raise ConfigError(
                f"--event_time_column: column {self.event_time!r} is {type}, not a time or a text: "
                "what it counts is not guessed"
            )


def resolve_messages(
    uri: str,
    schema: str | None,
    types: Mapping[str, pa.DataType] | None,
    limit: int | None,
    settings: Mapping[str, Any],
) -> PubSubSource:
    """Settles how messages are read; see `PubSubSource.resolve`.

    Raises:
      ConfigError: A limit is given; or as `PubSubSource.resolve` has it.
    """
    if limit is not None:
        raise ConfigError(
            "--limit is for files: messages come in no order, so it can't take the "
            "first. Leave it out, and end the run with Ctrl-C"
        )
    # Messages are read for what the reader names: a pattern of columns matches none of them.
    named = {name: type for name, type in (types or {}).items() if "*" not in name}
    return PubSubSource.resolve(uri, schema, named, **settings)
