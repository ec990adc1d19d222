"""MicroBatch: gathers small batches, for no longer than a deadline."""

import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.coders import TupleCoder, VarIntCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagStateSpec,
    ReadModifyWriteStateSpec,
    TimerSpec,
    on_timer,
)
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from transforms.batches import (
    MAX_BYTES,
    MAX_ROWS,
    Batches,
    Rebatch,
    RecordBatchCoder,
    rebatch,
)
from transforms.errors import ConfigError

SHARDS = 4

_HELD = BagStateSpec("held", RecordBatchCoder())
_TALLY = ReadModifyWriteStateSpec("tally", TupleCoder([VarIntCoder()] * 4))
_DEADLINE = TimerSpec("deadline", TimeDomain.REAL_TIME)
_END = TimerSpec("end", TimeDomain.WATERMARK)
_HELD_PARAM, _TALLY_PARAM = beam.DoFn.StateParam(_HELD), beam.DoFn.StateParam(_TALLY)
_DEADLINE_PARAM, _END_PARAM = beam.DoFn.TimerParam(_DEADLINE), beam.DoFn.TimerParam(_END)


def shard_of(batch: pa.RecordBatch, shards: int = SHARDS) -> int:
    """A number below `shards` for a batch, the same each time: that of its first row's bytes."""
    if not batch.num_rows:
        return 0
    # Copied, for the bytes of a slice go on into its neighbours.
    return zlib.crc32(batch.take(pa.array([0])).serialize()) % shards


def _keyed(batch: pa.RecordBatch) -> tuple[int, pa.RecordBatch]:
    return shard_of(batch), batch


class _GatherFn(beam.DoFn):
    """Holds the batches of a shard and a window in state, until enough, too long or the end.

    The tally is (rows, bytes, latest timestamp in microseconds, 1 if the deadline is set).
    """

    def __init__(self, max_rows: int, max_bytes: int, deadline: float) -> None:
        self.max_rows, self.max_bytes, self.deadline = max_rows, max_bytes, deadline

    def process(
        self,
        keyed: tuple[int, pa.RecordBatch],
        window: Any = beam.DoFn.WindowParam,
        timestamp: Any = beam.DoFn.TimestampParam,
        held: Any = _HELD_PARAM,
        tally: Any = _TALLY_PARAM,
        deadline: Any = _DEADLINE_PARAM,
        end: Any = _END_PARAM,
    ) -> Iterator[WindowedValue]:
        _, batch = keyed
        known = tally.read()
        if known is None:
            end.set(window.max_timestamp())
        rows, size, latest, armed = known or (0, 0, timestamp.micros, 0)
        if not armed:
            # A timer that is pending is never set again: runners lose those. So it may fire
            # for rows that came after it was set, earlier than they need.
            deadline.set(time.time() + self.deadline)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        latest = max(latest, timestamp.micros)
        if rows < self.max_rows and size < self.max_bytes:
            held.add(batch)
        else:
            pieces = self._joined([*held.read(), batch])
            held.clear()
            last = pieces.pop()
            if last.num_rows < self.max_rows and last.nbytes < self.max_bytes:
                held.add(last)
                rows, size = last.num_rows, last.nbytes
            else:
                pieces.append(last)
                rows = size = 0
            yield from _stamped(pieces, latest, window)
        tally.write((rows, size, latest, 1))

    @on_timer(_DEADLINE)
    def too_long(
        self,
        window: Any = beam.DoFn.WindowParam,
        held: Any = _HELD_PARAM,
        tally: Any = _TALLY_PARAM,
    ) -> Iterator[WindowedValue]:
        """The first batch has waited long enough; the next one sets the deadline anew."""
        known = tally.read()
        if known is None:
            return
        yield from _stamped(self._joined(held.read()), known[2], window)
        held.clear()
        tally.write((0, 0, known[2], 0))

    @on_timer(_END)
    def window_over(
        self,
        window: Any = beam.DoFn.WindowParam,
        held: Any = _HELD_PARAM,
        tally: Any = _TALLY_PARAM,
    ) -> Iterator[WindowedValue]:
        """The window is over: nothing may be left behind in its state."""
        known = tally.read()
        if known is None:
            return
        yield from _stamped(self._joined(held.read()), known[2], window)
        held.clear()
        tally.clear()

    def _joined(self, batches: Iterable[pa.RecordBatch]) -> list[pa.RecordBatch]:
        return list(rebatch(batches, self.max_rows, self.max_bytes))


def _stamped(batches: list[pa.RecordBatch], micros: int, window: Any) -> Iterator[WindowedValue]:
    for batch in batches:
        yield WindowedValue(batch, Timestamp(micros=micros), (window,))


@dataclass
class MicroBatch(beam.PTransform):
    """Gathers small batches into larger ones, never across windows.

    Without a deadline it is `Rebatch`: it joins what one bundle brings, and holds nothing. With
    one, batches wait in state, apart by window and by one of four shards, for more to come: until
    there are enough, the deadline has passed, or the window is over. Put rows into their windows
    first (`WindowBatches`): what is gathered before that is lost at the edges.

    Args:
      max_rows: Most rows of a batch.
      max_bytes: About the most bytes of a batch.
      deadline: For how many seconds a row may wait, by the clock; None waits for nothing. A
        runner for bounded input needs none.

    Returns: The same rows. Batches joined from several sources lose their position note.
    """

    max_rows: int = MAX_ROWS
    max_bytes: int = MAX_BYTES
    deadline: float | None = None

    def __post_init__(self) -> None:
        super().__init__()
        if self.max_rows < 1 or self.max_bytes < 1:
            raise ConfigError("MicroBatch: max_rows and max_bytes are at least 1")
        if self.deadline is not None and self.deadline <= 0:
            raise ConfigError("MicroBatch: deadline is more than 0 seconds, or None")

    def expand(self, batches: Batches) -> Batches:
        """Applies it."""
        if self.deadline is None:
            joined: Batches = batches | "Join" >> Rebatch(self.max_rows, self.max_bytes)
            return joined
        keyed = batches | "Shard" >> beam.Map(_keyed)
        keyed.element_type = beam.typehints.KV[int, pa.RecordBatch]
        gather = _GatherFn(self.max_rows, self.max_bytes, self.deadline)
        gathered: Batches = keyed | "Gather" >> beam.ParDo(gather).with_output_types(pa.RecordBatch)
        return gathered
