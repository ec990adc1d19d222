"""WriteWindows: rows of a stream to files, each window's committed as its panes fire."""

import functools
import math
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics import Metrics
from apache_beam.transforms.trigger import (
    AccumulationMode,
    AfterCount,
    AfterProcessingTime,
    AfterWatermark,
)
from apache_beam.transforms.window import FixedWindows, SlidingWindows, TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp
from apache_beam.utils.windowed_value import PaneInfoTiming, WindowedValue

from transforms import progress
from transforms.coders import Batches
from transforms.commit.ledger import Target
from transforms.commit.stage import staged_rows
from transforms.commit.stream.panes import commit_pane, recover, refused
from transforms.commit.stream.wal import Staged, append
from transforms.errors import ConfigError
from transforms.files import filesystem
from transforms.verb import Verb

_TIMING = {
    PaneInfoTiming.EARLY: "early",
    PaneInfoTiming.ON_TIME: "on_time",
    PaneInfoTiming.LATE: "late",
    PaneInfoTiming.UNKNOWN: "last",
}


class _LogFn(beam.DoFn):
    """Writes the rows of a bundle to the log, a file for each window."""

    def __init__(self, target: Target) -> None:
        self.target = target

    def start_bundle(self) -> None:
        self._batches: dict[Any, list[pa.RecordBatch]] = {}

    def process(self, batch: pa.RecordBatch, window: Any = beam.DoFn.WindowParam) -> None:
        if batch.num_rows:
            self._batches.setdefault(window, []).append(batch)
            self._count(batch)

    def _count(self, batch: pa.RecordBatch) -> None:
        if not self.target.dead_letters:
            if not self.target.evidence:
                progress.add("write", rows=batch.num_rows)
            return
        progress.add("dead", rows=batch.num_rows)
        for reason in batch["reason"].value_counts().to_pylist():
            progress.add(f"{progress.DEAD}{reason['values']}", rows=reason["counts"])

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for window, batches in self._batches.items():
            start, end = window.start.micros, window.end.micros
            staged = append(self.target.staging, start, end, batches)
            yield WindowedValue(staged, window.max_timestamp(), (window,))
        self._batches = {}


def _step(target: Target) -> str:
    """Returns what rows of an output are counted as; empty for evidence, which are no rows."""
    if target.dead_letters:
        return "dead"
    return "" if target.evidence else "write"


class _CommitFn(beam.DoFn):
    """Commits a pane."""

    def __init__(self, target: Target, run_id: str) -> None:
        self.target, self.run_id = target, run_id
        names = {"dead": "DeadLetters", "": "Evidence", "write": "Write"}
        step = names[_step(target)]
        self.rows, self.late = (Metrics.counter(step, name) for name in ("rows_out", "rows_late"))

    def process(
        self,
        pane: tuple[int, Iterable[Staged]],
        window: Any = beam.DoFn.WindowParam,
        info: Any = beam.DoFn.PaneInfoParam,
    ) -> Iterator[pa.RecordBatch]:
        self._commit(list(pane[1]), window, info)
        return iter(())

    def _commit(self, staged: list[Staged], window: Any, info: Any) -> None:
        done = commit_pane(
            self.target,
            self.run_id,
            window.start.micros,
            window.end.micros,
            staged,
            _TIMING[info.timing],
        )
        counted = _step(self.target)
        if counted:
            progress.add({"dead": "dead_committed"}.get(counted, "committed"), rows=done.rows)
            progress.add("duplicate", rows=done.duplicates)
            # They were counted when they were staged.
            progress.add(counted, rows=-done.duplicates - done.refused)
        self.rows.inc(done.rows)
        if info.timing == PaneInfoTiming.LATE:
            self.late.inc(done.rows)


