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


_QUALITY = (
    "error accuracy auc log_loss rmse coverage estimated_accuracy estimated_auc estimated_rmse"
).split()


def exposition(
    verdicts: pa.Table, events: pa.Table | None, quality: Sequence[dict[str, Any]] = ()
) -> str:
    """Returns gauges of the last window, and how many incidents go on.

    Args:
      verdicts: Of schema `VERDICTS`, of one window or more; the last one is written.
      events: Of schema `EVENTS`, of all windows so far; None where they are not known.
      quality: Rows of schema `QUALITY`, by window; the last one is written.
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
    if events is not None:
        lines += _head("millrace_drift_incidents_open", "Incidents that go on.")
        lines += [f"millrace_drift_incidents_open {still_open(events)}"]
    lines += _of_quality(quality[-1]) if quality else []
    return "\n".join(lines) + "\n"


def _of_quality(row: dict[str, Any]) -> list[str]:
    name = "millrace_drift_quality"
    lines = _head(name, "Quality of predictions in their last window, by measure.")
    told = [(measure, row[measure]) for measure in _QUALITY if row.get(measure) is not None]
    column = _escaped(str(row["prediction"]))
    lines += [f'{name}{{prediction="{column}",measure="{key}"}} {v!r}' for key, v in told]
    lines += _head("millrace_drift_quality_suspect", "1 if errors are higher than by chance.")
    suspect = int(row["status"] == "SUSPECT")
    return [*lines, f'millrace_drift_quality_suspect{{prediction="{column}"}} {suspect}']


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
