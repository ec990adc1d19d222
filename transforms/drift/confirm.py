"""ConfirmDrift: verdicts of windows to incidents, each told once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import apache_beam as beam
import pyarrow as pa

from transforms.coders import Batches
from transforms.drift.follow import FollowFn, followed, keyed
from transforms.drift.incidents.confirm import Confirmer, confirm, in_order
from transforms.drift.incidents.notes import Notes
from transforms.drift.incidents.series import Confirmation
from transforms.drift.judging.policy import Policy
from transforms.drift.quality.errors import ErrorConfirmer
from transforms.errors import ConfigError
from transforms.verb import Verb


def _whole(
    pair: tuple[int, Iterable[pa.RecordBatch]],
    policy: Policy,
    rule: Confirmation,
    period_us: int | None,
) -> Iterator[pa.RecordBatch]:
    yield from confirm(pair[1], policy, rule, period_us).to_batches()


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
      notes: Where what is known is kept, so that a run that is started anew goes on with it. Give
        it the verdicts again that it has written: those of windows that are noted are left out.

    Returns: Batches of schema `events.EVENTS`: a row for each incident that opens, goes on or ends.
    """

    policy: Policy = field(default_factory=Policy)
    rule: Confirmation = field(default_factory=Confirmation)
    wait: float = 0
    period: float | None = None
    silence: int = 0
    notes: Notes | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.wait < 0:
            raise ConfigError("ConfirmDrift: wait is 0 seconds or more")
        if self.silence < 0 or (self.silence and self.period is None):
            raise ConfigError("ConfirmDrift: silence is 0 windows or more, and needs period")

    def expand(self, verdicts: Batches) -> Batches:
        """Returns the events of the verdicts' incidents."""
        period_us = None if self.period is None else round(self.period * 10**6)
        if verdicts.is_bounded:
            whole = beam.FlatMap(_whole, self.policy, self.rule, period_us)
            whole = whole.with_output_types(pa.RecordBatch)
            pairs = keyed(verdicts)
            events: Batches = pairs | "Gather" >> beam.GroupByKey() | "Confirm" >> whole
            return events
        first = Confirmer(self.policy, self.rule, period_us)
        follow = FollowFn(first, round(self.wait * 10**6), self.silence, self.notes)
        return followed(verdicts, follow)


@dataclass
class ConfirmErrors(Verb):
    """Tells of incidents of errors, where `MeasureQuality` gives the quality of single windows.

    Errors are in an incident once 2 of the last 3 windows are suspect, or are a little higher for
    long; they have recovered after 3 windows without. The same quality gives the same events.

    Args:
      rule: When an incident begins and ends.
      wait: For how many seconds of event time after its end a window waits for its labels, so that
        windows are taken in their order.
      notes: Where what is known is kept, so that a run that is started anew goes on with it.

    Returns: Batches of schema `events.EVENTS`: a row for each incident that opens, goes on or ends.
    """

    rule: Confirmation = field(default_factory=Confirmation)
    wait: float = 0
    notes: Notes | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.wait < 0:
            raise ConfigError("ConfirmErrors: wait is 0 seconds or more")

    def expand(self, quality: Batches) -> Batches:
        """Returns the events of the incidents of errors."""
        if quality.is_bounded:
            pairs = keyed(quality)
            whole = beam.FlatMap(_whole_quality, self.rule).with_output_types(pa.RecordBatch)
            events: Batches = pairs | "Gather" >> beam.GroupByKey() | "Confirm" >> whole
            return events
        first = ErrorConfirmer(self.rule)
        return followed(quality, FollowFn(first, round(self.wait * 10**6), 0, self.notes))


def _whole_quality(
    pair: tuple[int, Iterable[pa.RecordBatch]], rule: Confirmation
) -> Iterator[pa.RecordBatch]:
    confirmer = ErrorConfirmer(rule)
    yield from (confirmer.add(each) for each in in_order(pair[1]))
