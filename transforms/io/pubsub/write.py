"""WritePubSub: rows as messages, published in calls as large as the service takes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from google.api_core import exceptions

from transforms import progress
from transforms.batches import select_rows
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.io.pubsub.clients import PUBLISH_BYTES, PULL_MESSAGES, Publisher, explained
from transforms.io.pubsub.messages import outgoing
from transforms.io.pubsub.sink import ORDERING_KEY, PubSubSink
from transforms.reasons import Reason
from transforms.rejects import Outcome, join_rejects, reject_rows
from transforms.verb import Verb

IN_FLIGHT = 4
_OF_A_ROW = (exceptions.InvalidArgument, ValueError)
"""Refusals for what a message is; others are the topic's, and no row's fault."""


def publish_batch(
    rows: pa.RecordBatch, sink: PubSubSink, publisher: Publisher, pool: ThreadPoolExecutor
) -> Outcome:
    """Publishes the rows of a batch, and returns once the service has all of them.

    Args:
      rows: n rows.
      sink: How they become messages.
      publisher: The topic's client.
      pool: Makes calls side by side.

    Returns: The rows that were published, and those that the service refuses.

    Raises:
      ConfigError: There is no such topic.
      GoogleAPICallError: The service is away.
    """
    encoded = sink.payload.encode(sink.body(rows))
    ordering = ORDERING_KEY if sink.ordered else None
    messages = list(outgoing(rows, encoded, sink.attribute_columns(rows), ordering))
    parts = list(_parts(messages))
    if sink.ordered:
        # Messages of a key keep the order of the calls, and a call has one key.
        calls = [_published(publisher, messages, *part) for part in parts]
    else:
        waiting = [pool.submit(_published, publisher, messages, *part) for part in parts]
        calls = [call.result() for call in waiting]
    refused = {index for call in calls for index in call}
    spans = zip(encoded.starts.tolist(), encoded.stops.tolist(), strict=True)
    good, bad = np.zeros(rows.num_rows, bool), np.zeros(rows.num_rows, bool)
    for index, (start, stop) in enumerate(spans):
        (bad if index in refused else good)[start:stop] = True
    if not bad.any():
        return select_rows(rows, good), encoded.rejects
    why = "Pub/Sub refuses it as a message: too large, or an attribute that is not allowed"
    rejects = reject_rows(select_rows(rows, bad), Reason.PUBLISH_ERROR, why)
    return select_rows(rows, good), join_rejects([encoded.rejects, rejects])


def _parts(messages: list[Any]) -> Iterator[tuple[int, int]]:
    """Runs of messages that fit into one call."""
    start = size = 0
    for index, message in enumerate(messages):
        more = message.ByteSize() + 16
        full = index - start == PULL_MESSAGES or size + more > PUBLISH_BYTES
        if index > start and (full or message.ordering_key != messages[start].ordering_key):
            yield start, index
            start, size = index, 0
        size += more
    if start < len(messages):
        yield start, len(messages)


def _published(publisher: Publisher, messages: list[Any], start: int, end: int) -> list[int]:
    """Publishes a run of messages; returns those that the service refuses, found by halves."""
    try:
        publisher.publish(messages[start:end])
    except (exceptions.NotFound, exceptions.Forbidden, exceptions.Unauthenticated) as error:
        raise explained(error, publisher.topic) from None
    except _OF_A_ROW:
        if end - start == 1:
            return [start]
        half = (start + end) // 2
        return [
            *_published(publisher, messages, start, half),
            *_published(publisher, messages, half, end),
        ]
    return []


class _PublishFn(beam.DoFn):
    """Publishes batches; a bundle ends when all of its rows are at the service."""

    def __init__(self, sink: PubSubSink) -> None:
        self.sink = sink

    def setup(self) -> None:
        self._publisher = Publisher(self.sink.address.name)
        self._pool = ThreadPoolExecutor(IN_FLIGHT, "millrace-publish")

    def process(self, rows: pa.RecordBatch) -> Iterator[Outcome]:
        outcome = publish_batch(rows, self.sink, self._publisher, self._pool)
        progress.add("write", rows=outcome[0].num_rows)
        yield outcome

    def teardown(self) -> None:
        self._pool.shutdown(wait=False)


@dataclass
class WritePubSub(Verb):
    """Publishes rows to a topic: each at least once.

    Args:
      sink: The topic, and how rows become messages.
      dead_letters: Takes the rows that can't be encoded or that the service refuses; None lets
        the first one fail the pipeline.

    Returns: The rows that were published.
    """

    sink: PubSubSink
    dead_letters: DeadLetters | None = None

    def expand(self, batches: Batches) -> Batches:
        """Returns the rows that were published."""
        published = batches | "Publish" >> beam.ParDo(_PublishFn(self.sink))
        published.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        return split_rejects(published, self.dead_letters, "Write")
