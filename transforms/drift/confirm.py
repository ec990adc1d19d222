"""ConfirmDrift: verdicts of windows to incidents, each told once."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa
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
from transforms.drift.incidents.confirm import Confirmer, confirm, in_order, window_of
from transforms.drift.incidents.events import no_events
from transforms.drift.incidents.series import Confirmation
from transforms.drift.judging.policy import Policy
from transforms.errors import ConfigError
from transforms.verb import Verb
from transforms.windows.stateful import keep_bundles_whole

STEP = "ConfirmDrift"

_WAITING = BagStateSpec("waiting", RecordBatchCoder())
_KNOWN = ReadModifyWriteStateSpec("known", PickledCoder())
_FINAL = TimerSpec("final", TimeDomain.WATERMARK)
_WAITING_PARAM, _KNOWN_PARAM = beam.DoFn.StateParam(_WAITING), beam.DoFn.StateParam(_KNOWN)
_FINAL_PARAM = beam.DoFn.TimerParam(_FINAL)


def _keyed(verdicts: pa.RecordBatch) -> tuple[int, pa.RecordBatch]:
    return 0, verdicts


def _whole(
    pair: tuple[int, Iterable[pa.RecordBatch]],
    policy: Policy,
    rule: Confirmation,
    period_us: int | None,
) -> Iterator[pa.RecordBatch]:
    yield from confirm(pair[1], policy, rule, period_us).to_batches()


@dataclass
class _Known:
    """What is known of the windows that are final.

    Attributes:
      confirmer: The state of all series.
      done: End and start of the last window; None before the first.
      last: The verdicts of the last one that had rows.
      silent: How many windows without rows have followed it.
    """

    confirmer: Confirmer
    done: tuple[int, int] | None = None
    last: pa.RecordBatch | None = None
    silent: int = 0


class _FollowFn(beam.DoFn):
    """Holds verdicts until their window is final, then takes windows in the order of their ends.

    One timer is set, for the first window that waits, and never several: those of one key may fire
    in another order than that of their times.
    """

    def __init__(self, first: Confirmer, wait_us: int, silence: int) -> None:
        self.first, self.wait_us, self.silence = first, wait_us, silence
        self.revised = beam.metrics.Metrics.counter(STEP, "revised_after_final")

    def process(
        self,
        keyed: tuple[int, pa.RecordBatch],
        waiting: Any = _WAITING_PARAM,
        known: Any = _KNOWN_PARAM,
        timer: Any = _FINAL_PARAM,
    ) -> None:
        verdicts = keyed[1]
        if not verdicts.num_rows or verdicts["timing"][0].as_py() == "early":
            return
        before = known.read()
        if before is not None and before.done and window_of(verdicts) <= before.done:
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
        now = known.read() or _Known(self.first)
        held = list(waiting.read())
        rest = [each for each in held if self._final(each) > fired.micros]
        ready = in_order(each for each in held if self._final(each) <= fired.micros)
        told = [self._add(now, each) for each in ready] or [self._add_silence(now)]
        yield from (events for events in told if events.num_rows)
        known.write(now)
        waiting.clear()
        for each in rest:
            waiting.add(each)
        self._set(rest, now, timer)

    def _add(self, now: _Known, verdicts: pa.RecordBatch) -> pa.RecordBatch:
        now.done, now.last, now.silent = window_of(verdicts), verdicts, 0
        return now.confirmer.add(verdicts)

    def _add_silence(self, now: _Known) -> pa.RecordBatch:
        if now.last is None or now.confirmer.last is None:
            return no_events()
        events = now.confirmer.silence(now.last)
        start, end = now.confirmer.last
        now.done, now.silent = (end, start), now.silent + 1
        return events

    def _set(self, rest: list[pa.RecordBatch], now: _Known, timer: Any) -> None:
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


@dataclass
class ConfirmDrift(Verb):
    """Tells of incidents, where single windows give verdicts.

    A column of a slice is in an incident once 2 of its last 3 windows differ, or small differences
    add up for long; it has recovered after 3 windows without. Windows count in the order of their
    ends, each once, by its last result `wait` after its end. What revises it later changes no
    incident, and is counted (metric `revised_after_final`). Early results count for nothing. The
    same verdicts give the same events, with the same ids.

    Args:
      policy: That by which the windows were judged.
      rule: When an incident begins and ends.
      wait: For how many seconds of event time after its end a window waits for late rows: the
        allowed lateness.
      period: Seconds from the start of a window to that of the next: those between two others that
        have no verdicts had no rows. None where they have, or nobody asks.
      silence: After the last window so many more count as windows without rows once their time has
        come, though none comes after them; 2 make an incident. Unbounded input only.

    Returns: Batches of schema `events.EVENTS`: a row for each incident that opens, goes on or ends.
    """

    policy: Policy = field(default_factory=Policy)
    rule: Confirmation = field(default_factory=Confirmation)
    wait: float = 0
    period: float | None = None
    silence: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.wait < 0:
            raise ConfigError("ConfirmDrift: wait is 0 seconds or more")
        if self.silence < 0 or (self.silence and self.period is None):
            raise ConfigError("ConfirmDrift: silence is 0 windows or more, and needs period")

    def expand(self, verdicts: Batches) -> Batches:
        """Returns the events of the verdicts' incidents."""
        every = verdicts | "AllWindows" >> beam.WindowInto(GlobalWindows())
        keyed = every | "Key" >> beam.Map(_keyed)
        keyed.element_type = beam.typehints.KV[int, pa.RecordBatch]
        period_us = None if self.period is None else round(self.period * 10**6)
        if verdicts.is_bounded:
            whole = beam.FlatMap(_whole, self.policy, self.rule, period_us)
            whole = whole.with_output_types(pa.RecordBatch)
            events: Batches = keyed | "Gather" >> beam.GroupByKey() | "Confirm" >> whole
            return events
        keep_bundles_whole(verdicts.pipeline.options)
        first = Confirmer(self.policy, self.rule, period_us)
        follow = _FollowFn(first, round(self.wait * 10**6), self.silence)
        told: Batches = keyed | "Follow" >> beam.ParDo(follow).with_output_types(pa.RecordBatch)
        return told
