"""What a row violates, and how a batch is parted by it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.batches import row_sources, select_rows
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, Outcome, reject_rows


@dataclass(frozen=True)
class Violation:
    """One thing that is wrong with a row.

    Attributes:
      reason: A stable code.
      column: The column at fault; None where a rule is about several.
      message: What is wrong, for a person; it holds no value of the row.
      rule: The name of the custom rule that it breaks; None where it is the schema's.
    """

    reason: Reason
    column: str | None
    message: str
    rule: str | None = None


Found = tuple[Violation, np.ndarray]
"""A violation, and n booleans: the rows that are guilty of it."""


def part_rows(batch: pa.RecordBatch, found: Sequence[Found], version: str | None) -> Outcome:
    """Parts the rows of a batch that violate nothing from the rest.

    Args:
      batch: n rows.
      found: What was violated, in the order of the rules.
      version: The schema that the rows failed.

    Returns: The good rows; and one reject for each other row. Its reason and column are those of
      the first violation, its message tells all of them.
    """
    if not found:
        return batch, NO_REJECTS
    bad = np.logical_or.reduce([mask for _, mask in found])
    places = np.flatnonzero(bad)
    sources = row_sources(batch, places)
    rejects = reject_rows(
        select_rows(batch, bad), found[0][0].reason, "", sources=sources, version=version
    )
    told = _told([(violation, mask[places]) for violation, mask in found])
    for name, values in told.items():
        index = rejects.schema.get_field_index(name)
        rejects = rejects.set_column(index, rejects.schema.field(index), values)
    return select_rows(batch, ~bad), rejects


def _told(found: list[Found]) -> dict[str, pa.Array]:
    """The reason, the column and the message of each bad row."""
    masks = np.stack([mask for _, mask in found])
    first = pa.array(masks.argmax(axis=0))
    none = pa.scalar(None, pa.string())
    messages = [pc.if_else(pa.array(mask), fault.message, none) for fault, mask in found]
    return {
        "reason": pa.array([str(fault.reason) for fault, _ in found], pa.string()).take(first),
        "column": pa.array([fault.column for fault, _ in found], pa.string()).take(first),
        "errorMessage": pc.binary_join_element_wise(*messages, "; ", null_handling="skip"),
    }
