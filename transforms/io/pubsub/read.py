"""ReadPubSub: messages to batches, acknowledged once what was made of them is safe."""

import functools
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp

from transforms import progress
from transforms.batches import MAX_BYTES, select_rows
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.commit.stream.wal import message_ids
from transforms.errors import ConfigError
from transforms.io.pubsub import drain
from transforms.io.pubsub.clients import Subscriber
from transforms.io.pubsub.decode import decode_messages
from transforms.io.pubsub.messages import received
from transforms.io.pubsub.puller import Puller
from transforms.io.pubsub.seen import Seen
from transforms.io.pubsub.source import PUBLISH_TIME, PubSubSource
from transforms.io.pubsub.watermark import Watermark
from transforms.rejects import Outcome
from transforms.verb import Verb
from transforms.windows.assign import with_watermark
from transforms.windows.event_time import in_range, to_micros

WAIT = 0.1
"""Seconds that a bundle waits for its first message."""
AHEAD = 60 * 10**6
"""Microseconds by which a message's event time may be ahead of its publish time: clocks differ."""
_DAY = 86_400 * 10**6
_END = 1 << 62
_log = logging.getLogger(__name__)


class _Tracker(OffsetRestrictionTracker):
    """Counts bundles; there is no last one."""

    def is_bounded(self) -> bool:
        return False


class _Provider(RestrictionProvider):
    def initial_restriction(self, element: PubSubSource) -> OffsetRange:
        return OffsetRange(0, _END)

    def create_tracker(self, restriction: OffsetRange) -> _Tracker:
        return _Tracker(restriction)

    def restriction_size(self, element: PubSubSource, restriction: OffsetRange) -> int:
        return 1


_RESTRICTION = beam.DoFn.RestrictionParam(_Provider())
_ESTIMATOR = beam.DoFn.WatermarkEstimatorParam(ManualWatermarkEstimator.default_provider())


class Session:
    """What a process knows of a subscription while it reads it; all bundles share it.

    Args:
      source: The input.
      puller: Where messages come from.
    """

    def __init__(self, source: PubSubSource, puller: Puller) -> None:
        self.source, self.puller = source, puller
        self._ids = Seen(source.dedup_horizon)
        for folder in source.known_in:
            self._ids.first(message_ids(folder))
        self._keys = Seen(source.dedup_horizon)
        self._told_ahead = False
        self.watermark = Watermark(
            int(1e6 * source.disorder),
            source.idle,
            held_until=time.monotonic() + source.hold,
            clock=_clock if source.event_time == PUBLISH_TIME else None,
        )

    def next(self) -> tuple[Outcome, list[str]] | None:
        """Returns the next batch, and the leases to acknowledge once it is safe; else None.

        Bundles of a subscription follow each other, so a message that came before is safe already.
        """
        source = self.source
        progress.gauge("in_flight", self.puller.held)
        taken = self.puller.take(source.max_rows, MAX_BYTES, WAIT, source.linger)
        now = time.monotonic()
        if not taken:
            self.watermark.pause(now, self.puller.reach.since())
            self._report_lag()
            return None
        ack_ids = [message.ack_id for message in taken]
        first = self._ids.first([message.message.message_id for message in taken])
        fresh = [message for message, is_first in zip(taken, first, strict=True) if is_first]
        (rows, rejects), times = decode_messages(received(fresh), source)
        duplicates = len(taken) - len(fresh)
        if source.dedup_key is not None:
            new = self._keys.first(_keys_of(rows[source.dedup_key]))
            duplicates += int((~new).sum())
            rows, times = select_rows(rows, new), times[new]
        progress.add("read", rows=len(taken))
        progress.add("duplicate", rows=duplicates)
        if self.watermark.value is not None:
            rows = with_watermark(rows, self.watermark.value)
        self.watermark.observe(self._plausible(times, rows), now)
        self._report_lag()
        return (rows, rejects), ack_ids

    def _plausible(self, times: np.ndarray, rows: pa.RecordBatch) -> np.ndarray:
        """Returns event times that may move the watermark: one from the future makes all late."""
        published = to_micros(rows["publish_time"])
        if (times > published + AHEAD).any() and not self._told_ahead:
            self._told_ahead = True
            _log.warning(
                "event times are more than a minute ahead of their messages' publish times: their "
                "rows go to the windows that they name, but event time does not follow them"
            )
        # Clocks that are wrong by hours still count; times further off say nothing.
        tells = in_range(times, 0) & (times <= published + _DAY)
        plausible: np.ndarray = np.minimum(times, published + AHEAD)[tells]
        return plausible

    def _report_lag(self) -> None:
        if self.watermark.value is not None:
            progress.gauge("lag", time.time() - self.watermark.value / 1e6)


