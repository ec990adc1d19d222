"""Makes a batch have a wanted schema, row by row."""

import numpy as np
import pyarrow as pa

from transforms.arrow.cast_faults import Cast
from transforms.arrow.casts import checked_cast
from transforms.arrow.views import has_view, without_views
from transforms.batches import row_sources, select_rows
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, Outcome, join_rejects, reject_rows


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> Outcome:
    """Casts the columns of a batch to a schema, and rejects the rows that don't fit.

    Args:
      batch: n rows. Columns that the schema lacks are dropped.
      schema: The columns wanted, in order; those that the batch lacks become null.

    Returns: The rows that fit, with exactly this schema, and the rejects, with their payload as
      they were.
    """
    if batch.schema.equals(schema):
        return batch, NO_REJECTS
    if any(has_view(field.type) for field in batch.schema):
        plain = {name: without_views(batch.column(name)) for name in batch.schema.names}
        batch = pa.record_batch(plain, metadata=batch.schema.metadata)
    casts = {}
    for field in schema:
        index = batch.schema.get_field_index(field.name)
        missing = index < 0
        casts[field.name] = (
            Cast(pa.nulls(batch.num_rows, field.type))
            if missing
            else checked_cast(batch.column(index), field.type)
        )
    fitted = pa.RecordBatch.from_arrays(
        [cast.values for cast in casts.values()],
        schema=schema.with_metadata(batch.schema.metadata),
    )
    return part(batch, fitted, casts)


def part(batch: pa.RecordBatch, fitted: pa.RecordBatch, casts: dict[str, Cast]) -> Outcome:
    """Parts the rows of which every cast went well from the rest.

    Args:
      batch: n rows as they were: the payload of the rejects.
      fitted: The same rows after the casts.
      casts: The casts, by column. A row with several faults leaves with the first.

    Returns: The good rows of `fitted`, and the rejects.
    """
    bad = np.zeros(batch.num_rows, bool)
    rejects = []
    for column, cast in casts.items():
        for reason, mask in cast.faults:
            new = mask & ~bad
            bad |= new
            if new.any():
                rejects.append(_rejected(batch, new, reason, column, cast.values.type))
    if not rejects:
        return fitted, NO_REJECTS
    return select_rows(fitted, ~bad), join_rejects(rejects)


def _rejected(
    batch: pa.RecordBatch, mask: np.ndarray, reason: Reason, column: str, type: pa.DataType
) -> pa.RecordBatch:
    sources = row_sources(batch, np.flatnonzero(mask))
    message = fault_message(reason, column, type)
    return reject_rows(select_rows(batch, mask), reason, message, column=column, sources=sources)


def fault_message(reason: Reason, column: str, type: pa.DataType) -> str:
    """Why a value of a column could not become a type, without the value."""
    why = {
        Reason.OVERFLOW: f"is out of the range of {type}",
        Reason.LOSSY_CAST: f"can't become {type} without loss",
        Reason.WRONG_SHAPE: f"has not the number of values that {type} takes",
        Reason.INVALID_UTF8: "is not valid UTF-8",
        Reason.UNPARSABLE: f"can't be read as {type}",
        Reason.MISSING_VALUE: f"is missing where {type} needs one",
        Reason.WRONG_TYPE: f"is of a type that can't become {type}",
    }
    return f"a value of column {column!r} {why[reason]}"
