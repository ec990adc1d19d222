"""A resolved Pub/Sub output: which topic, and how rows become messages."""

from dataclasses import dataclass

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.io.payloads.payload import Payload
from transforms.io.pubsub.messages import SOURCE_ID
from transforms.io.pubsub.payloads import names, payload_of
from transforms.io.pubsub.uris import Address, address

ORDERING_KEY = "ordering_key"
MESSAGE_ID = "message_id"
_OF_THE_MESSAGE = (MESSAGE_ID, "publish_time", ORDERING_KEY)


@dataclass(frozen=True)
class PubSubSink:
    """An output of messages.

    Attributes:
      address: The topic.
      payload: How rows are written.
      attributes: Columns that become attributes, as text, and are left out of the payload.
      ordered: Whether the column `ordering_key` becomes the messages' ordering key.
    """

    address: Address
    payload: Payload
    attributes: tuple[str, ...] = ()
    ordered: bool = False

    @classmethod
    def resolve(cls, uri: str) -> "PubSubSink":
        """Reads `pubsub://projects/P/topics/T?format=json&attributes=a,b&ordered=true`.

        Raises:
          ConfigError: No topic, or a setting that isn't known.
        """
        place = address(uri)
        if not place.is_topic:
            raise ConfigError(f"{uri!r}: rows are published to a topic, not to a subscription")
        settings = dict(place.settings)
        attributes = names(settings.pop("attributes", ""))
        ordered = settings.pop("ordered", "false") == "true"
        payload = payload_of(place.format, settings)
        if payload.holds_many and (attributes or ordered):
            raise ConfigError(
                f"{uri!r}: a message of {place.format} holds many rows, and has attributes and an "
                "ordering key only once: leave out attributes= and ordered=, or use ?format=json"
            )
        return cls(place, payload, attributes, ordered)

    def body(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Returns the columns of the payload, without those that a message has beside it."""
        beside = {*_OF_THE_MESSAGE, *self.attributes}
        body = rows.select([name for name in rows.schema.names if name not in beside])
        if self.payload.holds_many and MESSAGE_ID in rows.schema.names:
            # Readers of the rows recognise by it which came twice.
            body = body.append_column(SOURCE_ID, rows[MESSAGE_ID])
        return body

    def attribute_columns(self, rows: pa.RecordBatch) -> dict[str, str]:
        """Returns columns by the attributes that they become.

        Raises:
          ConfigError: A column that isn't there.
        """
        wanted = (*self.attributes, *([ORDERING_KEY] if self.ordered else []))
        missing = [name for name in wanted if name not in rows.schema.names]
        if missing:
            raise ConfigError(f"--output: there is no column {missing[0]!r} for the messages")
        columns = {name: name for name in self.attributes}
        for name in self.attributes:
            if pa.types.is_nested(rows.schema.field(name).type):
                raise ConfigError(
                    f"--output: column {name!r} is {rows.schema.field(name).type}, and can't be an "
                    "attribute, which is a text: leave it in the payload"
                )
        if MESSAGE_ID in rows.schema.names and not self.payload.holds_many:
            columns[SOURCE_ID] = MESSAGE_ID
        return columns
