"""Makes a batch have a wanted schema, row by row."""

from collections.abc import Mapping

import pyarrow as pa

from transforms.arrow.cast_faults import Cast
from transforms.arrow.casts import checked_cast
from transforms.arrow.views import has_view, without_views
from transforms.faults import Fault
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, Outcome, split_by_faults


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
    return split_by_faults(batch, described_faults(casts), good=fitted)


def described_faults(casts: Mapping[str, Cast]) -> list[Fault]:
    """Returns the faults of some casts, each with its column and a message.

    Args:
      casts: The casts, by column.
    """
    return [
        Fault(f.mask, f.reason, column, fault_message(f.reason, column, cast.values.type))
        for column, cast in casts.items()
        for f in cast.faults
    ]


def fault_message(reason: Reason, column: str, type: pa.DataType) -> str:
    """Returns why a value of a column could not become a type, without the value."""
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
