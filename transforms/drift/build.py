"""BuildBaseline: rows to the baseline with which later ones are compared."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindow, GlobalWindows
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from transforms.coders import Batches, PickledCoder, register_pickled_coder
from transforms.commit.dead_letters import DeadLetters
from transforms.drift.baseline import Baseline
from transforms.drift.counting.cells import KINDS
from transforms.drift.counting.counts import Counts
from transforms.drift.counting.layout import Layout
from transforms.drift.counting.learn import Learner
from transforms.drift.make import (
    baseline_of,
    count_windows,
    ignored_columns,
    layout_of,
    windows_of,
    with_reference,
)
from transforms.drift.profile import HELD
from transforms.drift.quality.sums import Quality, Sums, sums_of
from transforms.drift.sum_quality import SumQuality
from transforms.errors import ConfigError
from transforms.verb import Verb
from transforms.windows.timed_rows import TimedRows

register_pickled_coder(Learner)


class _LearnFn(beam.DoFn):
    """What is known of the columns of a bundle."""

    def __init__(self, kinds: dict[str, str], ignored: tuple[str, ...]) -> None:
        self.kinds, self.ignored = kinds, ignored

    def start_bundle(self) -> None:
        self._learner = Learner(self.kinds, self.ignored)

    def process(self, batch: pa.RecordBatch) -> None:
        self._learner.add(batch)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        yield WindowedValue(self._learner, MIN_TIMESTAMP, (GlobalWindow(),))


@beam.typehints.with_input_types(Learner)
@beam.typehints.with_output_types(Learner)
class _JoinFn(beam.CombineFn):
    """What is known of the columns of all bundles."""

    def create_accumulator(self) -> Learner:
        return Learner()

    def add_input(self, known: Learner, more: Learner) -> Learner:
        return known.merge(more)

    def merge_accumulators(self, parts: Iterable[Learner]) -> Learner:
        whole = Learner()
        for part in parts:
            whole = whole.merge(part)
        return whole

    def get_accumulator_coder(self) -> PickledCoder:
        return PickledCoder()

    def extract_output(self, known: Learner) -> Learner:
        return known


class _QualityFn(beam.DoFn):
    """Batches to sums of predictions and labels by the start of the window."""

    def __init__(self, quality: Quality, column: str | None, size_us: int | None) -> None:
        self.quality, self.column, self.size_us = quality, column, size_us

    def process(self, batch: pa.RecordBatch) -> Iterator[tuple[int, Sums]]:
        for start, rows in windows_of(batch, self.column, self.size_us):
            yield start, sums_of(self.quality, rows)


class _CountFn(beam.DoFn):
    """Batches to counts by the start of the window, added up as long as a bundle lasts."""

    def __init__(self, column: str | None, size_us: int | None) -> None:
        self.column, self.size_us = column, size_us

    def start_bundle(self) -> None:
        self._held: dict[int, Counts] = {}

    def process(self, batch: pa.RecordBatch, layout: Layout) -> Iterator[tuple[int, Counts]]:
        for start, counts in count_windows(layout, batch, self.column, self.size_us).items():
            self._held[start] = self._held[start].merge(counts) if start in self._held else counts
        if len(self._held) > HELD:
            yield from self._held.items()
            self._held = {}

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for pair in self._held.items():
            yield WindowedValue(pair, MIN_TIMESTAMP, (GlobalWindow(),))
        self._held = {}


@beam.typehints.with_input_types(Counts)
@beam.typehints.with_output_types(Counts)
class _AddFn(beam.CombineFn):
    """Adds up counts of one layout, whichever that is."""

    def create_accumulator(self) -> Counts | None:
        return None

    def add_input(self, whole: Counts | None, part: Counts | None) -> Counts | None:
        return part if whole is None else whole if part is None else whole.merge(part)

    def merge_accumulators(self, parts: Iterable[Counts | None]) -> Counts | None:
        whole = None
        for part in parts:
            whole = self.add_input(whole, part)
        return whole

    def extract_output(self, whole: Counts | None) -> Counts | None:
        return whole


def _whole(
    _: bytes,
    layout: Layout,
    windows: list[tuple[int, Counts]],
    size_us: int | None,
    quality: Quality | None = None,
    sums: Sequence[tuple[int, Sums]] = (),
) -> Baseline:
    ordered = sorted(windows, key=_start)
    made = baseline_of(layout, [counts for _, counts in ordered], size_us)
    if quality is None:
        return made
    return with_reference(made, quality, [each for _, each in sorted(sums, key=_start)])


def _start(pair: tuple[int, Any]) -> int:
    return pair[0]


def _layout(learner: Learner, slices: tuple[str, ...], ignored: tuple[str, ...]) -> Layout:
    return layout_of(learner.cells(), slices, ignored)


@dataclass
class BuildBaseline(Verb):
    """Builds a baseline of rows that end.

    They are gone through twice: for the cells, and to be counted in them; so the local runner keeps
    them in memory. Cells are learned in bounded memory; the counts of all windows are held in one
    place, some kilobytes for each.

    Args:
      event_time_column: The column of the rows' times, which is not counted itself.
      size: The length in seconds of the windows that will be compared: with it, it is learned how
        far the baseline's own windows differ, which takes 30 of them.
      slices: Columns of labels; each of their labels is a slice, with counts of its own.
      kinds: By column, what is counted of it, where its type and values are not to decide:
        numbers, labels, list_lengths, text_lengths, digits or presence.
      dead_letters: Takes rows without a time; without it they are errors.
      like: Another baseline: rows are counted in its cells and slices, so that both can be merged,
        and are gone through once.
      quality: What is predicted, where rows have labels too: how good predictions were is kept, for
        `MeasureQuality`.

    Returns: One `Baseline`.

    Raises:
      ConfigError: When constructed with a kind that isn't known, or a size without a column; when
        run, if there are no rows, or a column is not as is asked.
    """

    event_time_column: str | None = None
    size: float | None = None
    slices: tuple[str, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)
    dead_letters: DeadLetters | None = None
    like: Baseline | None = None
    quality: Quality | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, kind in self.kinds.items():
            if kind not in KINDS:
                raise ConfigError(f"kinds: {name}={kind} is no kind; there are: {', '.join(KINDS)}")
        if self.size is not None and not self.event_time_column:
            raise ConfigError("BuildBaseline: size needs event_time_column")
        if self.size is not None and self.size < 0.001:
            raise ConfigError("BuildBaseline: size is a millisecond at least")

        if self.like is not None:
            self._check_like(self.like)

    def _check_like(self, like: Baseline) -> None:
        if self.kinds or self.slices:
            raise ConfigError("BuildBaseline: kinds and slices are those of `like`")
        column = self.event_time_column
        if column is not None and column not in like.layout.ignored:
            raise ConfigError(
                f"BuildBaseline: the baseline whose cells are used counts column {column!r}, and "
                "not as event times"
            )

    def expand(self, batches: Batches) -> "beam.PCollection[Baseline]":
        """Returns the baseline of the batches."""
        if not batches.windowing.is_default():
            batches = batches | "AllWindows" >> beam.WindowInto(GlobalWindows())
        size_us = None if self.size is None else round(self.size * 10**6)
        ignored = ignored_columns(self.event_time_column, self.quality)
        if self.size is not None and self.event_time_column is not None:
            timed = TimedRows(self.event_time_column, self.size, self.dead_letters)
            batches = batches | "Timed" >> timed
        layout: Any = beam.pvalue.AsSingleton(self._cells(batches, ignored))
        count = beam.ParDo(_CountFn(self.event_time_column, size_us), layout)
        pairs = batches | "Count" >> count.with_output_types(tuple[int, Counts])
        windows = beam.pvalue.AsList(pairs | "Sum" >> beam.CombinePerKey(_AddFn()))
        quality = self._quality(batches, size_us)
        made = beam.Map(_whole, layout, windows, size_us, *quality).with_output_types(Baseline)
        return batches.pipeline | "One" >> beam.Impulse() | "Make" >> made

    def _cells(self, batches: Batches, ignored: tuple[str, ...]) -> "beam.PCollection[Layout]":
        """Returns the cells: learned of the rows, or given."""
        if self.like is not None:
            given = beam.Create([self.like.layout], reshuffle=False).with_output_types(Layout)
            return batches.pipeline | "Cells" >> given
        learn = beam.ParDo(_LearnFn(self.kinds, ignored)).with_output_types(Learner)
        known = batches | "Learn" >> learn | "Join" >> beam.CombineGlobally(_JoinFn())
        cells = beam.Map(_layout, self.slices, ignored).with_output_types(Layout)
        return known | "Cells" >> cells

    def _quality(self, batches: Batches, size_us: int | None) -> tuple[Any, ...]:
        """Returns what is predicted, and the sums of each window; nothing without it."""
        if self.quality is None:
            return ()
        sums = beam.ParDo(_QualityFn(self.quality, self.event_time_column, size_us))
        pairs = batches | "Labels" >> sums.with_output_types(tuple[int, Sums])
        whole = pairs | "SumLabels" >> beam.CombinePerKey(SumQuality(self.quality.task))
        return self.quality, beam.pvalue.AsList(whole)
