"""ConfirmDrift: verdicts of windows to incidents, each told once."""

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

from transforms.coders import Batches, PickledCoder, RecordBatchCoder, register_pickled_coder
from transforms.drift.incidents.confirm import Confirmer, confirm, in_order, window_of
from transforms.drift.incidents.series import Confirmation
from transforms.drift.judging.policy import Policy
from transforms.errors import ConfigError
from transforms.verb import Verb
from transforms.windows.stateful import keep_bundles_whole

STEP = "ConfirmDrift"

register_pickled_coder(Confirmer)
_WAITING = BagStateSpec("waiting", RecordBatchCoder())
_KNOWN = ReadModifyWriteStateSpec("known", PickledCoder())
_FINAL = TimerSpec("final", TimeDomain.WATERMARK)
_WAITING_PARAM, _KNOWN_PARAM = beam.DoFn.StateParam(_WAITING), beam.DoFn.StateParam(_KNOWN)
_FINAL_PARAM = beam.DoFn.TimerParam(_FINAL)


def _keyed(verdicts: pa.RecordBatch) -> tuple[int, pa.RecordBatch]:
    return 0, verdicts


def _whole(
    pair: tuple[int, Iterable[pa.RecordBatch]], policy: Policy, rule: Confirmation
) -> Iterator[pa.RecordBatch]:
    yield from confirm(pair[1], policy, rule).to_batches()


class _FollowFn(beam.DoFn):
    """Holds verdicts until their window is final, then takes windows in the order of their ends.

    One timer is set, for the first window that waits, and never several: those of one key may fire
    in another order than that of their times.
    """

    def __init__(self, policy: Policy, rule: Confirmation, wait_us: int) -> None:
        self.policy, self.rule, self.wait_us = policy, rule, wait_us
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
        _, done = known.read() or (None, None)
        if done is not None and window_of(verdicts) <= done:
            # It was told of what was known then: ids and order of incidents do not change.
            self.revised.inc()
            return
        held = [*waiting.read(), verdicts]
        waiting.add(verdicts)
        self._set(held, timer)

    def _set(self, held: list[pa.RecordBatch], timer: Any) -> None:
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
        confirmer, done = known.read() or (Confirmer(self.policy, self.rule), None)
        held = list(waiting.read())
        rest = [each for each in held if self._final(each) > fired.micros]
        for verdicts in in_order(each for each in held if self._final(each) <= fired.micros):
            events = confirmer.add(verdicts)
            done = window_of(verdicts)
            if events.num_rows:
                yield events
        known.write((confirmer, done))
        waiting.clear()
        for each in rest:
            waiting.add(each)
        if rest:
            self._set(rest, timer)


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

    Returns: Batches of schema `events.EVENTS`: a row for each incident that opens, goes on or ends.
    """

    policy: Policy = field(default_factory=Policy)
    rule: Confirmation = field(default_factory=Confirmation)
    wait: float = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.wait < 0:
            raise ConfigError("ConfirmDrift: wait is 0 seconds or more")

    def expand(self, verdicts: Batches) -> Batches:
        """Returns the events of the verdicts' incidents."""
        every = verdicts | "AllWindows" >> beam.WindowInto(GlobalWindows())
        keyed = every | "Key" >> beam.Map(_keyed)
        keyed.element_type = beam.typehints.KV[int, pa.RecordBatch]
        if verdicts.is_bounded:
            whole = beam.FlatMap(_whole, self.policy, self.rule).with_output_types(pa.RecordBatch)
            events: Batches = keyed | "Gather" >> beam.GroupByKey() | "Confirm" >> whole
            return events
        keep_bundles_whole(verdicts.pipeline.options)
        follow = _FollowFn(self.policy, self.rule, round(self.wait * 10**6))
        told: Batches = keyed | "Follow" >> beam.ParDo(follow).with_output_types(pa.RecordBatch)
        return told
