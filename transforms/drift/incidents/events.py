"""Events: the news of incidents, as rows with ids that a replay gives again."""

import hashlib
import json
from typing import Any

import pyarrow as pa

from transforms.drift.incidents.series import Incident

_TIME = pa.timestamp("us", "UTC")
EVENTS = pa.schema(
    [
        ("incident_id", pa.string()),
        ("event_id", pa.string()),
        ("event", pa.string()),
        ("severity", pa.string()),
        ("cause", pa.string()),
        ("baseline", pa.string()),
        ("slice", pa.string()),
        ("column", pa.string()),
        ("since", _TIME),
        ("window_start", _TIME),
        ("window_end", _TIME),
        ("windows", pa.int64()),
        ("adjusted_psi", pa.float64()),
        ("verdict_id", pa.string()),
    ]
)
"""The columns of events; docs/drift.md tells what each is."""


def event_row(monitor: str, event: str, incident: Incident, verdict: dict[str, Any]) -> list[Any]:
    """Returns an event as a row of `EVENTS`.

    Args:
      monitor: What tells the monitor: the baseline's hash and the policy's.
      event: `OPENED`, `ONGOING` or `RECOVERED`.
      incident: Of which.
      verdict: The verdict that caused it; its column is None where rows themselves lack.
    """
    key = [monitor, verdict["slice"], verdict["column"], incident.since]
    found = _digest(key)
    return [
        found,
        _digest([found, event, verdict["window_end"]]),
        event,
        incident.severity,
        incident.cause,
        verdict["baseline"],
        verdict["slice"],
        verdict["column"],
        incident.since,
        verdict["window_start"],
        verdict["window_end"],
        incident.windows,
        verdict["adjusted_psi"],
        verdict["verdict_id"],
    ]


def events_of(rows: list[list[Any]]) -> pa.RecordBatch:
    """Returns rows as one batch of `EVENTS`."""
    columns = zip(*rows, strict=True) if rows else [[]] * len(EVENTS)
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, EVENTS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=EVENTS)


def no_events() -> pa.RecordBatch:
    """Returns a batch without events."""
    return events_of([])


def _digest(told: list[Any]) -> str:
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=12).hexdigest()
