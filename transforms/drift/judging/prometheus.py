"""The state of the last window as Prometheus reads it: the text format, version 0.0.4."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

CONTENT_TYPE = "text/plain; version=0.0.4"
_GAUGES = (
    ("millrace_drift_adjusted_psi", "adjusted_psi", "Adjusted population stability index."),
    ("millrace_drift_detectable_psi", "detectable_psi", "Least index that would be found."),
    ("millrace_drift_missing_share", "missing", "Share of missing values."),
    ("millrace_drift_jsd_bits", "jsd", "Jensen-Shannon divergence in bits."),
)
STATUSES = ("OK", "SUSPECT", "DRIFT", "MISSING_COLUMN", "NOT_ENOUGH_DATA", "NO_DATA")


def exposition(verdicts: pa.Table, events: pa.Table) -> str:
    """Returns gauges of the last window, and how many incidents go on.

    Args:
      verdicts: Of schema `VERDICTS`, of one window or more; the last one is written.
      events: Of schema `EVENTS`, of all windows so far.
    """
    rows = _last(verdicts)
    lines: list[str] = []
    for name, column, about in _GAUGES:
        lines += _head(name, about)
        lines += [
            f"{name}{_labels(row)} {row[column]!r}" for row in rows if row[column] is not None
        ]
    lines += _head("millrace_drift_status", "1 for the status of the column.")
    lines += [
        f"millrace_drift_status{_labels(row, status=status)} {int(row['status'] == status)}"
        for row in rows
        for status in STATUSES
    ]
    lines += _head("millrace_drift_rows", "Rows of the window.")
    lines += [f"millrace_drift_rows {max((row['rows'] for row in rows), default=0)}"]
    if rows and rows[0]["window_end"] is not None:
        lines += _head("millrace_drift_window_end_seconds", "End of the window, since 1970.")
        lines += [f"millrace_drift_window_end_seconds {rows[0]['window_end'].timestamp()!r}"]
    lines += _head("millrace_drift_incidents_open", "Incidents that go on.")
    lines += [f"millrace_drift_incidents_open {still_open(events)}"]
    return "\n".join(lines) + "\n"


def still_open(events: pa.Table) -> int:
    """Returns how many incidents have not recovered."""
    rows = events.select(["incident_id", "event"]).to_pylist()
    over = {row["incident_id"] for row in rows if row["event"] == "RECOVERED"}
    return len({row["incident_id"] for row in rows} - over)


def _last(verdicts: pa.Table) -> Sequence[dict[str, Any]]:
    rows = [row for row in verdicts.to_pylist() if row["status"] != "NEW_COLUMN"]
    ends = [row["window_end"] for row in rows if row["window_end"] is not None]
    return [row for row in rows if not ends or row["window_end"] == max(ends)]


def _head(name: str, about: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} gauge"]


def _labels(row: dict[str, Any], **more: str) -> str:
    pairs = {"column": str(row["column"]), "slice": str(row["slice"]), **more}
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
