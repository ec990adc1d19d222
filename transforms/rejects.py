"""Rejected rows as batches: what was in the row, and why it was rejected."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.json_text import json_rows
from transforms.batches import row_sources, select_rows
from transforms.errors import RejectedRows
from transforms.faults import Fault
from transforms.reasons import FILE_REASONS, Reason

REJECTS = pa.schema(
    [
        ("payloadString", pa.string()),
        ("payloadBytes", pa.binary()),
        ("attributes", pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))),
        ("errorMessage", pa.string()),
        ("stacktrace", pa.string()),
        ("reason", pa.string()),
        ("column", pa.string()),
        ("source", pa.string()),
        ("version", pa.string()),
    ]
)
"""What a verb knows of a rejected row; `version` is the model's or schema's that it failed."""

NO_REJECTS: pa.RecordBatch = pa.RecordBatch.from_arrays(
    [pa.nulls(0, field.type) for field in REJECTS], schema=REJECTS
)

Outcome = tuple[pa.RecordBatch, pa.RecordBatch]
"""What a verb makes of a batch: the rows that go on and the rejects; either may be empty."""


def reject_rows(
    rows: pa.RecordBatch,
    reason: Reason,
    message: str,
    *,
    column: str | None = None,
    sources: pa.Array | None = None,
    version: str | None = None,
) -> pa.RecordBatch:
    """Rejects rows that were read; the payload is each row as JSON.

    Args:
      rows: The n rejected rows.
      reason: Why.
      message: Why, for a person. It must not hold a value of a row.
      column: The column at fault.
      sources: Where each row came from (n strings), as `row_sources` returns it.
      version: The model or schema that they failed.

    Returns: n rejects, of schema `REJECTS`.
    """
    if sources is None:
        sources = row_sources(rows, np.arange(rows.num_rows))
    payloads = json_rows(rows)
    return reject_payloads(
        payloads, reason, message, column=column, sources=sources, version=version
    )


def reject_payloads(
    payloads: pa.Array,
    reason: Reason,
    message: str,
    *,
    column: str | None = None,
    sources: pa.Array | None = None,
    version: str | None = None,
) -> pa.RecordBatch:
    """Rejects rows that could not be read; the payload is what stands in the file.

    Args:
      payloads: n strings or byte strings.
      reason: Why.
      message: Why, for a person. It must not hold a value of a row.
      column: The column at fault.
      sources: Where each row came from (n strings).
      version: The model or schema that they failed.

    Returns: n rejects, of schema `REJECTS`.
    """
    rows = len(payloads)
    known = {
        "payloadString" if pa.types.is_string(payloads.type) else "payloadBytes": payloads,
        "errorMessage": pa.repeat(message, rows),
        "reason": pa.repeat(str(reason), rows),
        "column": pa.nulls(rows, pa.string()) if column is None else pa.repeat(column, rows),
        "source": sources,
        "version": pa.nulls(rows, pa.string()) if version is None else pa.repeat(version, rows),
    }
    arrays = [known.get(field.name) for field in REJECTS]
    return pa.RecordBatch.from_arrays(
        [
            pa.nulls(rows, field.type) if array is None else array
            for field, array in zip(REJECTS, arrays, strict=True)
        ],
        schema=REJECTS,
    )


def split_by_faults(
    batch: pa.RecordBatch,
    faults: Sequence[Fault],
    *,
    version: str | None = None,
    good: pa.RecordBatch | None = None,
) -> Outcome:
    """Splits a batch into the rows without fault and one reject for each other row.

    Args:
      batch: n rows, which are the payloads of the rejects.
      faults: What is wrong with which rows, the most important first.
      version: The model or schema that the rows failed.
      good: The n rows as they go on where they have no fault; None for the batch itself.

    Returns: The good rows, in order; and the rejects, in order. Reason and column of a reject are
      those of the row's first fault, and its message joins the messages of all its faults.
    """
    good = batch if good is None else good
    if not faults:
        return good, NO_REJECTS
    bad = np.logical_or.reduce([fault.mask for fault in faults])
    return select_rows(good, ~bad), reject_by_faults(batch, bad, faults, version)


def reject_by_faults(
    batch: pa.RecordBatch, bad: np.ndarray, faults: Sequence[Fault], version: str | None = None
) -> pa.RecordBatch:
    """Returns one reject for each bad row of a batch.

    Args:
      batch: n rows.
      bad: n booleans; each true row has at least one fault.
      faults: What is wrong with which rows, the most important first.
      version: The model or schema that the rows failed.
    """
    places = np.flatnonzero(bad)
    if not len(places):
        return NO_REJECTS
    masks = np.stack([fault.mask[places] for fault in faults])
    first = pa.array(masks.argmax(axis=0))
    none = pa.scalar(None, pa.string())
    messages = [
        pc.if_else(pa.array(mask), fault.message, none)
        for mask, fault in zip(masks, faults, strict=True)
    ]
    known = {
        "reason": pa.array([str(fault.reason) for fault in faults], pa.string()).take(first),
        "column": pa.array([fault.column for fault in faults], pa.string()).take(first),
        "errorMessage": pc.binary_join_element_wise(*messages, "; ", null_handling="skip"),
    }
    sources = row_sources(batch, places)
    rejects = reject_rows(
        select_rows(batch, bad), faults[0].reason, "", sources=sources, version=version
    )
    for name, values in known.items():
        index = rejects.schema.get_field_index(name)
        rejects = rejects.set_column(index, rejects.schema.field(index), values)
    return rejects


def join_rejects(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Returns all rejects of a batch as one."""
    parts = [part for part in parts if part.num_rows]
    if len(parts) > 1:
        return pa.concat_batches(parts)
    return parts[0] if parts else NO_REJECTS


def rejected_rows(rejects: pa.RecordBatch) -> int:
    """Returns how many rows were rejected, without rejects that stand for a file."""
    if not rejects.num_rows:
        return 0
    files = pc.is_in(rejects.column("reason"), value_set=pa.array(sorted(FILE_REASONS)))
    return int(rejects.num_rows - pc.sum(files).as_py())


def no_rejects(outcome: Outcome, step: str) -> pa.RecordBatch:
    """Returns the rows of an outcome that must have no rejects.

    Raises:
      RejectedRows: It has some; the text says why, and for which column, but shows no value.
    """
    rows, rejects = outcome
    if rejects.num_rows:
        first = rejects.slice(0, 1).to_pylist()[0]
        where = f" at {first['source']}" if first["source"] else ""
        raise RejectedRows(
            f"{step} rejected {rejects.num_rows} row(s); the first{where}: {first['reason']}: "
            f"{first['errorMessage']}. Pass dead_letters= to put rejected rows aside and go on."
        )
    return rows
