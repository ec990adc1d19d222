"""Plans windows: how small a difference windows of a length find at a given traffic."""

from dataclasses import dataclass

import numpy as np

from transforms.drift.baseline import Baseline
from transforms.drift.judging.policy import Policy
from transforms.drift.judging.pooling import Floats, compare_cells

LENGTHS = (300, 900, 3600, 4 * 3600, 86_400, 7 * 86_400)
"""The lengths of windows, in seconds, that a plan compares."""


@dataclass(frozen=True)
class Planned:
    """What windows of a length find.

    Attributes:
      seconds: The length.
      rows: How many rows a window has.
      detectable: By column, the least adjusted PSI that nine in ten windows find; NaN of columns
        that would not be judged.
    """

    seconds: float
    rows: int
    detectable: dict[str, float]

    @property
    def judged(self) -> Floats:
        """Those of columns that are judged, rising."""
        found = np.array(list(self.detectable.values()))
        return np.sort(found[~np.isnan(found)])

    def found(self, psi: float) -> float:
        """Returns the share of columns in which a difference of this size is found."""
        return float((self.judged <= psi).sum() / max(len(self.detectable), 1))


def plan_window(
    baseline: Baseline, rows: int, seconds: float, policy: Policy | None = None, slice: int = 0
) -> Planned:
    """Returns what windows of a length find.

    Args:
      baseline: With what they will be compared.
      rows: How many rows each will have, of the slice.
      seconds: Their length.
      policy: When a difference counts.
      slice: The place of the slice; all rows by default.
    """
    policy = policy or Policy()
    base, tests = baseline.counts.cells[slice], baseline.tests
    total = max(int(baseline.counts.rows[slice]), 1)
    window = np.rint(base * (rows / total)).astype(np.int64)
    tested = compare_cells(tests(window), tests(base), tests.starts)
    calibration = baseline.calibrations[slice]
    number = len(calibration.windows) * len(baseline.calibrations)
    found = calibration.detectable(tested, policy.false_share / number)[: tests.columns]
    floors = np.where(calibration.is_enough[: tests.columns], policy.suspect, policy.uncalibrated)
    usable = tested.kept[: tests.columns] >= 1
    if min(rows, total) < policy.least_rows:
        usable[:] = False
    least = np.where(usable, np.maximum(found, floors), np.nan)
    names = [each.name for each in baseline.layout.columns]
    return Planned(seconds, rows, dict(zip(names, least.tolist(), strict=True)))


def plan(baseline: Baseline, rows_per_second: float, policy: Policy | None = None) -> list[Planned]:
    """Returns what windows of some lengths find at a given traffic, the shortest first."""
    return [
        plan_window(baseline, round(rows_per_second * seconds), seconds, policy)
        for seconds in LENGTHS
    ]
