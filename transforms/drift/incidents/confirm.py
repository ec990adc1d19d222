"""Confirms what single windows say: verdicts in their order to events of incidents."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Any

import pyarrow as pa

from transforms.drift.counting.layout import WHOLE
from transforms.drift.incidents.events import EVENTS, event_row, events_of, no_events
from transforms.drift.incidents.notes import series_of, told_series
from transforms.drift.incidents.series import Confirmation, Series, Sighting, step
from transforms.drift.judging.policy import Policy
from transforms.drift.judging.verdicts import (
    DRIFT,
    FOUND,
    MISSING_COLUMN,
    NO_DATA,
    OK,
    SUSPECT,
    policy_digest,
)

_READ = (
    "verdict_id baseline slice column window_start window_end status calibrated p_value "
    "adjusted_psi"
).split()
_JUDGED = (OK, SUSPECT, DRIFT, MISSING_COLUMN)
MOST_GAPS = 1000
"""So many windows without rows in a row count, and so many have verdicts."""
_LEAST_TAIL = 1e-12
_NORMAL = NormalDist()


@dataclass
class Confirmer:
    """Follows every column of every slice from window to window.

    Args:
      policy: That by which the windows were judged.
      rule: When an incident begins and ends.
      period_us: From the start of a window to that of the next, in microseconds: those between two
        with verdicts had no rows. None where these have verdicts too.

    Attributes:
      series: The state of each (slice, column) that is not quiet; the column None stands for
        whether there are rows at all.
      last: Start and end of the last window.
    """

    policy: Policy = field(default_factory=Policy)
    rule: Confirmation = field(default_factory=Confirmation)
    period_us: int | None = None
    series: dict[tuple[str, str | None], Series] = field(default_factory=dict)
    last: tuple[int, int] | None = None

    def add(self, verdicts: pa.RecordBatch) -> pa.RecordBatch:
        """Takes the final verdicts of the next window into account.

        Args:
          verdicts: Of schema `verdicts.VERDICTS`, all of one window.

        Returns: The events, of schema `EVENTS`; often none.
        """
        rows = _plain(verdicts)
        if not rows or rows[0]["window_start"] is None:
            return no_events()
        start, end = rows[0]["window_start"], rows[0]["window_end"]
        silent = [row for at in self._gaps(start) for row in self._empty(rows, at, end - start)]
        self.last = start, end
        return events_of([*silent, *self._found(rows)])

    def told(self) -> list[Any]:
        """Returns the state of all series as JSON has it."""
        return [[*key, told_series(series)] for key, series in self.series.items()]

    def knowing(self, told: list[Any], last: tuple[int, int] | None) -> "Confirmer":
        """Returns a confirmer that goes on from `told` and the last window."""
        series = {(part, column): series_of(state) for part, column, state in told}
        return replace(self, series=series, last=last)

    def silence(self, verdicts: pa.RecordBatch) -> pa.RecordBatch:
        """Takes into account that the window after the last one has no rows, and will have none.

        Args:
          verdicts: Those of the last one that had some.
        """
        if self.last is None or self.period_us is None:
            return no_events()
        (start, end), period = self.last, self.period_us
        self.last = start + period, end + period
        return events_of(self._empty(_plain(verdicts), start + period, end - start))

    def _gaps(self, start: int) -> range:
        if self.last is None or self.period_us is None:
            return range(0)
        found = range(self.last[0] + self.period_us, start, self.period_us)
        # After so many it is no news; and time may have jumped by years.
        return found[:MOST_GAPS]

    def _empty(self, rows: list[dict[str, Any]], start: int, size: int) -> list[list[Any]]:
        """Returns the events at a window without rows."""
        row = {**_silence(rows), "window_start": start, "window_end": start + size}
        seen = Sighting(start, start + size, strong=True, severity=NO_DATA)
        monitor = f"{row['baseline']} {policy_digest(self.policy)}"
        event = self._step(row, seen, self.rule.bound(len(rows)), monitor)
        return [] if event is None else [event]

    def _found(self, rows: list[dict[str, Any]]) -> list[list[Any]]:
        bound = self.rule.bound(len(rows))
        monitor = f"{rows[0]['baseline']} {policy_digest(self.policy)}"
        pairs = [(_silence(rows), self._silent(rows))]
        pairs += [(row, self._seen(row)) for row in rows if row["status"] != "NEW_COLUMN"]
        found = [self._step(row, seen, bound, monitor) for row, seen in pairs]
        return [each for each in found if each is not None]

    def _step(
        self, row: dict[str, Any], seen: Sighting, bound: float, monitor: str
    ) -> list[Any] | None:
        key = row["slice"], row["column"]
        before = self.series.get(key, Series())
        after, event, incident = step(before, seen, self.rule, bound)
        if after.is_quiet:
            self.series.pop(key, None)
        else:
            self.series[key] = after
        if event is None or incident is None:
            return None
        return event_row(monitor, event, incident, row)

    def _seen(self, row: dict[str, Any]) -> Sighting:
        floor = self.policy.suspect if row["calibrated"] else self.policy.uncalibrated
        tail, index = row["p_value"], row["adjusted_psi"]
        known = tail is not None and index is not None
        strong = row["status"] in FOUND
        weak = known and tail <= self.policy.false_share and index >= floor
        severity = row["status"] if strong else SUSPECT if weak else ""
        return Sighting(
            row["window_start"],
            row["window_end"],
            strong,
            weak,
            row["status"] in _JUDGED,
            severity,
            _z(tail) if known else 0.0,
            index - floor if known else 0.0,
        )

    def _silent(self, rows: list[dict[str, Any]]) -> Sighting:
        is_silent = any(row["status"] == NO_DATA for row in rows if row["slice"] == WHOLE)
        return Sighting(
            rows[0]["window_start"],
            rows[0]["window_end"],
            strong=is_silent,
            severity=NO_DATA if is_silent else "",
        )


def confirm(
    verdicts: Iterable[pa.RecordBatch],
    policy: Policy | None = None,
    rule: Confirmation | None = None,
    period_us: int | None = None,
) -> pa.Table:
    """Returns the events of windows that are all known.

    Args:
      verdicts: Of each window one batch, in any order; of several results of a window the last
        one counts.
      policy: That by which they were judged.
      rule: When an incident begins and ends.
      period_us: From one window's start to the next, where windows without rows are not told of.
    """
    confirmer = Confirmer(policy or Policy(), rule or Confirmation(), period_us)
    found = [confirmer.add(batch) for batch in in_order(verdicts)]
    return pa.Table.from_batches(found, EVENTS)


def in_order(verdicts: Iterable[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Returns the last result of each window, by its end; early ones are left out.

    What has no revisions, as quality has none, has one result for each window.
    """
    last: dict[tuple[int, int], tuple[int, pa.RecordBatch]] = {}
    for batch in verdicts:
        if not batch.num_rows or is_early(batch):
            continue
        has_revisions = "revision" in batch.schema.names
        place, revision = window_of(batch), batch["revision"][0].as_py() if has_revisions else 0
        if place not in last or revision >= last[place][0]:
            last[place] = revision, batch
    return [last[place][1] for place in sorted(last)]


