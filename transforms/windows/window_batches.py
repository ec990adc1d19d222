"""WindowBatches: each row into its windows, by an event-time column."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.transforms.window import FixedWindows, SlidingWindows, TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp

from transforms import progress
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.commit.ledger import Entry
from transforms.errors import ConfigError
from transforms.reasons import Reason
from transforms.rejects import join_rejects, reject_rows
from transforms.verb import Verb
from transforms.windows.assign import cut_open_windows, watermark_of
from transforms.windows.event_time import event_times, in_range, to_micros

STEP = "WindowBatches"


class _CutFn(beam.DoFn):
    """Batches to (start of a window, its rows), each at its latest time.

    Rejects leave before the windows, as the tally does: a row without a time has none.
    """

    def __init__(
        self, size_us: int, period_us: int, column: str, lateness_us: int, keep_late: bool
    ) -> None:
        self.size_us, self.period_us, self.column = size_us, period_us, column
        self.lateness_us, self.keep_late = lateness_us, keep_late
        self.late = beam.metrics.Metrics.counter(STEP, "late")
        self.missed = beam.metrics.Metrics.counter(STEP, "missed_windows")

    def process(
        self, batch: pa.RecordBatch, timestamp: Any = beam.DoFn.TimestampParam
    ) -> Iterator[Any]:
        watermark = watermark_of(batch)
        closed = None if watermark is None else watermark - self.lateness_us
        cut = cut_open_windows(batch, self.column, self.size_us, self.period_us, closed)
        self._count(cut.late.num_rows, cut.missed)
        rejects = cut.rejects
        if self.keep_late and cut.late.num_rows:
            why = f"the windows of the time in column {self.column!r} were closed"
            rejected = reject_rows(cut.late, Reason.LATE, why, column=self.column)
            rejects = join_rejects([rejects, rejected])
        if rejects.num_rows:
            yield beam.pvalue.TaggedOutput("outcomes", (batch.slice(0, 0), rejects))
        rows = 0
        for (start, _), part in cut.parts:
            latest = int(to_micros(event_times(part, self.column)).max())
            yield TimestampedValue((start, part), Timestamp(micros=latest))
            rows += part.num_rows
        if not rows:
            yield self._rowless(batch, timestamp)
        yield from self._tally(rows + rejects.num_rows - batch.num_rows, cut.late.num_rows)

    def _count(self, late: int, missed: int) -> None:
        if missed:
            self.late.inc(late)
            self.missed.inc(missed)
            progress.add("late", rows=0 if self.keep_late else late)

    def _rowless(self, batch: pa.RecordBatch, timestamp: Any) -> Any:
        """Returns an empty batch with the columns, in the window of its element's timestamp."""
        micros = int(timestamp.micros)
        # In a bounded run that is the beginning of time, which no window covers.
        micros = micros if in_range(np.array(micros), self.size_us) else 0
        start = micros - micros % self.period_us
        return TimestampedValue((start, batch.slice(0, 0)), Timestamp(micros=micros))

    def _tally(self, more: int, late: int) -> Iterator[Any]:
        """Returns the ledger's corrections: copies in overlapping windows, less dropped rows."""
        dropped = 0 if self.keep_late else late
        if more or dropped:
            counts = ((str(Reason.LATE), dropped),) if dropped else ()
            yield beam.pvalue.TaggedOutput("tally", Entry("read", STEP, rows=more, counts=counts))


class _SettleFn(beam.DoFn):
    """Leaves each part in the window that it was cut for, of all that Beam assigned.

    Beam assigns sliding windows by the timestamp alone, and so all that hold the latest row.
    """

    def process(
        self, part: tuple[int, pa.RecordBatch], window: Any = beam.DoFn.WindowParam
    ) -> Iterator[pa.RecordBatch]:
        start, rows = part
        if window.start.micros == start:
            yield rows


