"""Confirms errors: the quality of window after window to events of incidents."""

from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from transforms.drift.incidents.events import EVENTS, event_row, events_of, no_events
from transforms.drift.incidents.notes import series_of, told_series
from transforms.drift.incidents.series import Confirmation, Series, Sighting, step
from transforms.drift.quality.judge import QUALITY

WORSE = 2.33
"""From so many standard deviations on an error counts beside one that is suspect: 1 in 100."""
_TIME = pa.timestamp("us", "UTC")


@dataclass
class ErrorConfirmer:
    """Follows the error of predictions from window to window.

    Args:
      rule: When an incident begins and ends.

    Attributes:
      series: The state after the windows so far.
      last: Start and end of the last window.
    """

    rule: Confirmation = field(default_factory=Confirmation)
    series: Series = field(default_factory=Series)
    last: tuple[int, int] | None = None

    @property
    def period_us(self) -> None:
        """None: whether there are rows is the verdicts' affair."""
        return None

    def add(self, quality: pa.RecordBatch) -> pa.RecordBatch:
        """Takes the quality of the next windows into account.

        Args:
          quality: Of schema `QUALITY`, by window.

        Returns: The events, of schema `EVENTS`; often none.
        """
        rows = pa.Table.from_batches([quality]).cast(_as_numbers()).to_pylist()
        told = [self._step(row) for row in rows if row["window_start"] is not None]
        return events_of([each for each in told if each is not None])

    def told(self) -> list[Any]:
        """Returns the state as JSON has it."""
        return [told_series(self.series)]

    def knowing(self, told: list[Any], last: tuple[int, int] | None) -> "ErrorConfirmer":
        """Returns a confirmer that goes on from `told` and the last window."""
        return replace(self, series=series_of(told[0]), last=last)

    def silence(self, quality: pa.RecordBatch) -> pa.RecordBatch:
        """Returns no event: whether there are rows is the verdicts' affair."""
        return no_events()

    def _step(self, row: dict[str, Any]) -> list[Any] | None:
        self.last = row["window_start"], row["window_end"]
        seen = _sighting(row)
        self.series, event, incident = step(self.series, seen, self.rule, self.rule.bound(1))
        if event is None or incident is None:
            return None
        at = {**row, "slice": "", "column": row["prediction"], "adjusted_psi": None}
        at["verdict_id"] = row["quality_id"]
        return event_row(f"{row['baseline']} error", event, incident, at)


def quality_events(quality: pa.Table, rule: Confirmation | None = None) -> pa.Table:
    """Returns the events of incidents of errors, of schema `EVENTS`.

    Two of three windows that are suspect are an incident, or errors a little higher for long.

    Args:
      quality: Of schema `QUALITY`, by window.
      rule: When an incident begins and ends.
    """
    confirmer = ErrorConfirmer(rule or Confirmation())
    return pa.Table.from_batches(map(confirmer.add, quality.to_batches()), EVENTS)


def _sighting(row: dict[str, Any]) -> Sighting:
    suspect, z = row["status"] == "SUSPECT", row["z"] or 0.0
    return Sighting(
        row["window_start"],
        row["window_end"],
        suspect,
        z > WORSE,
        row["status"] in ("OK", "SUSPECT"),
        "SUSPECT" if suspect or z > WORSE else "",
        z,
    )


def _as_numbers() -> pa.Schema:
    fields = [pa.field(f.name, pa.int64()) if f.type == _TIME else f for f in QUALITY]
    return pa.schema(fields)