def _clock() -> int:
    return time.time_ns() // 1000


def _keys_of(column: pa.Array) -> list[str | None]:
    if pa.types.is_binary(column.type):
        return [None if key is None else f"bytes:{key.hex()}" for key in column.to_pylist()]
    keys: list[str | None] = column.cast(pa.string()).to_pylist()
    return keys


_sessions: dict[str, Session] = {}
_lock = threading.Lock()


def session(source: PubSubSource) -> Session:
    """Returns the process's one session with a subscription.

    Raises:
      ConfigError: It is a topic: what is published there is not kept for anybody.
    """
    if source.address.is_topic:
        raise ConfigError(f"{source.uri} is a topic: messages are pulled from a subscription to it")
    with _lock:
        if source.address.name not in _sessions:
            puller = Puller(Subscriber(source.address.name))
            _sessions[source.address.name] = Session(source, puller)
        return _sessions[source.address.name]


def close_sessions() -> None:
    """Stops pulling everywhere, and gives back what was pulled and not taken."""
    with _lock:
        for found in _sessions.values():
            found.puller.close()
        _sessions.clear()


class _PullFn(beam.DoFn):
    """Each bundle takes what is there, and hands on the rest of time."""

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        source: PubSubSource,
        finalizer: Any = beam.DoFn.BundleFinalizerParam,
        tracker: Any = _RESTRICTION,
        estimator: Any = _ESTIMATOR,
    ) -> Iterator[TimestampedValue]:
        if drain.asked():
            close_sessions()
            tracker.try_claim(_END)
            return
        if not tracker.try_claim(tracker.current_restriction().start):
            return
        here = session(source)
        found = here.next()
        # Beam's worker treats the finalising of a bundle without callbacks as an error.
        finalizer.register(functools.partial(_acknowledge, here.puller, found[1] if found else []))
        if found is not None:
            outcome, _ = found
            # Where its rows belong in time is in a column, and windows are cut by that.
            yield TimestampedValue(outcome, Timestamp(micros=here.watermark.value or 0))
        if here.watermark.value is not None:
            estimator.set_watermark(Timestamp(micros=here.watermark.value))
        tracker.defer_remainder(Duration(0))


def _acknowledge(puller: Puller, ack_ids: list[str]) -> None:
    if ack_ids:
        puller.acknowledge(ack_ids)
    progress.add("acknowledged", rows=len(ack_ids))


@dataclass
class ReadPubSub(Verb):
    """Reads a subscription without end.

    A message is acknowledged when the runner has committed the bundle in which it was read, so
    what is fused to this step (scoring, staging, publishing) has been done with it.

    Args:
      source: The input.
      dead_letters: Takes what can't be decoded, with its bytes and attributes.

    Returns: Batches of at most `max_rows` messages, each with its message's id, publish time and
      ordering key as columns.
    """

    source: PubSubSource
    dead_letters: DeadLetters | None = None

    def expand(self, root: Any) -> Batches:
        """Returns the rows of the messages."""
        pulled = (
            root
            | "Subscription" >> beam.Create([self.source], reshuffle=False)
            | "Pull" >> beam.ParDo(_PullFn())
        )
        # A builtin tuple's hint would be taken for Any, and batches pickled.
        pulled.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        return split_rejects(pulled, self.dead_letters, "Read")
