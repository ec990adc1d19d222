"""MicroBatch: gathers small batches, for no longer than a deadline."""

import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
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

from transforms.batches import MAX_BYTES, MAX_ROWS, rebatch, take_rows
from transforms.coders import Batches, RecordBatchCoder
from transforms.errors import ConfigError
from transforms.rebatch import Rebatch
from transforms.verb import Verb
from transforms.windows.stateful import keep_bundles_whole, own_name

SHARDS = 4

_HELD = BagStateSpec("held", RecordBatchCoder())
_TALLY = ReadModifyWriteStateSpec("tally", TupleCoder([VarIntCoder()] * 4))
_HELD_PARAM, _TALLY_PARAM = beam.DoFn.StateParam(_HELD), beam.DoFn.StateParam(_TALLY)

_DEADLINE, _END = 1, 2
"""The bits of timers that are set and have not fired."""


def shard_of(batch: pa.RecordBatch, shards: int = SHARDS) -> int:
    """Returns a number below `shards` for a batch: always the same for the same first row."""
    if not batch.num_rows:
        return 0
    # Copied, for the bytes of a slice go on into its neighbours.
    return zlib.crc32(take_rows(batch, np.zeros(1, np.int64)).serialize()) % shards


def fill(
    batches: Iterable[pa.RecordBatch], max_rows: int, max_bytes: int
) -> tuple[list[pa.RecordBatch], pa.RecordBatch | None]:
    """Joins and cuts batches as `rebatch` does, and tells apart what may wait for more.

    Args:
      batches: Any batches.
      max_rows: Most rows of a batch.
      max_bytes: About the most bytes of a batch.

    Returns: The batches to hand on, and the last one where there is room in it, else None.
    """
    *full, last = [*rebatch(batches, max_rows, max_bytes)] or [None]
    if last is None or (last.num_rows < max_rows and last.nbytes < max_bytes):
        return full, last
    return [*full, last], None


def _keyed(batch: pa.RecordBatch) -> tuple[int, pa.RecordBatch]:
    return shard_of(batch), batch


def _stamped(batches: list[pa.RecordBatch], micros: int, window: Any) -> Iterator[WindowedValue]:
    for batch in batches:
        yield WindowedValue(batch, Timestamp(micros=micros), (window,))


class _Gather(beam.DoFn):
    """Holds the batches of a shard and a window in state, until enough, too long or the end.

    The tally is (rows, bytes, latest timestamp in microseconds, timers that are set). While rows
    are held both timers are set, and none is set again before it fires: runners lose those. So a
    deadline may come earlier than the rows need that came after it was set. What leaves has the
    latest timestamp since: the timers hold back the watermark to that of the row that set them,
    and a row with an earlier one, which came later, would be late downstream.
    """

    def __init__(self, max_rows: int, max_bytes: int, deadline: float) -> None:
        self.max_rows, self.max_bytes, self.deadline = max_rows, max_bytes, deadline

    def _take(
        self, batch: pa.RecordBatch, at: Any, window: Any, state: tuple[Any, Any], timers: Any
    ) -> Iterator[WindowedValue]:
        held, tally = state
        rows, size, latest, pending = tally.read() or (0, 0, at.micros, 0)
        rows, size, latest = rows + batch.num_rows, size + batch.nbytes, max(latest, at.micros)
        full: list[pa.RecordBatch] = []
        rest: pa.RecordBatch | None = batch
        if rows >= self.max_rows or size >= self.max_bytes:
            full, rest = fill([*held.read(), batch], self.max_rows, self.max_bytes)
            held.clear()
            rows, size = (0, 0) if rest is None else (rest.num_rows, rest.nbytes)
        if rest is not None:
            held.add(rest)
            pending = self._set(pending, window, timers)
        _write(tally, rows, size, latest, pending)
        yield from _stamped(full, latest, window)

    def _set(self, pending: int, window: Any, timers: Any) -> int:
        """Sets those timers that are not set."""
        deadline, end = timers
        if not pending & _DEADLINE:
            deadline.set(time.time() + self.deadline)
        if not pending & _END:
            end.set(window.max_timestamp())
        return _DEADLINE | _END

    def _flush(self, fired: int, window: Any, state: tuple[Any, Any]) -> Iterator[WindowedValue]:
        held, tally = state
        known = tally.read()
        if known is None:
            return
        _, _, latest, pending = known
        batches = list(rebatch(held.read(), self.max_rows, self.max_bytes))
        held.clear()
        _write(tally, 0, 0, latest, pending & ~fired)
        yield from _stamped(batches, latest, window)


