"""Batches through Cloud DLP: what goes on, what is rejected, and what the policy leaves out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.cloud.engine import CloudEngine, Result, whole
from privacy.cloud.joining import Tally
from privacy.cloud.settings import CloudPolicy
from transforms.batches import row_sources, select_rows
from transforms.errors import ConfigError
from transforms.nearest import nearest_column
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, reject_rows


@dataclass(frozen=True)
class Redacted:
    """What became of a batch.

    Args:
      rows: The transformed rows, in their order.
      rejects: Those that could not be transformed; what was to be hidden is not in them.
      suppressed: How many the policy leaves out.
      transformed: How many values were transformed, by column and infoType; for batches that
        were sent together, the first one has all.
    """

    rows: pa.RecordBatch
    rejects: pa.RecordBatch
    suppressed: int = 0
    transformed: Tally = field(default_factory=Counter)


def redact_batches(
    engine: CloudEngine, batches: Sequence[pa.RecordBatch], method: str = "DeidentifyContent"
) -> list[Redacted]:
    """Redacts batches of one schema together, so that requests are full across their borders.

    Args:
      engine: With the policy.
      batches: Other columns than the policy's are not sent, and go on as they are.
      method: Or "ReidentifyContent".

    Returns: As many results, in the same order. Rows in = rows + rejects + suppressed.

    Raises:
      CloudStopped: The service refuses the policy, or does not answer: nothing is lost, for nothing
        is returned.
      ConfigError: A batch lacks a column of the policy.
    """
    if not batches:
        return []
    names = engine.policy.columns
    sent = [pa.chunked_array([_column(batch, name) for batch in batches]) for name in names]
    result = engine.transform(sent, method)
    starts = np.cumsum([0, *(batch.num_rows for batch in batches)])
    reason = Reason.NOT_REDACTED if method == "DeidentifyContent" else Reason.NOT_REIDENTIFIED
    made = [
        _of_batch(batch, engine.policy, result, int(start), reason)
        for batch, start in zip(batches, starts[:-1], strict=True)
    ]
    return [replace(made[0], transformed=result.transformed), *made[1:]]


def _of_batch(
    batch: pa.RecordBatch, policy: CloudPolicy, result: Result, start: int, reason: Reason
) -> Redacted:
    stop = start + batch.num_rows
    lost, suppressed = result.lost[start:stop], result.suppressed[start:stop]
    made = batch
    for name, column in zip(policy.columns, result.columns, strict=True):
        index = batch.schema.get_field_index(name)
        field = batch.schema.field(index).with_type(column.type)
        made = made.set_column(index, field, whole(column.slice(start, batch.num_rows)))
    rows = made if not (lost | suppressed).any() else select_rows(made, ~(lost | suppressed))
    faults = [fault[start:stop] for fault in result.faults]
    whys = [result.reasons[at] for at in result.whys[start:stop][lost].tolist()]
    rejects = _rejects(made, policy, lost, whys, faults, reason)
    return Redacted(rows, rejects, int(suppressed.sum()))


def _rejects(
    made: pa.RecordBatch,
    policy: CloudPolicy,
    lost: np.ndarray,
    whys: Sequence[str],
    faults: Sequence[np.ndarray],
    reason: Reason,
) -> pa.RecordBatch:
    """Returns the lost rows as they may be stored: redacted, and without the values at fault.

    Where it is not known which value is at fault, all columns that were sent are null.
    """
    if not lost.any():
        return NO_REJECTS
    known = np.logical_or.reduce(faults)
    hidden = made
    for name, fault in zip(policy.columns, faults, strict=True):
        index = made.schema.get_field_index(name)
        shown = pc.if_else(pa.array(fault | ~known), None, made.column(index))
        hidden = hidden.set_column(index, made.schema.field(index).with_nullable(True), shown)
    places = np.flatnonzero(lost)
    rejects = reject_rows(
        select_rows(hidden, lost),
        reason,
        "",
        sources=row_sources(made, places),
        version=policy.name,
    )
    at = np.argmax(faults, axis=0)
    columns = [policy.columns[at[place]] if known[place] else None for place in places]
    messages = [f"{reason.replace('_', ' ')}: {why}" for why in whys]
    for label, values in (("column", columns), ("errorMessage", messages)):
        index = rejects.schema.get_field_index(label)
        texts: Any = pa.array(values, pa.string())
        rejects = rejects.set_column(index, rejects.schema.field(index), texts)
    return rejects


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    index = batch.schema.get_field_index(name)
    if index < 0:
        near = nearest_column(name, batch.schema.names)
        raise ConfigError(f"column {name!r} of the policy is not in the data{near}")
    return batch.column(index)
