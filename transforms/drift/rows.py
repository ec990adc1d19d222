"""Rows as a job reads them, made ready for windows."""

import apache_beam as beam
import pyarrow as pa

from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters
from transforms.windows.event_time import with_times
from transforms.windows.timed_rows import TimedRows


def timed(
    rows: Batches,
    column: str | None,
    unit: str | None,
    size: float | None,
    dead_letters: DeadLetters | None,
    drop: bool = False,
) -> Batches:
    """Returns the rows that have an event time.

    Args:
      rows: Batches.
      column: The column of their times; None leaves all rows as they are.
      unit: What they count since 1970, where they are numbers.
      size: The length of the windows that follow, in seconds.
      dead_letters: Takes the others; without it they are errors.
      drop: Whether the others are only left out, for they go on elsewhere.
    """
    if column is None:
        return rows
    if unit is not None:
        rows = rows | "Times" >> beam.Map(with_times, column, unit).with_output_types(
            pa.RecordBatch
        )
    kept: Batches = rows | "TimedRows" >> TimedRows(column, size or 60.0, dead_letters, drop)
    return kept
