"""Judges the quality of windows: figures beside those of the baseline, and whether errors rose."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.drift.judging.verdicts import Window
from transforms.drift.quality.metrics import Metrics, estimate, metrics_of
from transforms.drift.quality.reference import Reference
from transforms.drift.quality.sums import Sums

NOT_ENOUGH_LABELS = "NOT_ENOUGH_LABELS"
_TIME = pa.timestamp("us", "UTC")
_FIGURES = "accuracy auc log_loss calibration_error rmse mae bias".split()
QUALITY = pa.schema(
    [
        ("quality_id", pa.string()),
        ("baseline", pa.string()),
        ("prediction", pa.string()),
        ("window_start", _TIME),
        ("window_end", _TIME),
        ("status", pa.string()),
        ("rows", pa.int64()),
        ("labelled", pa.int64()),
        ("coverage", pa.float64()),
        ("selection_psi", pa.float64()),
        ("error", pa.float64()),
        ("error_baseline", pa.float64()),
        ("z", pa.float64()),
        *((name, pa.float64()) for name in _FIGURES),
        ("estimated_accuracy", pa.float64()),
        ("estimated_auc", pa.float64()),
        ("estimated_rmse", pa.float64()),
    ]
)
"""The columns of quality; docs/drift.md tells what each is."""


@dataclass(frozen=True)
class QualityPolicy:
    """When the quality of a window is judged, and when it counts as worse.

    Attributes:
      least_coverage: The least share of rows that has a label: those with one may be others.
      least_labels: The least number.
      false_share: An error is suspect that such a share of windows without change has.
    """

    least_coverage: float = 0.5
    least_labels: int = 100
    false_share: float = 0.001


def quality_of(
    reference: Reference,
    windows: Sequence[tuple[Window, Sums]],
    baseline: str,
    policy: QualityPolicy | None = None,
) -> pa.Table:
    """Returns a row of schema `QUALITY` for each window.

    Args:
      reference: With what they are compared.
      windows: In any order.
      baseline: The baseline's hash.
      policy: When a window counts as worse.
    """
    policy = policy or QualityPolicy()
    ordered = sorted(windows, key=lambda each: each[0].start or 0)
    rows = [_row(reference, window, sums, baseline, policy) for window, sums in ordered]
    arrays = [_array([row[f.name] for row in rows], f.type) for f in QUALITY]
    return pa.Table.from_arrays(arrays, schema=QUALITY)


def _row(
    reference: Reference, window: Window, sums: Sums, baseline: str, policy: QualityPolicy
) -> dict[str, Any]:
    task, rows, labelled = reference.quality.task, sums.rows, sums.labelled
    found, before = metrics_of(task, sums), metrics_of(task, reference.sums)
    coverage = labelled / rows if rows else float("nan")
    enough = coverage >= policy.least_coverage and labelled >= policy.least_labels
    z = _z(reference, before, found, labelled) if enough else float("nan")
    likely = estimate(reference.quality, sums, reference.sums)
    key = [baseline, reference.quality.prediction, window.start, window.end]
    return {
        "quality_id": hashlib.blake2b(json.dumps(key).encode(), digest_size=12).hexdigest(),
        "baseline": baseline,
        "prediction": reference.quality.prediction,
        "window_start": window.start,
        "window_end": window.end,
        "status": _status(enough, rows, z, policy),
        "rows": rows,
        "labelled": labelled,
        "coverage": coverage,
        "selection_psi": selection_psi(sums),
        "error": found.error,
        "error_baseline": before.error,
        "z": z,
        **{name: getattr(found, name) for name in _FIGURES},
        "estimated_accuracy": likely.accuracy,
        "estimated_auc": likely.auc,
        "estimated_rmse": likely.rmse,
    }


def _z(reference: Reference, before: Metrics, found: Metrics, labelled: int) -> float:
    """Returns by how many standard deviations a window's error is above the baseline's."""
    variance = before.variance * (1 / labelled + 1 / max(reference.sums.labelled, 1))
    spread = float(np.sqrt(variance + reference.spread))
    return (found.error - before.error) / spread if spread > 0 else 0.0


def _status(enough: bool, rows: int, z: float, policy: QualityPolicy) -> str:
    if not rows:
        return "NO_DATA"
    if not enough:
        return NOT_ENOUGH_LABELS
    return "SUSPECT" if z > NormalDist().inv_cdf(1 - policy.false_share) else "OK"


def selection_psi(sums: Sums) -> float:
    """Returns how far the scores of rows with labels are from those of rows without.

    It is the index over ten parts, less what is chance: where it is large, what the labels tell is
    not of all rows. NaN where one side has no rows.
    """
    with_labels = sums.counts[1:].sum(axis=0)
    without = sums.counts[0] - with_labels
    if not with_labels.sum() or not without.sum():
        return float("nan")
    sides = [_in_ten(each) for each in (with_labels, without)]
    p, q = ((side + 0.5) / (side.sum() + 5) for side in sides)
    used = int(((sides[0] + sides[1]) > 0).sum())
    noise = (used - 1) * sum(1 / side.sum() for side in sides)
    return float(((p - q) * np.log(p / q)).sum() - noise)


def _in_ten(counts: np.ndarray) -> np.ndarray:
    """Returns counts by bin in ten parts of as many bins; a few more are the last one's."""
    starts = np.arange(10) * (len(counts) // 10)
    parts: np.ndarray = np.add.reduceat(counts, starts)
    return parts


def _array(values: list[Any], type: pa.DataType) -> pa.Array:
    if pa.types.is_floating(type):
        numbers = np.array(values, np.float64)
        return pa.array(numbers, type, mask=~np.isfinite(numbers))
    return pa.array(values, type)
