"""Verdicts: a row for each column of each slice of each window."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.drift.judging.policy import Policy

OK, SUSPECT, DRIFT = "OK", "SUSPECT", "DRIFT"
NOT_ENOUGH_DATA, NO_DATA = "NOT_ENOUGH_DATA", "NO_DATA"
MISSING_COLUMN, NEW_COLUMN = "MISSING_COLUMN", "NEW_COLUMN"
FOUND = (SUSPECT, DRIFT, MISSING_COLUMN)
"""What a person should look at."""

_TIME = pa.timestamp("us", "UTC")
_FLOATS = (
    "statistic p_value q_value psi adjusted_psi detectable_psi jsd l_infinity ks hellinger "
    "wasserstein mean_shift median_shift "
    "missing missing_baseline missing_q_value outside outside_baseline"
).split()
VERDICTS = pa.schema(
    [
        ("verdict_id", pa.string()),
        ("baseline", pa.string()),
        ("slice", pa.string()),
        ("column", pa.string()),
        ("window_start", _TIME),
        ("window_end", _TIME),
        ("revision", pa.int64()),
        ("timing", pa.string()),
        ("status", pa.string()),
        ("measure", pa.string()),
        ("rows", pa.int64()),
        ("rows_baseline", pa.int64()),
        ("calibrated", pa.bool_()),
        ("cells", pa.int64()),
        *((name, pa.float64()) for name in _FLOATS),
        ("moved_cell", pa.string()),
        ("moved_from", pa.float64()),
        ("moved_to", pa.float64()),
        ("counts", pa.list_(pa.int64())),
    ]
)
"""The columns of verdicts; docs/drift.md tells what each is."""


@dataclass(frozen=True)
class Window:
    """A window and which of its results this is.

    Attributes:
      start, end: In microseconds since 1970, the end not in it; None where rows have no times.
      revision: 0 for the first result of a window, 1 for the next, which knows of late rows.
      timing: "early", "on_time", "late" or "final": whether more rows may come.
    """

    start: int | None = None
    end: int | None = None
    revision: int = 0
    timing: str = "final"


def policy_digest(policy: Policy) -> str:
    """Returns a digest that differs for different policies."""
    text = json.dumps(dataclasses.asdict(policy), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def verdict_id(monitor: str, slice_name: str, column: str, window: Window) -> str:
    """Returns one id for a monitor, slice, column and window, whatever the revision.

    Args:
      monitor: What tells the monitor: the baseline's hash and the policy's.
      slice_name: The slice.
      column: The column.
      window: The window.
    """
    told = json.dumps([monitor, slice_name, column, window.start, window.end])
    return hashlib.blake2b(told.encode(), digest_size=12).hexdigest()


def rows_of(window: Window, baseline: str, monitor: str, columns: dict[str, Any]) -> pa.RecordBatch:
    """Verdicts of a window as rows.

    Args:
      window: Which one.
      baseline: The hash of the baseline.
      monitor: What tells the monitor.
      columns: By name n values of each other column of `VERDICTS`; those left out are null.
    """
    names = columns["column"]
    number = len(names)
    pairs = zip(columns["slice"], names, strict=True)
    told = {
        "verdict_id": [verdict_id(monitor, part, name, window) for part, name in pairs],
        "baseline": [baseline] * number,
        "window_start": [window.start] * number,
        "window_end": [window.end] * number,
        "revision": [window.revision] * number,
        "timing": [window.timing] * number,
        **columns,
    }
    return pa.RecordBatch.from_arrays(
        [_array(told.get(field.name), field.type, number) for field in VERDICTS], schema=VERDICTS
    )


def _array(values: Any, type: pa.DataType, number: int) -> pa.Array:
    if values is None:
        return pa.nulls(number, type)
    if isinstance(values, pa.Array):
        return values
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        # What is not known is null.
        return pa.array(values, type, mask=~np.isfinite(values))
    return pa.array(values, type)
