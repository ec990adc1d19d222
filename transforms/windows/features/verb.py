"""WindowFeatures: to each row what its key did before, alike for files and for messages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.transforms.window import FixedWindows, GlobalWindows, TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp
from apache_beam.utils.windowed_value import PaneInfoTiming

from transforms import progress
from transforms.batches import rebatch, select_rows
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.errors import ConfigError
from transforms.keys.partition import check_key, partition_by_key
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, Outcome, join_rejects, reject_rows
from transforms.verb import Verb
from transforms.windows.assign import ANY_LATENESS
from transforms.windows.event_time import event_times, to_micros
from transforms.windows.features.compute import check_names, feature_columns, with_columns
from transforms.windows.features.declare import Feature, horizon, needed_columns, to_us
from transforms.windows.features.order import decoded
from transforms.windows.timed_rows import TimedRows
from transforms.windows.window_batches import WindowBatches

STEP = "WindowFeatures"

MOST_COPIES = 1000
"""In how many periods a row may be needed: it waits in each of them."""

_Part = tuple[bool, pa.RecordBatch]
"""Rows of a period, or of the time before: those only give values."""

_KEYED = beam.typehints.KV[int, beam.typehints.Tuple[bool, pa.RecordBatch]]


@dataclass(frozen=True)
class _Plan:
    """What the steps know: the features, their rows, and how far they look back."""

    features: Mapping[str, Feature]
    keys: tuple[str, ...]
    event_time_column: str
    shards: int
    every_us: int
    horizon_us: int

    def shards_of(self, batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yields the rows by shard of their key."""
        check_names(self.features, batch.schema.names)
        return partition_by_key(batch, self.keys, self.shards)

    def made(
        self, own: Sequence[pa.RecordBatch], past: Iterable[pa.RecordBatch]
    ) -> list[pa.RecordBatch]:
        """Returns batches with their features; those of the past only give values."""
        columns = needed_columns(self.features, self.keys, self.event_time_column)
        tables = [
            pa.table([decoded(batch.column(name)) for name in columns], columns)
            for batch in [*own, *past]
        ]
        table = pa.concat_tables(tables, promote_options="permissive").combine_chunks()
        rows = table.to_batches()[0] if table.num_rows else _none(table.schema)
        made = feature_columns(rows, self.features, self.keys, self.event_time_column)
        starts = np.cumsum([0, *(batch.num_rows for batch in own)]).tolist()
        return [
            with_columns(
                batch, self.features, [column.slice(start, batch.num_rows) for column in made]
            )
            for start, batch in zip(starts, own, strict=False)
        ]


def _none(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema)


class _ShardFn(beam.DoFn):
    """Batches to (shard, rows of it)."""

    def __init__(self, plan: _Plan) -> None:
        self.plan = plan

    def process(self, batch: pa.RecordBatch) -> Iterator[tuple[int, _Part]]:
        for shard, rows in self.plan.shards_of(batch):
            yield shard, (True, rows)


class _SpreadFn(beam.DoFn):
    """Batches of a period to the same by shard, and copies for the periods that look back on it."""

    def __init__(self, plan: _Plan) -> None:
        self.plan = plan
        self.columns = needed_columns(plan.features, plan.keys, plan.event_time_column)

    def process(
        self,
        batch: pa.RecordBatch,
        window: Any = beam.DoFn.WindowParam,
        timestamp: Any = beam.DoFn.TimestampParam,
    ) -> Iterator[Any]:
        for shard, rows in self.plan.shards_of(batch):
            yield TimestampedValue((shard, (True, rows)), timestamp)
            for start, past in self._later(rows, window.start.micros):
                yield TimestampedValue((shard, (False, past)), Timestamp(micros=start))

    def _later(self, rows: pa.RecordBatch, start: int) -> Iterator[tuple[int, pa.RecordBatch]]:
        past = rows.select(self.columns).replace_schema_metadata(None)
        micros = to_micros(event_times(past, self.plan.event_time_column))
        while past.num_rows:
            start += self.plan.every_us
            needed = micros >= start - self.plan.horizon_us
            past, micros = select_rows(past, needed), micros[needed]
            if past.num_rows:
                yield start, past


class _ComputeFn(beam.DoFn):
    """The rows of a shard, and of the time before, to outcomes.

    Rows that come after the period's results come alone, without what was before them: they are
    rejected.
    """

    def __init__(self, plan: _Plan, keep_late: bool) -> None:
        self.plan, self.keep_late = plan, keep_late
        self.late = beam.metrics.Metrics.counter(STEP, "late")

    def process(
        self, shard: tuple[int, Iterable[_Part]], pane: Any = beam.DoFn.PaneInfoParam
    ) -> Iterator[Outcome]:
        own: list[pa.RecordBatch] = []
        past: list[pa.RecordBatch] = []
        for is_own, rows in shard[1]:
            (own if is_own else past).append(rows)
        if not own:
            return
        if pane.timing == PaneInfoTiming.LATE:
            yield self._late(own)
            return
        for rows in rebatch(self.plan.made(own, past)):
            yield rows, NO_REJECTS

    def _late(self, own: list[pa.RecordBatch]) -> Outcome:
        nothing = self.plan.made([own[0].slice(0, 0)], [])[0]
        late = sum(rows.num_rows for rows in own)
        self.late.inc(late)
        if not self.keep_late:
            progress.add("late", rows=late)
            return nothing, NO_REJECTS
        column = self.plan.event_time_column
        why = f"the features of the time in column {column!r} were made before"
        return nothing, join_rejects(
            [reject_rows(rows, Reason.LATE, why, column=column) for rows in own if rows.num_rows]
        )