def is_early(window: pa.RecordBatch) -> bool:
    """Returns whether a result is of a window that goes on."""
    return "timing" in window.schema.names and window["timing"][0].as_py() == "early"


def window_of(verdicts: pa.RecordBatch) -> tuple[int, int]:
    """Returns end and start of the window of some verdicts, in microseconds; 0 without times."""
    ends = [verdicts[name][0] for name in ("window_end", "window_start")]
    end, start = (each.value or 0 if each.is_valid else 0 for each in ends)
    return end, start


def _plain(verdicts: pa.RecordBatch) -> list[dict[str, Any]]:
    columns = {}
    for name in _READ:
        column = verdicts[name]
        is_time = pa.types.is_timestamp(column.type)
        columns[name] = (column.cast(pa.int64()) if is_time else column).to_pylist()
    return [dict(zip(_READ, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _silence(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the verdict of all rows together, whether there are any."""
    whole = next((row for row in rows if row["slice"] == WHOLE), rows[0])
    return {**whole, "slice": WHOLE, "column": None, "adjusted_psi": None, "verdict_id": None}


def _z(tail: float) -> float:
    """Returns by how many standard deviations a normal number of this tail is above its mean."""
    return -_NORMAL.inv_cdf(min(max(tail, _LEAST_TAIL), 1 - _LEAST_TAIL))
