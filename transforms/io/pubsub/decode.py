"""Messages to rows: what every way to read a subscription makes of them."""

import numpy as np
import pyarrow as pa

from transforms.io.pubsub.event_times import event_times
from transforms.io.pubsub.source import PubSubSource
from transforms.rejects import Outcome


def decode_messages(messages: pa.RecordBatch, source: PubSubSource) -> tuple[Outcome, np.ndarray]:
    """Reads payloads and event times.

    Args:
      messages: n messages, of schema `MESSAGES`.
      source: How they are read.

    Returns: Rows of schema `source.schema`, the event times as timestamps, and rejects; the event
      times of the rows in microseconds since the epoch.
    """
    uri = f"pubsub://{source.address.name}"
    rows, rejects = source.payload.decode(messages, source.payload_schema, uri)
    rows, rejects, times = event_times(rows, rejects, source.event_time)
    return (rows, rejects), times
