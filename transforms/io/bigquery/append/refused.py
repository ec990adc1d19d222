"""Rows that the service refused to append, as rejects."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from transforms.faults import Fault
from transforms.io.bigquery.append.appending import Refusal
from transforms.rejects import Outcome, split_by_faults


def split_refused(rows: pa.RecordBatch, refused: Sequence[Refusal]) -> Outcome:
    """Splits rows into those that were appended, and rejects with the service's reasons.

    Args:
      rows: n rows.
      refused: Those of them that were not taken, by number.
    """
    masks: dict[tuple[str, str], np.ndarray] = {}
    faults = []
    for refusal in refused:
        key = str(refusal.reason), refusal.why
        if key not in masks:
            masks[key] = np.zeros(rows.num_rows, bool)
            why = f"BigQuery refuses the row: {refusal.why}"
            faults.append(Fault(masks[key], refusal.reason, None, why))
        masks[key][refusal.number] = True
    return split_by_faults(rows, faults)