class _CommitToPlaceFn(_CommitFn):
    """Commits a pane to a place that may refuse rows; yields them as rejects."""

    def process(
        self,
        pane: tuple[int, Iterable[Staged]],
        window: Any = beam.DoFn.WindowParam,
        info: Any = beam.DoFn.PaneInfoParam,
        finalizer: Any = beam.DoFn.BundleFinalizerParam,
    ) -> Iterator[pa.RecordBatch]:
        self._commit(list(pane[1]), window, info)
        files = [file for file in refused(self.target) if _is_first(file)]
        # Until the bundle is final, the next start of the run finds them again.
        finalizer.register(functools.partial(_delete_all, files))
        for file in files:
            yield from staged_rows(file)


@dataclass
class WriteWindows(Verb):
    """Writes batches to a log that survives the process, and commits each window when it is full.

    What comes after a window's end, and is not too late, is committed as a pane of its own. What is
    too late the runner would drop here: it stays in the log, to be committed by the next start of
    the run. Where no step before has put such rows aside, allow `windows.ANY_LATENESS`.

    Args:
      target: A folder; each window is a partition of it.
      run_id: The run.
      seconds: The length of the windows.
      allowed_lateness: For how many seconds after a window's end rows are still taken.
      late_wait: For how many seconds on the clock late rows of a window are gathered to one pane; 0
        makes one of each bundle's.
    """

    target: Target
    run_id: str
    seconds: float
    allowed_lateness: float = 0
    late_wait: float = 0

    def expand(self, batches: Batches) -> Batches:
        """Writes the log, and commits panes as windows fire.

        Returns: Rejects: the rows that the output refuses.

        Raises:
          ConfigError: The batches are in sliding windows.
        """
        if isinstance(batches.windowing.windowfn, SlidingWindows):
            raise ConfigError(
                "WriteWindows: rows in sliding windows are there several times, and files are of "
                "fixed windows: aggregate first, or use fixed windows"
            )
        late = AfterProcessingTime(math.ceil(self.late_wait)) if self.late_wait else AfterCount(1)
        # Beam compares the windows of what is flattened, and this trigger is equal to itself alone.
        trigger = AfterWatermark(late=late)
        log = beam.ParDo(_LogFn(self.target)).with_output_types(Staged)
        logged = batches | "Window" >> self._windows(trigger) | "Log" >> log
        start = batches.pipeline | "Start" >> beam.Create([self.target], reshuffle=False)
        recover = beam.FlatMap(_recovered).with_output_types(Staged)
        before = start | "Recover" >> recover | "WindowAgain" >> self._windows(trigger)
        both = (logged, before) | "All" >> beam.Flatten()
        keyed = both | "Key" >> beam.Map(_keyed).with_output_types(tuple[int, Staged])
        panes = keyed | "Pane" >> beam.GroupByKey()
        refusing = self.target.beside and not self.target.dead_letters
        kind = _CommitToPlaceFn if refusing else _CommitFn
        commit = beam.ParDo(kind(self.target, self.run_id))
        return panes | "Commit" >> commit.with_output_types(pa.RecordBatch)

    def _windows(self, trigger: AfterWatermark) -> beam.WindowInto:
        return beam.WindowInto(
            FixedWindows(Duration(micros=round(self.seconds * 10**6))),
            trigger=trigger,
            accumulation_mode=AccumulationMode.DISCARDING,
            allowed_lateness=Duration(self.allowed_lateness),
        )


_yielded: set[str] = set()
"""Files of rejects that this process has handed on; a bundle may commit several panes."""
_yielding = threading.Lock()


def _is_first(file: str) -> bool:
    with _yielding:
        first = file not in _yielded
        _yielded.add(file)
    return first


def _delete_all(files: list[str]) -> None:
    """Deletes files of rejects that are safe elsewhere."""
    for file in files:
        filesystem.delete(file)


def _recovered(target: Target) -> Iterator[TimestampedValue]:
    """Yields the files that an earlier start of this run left in the log, in their windows."""
    for file in recover(target):
        yield TimestampedValue(file, Timestamp(micros=file.end - 1))


def _keyed(file: Staged) -> tuple[int, Staged]:
    return 0, file
