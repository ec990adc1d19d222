"""TimedRows: the rows that have an event time; the others are rejected."""

from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.batches import select_rows
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.errors import ConfigError
from transforms.rejects import NO_REJECTS, Outcome
from transforms.verb import Verb
from transforms.windows.assign import reject_untimed
from transforms.windows.event_time import event_times, in_range, to_micros

STEP = "TimedRows"


def timed_rows(batch: pa.RecordBatch, event_time_column: str, size_us: int) -> Outcome:
    """Keeps the rows that are in windows.

    Args:
      batch: n rows.
      event_time_column: The column of their times.
      size_us: The length of the windows in microseconds: a time needs room for one around it.

    Returns: The rows with a time of the years 1 to 9999, and the others as rejects.

    Raises:
      ConfigError: The column is no timestamp.
    """
    times = event_times(batch, event_time_column)
    placed = in_range(to_micros(times), size_us)
    if times.null_count:
        placed &= times.is_valid().to_numpy(zero_copy_only=False)
    if placed.all():
        return batch, NO_REJECTS
    rejects = reject_untimed(batch, event_time_column, times, size_us)
    return select_rows(batch, np.asarray(placed)), rejects


class _KeepFn(beam.DoFn):
    """Batches, less the rows without a time."""

    def __init__(self, column: str, size_us: int) -> None:
        self.column, self.size_us = column, size_us
        self.untimed = beam.metrics.Metrics.counter(STEP, "untimed")

    def process(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        kept, rejects = timed_rows(batch, self.column, self.size_us)
        if rejects.num_rows:
            self.untimed.inc(rejects.num_rows)
        yield kept


@dataclass
class TimedRows(Verb):
    """Keeps the rows that have an event time.

    Args:
      event_time_column: The column of their times: timestamps; without a time zone, UTC.
      size: The length of the windows that follow, in seconds.
      dead_letters: Takes the other rows; without it they are errors.
      drop: Whether they are only left out, where they go on elsewhere; the metric `untimed` counts
        them.

    Returns: The batches, less the rows that have no time.

    Raises:
      ConfigError: When constructed without a column.
    """

    event_time_column: str
    size: float = 60.0
    dead_letters: DeadLetters | None = None
    drop: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.event_time_column:
            raise ConfigError("TimedRows: event_time_column names the column of the rows' times")

    def expand(self, batches: Batches) -> Batches:
        """Returns the rows that have a time."""
        if self.drop:
            keep = beam.ParDo(_KeepFn(self.event_time_column, round(self.size * 10**6)))
            kept: Batches = batches | "Keep" >> keep.with_output_types(pa.RecordBatch)
            return kept
        split = beam.Map(timed_rows, self.event_time_column, round(self.size * 10**6))
        outcomes = batches | "Split" >> split.with_output_types(
            beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        )
        return split_rejects(outcomes, self.dead_letters, STEP)
