"""FillWindows: verdicts that say that there was no data, for windows between others."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.coders import VarIntCoder
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec
from apache_beam.transforms.window import GlobalWindows

from transforms.coders import Batches
from transforms.drift.baseline import Baseline
from transforms.drift.incidents.confirm import MOST_GAPS, in_order, window_of
from transforms.drift.judging.compare import Comparer
from transforms.drift.judging.policy import Policy
from transforms.drift.judging.verdicts import VERDICTS, Window
from transforms.drift.resumed import Resumed
from transforms.errors import ConfigError
from transforms.verb import Verb
from transforms.windows.stateful import keep_bundles_whole

_LAST = ReadModifyWriteStateSpec("last", VarIntCoder())
_LAST_PARAM = beam.DoFn.StateParam(_LAST)


def gaps(last: int, start: int, size: int, period: int) -> list[Window]:
    """Returns the windows that begin between two others; the first `MOST_GAPS` of them.

    Args:
      last: Where the one before begins, in microseconds.
      start: Where the one after begins.
      size: The length of a window.
      period: From one start to the next.
    """
    found = range(last + period, start, period)[:MOST_GAPS]
    return [Window(at, at + size, 0, "on_time") for at in found]


def _keyed(verdicts: pa.RecordBatch) -> tuple[int, pa.RecordBatch]:
    return 0, verdicts


class _FillFn(beam.DoFn):
    """Passes verdicts on, and before them those of windows that were left out."""

    def __init__(
        self, baseline: Baseline, policy: Policy, period_us: int, resumed: Resumed | None
    ) -> None:
        self.baseline, self.policy, self.period_us = baseline, policy, period_us
        self.resumed = resumed

    def setup(self) -> None:
        self._compare = Comparer(self.baseline, self.policy)
        self._known: dict[tuple[int, int], pa.RecordBatch] | None = None

    def process(
        self, keyed: tuple[int, pa.RecordBatch], last: Any = _LAST_PARAM
    ) -> Iterator[pa.RecordBatch]:
        before, verdicts = last.read(), keyed[1]
        if self.resumed is not None:
            before, news = self._resumed(self.resumed, before, verdicts)
            if news is None:
                return
            verdicts = news
        end, start = window_of(verdicts)
        if before is None or start > before:
            between = () if before is None else gaps(before, start, end - start, self.period_us)
            yield from map(self._compare.no_data, between)
            last.write(start)
            if self.resumed is not None:
                self.resumed.expose(verdicts)
        yield verdicts

    def _resumed(
        self, resumed: Resumed, before: int | None, verdicts: pa.RecordBatch
    ) -> tuple[int | None, pa.RecordBatch | None]:
        """Returns the last window's start, and the verdicts, if they are news."""
        if before is not None:
            # Its verdicts are on the disk: the bundle in which they came is done.
            resumed.close(before)
        known = self._published()
        if before is None and known:
            before = max(start for _, start in known)
        found = known.get(window_of(verdicts))
        if found is None:
            return before, verdicts
        return before, None if _is_no_news(verdicts, found) else _revised(verdicts, found)

    def _published(self) -> dict[tuple[int, int], pa.RecordBatch]:
        """Returns what an earlier start of the run has written, by window."""
        if self._known is None:
            assert self.resumed is not None
            self._known = {window_of(each): each for each in in_order(self.resumed.published())}
        return self._known


def _is_no_news(verdicts: pa.RecordBatch, published: pa.RecordBatch) -> bool:
    """Returns whether they say the same, or know of fewer rows."""
    columns = [f.name for f in VERDICTS if f.name not in ("revision", "timing")]
    if verdicts.select(columns).equals(published.select(columns)):
        return True
    return bool(_rows(verdicts) < _rows(published))


def _rows(verdicts: pa.RecordBatch) -> int:
    return int(pc.max(verdicts["rows"]).as_py() or 0)


def _revised(verdicts: pa.RecordBatch, published: pa.RecordBatch) -> pa.RecordBatch:
    """Returns verdicts as those that come after others."""
    number = verdicts.num_rows
    revision = max(verdicts["revision"][0].as_py(), published["revision"][0].as_py() + 1)
    at = [VERDICTS.get_field_index(name) for name in ("revision", "timing")]
    made = verdicts.set_column(at[0], VERDICTS.field(at[0]), pa.array([revision] * number))
    return made.set_column(at[1], VERDICTS.field(at[1]), pa.array(["late"] * number))


@dataclass
class FillWindows(Verb):
    """Adds verdicts of windows without rows, which lie between two that have some.

    They come when the later one does. If a window gets late rows after all, its verdict has the
    same ids, and comes after the one that says that there was no data.

    Args:
      baseline: With what the windows were compared.
      policy: That by which they were judged.
      period: Seconds from the start of a window to that of the next.
      resumed: What an earlier start of the run has written: what is there already does not come
        again, and what revises it has a higher revision.

    Returns: The verdicts, each window's as one batch, in no windows any more.

    Raises:
      ConfigError: When constructed with a period that can't be.
    """

    baseline: Baseline
    policy: Policy = field(default_factory=Policy)
    period: float = 3600.0
    resumed: Resumed | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.period < 0.001:
            raise ConfigError("FillWindows: period is a millisecond at least")

    def expand(self, verdicts: Batches) -> Batches:
        """Returns the verdicts, and those of the windows between."""
        keep_bundles_whole(verdicts.pipeline.options)
        every = verdicts | "AllWindows" >> beam.WindowInto(GlobalWindows())
        keyed = every | "Key" >> beam.Map(_keyed)
        keyed.element_type = beam.typehints.KV[int, pa.RecordBatch]
        period_us = round(self.period * 10**6)
        fill = beam.ParDo(_FillFn(self.baseline, self.policy, period_us, self.resumed))
        filled: Batches = keyed | "Fill" >> fill.with_output_types(pa.RecordBatch)
        return filled
