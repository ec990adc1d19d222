"""FollowFn: windows, held until they are final and taken in the order of their ends."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagStateSpec,
    ReadModifyWriteStateSpec,
    TimerSpec,
    on_timer,
)
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.timestamp import Timestamp

from transforms.coders import Batches, PickledCoder, RecordBatchCoder
from transforms.drift.incidents.confirm import in_order, is_early, window_of
from transforms.drift.incidents.events import no_events
from transforms.drift.incidents.notes import Notes
from transforms.windows.stateful import keep_bundles_whole

_WAITING = BagStateSpec("waiting", RecordBatchCoder())
_KNOWN = ReadModifyWriteStateSpec("known", PickledCoder())
_FINAL = TimerSpec("final", TimeDomain.WATERMARK)
_WAITING_PARAM, _KNOWN_PARAM = beam.DoFn.StateParam(_WAITING), beam.DoFn.StateParam(_KNOWN)
_FINAL_PARAM = beam.DoFn.TimerParam(_FINAL)


class Confirms(Protocol):
    """What follows windows: `Confirmer` of verdicts, `ErrorConfirmer` of quality."""

    last: tuple[int, int] | None

    @property
    def period_us(self) -> int | None:
        """From the start of a window to that of the next, where silence counts."""

    def add(self, window: pa.RecordBatch, /) -> pa.RecordBatch:
        """Takes the next window into account; returns the events."""

    def silence(self, window: pa.RecordBatch, /) -> pa.RecordBatch:
        """Takes into account that no window follows that one; returns the events."""

    def told(self) -> list[Any]:
        """Returns the state as JSON has it."""

    def knowing(self, told: list[Any], last: tuple[int, int] | None) -> "Confirms":
        """Returns one that goes on from `told` and the last window."""


@dataclass
class Known:
    """What is known of the windows that are final.

    Attributes:
      confirmer: The state of all series.
      done: End and start of the last window; None before the first.
      last: The verdicts of the last one that had rows.
      silent: How many windows without rows have followed it.
    """

    confirmer: Confirms
    done: tuple[int, int] | None = None
    last: pa.RecordBatch | None = None
    silent: int = 0

    def told(self) -> dict[str, Any]:
        """Returns it as JSON has it, but for the last verdicts, which are in the output."""
        last = None if self.confirmer.last is None else list(self.confirmer.last)
        return {
            "done": list(self.done or ()),
            "last": last,
            "silent": self.silent,
            "series": self.confirmer.told(),
        }


class FollowFn(beam.DoFn):
    """Holds verdicts until their window is final, then takes windows in the order of their ends.

    With notes it goes on where an earlier start of the run ended. What is known is noted only when
    the next windows come, for then the events so far are where they belong. So after a kill the
    last windows are taken again, and give the same events, with the same ids.

    One timer is set, for the first window that waits, and never several: those of one key may fire
    in another order than that of their times.
    """

    def __init__(
        self, first: Confirms, wait_us: int, silence: int, notes: Notes | None = None
    ) -> None:
        self.first, self.wait_us, self.silence = first, wait_us, silence
        self.notes = notes
        self._told: frozenset[str] | None = None
        self.revised = beam.metrics.Metrics.counter("ConfirmDrift", "revised_after_final")

    def process(
        self,
        keyed: tuple[int, pa.RecordBatch],
        waiting: Any = _WAITING_PARAM,
        known: Any = _KNOWN_PARAM,
        timer: Any = _FINAL_PARAM,
    ) -> None:
        """Holds the result of a window, and waits until it is final."""
        verdicts = keyed[1]
        if not verdicts.num_rows or is_early(verdicts):
            return
        before = known.read() or self._before()
        if before.last is None and window_of(verdicts) == before.done:
            before.last = verdicts
            known.write(before)
            self._set(list(waiting.read()), before, timer)
            return
        if before.done and window_of(verdicts) <= before.done:
            # Its window is over: ids and order of incidents do not change.
            self.revised.inc()
            return
        held = [*waiting.read(), verdicts]
        waiting.add(verdicts)
        timer.set(Timestamp(micros=min(map(self._final, held))))

    def _final(self, verdicts: pa.RecordBatch) -> int:
        """Returns when a window takes no more rows, in microseconds."""
        return window_of(verdicts)[0] + self.wait_us

    @on_timer(_FINAL)
    def window_final(
        self,
        fired: Any = beam.DoFn.TimestampParam,
        waiting: Any = _WAITING_PARAM,
        known: Any = _KNOWN_PARAM,
        timer: Any = _FINAL_PARAM,
    ) -> Iterator[pa.RecordBatch]:
        """Yields the events of the windows that are final now."""
        now = known.read() or self._before()
        self._note(now)
        held = list(waiting.read())
        rest = [each for each in held if self._final(each) > fired.micros]
        ready = in_order(each for each in held if self._final(each) <= fired.micros)
        told = [self._add(now, each) for each in ready] or [self._add_silence(now)]
        yield from (events for events in map(self._fresh, told) if events.num_rows)
        known.write(now)
        waiting.clear()
        for each in rest:
            waiting.add(each)
        self._set(rest, now, timer)

    def _note(self, known: Known) -> None:
        if self.notes is not None and known.done is not None:
            self.notes.write(known.told())

    def _before(self) -> Known:
        """Returns what an earlier start of the run has noted."""
        noted = None if self.notes is None else self.notes.read()
        if noted is None:
            return Known(self.first)
        end, start = noted["done"]
        last = noted["last"] and (noted["last"][0], noted["last"][1])
        confirmer = self.first.knowing(noted["series"], last)
        return Known(confirmer, (end, start), None, noted["silent"])

    def _fresh(self, events: pa.RecordBatch) -> pa.RecordBatch:
        """Returns the events that no earlier start of the run has told."""
        if self.notes is None or not events.num_rows:
            return events
        if self._told is None:
            self._told = self.notes.told()
        known = pa.array(sorted(self._told), pa.string())
        return events.filter(pc.invert(pc.is_in(events["event_id"], known)))

    def _add(self, now: Known, verdicts: pa.RecordBatch) -> pa.RecordBatch:
        now.done, now.last, now.silent = window_of(verdicts), verdicts, 0
        return now.confirmer.add(verdicts)

    def _add_silence(self, now: Known) -> pa.RecordBatch:
        if now.last is None or now.confirmer.last is None:
            return no_events()
        events = now.confirmer.silence(now.last)
        start, end = now.confirmer.last
        now.done, now.silent = (end, start), now.silent + 1
        return events

    def _set(self, rest: list[pa.RecordBatch], now: Known, timer: Any) -> None:
        """Waits for the next window, and, where silence is an incident, for one that does not come.

        When a run is drained time jumps to its end: a window that is not over is none without rows.
        """
        waits = [self._final(each) for each in rest]
        period, last = now.confirmer.period_us, now.confirmer.last
        if now.silent < self.silence and last is not None and period is not None:
            due = last[1] + period + self.wait_us
            waits += [due] if due <= time.time() * 10**6 else []
        if waits:
            timer.set(Timestamp(micros=min(waits)))


def followed(windows: Batches, follow: FollowFn) -> Batches:
    """Returns the events of windows without end, which one worker follows."""
    keep_bundles_whole(windows.pipeline.options)
    told: Batches = keyed(windows) | "Follow" >> beam.ParDo(follow).with_output_types(
        pa.RecordBatch
    )
    return told


def keyed(windows: Batches) -> "beam.PCollection[tuple[int, pa.RecordBatch]]":
    """Returns all windows under one key."""
    every = windows | "AllWindows" >> beam.WindowInto(GlobalWindows())
    pairs = every | "Key" >> beam.Map(_keyed)
    pairs.element_type = beam.typehints.KV[int, pa.RecordBatch]
    return pairs


def _keyed(window: pa.RecordBatch) -> tuple[int, pa.RecordBatch]:
    return 0, window