@dataclass
class WindowBatches(Verb):
    """Puts the rows of each batch into fixed or sliding windows, by an event-time column.

    Batches are cut at the edges of windows and nothing is held back: gather afterwards, with
    `MicroBatch`. Later steps that group by key group by these windows too. Each batch has the
    timestamp of its latest row. A window is closed once the watermark that the source noted
    (`windows.with_watermark`) is `allowed_lateness` past its end. In overlapping windows a row is
    left out of closed ones (metric `missed_windows`). A row is late if all of its windows are
    closed (metric `late`); it is then not in the output. Without a noted watermark no row is late.

    Args:
      size: The length of a window in seconds.
      period: Of sliding windows: seconds from one start to the next, at most `size`. A row is
        then copied size / period times.
      event_time_column: The column of the rows' times: timestamps; without a time zone, UTC.
      allowed_lateness: For how many seconds after its end a window still takes rows.
      late: What becomes of late rows: "drop" counts them, and notes them in the run's ledger;
        "dead_letters" rejects them.
      dead_letters: Takes late rows and those without a time; without it the latter are errors.

    Returns: The rows in batches of one window each, in their order. An empty batch, or a batch
      without remaining rows, stays one empty batch in the window of its own timestamp, or of 1970
      if it has none.

    Raises:
      ConfigError: When constructed with windows that can't be, or no column.
    """

    size: float
    period: float | None = None
    event_time_column: str = ""
    allowed_lateness: float = 0
    late: str = "drop"
    dead_letters: DeadLetters | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._size_us = _micros("size", self.size)
        self._period_us = self._size_us if self.period is None else _micros("period", self.period)
        if self._period_us > self._size_us:
            raise ConfigError(
                f"WindowBatches: period is {self.period} s, longer than size, {self.size} s: rows "
                "between two windows would be lost"
            )
        if self.allowed_lateness < 0:
            raise ConfigError("WindowBatches: allowed_lateness is 0 seconds or more")
        if not self.event_time_column:
            raise ConfigError(
                "WindowBatches: event_time_column names the column of the rows' times"
            )
        if self.late not in ("drop", "dead_letters"):
            raise ConfigError(f"WindowBatches: late is drop or dead_letters, not {self.late!r}")
        if self.late == "dead_letters" and self.dead_letters is None:
            raise ConfigError("WindowBatches: late='dead_letters' needs dead_letters=")

    def expand(self, batches: Batches) -> Batches:
        """Returns the rows in their windows."""
        lateness = Duration.of(self.allowed_lateness)
        cut = _CutFn(
            self._size_us,
            self._period_us,
            self.event_time_column,
            lateness.micros,
            self.late == "dead_letters",
        )
        found = batches | "Cut" >> beam.ParDo(cut).with_outputs("outcomes", "tally", main="parts")
        # Tagged outputs are untyped, and Beam would pickle their elements.
        found.parts.element_type = beam.typehints.Tuple[int, pa.RecordBatch]
        found.outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        if self.dead_letters is not None:
            self.dead_letters.commit.take(found.tally)
        split_rejects(found.outcomes, self.dead_letters, STEP)
        windowed = found.parts | "Window" >> beam.WindowInto(
            self._windows(), allowed_lateness=lateness
        )
        settle = beam.ParDo(_SettleFn()).with_output_types(pa.RecordBatch)
        settled: Batches = windowed | "Settle" >> settle
        return settled

    def _windows(self) -> Any:
        size, period = Duration(micros=self._size_us), Duration(micros=self._period_us)
        return FixedWindows(size) if size == period else SlidingWindows(size, period)


def _micros(name: str, seconds: float) -> int:
    # Beam's own conversion cuts off what floats lack.
    micros = round(seconds * 10**6)
    if micros < 1000 or micros % 1000:
        raise ConfigError(
            f"WindowBatches: {name} is {seconds} s, but Beam's windows last whole milliseconds"
        )
    return micros
