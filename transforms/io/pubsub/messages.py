"""Messages between the service's protobufs and columns."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.arrow.casts import checked_cast
from transforms.io.payloads.messages import MESSAGES
from transforms.io.payloads.payload import Encoded

SOURCE_ID = "source_message_id"
"""The attribute that names the message a row came from, so that consumers drop repeats."""


def received(pulled: list[Any]) -> pa.RecordBatch:
    """Returns protobuf `ReceivedMessage`s as a batch of schema `MESSAGES`."""
    return _batch([message.message for message in pulled])


def unpacked(messages: Iterable[bytes]) -> pa.RecordBatch:
    """Returns serialized protobuf `PubsubMessage`s as a batch of schema `MESSAGES`."""
    from google.pubsub_v1.types import PubsubMessage

    parse = PubsubMessage.meta.pb.FromString
    return _batch([parse(message) for message in messages])


def _batch(messages: list[Any]) -> pa.RecordBatch:
    times = [m.publish_time.seconds * 10**6 + m.publish_time.nanos // 1000 for m in messages]
    arrays = [
        pa.array([message.data for message in messages], pa.binary()),
        _attributes(messages),
        pa.array([message.message_id for message in messages], pa.string()),
        pa.array(times, pa.int64()).cast(MESSAGES.field("publish_time").type),
        pa.array([message.ordering_key or None for message in messages], pa.string()),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=MESSAGES)


def _attributes(messages: list[Any]) -> pa.Array:
    pairs = [tuple(message.attributes.items()) for message in messages]
    offsets = np.concatenate([[0], np.cumsum([len(some) for some in pairs])]).astype(np.int32)
    flat = [pair for some in pairs for pair in some]
    texts = [pa.array([pair[place] for pair in flat], pa.string()) for place in (0, 1)]
    entries = pa.StructArray.from_arrays(texts, ["key", "value"])
    return pa.ListArray.from_arrays(offsets, entries, type=MESSAGES.field("attributes").type)


def outgoing(
    rows: pa.RecordBatch, encoded: Encoded, attributes: dict[str, str], ordering: str | None
) -> Iterator[Any]:
    """Yields the messages of a batch.

    Args:
      rows: n rows.
      encoded: Their payloads; a payload of several rows takes the first one's attributes.
      attributes: Columns by the attributes they become.
      ordering: The column of the ordering keys.

    Yields: Protobuf `PubsubMessage`s.
    """
    from google.pubsub_v1.types import PubsubMessage

    make = PubsubMessage.meta.pb
    texts = {name: _texts(rows, column, encoded.starts) for name, column in attributes.items()}
    keys = _texts(rows, ordering, encoded.starts) if ordering else None
    for index, payload in enumerate(encoded.payloads.to_pylist()):
        given = {name: values[index] for name, values in texts.items()}
        yield make(
            data=payload,
            attributes={name: value for name, value in given.items() if value is not None},
            ordering_key=(keys[index] or "") if keys else "",
        )


def _texts(rows: pa.RecordBatch, column: str, places: np.ndarray) -> list[str | None]:
    values = rows.column(column).take(pa.array(places, pa.int64()))
    texts: list[str | None] = checked_cast(values, pa.string()).values.to_pylist()
    return texts
