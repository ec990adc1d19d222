"""Compares the counts of a window with a baseline: a verdict for each column and slice."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.drift.baseline import Baseline
from transforms.drift.counting.cells import ABSENT
from transforms.drift.counting.counts import Counts
from transforms.drift.counting.layout import WHOLE, Integers
from transforms.drift.judging import verdicts
from transforms.drift.judging.measures import Measurer, Measures, Side
from transforms.drift.judging.methods import beyond
from transforms.drift.judging.policy import Policy
from transforms.drift.judging.pooling import Floats, Tested, compare_cells
from transforms.drift.judging.verdicts import VERDICTS, Window, policy_digest, rows_of


@dataclass(frozen=True)
class _Slice:
    """What was tested and measured of the c columns of a slice.

    Attributes:
      place: Of the slice.
      tested: Of c distributions, then of c times missing or not.
      tails: Their p-values.
      detectable: About the least PSI that would be found.
      status: Why a column is not judged, or "".
    """

    place: int
    tested: Tested
    tails: Floats
    detectable: Floats
    measures: Measures
    status: np.ndarray


class Comparer:
    """Compares windows with a baseline.

    Args:
      baseline: With what.
      policy: When a difference counts.
    """

    def __init__(self, baseline: Baseline, policy: Policy | None = None) -> None:
        self.baseline, self.policy = baseline, policy or Policy()
        layout = baseline.layout
        self._names = [each.name for each in layout.columns]
        self._measurer = Measurer(layout, baseline.tests.missing)
        self._cells = [each.names() for each in layout.columns]
        self._bases: dict[int, tuple[Integers, Side]] = {}
        self._offsets = pa.array(layout.starts, pa.int32())

    @cached_property
    def monitor(self) -> str:
        """What tells it from others: the baseline and the policy."""
        return f"{self.baseline.hash} {policy_digest(self.policy)}"

    def __call__(self, counts: Counts, window: Window | None = None) -> pa.RecordBatch:
        """Returns the verdicts of a window, of schema `VERDICTS`: by slice, then by column.

        Args:
          counts: Of the baseline's layout.
          window: Which window they are of; one without times by default.
        """
        window = window or Window()
        slices = [self._slice(place, counts) for place in range(len(counts.cells))]
        q_values = _discoveries([self._tails(each) for each in slices])
        parts = [
            rows_of(window, self.baseline.hash, self.monitor, self._rows(each, counts, q))
            for each, q in zip(slices, q_values, strict=True)
        ]
        if counts.new:
            parts.append(self._new(counts, window))
        return pa.Table.from_batches(parts, VERDICTS).combine_chunks().to_batches()[0]

    def no_data(self, window: Window) -> pa.RecordBatch:
        """Returns the verdicts of a window without rows."""
        return self(Counts.empty(self.baseline.layout), window)

    def _base(self, place: int) -> tuple[Integers, Side]:
        """Returns what is tested and measured of a slice of the baseline: once for all windows."""
        if place not in self._bases:
            cells = self.baseline.counts.cells[place]
            self._bases[place] = self.baseline.tests(cells), self._measurer.side(cells)
        return self._bases[place]

    def _slice(self, place: int, counts: Counts) -> _Slice:
        base, side = self._base(place)
        cells, tests = counts.cells[place], self.baseline.tests
        tested = compare_cells(tests(cells), base, tests.starts)
        calibration = self.baseline.calibrations[place]
        number = 2 * len(self._names) * len(counts.cells)
        return _Slice(
            place,
            tested,
            calibration.tails(tested),
            calibration.detectable(tested, self.policy.false_share / number),
            self._measurer(self._measurer.side(cells), side),
            self._unjudged(place, counts, tested),
        )

    def _unjudged(self, place: int, counts: Counts, tested: Tested) -> np.ndarray:
        """Returns why columns are not judged; "" for judged ones."""
        columns = len(self._names)
        status = np.full(columns, "", object)
        rows, base = int(counts.rows[place]), int(self.baseline.counts.rows[place])
        status[tested.kept[:columns] < 1] = verdicts.NOT_ENOUGH_DATA
        if min(rows, base) < self.policy.least_rows:
            status[:] = verdicts.NOT_ENOUGH_DATA
        absent = counts.cells[place][self.baseline.layout.starts[:-1] + ABSENT]
        status[absent == rows] = verdicts.MISSING_COLUMN
        if not rows:
            status[:] = verdicts.NO_DATA
        return status

    def _tails(self, part: _Slice) -> Floats:
        """Returns the p-values, NaN for columns that are not judged, which count for no test."""
        judged = np.tile(part.status == "", 2)
        return np.where(judged, part.tails, np.nan)

    def _rows(self, part: _Slice, counts: Counts, q: Floats) -> dict[str, Any]:
        columns = len(self._names)
        calibrated = self.baseline.calibrations[part.place].is_enough
        status, measure = self._status(part, q, calibrated)
        tested, seen = part.tested, part.measures
        known = np.where(status == verdicts.NO_DATA, np.nan, 1.0)
        judged = np.where(part.status == "", 1.0, np.nan)
        floors = np.where(calibrated[:columns], self.policy.suspect, self.policy.uncalibrated)
        moved = [names[at] for names, at in zip(self._cells, seen.cell.tolist(), strict=True)]
        return {
            "slice": [self.baseline.layout.slice_names[part.place]] * columns,
            "column": self._names,
            "status": status.tolist(),
            "measure": measure.tolist(),
            "rows": np.full(columns, counts.rows[part.place]),
            "rows_baseline": np.full(columns, self.baseline.counts.rows[part.place]),
            "calibrated": calibrated[:columns],
            "cells": tested.cells[:columns],
            "statistic": tested.statistic[:columns] * judged,
            "p_value": part.tails[:columns] * judged,
            "q_value": q[:columns],
            "psi": tested.psi[:columns] * judged,
            "adjusted_psi": tested.adjusted[:columns] * judged,
            "detectable_psi": np.maximum(part.detectable[:columns], floors) * judged,
            "jsd": seen.jsd * known,
            "l_infinity": seen.l_infinity * known,
            "ks": seen.ks * known,
            "hellinger": seen.hellinger * known,
            "wasserstein": seen.wasserstein * known,
            "mean_shift": seen.mean_shift * known,
            "median_shift": seen.median_shift * known,
            "missing": seen.missing * known,
            "missing_baseline": seen.missing_before,
            "missing_q_value": q[columns:],
            "outside": seen.outside * known,
            "outside_baseline": seen.outside_before,
            "moved_cell": [
                name if most > 0 else None
                for name, most in zip(moved, seen.l_infinity * known, strict=True)
            ],
            "moved_from": seen.before * known,
            "moved_to": seen.after * known,
            "counts": pa.ListArray.from_arrays(self._offsets, counts.cells[part.place]),
        }

    def _status(
        self, part: _Slice, q: Floats, calibrated: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns each column's status, and the measure by which a person should look at it."""
        columns, policy = len(self._names), self.policy
        sure = q <= policy.false_share
        index = part.tested.adjusted[:columns]
        floor = np.where(calibrated[:columns], policy.suspect, policy.uncalibrated)
        level = _level(sure[:columns], index, floor, np.maximum(floor, policy.drift))
        moved = np.abs(part.measures.missing - part.measures.missing_before)
        lacking = _level(sure[columns:], moved, policy.missing_suspect, policy.missing_drift)
        ruled, over, method = self._by_methods(part)
        level, lacking = (np.where(ruled, 0, each) for each in (level, lacking))
        level = np.where(over, 2, level)
        names = np.array([verdicts.OK, verdicts.SUSPECT, verdicts.DRIFT], object)
        status = np.where(part.status == "", names[np.maximum(level, lacking)], part.status)
        measure = np.full(columns, None, object)
        judged = part.status == ""
        measure[judged & (level > 0)] = "distribution"
        measure[judged & (lacking > level)] = "missing"
        measure[judged & over] = method[judged & over]
        return status, measure

    def _by_methods(self, part: _Slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns which columns methods decide of, which are beyond a threshold, and by which."""
        columns, policy = len(self._names), self.policy
        given = part.tested.psi[:columns], part.tails[:columns], part.measures
        over, named = beyond(policy.methods, *given)
        ruled = np.full(columns, bool(policy.methods))
        for name, rules in policy.columns:
            at = self.baseline.layout.places.get(name)
            if at is not None:
                mine, method = beyond(rules, *given)
                ruled[at], over[at], named[at] = True, mine[at], method[at]
        return ruled, over, named

    def _new(self, counts: Counts, window: Window) -> pa.RecordBatch:
        number = len(counts.new)
        columns = {
            "slice": [WHOLE] * number,
            "column": list(counts.new),
            "status": [verdicts.NEW_COLUMN] * number,
            "rows": [int(counts.rows[0])] * number,
        }
        return rows_of(window, self.baseline.hash, self.monitor, columns)


def _level(
    sure: np.ndarray, value: Floats, suspect: Floats | float, drift: Floats | float
) -> Integers:
    """Returns 0, 1 or 2: how far a value goes that is more than chance."""
    return sure * ((value >= suspect).astype(np.int64) + (value >= drift))


def _discoveries(tails: list[Floats]) -> list[Floats]:
    """Returns the q-values of all p-values together, with NaN for NaN."""
    joined = np.concatenate(tails)
    known = np.flatnonzero(~np.isnan(joined))
    order = known[np.argsort(joined[known], kind="stable")]
    scaled = joined[order] * (len(order) / np.arange(1, len(order) + 1))
    q = np.full(len(joined), np.nan)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return np.split(q, np.cumsum([len(each) for each in tails])[:-1])
