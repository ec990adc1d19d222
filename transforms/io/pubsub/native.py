"""ReadNative: messages that the runner reads by itself, as Dataflow does, to batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.transforms.window import GlobalWindows, TimestampedValue
from apache_beam.utils.timestamp import MAX_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from transforms.batches import MAX_BYTES
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.errors import ConfigError
from transforms.io.pubsub.decode import decode_messages
from transforms.io.pubsub.messages import unpacked
from transforms.io.pubsub.source import PubSubSource
from transforms.rejects import Outcome
from transforms.verb import Verb


def id_label(source: PubSubSource) -> str | None:
    """Returns the attribute by which the runner finds duplicates; None means the message's id.

    Raises:
      ConfigError: The key is a column of the payload, which the runner does not look into.
    """
    if source.dedup_key is None or source.dedup_key in source.payload.attributes:
        return source.dedup_key
    raise ConfigError(
        f"--dedup_key: Dataflow finds duplicates by an attribute, and {source.dedup_key!r} is not "
        "one of those that ?attributes= in --input names. Publish it as an attribute too, or run "
        "the job locally"
    )


def timestamp_attribute(source: PubSubSource) -> str | None:
    """Returns the attribute by which the runner tracks event time; None means the publish time."""
    return source.event_time if source.event_time in source.payload.attributes else None


def native_read(source: PubSubSource) -> beam.io.ReadFromPubSub:
    """Beam's read of a subscription, which the runner replaces; it gives serialized messages.

    Raises:
      ConfigError: The runner can't do what the source wants, or the subscription can't be there.
    """
    label, attribute = id_label(source), timestamp_attribute(source)
    try:
        read = beam.io.ReadFromPubSub(
            subscription=source.address.name,
            id_label=label,
            with_attributes=True,
            timestamp_attribute=attribute,
        )
    except ValueError as error:
        raise ConfigError(f"--input: {error}") from None
    # The runner does it; here it would make objects of messages, which takes fifty times as long
    # as to parse them.
    read.with_attributes = False
    return read


class _GatherFn(beam.DoFn):
    """The messages of a bundle to batches of rows, each at its earliest message's timestamp.

    So no batch is ahead of a message in it, and nothing becomes late by being gathered. They are
    all in the one global window: the read is the pipeline's first step.
    """

    _earliest: Any

    def __init__(self, source: PubSubSource) -> None:
        self.source = source
        self.read = beam.metrics.Metrics.counter("Read", "rows_in")

    def start_bundle(self) -> None:
        self._start()

    def process(
        self, message: "bytes | PubsubMessage", timestamp: Any = beam.DoFn.TimestampParam
    ) -> Iterator[TimestampedValue]:
        # Beam's local runner, which tests use, makes objects even so.
        raw = message if isinstance(message, bytes) else message._to_proto_str()
        if self._messages and self._bytes + len(raw) > MAX_BYTES:
            yield TimestampedValue(*self._batch())
        self._messages.append(raw)
        self._bytes += len(raw)
        self._earliest = min(self._earliest, timestamp)
        if len(self._messages) >= self.source.max_rows:
            yield TimestampedValue(*self._batch())

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._messages:
            yield GlobalWindows.windowed_value(*self._batch())

    def _batch(self) -> tuple[Outcome, Any]:
        outcome, _ = decode_messages(unpacked(self._messages), self.source)
        self.read.inc(len(self._messages))
        timestamp = self._earliest
        self._start()
        return outcome, timestamp

    def _start(self) -> None:
        self._messages: list[bytes] = []
        self._bytes, self._earliest = 0, MAX_TIMESTAMP


@dataclass
class ReadNative(Verb):
    """Reads a subscription without end by the runner's own source; Dataflow has one.

    It acknowledges messages when the bundle in which they were read is committed, leaves out
    those that come twice within ten minutes, by their id or by the attribute that `dedup_key`
    names, and knows how far event time is: by the attribute that is the event time, or else by
    the publish time. So `disorder`, `idle`, `dedup_horizon` and `linger` of the source mean
    nothing here. What it does with messages that lack the attribute is not ours to say.

    No step sees the runner's watermark, so batches bear no note of it (`windows.with_watermark`)
    and `WindowBatches` takes no row for late. Grouped by key, though, rows of a window that has
    closed would be dropped by the runner and counted by it alone. That is to be expected where
    the event time is a column of the payload: event time goes on with the publish time, and every
    row is behind that. Hence let what groups by key downstream allow any lateness
    (`windows.ANY_LATENESS`), as the jobs' commit then does: what is late becomes a file more.

    Args:
      source: The input.
      dead_letters: Takes what can't be decoded, with its bytes and attributes.

    Returns: Batches of at most `max_rows` messages of one bundle, each with its message's id,
      publish time and ordering key as columns.

    Raises:
      ConfigError: When constructed with a `dedup_key` that is no attribute, or a subscription that
        can't be there.
    """

    source: PubSubSource
    dead_letters: DeadLetters | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        native_read(self.source)

    def expand(self, root: Any) -> Batches:
        """Returns the rows of the messages."""
        messages = root | "Subscription" >> native_read(self.source)
        gathered = messages | "Gather" >> beam.ParDo(_GatherFn(self.source))
        # A builtin tuple's hint would be taken for Any, and batches pickled.
        gathered.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        return split_rejects(gathered, self.dead_letters, "Read")
