"""The quality of the baseline: with what the errors of windows are compared."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from transforms.drift.quality.metrics import metrics_of
from transforms.drift.quality.sums import Quality, Sums

LEAST_WINDOWS = 10
"""Of fewer windows it is not known how far their errors differ."""


@dataclass(frozen=True)
class Reference:
    """How good predictions were when all was well.

    Attributes:
      quality: What is predicted.
      sums: Of all rows.
      spread: By how much the variance of windows' errors is more than chance makes it; 0 or more.
      windows: Of how many windows that is known.
    """

    quality: Quality
    sums: Sums
    spread: float = 0.0
    windows: int = 0

    def told(self) -> dict[str, Any]:
        """Returns it as JSON has it."""
        return {
            "task": self.quality.task,
            "prediction": self.quality.prediction,
            "label": self.quality.label,
            **({"confidence": self.quality.confidence} if self.quality.confidence else {}),
            "counts": self.sums.counts.tolist(),
            "sums": self.sums.sums.tolist(),
            "spread": self.spread,
            "windows": self.windows,
        }

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Reference":
        """Reads `told`."""
        quality = Quality(told["task"], told["prediction"], told["label"], told.get("confidence"))
        sums = Sums(np.array(told["counts"], np.int64), np.array(told["sums"], np.float64))
        if sums.counts.shape != Sums.empty(quality.task).counts.shape:
            raise ValueError("shape")
        return cls(quality, sums, float(told["spread"]), int(told["windows"]))


def reference_of(quality: Quality, windows: Iterable[Sums]) -> Reference:
    """Returns the reference of the sums of a baseline's windows."""
    parts = [each for each in windows if each.labelled]
    whole = Sums.empty(quality.task)
    for part in parts:
        whole = whole.merge(part)
    found = [metrics_of(quality.task, part) for part in parts]
    if len(parts) < LEAST_WINDOWS:
        return Reference(quality, whole, 0.0, len(parts))
    errors = np.array([each.error for each in found])
    chance = np.mean([m.variance / p.labelled for m, p in zip(found, parts, strict=True)])
    return Reference(quality, whole, max(float(errors.var(ddof=1) - chance), 0.0), len(parts))
