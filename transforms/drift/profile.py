"""ProfileWindows: batches to the counts of each window."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.trigger import AccumulationMode, AfterCount, AfterWatermark
from apache_beam.transforms.window import (
    FixedWindows,
    GlobalWindow,
    GlobalWindows,
    SlidingWindows,
    TimestampedValue,
)
from apache_beam.utils.timestamp import Duration, Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from transforms import progress
from transforms.coders import Batches, PickledCoder, register_pickled_coder
from transforms.commit.dead_letters import DeadLetters
from transforms.commit.stream.panes import MESSAGE_ID
from transforms.drift.baseline import Baseline
from transforms.drift.counting.counts import Counts, no_rows
from transforms.drift.counting.journal import Journal
from transforms.drift.counting.layout import Layout
from transforms.drift.counting.panes import Pane, Panes, PaneTally, open_rows
from transforms.drift.counting.tally import Tally
from transforms.drift.judging.verdicts import Window
from transforms.errors import ConfigError
from transforms.merging import MergeFn
from transforms.verb import Verb
from transforms.windows.assign import watermark_of
from transforms.windows.timed_rows import TimedRows

STEP = "ProfileWindows"
HELD = 64
"""So many panes are held while a bundle goes on; then what is known of them is handed on."""
_TIMING = {0: "early", 1: "on_time", 2: "late", 3: "on_time"}
# Flink says 3, unknown, of the only result that a window has in batch.

register_pickled_coder(Counts)
register_pickled_coder(Pane)


@register_pickled_coder
@dataclass(frozen=True)
class Profile:
    """The counts of a window.

    Attributes:
      window: Which one.
      counts: Of its rows, in the baseline's cells.
    """

    window: Window
    counts: Counts

    @property
    def nbytes(self) -> int:
        """About how many bytes it is, pickled."""
        return self.counts.nbytes + 100


class _PanesFn(beam.DoFn):
    """Batches to counts by pane, added up as long as a bundle lasts."""

    def __init__(
        self,
        layout: Layout,
        column: str,
        windows: Panes,
        lateness_us: int,
        journal: Journal | None = None,
        closed_us: int | None = None,
    ) -> None:
        self.layout, self.column, self.windows = layout, column, windows
        self.lateness_us, self.journal, self.closed_us = lateness_us, journal, closed_us
        metrics = beam.metrics.Metrics
        self.late = metrics.counter(STEP, "late")
        self.missed = metrics.counter(STEP, "missed_windows")

    def start_bundle(self) -> None:
        self._tally = PaneTally(self.layout, self.windows)
        self._held: dict[tuple[int, int], Pane] = {}
        self._gone: list[Pane] = []
        self._messages: list[str] = []

    def process(self, batch: pa.RecordBatch) -> Iterator[TimestampedValue]:
        closed = self._closed(watermark_of(batch))
        if self.journal is not None:
            batch = self.journal.fresh(batch)
            self._messages += batch[MESSAGE_ID].to_pylist()
        rows = open_rows(batch, self.column, self.windows, closed)
        if rows.missed:
            self.late.inc(rows.late)
            self.missed.inc(rows.missed)
            progress.add("late", rows=rows.late)
        for pane in self._merged(self._tally.add(rows)):
            if self.journal is not None:
                self._gone.append(pane)
            yield TimestampedValue(pane, Timestamp(micros=pane.latest))

    def _merged(self, panes: Iterator[Pane]) -> Iterator[Pane]:
        """Adds up panes; yields what is known of all of them if they are many."""
        for pane in panes:
            before = self._held.get(pane.key)
            self._held[pane.key] = pane if before is None else before.merge(pane)
            if len(self._held) > HELD:
                yield from self._held.values()
                self._held = {}

    def _closed(self, watermark: int | None) -> int | None:
        """Returns up to when windows have ended that take no more rows."""
        known = None if watermark is None else watermark - self.lateness_us
        if known is None or self.closed_us is None:
            return self.closed_us if known is None else known
        return max(known, self.closed_us)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        rest = self._rest()
        if self.journal is not None:
            # Before the messages are acknowledged, which is when the bundle is done.
            left = [*rest]
            self.journal.append([*self._gone, *left], self._messages)
            rest = iter(left)
        for pane in rest:
            yield WindowedValue(pane, Timestamp(micros=pane.latest), (GlobalWindow(),))
        self._held = {}

    def _rest(self) -> Iterator[Pane]:
        yield from self._merged(self._tally.panes())
        yield from self._held.values()


def _timed_panes(panes: list[Pane]) -> Iterator[TimestampedValue]:
    for pane in panes:
        yield TimestampedValue(pane, Timestamp(micros=pane.latest))


class _OpenFn(beam.DoFn):
    """The counts of a pane, in those of its windows that were open when its rows came."""

    def process(self, pane: Pane, window: Any = beam.DoFn.WindowParam) -> Iterator[Counts]:
        if window.start.micros >= pane.open_from:
            yield pane.counts


class _OwnWindowsFn(beam.DoFn):
    """Batches to the counts of the windows that they are in."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def start_bundle(self) -> None:
        self._held: dict[Any, tuple[Any, Tally]] = {}
        self._last: Tally | None = None

    def process(
        self,
        batch: pa.RecordBatch,
        window: Any = beam.DoFn.WindowParam,
        timestamp: Any = beam.DoFn.TimestampParam,
    ) -> None:
        latest, tally = self._held.get(window) or (timestamp, Tally(self.layout))
        if self._last is not None and tally is not self._last:
            # Rows wait for more of their own window only: else those of many would.
            self._last.counts()
        self._last = tally
        tally.add(batch)
        self._held[window] = max(latest, timestamp), tally

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for window, (timestamp, tally) in self._held.items():
            yield WindowedValue(tally.counts(), timestamp, (window,))
        self._held, self._last = {}, None


