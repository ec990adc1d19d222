"""Joins baselines that count in the same cells: their counts add up."""

from collections.abc import Sequence

import numpy as np

from transforms.drift.baseline import Baseline
from transforms.drift.judging.calibration import Calibration
from transforms.errors import ConfigError


def merge_baselines(baselines: Sequence[Baseline]) -> Baseline:
    """Returns the baseline of the rows of all.

    How far windows differ is joined from what each knows of its own: windows of one against those
    of another were not compared, and how far the baselines' means are apart counts as difference.

    Args:
      baselines: Two or more; the columns, cells and slices of all are the same.

    Raises:
      ConfigError: They are not, or the windows are of other lengths.
    """
    first, *others = baselines
    for place, other in enumerate(others, 2):
        if other.layout != first.layout:
            raise ConfigError(
                f"baseline {place} has other cells than the first: {_difference(first, other)}. "
                "Counts add up only in the same cells: build the later ones with --cells FIRST"
            )
        if other.window_us != first.window_us:
            raise ConfigError(
                f"baseline {place} knows windows of another length than the first: build both with "
                "the same --window"
            )
    counts = first.counts
    for other in others:
        counts = counts.merge(other.counts)
    pairs = zip(*(each.calibrations for each in baselines), strict=True)
    made = tuple(_joined(slices) for slices in pairs)
    return Baseline(first.layout, counts, made, first.window_us)


def _joined(parts: Sequence[Calibration]) -> Calibration:
    windows = np.sum([each.windows for each in parts], axis=0)
    weights = [each.windows / np.maximum(windows, 1) for each in parts]
    mean = sum(w * each.mean for w, each in zip(weights, parts, strict=True))
    spread = sum(
        w * (each.spread + (each.mean - mean) ** 2) for w, each in zip(weights, parts, strict=True)
    )
    return Calibration(windows, np.asarray(mean), np.asarray(spread))


def _difference(one: Baseline, other: Baseline) -> str:
    mine, theirs = (
        {each.name: each for each in baseline.layout.columns} for baseline in (one, other)
    )
    for name in sorted(mine.keys() | theirs.keys()):
        if name not in mine or name not in theirs:
            return f"only one has column {name!r}"
        if mine[name] != theirs[name]:
            return f"those of column {name!r}"
    return "the slices, or the columns that are left out"
