"""MeasureQuality: predictions and labels to the quality of each window."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.transforms.window import FixedWindows, GlobalWindows
from apache_beam.utils.timestamp import Duration, Timestamp

from transforms.coders import Batches, PickledCoder
from transforms.drift.baseline import Baseline
from transforms.drift.judging.verdicts import Window
from transforms.drift.quality.join import PUBLISHED, Joining, ShardJoin
from transforms.drift.quality.journal import MESSAGE_ID, SideJournal
from transforms.drift.quality.judge import QualityPolicy, quality_of
from transforms.drift.quality.reference import Reference
from transforms.drift.quality.sums import Sums
from transforms.drift.sum_quality import SumQuality
from transforms.errors import ConfigError
from transforms.verb import Verb
from transforms.windows.stateful import keep_bundles_whole

MOMENT_US = 1000
"""The shortest window that Beam has, in microseconds."""
_PREDICTIONS, _LABELS = 0, 1
_STATE = ReadModifyWriteStateSpec("join", PickledCoder())
_OVER = TimerSpec("over", TimeDomain.WATERMARK)
_STATE_PARAM, _OVER_PARAM = beam.DoFn.StateParam(_STATE), beam.DoFn.TimerParam(_OVER)
Side = tuple[int, tuple[int, pa.RecordBatch]]
_HINT = beam.typehints.Tuple[int, beam.typehints.Tuple[int, pa.RecordBatch]]


class _KeyFn(beam.DoFn):
    """Rows of a side by shard; with a journal they are on the disk when their bundle ends."""

    def __init__(
        self, side: int, joining: Joining, shards: int, journal: SideJournal | None
    ) -> None:
        self.side, self.joining, self.shards, self.journal = side, joining, shards, journal

    def setup(self) -> None:
        self._known = None if self.journal is None else self.journal.known_ids(self.side)

    def start_bundle(self) -> None:
        self._made: list[pa.RecordBatch] = []

    def process(
        self, rows: pa.RecordBatch, timestamp: Any = beam.DoFn.TimestampParam
    ) -> Iterator[Side]:
        if self._known is not None and len(self._known):
            ids = rows[MESSAGE_ID].cast(pa.string())
            rows = rows.filter(pc.invert(pc.is_in(ids, self._known)))
        if self.side == _LABELS:
            made = self.joining.labels(rows, max(timestamp.micros, 0))
        else:
            made = self.joining.predictions(rows)
        if self.journal is not None:
            self._made.append(made)
        yield from _sharded(made.drop_columns(list(self.joining.noted)), self.side, self.shards)

    def finish_bundle(self) -> None:
        if self.journal is not None:
            self.journal.append(self.side, self._made)
        self._made = []


def _before(journal: SideJournal, side: int, shards: int) -> Iterator[Side]:
    """Returns what an earlier start of the run has read of a side."""
    for made in journal.read(side):
        yield from _sharded(made.drop_columns([MESSAGE_ID, PUBLISHED]), side, shards)


def _sharded(made: pa.RecordBatch, side: int, shards: int) -> Iterator[Side]:
    shard = made.column(0).to_numpy() % np.uint64(shards)
    for number in np.unique(shard).tolist():
        yield int(number), (side, made.filter(pa.array(shard == number)))


def _joined(
    shard: tuple[int, Iterable[tuple[int, pa.RecordBatch]]], joining: Joining
) -> list[tuple[int, Sums]]:
    """Returns the sums of the windows of a whole shard."""
    made, later = ShardJoin(joining), []
    for side, batch in shard[1]:
        if side == _LABELS:
            made.add_labels(batch)
        else:
            later.append(batch)
    for batch in later:
        made.add_predictions(batch)
    return list(made.sums.items())


class _JoinFn(beam.DoFn):
    """Joins the sides of a shard as they come, until a window has waited for its labels.

    One timer is set, for the window that is over first.
    """

    def __init__(self, joining: Joining, size_us: int, wait_us: int) -> None:
        self.joining, self.after = joining, size_us + wait_us

    def process(
        self,
        keyed: tuple[int, tuple[int, pa.RecordBatch]],
        state: Any = _STATE_PARAM,
        timer: Any = _OVER_PARAM,
    ) -> None:
        known = state.read() or ShardJoin(self.joining)
        side, rows = keyed[1]
        (known.add_labels if side == _LABELS else known.add_predictions)(rows)
        self._keep(known, state, timer)

    def _keep(self, known: ShardJoin, state: Any, timer: Any) -> None:
        state.write(known)
        if known.sums:
            timer.set(Timestamp(micros=min(known.sums) + self.after))

    @on_timer(_OVER)
    def over(
        self,
        fired: Any = beam.DoFn.TimestampParam,
        state: Any = _STATE_PARAM,
        timer: Any = _OVER_PARAM,
    ) -> Iterator[tuple[int, Sums]]:
        known = state.read()
        if known is None:
            return
        for start in sorted(known.sums):
            if start + self.after <= fired.micros:
                sums = known.pop(start)
                if sums is not None:
                    yield start, sums
        self._keep(known, state, timer)


def _row(
    pair: tuple[int, Sums],
    reference: Reference,
    baseline: str,
    policy: QualityPolicy,
    size_us: int | None,
) -> pa.RecordBatch:
    start, sums = pair
    window = Window() if size_us is None else Window(start, start + size_us)
    found = quality_of(reference, [(window, sums)], baseline, policy)
    return found.combine_chunks().to_batches()[0]


@dataclass
class MeasureQuality(Verb):
    """Tells how good predictions were, window by window, by labels that come later.

    Apply it to a pair of collections of batches: `(predictions, labels) | MeasureQuality(...)`. A
    label belongs to the prediction of the same key, and counts in that one's window. Each window is
    measured once, `wait` after its end; its rows without a label by then are those that lower its
    coverage. What is estimated without labels is of all rows.

    Args:
      baseline: With `reference`: what is predicted, and how good it was.
      keys: The columns that both sides have, and that make the key.
      size: The length of a window in seconds; None makes one of all rows, which end.
      event_time_column: The column of the predictions' times.
      wait: For how many seconds after its end a window waits for labels. For so long predictions
        and labels are held in the workers' state.
      policy: When a window is judged, and when it counts as worse.
      shards: In so many parts they are joined.
      journal: Keeps what was read until its windows are measured, for a runner that keeps nothing
        across a kill; both sides are of messages then.

    Returns: Batches of schema `quality.judge.QUALITY`: a row for each window.

    Raises:
      ConfigError: When constructed with a baseline that knows no labels, without keys, or with a
        size and no column; when used, without size on input without end; from the workers, if a
        column is not there, or does not fit the task.
    """

    baseline: Baseline
    keys: tuple[str, ...]
    size: float | None = None
    event_time_column: str | None = None
    wait: float = 0
    policy: QualityPolicy = field(default_factory=QualityPolicy)
    shards: int = 16
    journal: SideJournal | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.baseline.reference is None:
            raise ConfigError(
                "MeasureQuality: the baseline knows no labels: build it with --label_column and "
                "--prediction_column, of rows that have both"
            )
        if not self.keys:
            raise ConfigError("MeasureQuality: keys are the columns that both sides have")
        if self.size is not None and not self.event_time_column:
            raise ConfigError("MeasureQuality: size needs event_time_column")
        if self.wait < 0 or self.shards < 1:
            raise ConfigError("MeasureQuality: wait is 0 seconds or more, shards 1 or more")

    @property
    def _reference(self) -> Reference:
        assert self.baseline.reference is not None
        return self.baseline.reference

    def expand(self, sides: Any) -> Batches:
        """Returns the quality of each window."""
        size_us = None if self.size is None else round(self.size * 10**6)
        kept = None if self.size is None else int(self.wait // self.size) + 2
        quality = self._reference.quality
        noted = () if self.journal is None else (MESSAGE_ID, PUBLISHED)
        joining = Joining(quality, self.keys, self.event_time_column, size_us, kept, noted)
        both = [self._side(side, number, joining) for number, side in enumerate(sides)]
        if self.journal is not None:
            root = both[0].pipeline
            both += [self._noted(root, side, self.journal) for side in (0, 1)]
        every = both | "Sides" >> beam.Flatten()
        if all(side.is_bounded for side in sides):
            sums = (
                every
                | "Shards" >> beam.GroupByKey()
                | "Join" >> beam.FlatMap(_joined, joining).with_output_types(tuple[int, Sums])
            )
        else:
            sums = self._unbounded(every, joining, size_us)
        whole = sums | "Sum" >> beam.CombinePerKey(SumQuality(quality.task))
        row = beam.Map(_row, self._reference, self.baseline.hash, self.policy, size_us)
        rows: Batches = whole | "Judge" >> row.with_output_types(pa.RecordBatch)
        return rows

    def _side(self, rows: Batches, side: int, joining: Joining) -> Any:
        name = "Labels" if side else "Predictions"
        rows = rows | f"All{name}" >> beam.WindowInto(GlobalWindows())
        keyed = beam.ParDo(_KeyFn(side, joining, self.shards, self.journal))
        return rows | name >> keyed.with_output_types(_HINT)

    def _noted(self, root: beam.Pipeline, side: int, journal: SideJournal) -> Any:
        name = "LabelsBefore" if side else "PredictionsBefore"
        start = root | f"Start{name}" >> beam.Create([journal], reshuffle=False)
        return start | name >> beam.FlatMap(_before, side, self.shards).with_output_types(_HINT)

    def _unbounded(self, every: Any, joining: Joining, size_us: int | None) -> Any:
        if size_us is None:
            raise ConfigError("MeasureQuality: input without end needs size")
        keep_bundles_whole(every.pipeline.options)
        join = beam.ParDo(_JoinFn(joining, size_us, round(self.wait * 10**6)))
        sums = every | "Join" >> join.with_output_types(tuple[int, Sums])
        # All shards report a window at one moment, and no other window then.
        return sums | "Over" >> beam.WindowInto(FixedWindows(Duration(micros=MOMENT_US)))
