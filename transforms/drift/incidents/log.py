"""A line in the log for each event of an incident."""

import logging

import pyarrow as pa

_log = logging.getLogger(__name__)


def log_events(events: pa.RecordBatch) -> pa.RecordBatch:
    """Logs events, and returns them as they are.

    Args:
      events: A batch of schema `events.EVENTS`.
    """
    for row in events.to_pylist():
        column = "all rows" if row["column"] is None else f"column {row['column']}"
        # The name of a slice holds a value of rows: only that it is one is said.
        part = " of a slice" if row["slice"] else ""
        _log.warning(
            "incident %s: %s%s, %s, since %s (%s)",
            row["event"].lower(),
            column,
            part,
            row["severity"].replace("_", " ").lower(),
            row["since"].isoformat(),
            row["incident_id"],
        )
    return events