def _write(tally: Any, rows: int, size: int, latest: int, pending: int) -> None:
    if pending:
        tally.write((rows, size, latest, pending))
    else:
        tally.clear()


def _gather_fn(max_rows: int, max_bytes: int, deadline: float, label: str) -> beam.DoFn:
    """Returns a `_Gather` whose timers have names of their own, by the label of its step.

    A timer's name is fixed in a method's signature, hence the class is made here.
    """
    by_clock = TimerSpec(own_name("deadline", label), TimeDomain.REAL_TIME)
    by_window = TimerSpec(own_name("end", label), TimeDomain.WATERMARK)
    by_clock_param, by_window_param = (
        beam.DoFn.TimerParam(by_clock),
        beam.DoFn.TimerParam(by_window),
    )

    class _GatherFn(_Gather):
        def process(
            self,
            keyed: tuple[int, pa.RecordBatch],
            window: Any = beam.DoFn.WindowParam,
            timestamp: Any = beam.DoFn.TimestampParam,
            held: Any = _HELD_PARAM,
            tally: Any = _TALLY_PARAM,
            deadline: Any = by_clock_param,
            end: Any = by_window_param,
        ) -> Iterator[WindowedValue]:
            return self._take(keyed[1], timestamp, window, (held, tally), (deadline, end))

        @on_timer(by_clock)
        def too_long(
            self,
            window: Any = beam.DoFn.WindowParam,
            held: Any = _HELD_PARAM,
            tally: Any = _TALLY_PARAM,
        ) -> Iterator[WindowedValue]:
            return self._flush(_DEADLINE, window, (held, tally))

        @on_timer(by_window)
        def window_over(
            self,
            window: Any = beam.DoFn.WindowParam,
            held: Any = _HELD_PARAM,
            tally: Any = _TALLY_PARAM,
        ) -> Iterator[WindowedValue]:
            return self._flush(_END, window, (held, tally))

    return _GatherFn(max_rows, max_bytes, deadline)


@dataclass
class MicroBatch(Verb):
    """Gathers small batches into larger ones, never across windows.

    Without a deadline it is `Rebatch`: it joins the batches of one bundle, and holds nothing.
    With a deadline, batches of an unbounded input wait in state for more, by window and by one of
    four shards, until there are enough, the deadline has passed, or the window is over. Put rows
    into their windows first (`WindowBatches`): rows gathered before come too late for them. The
    order of batches is not kept. A runner drops rows that come after the allowed lateness of their
    window, as it does at every step with state.

    Bounded input never waits: its bundles are large, state would cut it into four parts, and
    FnApiRunner fails if there is a deadline and rows are in the future.

    Args:
      max_rows: Most rows of a batch.
      max_bytes: About the most bytes of a batch.
      deadline: For how many seconds a row may wait, by the clock; None does not wait.

    Returns: The same rows. Batches joined from several sources lose the note of where their rows
      came from, and all joined batches lose the note of the watermark.

    Raises:
      ConfigError: When constructed with bounds that can't be.
    """

    max_rows: int = MAX_ROWS
    max_bytes: int = MAX_BYTES
    deadline: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_rows < 1 or self.max_bytes < 1:
            raise ConfigError("MicroBatch: max_rows and max_bytes are at least 1")
        if self.deadline is not None and not self.deadline > 0:
            raise ConfigError("MicroBatch: deadline is more than 0 seconds, or None")

    def expand(self, batches: Batches) -> Batches:
        """Returns the same rows in larger batches."""
        if self.deadline is None or batches.is_bounded:
            joined: Batches = batches | "Join" >> Rebatch(self.max_rows, self.max_bytes)
            return joined
        keep_bundles_whole(batches.pipeline.options)
        keyed = batches | "Shard" >> beam.Map(_keyed)
        keyed.element_type = beam.typehints.KV[int, pa.RecordBatch]
        # Within `expand`, the last on the stack is this step: its label is the pipeline's only one.
        label = batches.pipeline.transforms_stack[-1].full_label
        gather = _gather_fn(self.max_rows, self.max_bytes, self.deadline, label)
        gathered: Batches = keyed | "Gather" >> beam.ParDo(gather).with_output_types(pa.RecordBatch)
        return gathered