@dataclass
class WindowFeatures(Verb):
    """Adds to each row what the rows of its key were in the time before it.

    No feature looks ahead, and rows of one key may come in any order. Rows meet by key in a
    shuffle. Of files, all rows of a shard are in a worker's memory at once. Of messages, the rows
    of a period wait for its end, by the watermark, and copies of the columns that features are made
    of wait in each later period that looks back on them: as many as the longest stretch has
    periods. Both give the same features, to the last bit, of the same rows.

    A row that comes after its period's results is late: it becomes a dead letter; without
    `dead_letters` it is dropped and counted (metric `late`). A source that knows how far its rows
    are out of order holds back the watermark by that much, and then none is late.

    Args:
      features: The new columns, and what is in each: `Lag` or `Rolling`.
      keys: The columns that make the key: numbers, texts, times. Null is a key like any other.
      event_time_column: The column of the rows' times: timestamps; without a time zone, UTC.
      every: How often results come of messages, in seconds of event time. Files need none.
      shards: In how many parts the keys are computed.
      dead_letters: Takes late rows and those without a time; without it the latter are errors.

    Returns: All rows with their features, not in the order of the input; in fixed windows of
      `every` seconds by their time, or in the global window.

    Raises:
      ConfigError: When constructed with what can't be; on input without end, if there is no
        `every`, or a lag looks back for ever; from the workers, if a column is missing or of a
        type that can't be.
    """

    features: Mapping[str, Feature]
    keys: Sequence[str]
    event_time_column: str
    every: float | None = None
    shards: int = 16
    dead_letters: DeadLetters | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_key(STEP, self.keys, self.shards, "keys")
        if not self.features:
            raise ConfigError(f"{STEP}: features names the new columns, and what is in each")
        if not self.event_time_column:
            raise ConfigError(f"{STEP}: event_time_column names the column of the rows' times")
        if self.every is not None and (to_us(self.every) < 1000 or to_us(self.every) % 1000):
            raise ConfigError(
                f"{STEP}: every is {self.every} s, but Beam's windows last whole milliseconds"
            )
        reach = horizon(self.features.values())
        if self.every is not None and reach is not None and reach > MOST_COPIES * to_us(self.every):
            raise ConfigError(
                f"{STEP}: every is {self.every} s, so a row would wait in more than {MOST_COPIES} "
                f"periods for features that look back {reach / 10**6:g} s; make it longer"
            )

    def expand(self, batches: Batches) -> Batches:
        """Returns the rows with their features."""
        shards = self._of_files(batches) if batches.is_bounded else self._of_messages(batches)
        compute = _ComputeFn(self._plan(), self.dead_letters is not None)
        outcomes = shards | beam.GroupByKey() | "Compute" >> beam.ParDo(compute)
        outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        rows = split_rejects(outcomes, self.dead_letters, STEP)
        if self.every is None or not batches.is_bounded:
            return rows
        windows = WindowBatches(self.every, event_time_column=self.event_time_column)
        windowed: Batches = rows | "Windows" >> windows
        return windowed

    def _of_files(self, batches: Batches) -> Any:
        reach = horizon(self.features.values()) or 0
        timed = batches | "Timed" >> TimedRows(
            self.event_time_column, reach / 10**6, self.dead_letters
        )
        keyed = timed | "Shard" >> beam.ParDo(_ShardFn(self._plan())).with_output_types(_KEYED)
        return keyed | "Whole" >> beam.WindowInto(GlobalWindows())

    def _of_messages(self, batches: Batches) -> Any:
        self._check_unbounded()
        late = "drop" if self.dead_letters is None else "dead_letters"
        cut = batches | "Periods" >> WindowBatches(
            self.every or 0, None, self.event_time_column, late=late, dead_letters=self.dead_letters
        )
        keyed = cut | "Spread" >> beam.ParDo(_SpreadFn(self._plan())).with_output_types(_KEYED)
        # What a runner would drop as too late comes to `_ComputeFn` instead.
        periods = FixedWindows(Duration(micros=to_us(self.every or 0)))
        return keyed | "Whole" >> beam.WindowInto(periods, allowed_lateness=ANY_LATENESS)

    def _check_unbounded(self) -> None:
        if self.every is None:
            raise ConfigError(
                f"{STEP}: the input has no end; every= says how often results come, in seconds"
            )
        endless = [name for name, feature in self.features.items() if feature.reach is None]
        if endless:
            raise ConfigError(
                f"{STEP}: the input has no end, and {endless[0]!r} looks back for ever; give its "
                "Lag within=, in seconds"
            )

    def _plan(self) -> _Plan:
        reach = horizon(self.features.values()) or 0
        every = to_us(self.every or 0)
        return _Plan(
            dict(self.features), tuple(self.keys), self.event_time_column, self.shards, every, reach
        )
