"""Example rows, and which of their columns are at fault."""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Example:
    """A few rows that show an anomaly.

    Attributes:
      rows: The rows; a column `findings.PLACE` says where each is from.
      at_fault: The marked columns, which the anomaly is about: the columns of a rule, for its
        anomaly has no path. Empty for what the path says.
    """

    rows: pa.RecordBatch
    at_fault: tuple[str, ...] = ()
