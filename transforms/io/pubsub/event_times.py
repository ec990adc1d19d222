"""The event times of rows, and the rows that have none."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import null_where, true_where
from transforms.arrow.casts import checked_cast
from transforms.batches import select_rows
from transforms.reasons import Reason
from transforms.rejects import join_rejects, reject_rows

_UTC = pa.timestamp("us", "UTC")
_MILLIS = r"^-?[0-9]{1,15}$"


def event_times(
    rows: pa.RecordBatch, rejects: pa.RecordBatch, column: str
) -> tuple[pa.RecordBatch, pa.RecordBatch, np.ndarray]:
    """Reads the event times of rows; those without one are rejected.

    Args:
      rows: n rows.
      rejects: Rows rejected before.
      column: Times, or texts in ISO 8601 or milliseconds since the epoch.

    Returns: The rows that have one, their column as timestamps; all rejects; the times in
      microseconds since the epoch.
    """
    times = _read(rows[column])
    bad = true_where(times.is_null())
    place = rows.schema.names.index(column)
    if bad.any():
        missing = bad & true_where(rows[column].is_null())
        parts = [
            reject_rows(select_rows(rows, mask), reason, message, column=column)
            for mask, reason, message in (
                (missing, Reason.MISSING_VALUE, "it has no event time"),
                (bad & ~missing, Reason.UNPARSABLE, "its event time can't be read"),
            )
            if mask.any()
        ]
        rejects = join_rejects([rejects, *parts])
        rows, times = select_rows(rows, ~bad), times.filter(pa.array(~bad))
    note = rows.schema.metadata
    field = pa.field(column, _UTC)
    rows = rows.set_column(place, field, times).replace_schema_metadata(note)
    return rows, rejects, times.cast(pa.int64()).to_numpy(zero_copy_only=False)


def _read(array: pa.Array) -> pa.Array:
    if not pa.types.is_string(array.type):
        return checked_cast(array, _UTC).values
    millis = true_where(pc.match_substring_regex(array, _MILLIS))
    if not millis.any():
        return checked_cast(array, _UTC).values
    numbers = checked_cast(null_where(array, ~millis), pa.int64()).values
    texts = checked_cast(null_where(array, millis), _UTC).values
    return pc.coalesce(numbers.cast(pa.timestamp("ms", "UTC")).cast(_UTC), texts)