@beam.typehints.with_input_types(Counts)
@beam.typehints.with_output_types(Counts)
class SumCounts(MergeFn):
    """Adds up counts.

    Args:
      layout: Theirs.
    """

    def __init__(self, layout: Layout) -> None:
        # Beam pickles it a dozen times, so it only has what it needs.
        super().__init__(partial(no_rows, *layout.shape), _same)

    def get_accumulator_coder(self) -> PickledCoder:
        """Returns a coder of counts, as narrow as they are."""
        return PickledCoder()


def _same(counts: Any) -> Any:
    return counts


def _profile(
    counts: Counts,
    window: Any = beam.DoFn.WindowParam,
    pane: Any = beam.DoFn.PaneInfoParam,
) -> Iterable[Profile]:
    if not counts.rows[0] and not counts.new:
        return
    told = (None, None)
    if not isinstance(window, GlobalWindow):
        told = (window.start.micros, window.end.micros)
    yield Profile(Window(*told, max(0, pane.index), _TIMING.get(pane.timing, "final")), counts)


@dataclass
class ProfileWindows(Verb):
    """Counts the rows of each window in the cells of a baseline.

    Counts are integers that add up, so order, batches and bundles change nothing. What is held and
    shuffled is a vector of them for each window, never rows. Sliding windows are made of panes,
    and each row is counted once. Where the source noted its watermark (`windows.with_watermark`),
    rows are late when all their windows are closed: they are left out and counted (metrics `late`
    and `missed_windows`). Rows that come after a window's end, but are not too late, give it
    another result, which is of all its rows.

    Args:
      baseline: Its cells.
      size: The length of a window in seconds. None takes the windows in which the batches are; all
        rows are one where they are in none.
      period: Of sliding windows: seconds from one start to the next.
      event_time_column: The column of the rows' times, which is not counted itself.
      allowed_lateness: For how many seconds after its end a window still takes rows.
      dead_letters: Takes rows without a time; without it they are errors.
      ignored: Columns that are not new where they are: ids of messages, say.
      accumulating: Whether another result of a window is of all its rows. Else it is only of those
        that came since the one before; `sum_profiles` adds them up.
      journal: Keeps what was counted until windows take no more rows, for a runner that keeps
        nothing across a kill; what an earlier start of the run left in it is counted first. The
        batches are of messages, and `PubSubSource.known_in` is to name the journal's folder.
      fanout: Among so many keys the counts of a window are spread before they are added up, where
        one worker would have too much to do. The result is the same. (Beam's own fan-out puts what
        it has added up into windows again by its time.)

    Returns: One `Profile` for each window that has rows, and more of those with late ones.

    Raises:
      ConfigError: When constructed with windows that can't be, or no column; when used, if there is
        a fan-out for windows that merge.
    """

    baseline: Baseline
    size: float | None = None
    period: float | None = None
    event_time_column: str | None = None
    allowed_lateness: float = 0
    dead_letters: DeadLetters | None = None
    ignored: tuple[str, ...] = ()
    accumulating: bool = True
    fanout: int = 1
    journal: Journal | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size is None and (self.period is not None or self.allowed_lateness):
            raise ConfigError("ProfileWindows: period and allowed_lateness need size")
        if self.size is not None and not self.event_time_column:
            raise ConfigError("ProfileWindows: size needs event_time_column")
        if self.fanout < 1:
            raise ConfigError("ProfileWindows: fanout is 1 at least")
        if self.allowed_lateness < 0:
            raise ConfigError("ProfileWindows: allowed_lateness is 0 seconds or more")
        # What a key has handed on must not come again: the next sum would count it twice.
        self._first = self.accumulating and self.fanout == 1
        self._panes = None if self.size is None else Panes.of(self.size, self.period)

    def expand(self, batches: Batches) -> "beam.PCollection[Profile]":
        """Returns the profile of each window of the batches."""
        layout = _uncounted(self.baseline.layout, self.event_time_column, self.ignored)
        counts = self._own(batches, layout) if self._panes is None else self._cut(batches, layout)
        if self.fanout > 1:
            counts = self._spread(counts, layout)
        whole = counts | "Sum" >> beam.CombineGlobally(SumCounts(layout)).without_defaults()
        return whole | "Profile" >> beam.ParDo(_profile).with_output_types(Profile)

    def _cut(self, batches: Batches, layout: Layout) -> "beam.PCollection[Counts]":
        assert self._panes is not None
        assert self.event_time_column is not None
        assert self.size is not None
        if not batches.windowing.is_default():
            batches = batches | "AllWindows" >> beam.WindowInto(GlobalWindows())
        timed = TimedRows(self.event_time_column, self.size, self.dead_letters)
        lateness = Duration.of(self.allowed_lateness)
        closed = None if self.journal is None else self.journal.closed
        count = _PanesFn(
            layout, self.event_time_column, self._panes, lateness.micros, self.journal, closed
        )
        panes = batches | "Timed" >> timed | "Count" >> beam.ParDo(count).with_output_types(Pane)
        if self.journal is not None:
            panes = (panes, self._before(batches.pipeline, self.journal)) | beam.Flatten()
        size, period = (
            Duration(micros=each) for each in (self._panes.size_us, self._panes.period_us)
        )
        windows = FixedWindows(size) if size == period else SlidingWindows(size, period)
        windowed = panes | "Window" >> _again(windows, lateness, self._first)
        return windowed | "Open" >> beam.ParDo(_OpenFn()).with_output_types(Counts)

    def _before(self, root: beam.Pipeline, journal: Journal) -> "beam.PCollection[Pane]":
        """Returns what the journal holds now, before this run adds to it."""
        start = root | "Journal" >> beam.Create([journal.open_panes()], reshuffle=False)
        return start | "CountedBefore" >> beam.FlatMap(_timed_panes).with_output_types(Pane)

    def _own(self, batches: Batches, layout: Layout) -> "beam.PCollection[Counts]":
        windowing = batches.windowing
        counts = batches | "Count" >> beam.ParDo(_OwnWindowsFn(layout)).with_output_types(Counts)
        if not isinstance(windowing.windowfn, FixedWindows):
            return counts
        lateness = windowing.allowed_lateness
        return counts | "Window" >> _again(windowing.windowfn, lateness, self._first)

    def _spread(
        self, counts: "beam.PCollection[Counts]", layout: Layout
    ) -> "beam.PCollection[Counts]":
        """Adds up parts of each window by themselves; the results add up to the window."""
        windowing = counts.windowing
        own = FixedWindows if self._panes is None else (FixedWindows, SlidingWindows)
        if not windowing.is_default() and not isinstance(windowing.windowfn, own):
            raise ConfigError("ProfileWindows: a fan-out is for fixed windows, or with size")
        pairs = tuple[int, Counts]
        salted = counts | "Salt" >> beam.ParDo(_SaltFn(self.fanout)).with_output_types(pairs)
        sums = salted | "SumParts" >> beam.CombinePerKey(SumCounts(layout))
        if windowing.is_default():
            return sums | "Unsalt" >> beam.Map(_second).with_output_types(Counts)
        # Beam assigns sliding windows by the time alone: each sum then is left in its own.
        told = sums | "Start" >> beam.Map(_with_start).with_output_types(pairs)
        again = _again(windowing.windowfn, windowing.allowed_lateness, self.accumulating)
        windowed = told | "Whole" >> again
        return windowed | "Settle" >> beam.ParDo(_SettleFn()).with_output_types(Counts)


class _SaltFn(beam.DoFn):
    """Counts under one of some keys, in turn."""

    def __init__(self, keys: int) -> None:
        self.keys, self._next = keys, 0

    def process(self, counts: Counts) -> Iterator[tuple[int, Counts]]:
        self._next = (self._next + 1) % self.keys
        yield self._next, counts


def _second(pair: tuple[int, Counts]) -> Counts:
    return pair[1]


def _with_start(
    pair: tuple[int, Counts], window: Any = beam.DoFn.WindowParam
) -> tuple[int, Counts]:
    return window.start.micros, pair[1]


class _SettleFn(beam.DoFn):
    """Leaves counts in the window whose start they bear."""

    def process(
        self, pair: tuple[int, Counts], window: Any = beam.DoFn.WindowParam
    ) -> Iterator[Counts]:
        if window.start.micros == pair[0]:
            yield pair[1]


def sum_profiles(profiles: Iterable[Profile]) -> list[Profile]:
    """Adds up the profiles of windows that are each only of some rows.

    Args:
      profiles: Results of windows that discard what they have told, in any order.

    Returns: One profile for each window, by its start: of all its rows, the last revision.
    """
    whole: dict[tuple[int | None, int | None], Profile] = {}
    for part in profiles:
        place = part.window.start, part.window.end
        known = whole.get(place)
        if known is None:
            whole[place] = part
            continue
        last = max(known.window, part.window, key=_revision)
        whole[place] = Profile(last, known.counts.merge(part.counts))
    return [whole[place] for place in sorted(whole, key=_start)]


def _revision(window: Window) -> int:
    return window.revision


def _start(place: tuple[int | None, int | None]) -> int:
    return place[0] or 0


def _again(windows: Any, lateness: Any, accumulating: bool) -> beam.WindowInto:
    """Windows that give another result for late rows: of all their rows, or of the late ones."""
    modes = AccumulationMode
    return beam.WindowInto(
        windows,
        trigger=AfterWatermark(late=AfterCount(1)),
        accumulation_mode=modes.ACCUMULATING if accumulating else modes.DISCARDING,
        allowed_lateness=lateness,
    )


def _uncounted(layout: Layout, name: str | None, ignored: tuple[str, ...]) -> Layout:
    """Returns a layout without the column of event times, to which some others are not new.

    Raises:
      ConfigError: It counts it: the baseline was made without telling which column that is.
    """
    if name in layout.places:
        raise ConfigError(
            f"the baseline counts column {name!r}, by whose times windows are cut here: build it "
            f"with event_time_column={name}"
        )
    times = () if name is None else (name,)
    return replace(layout, ignored=(*layout.ignored, *times, *ignored))
