"""A baseline of statistics: cells and counts as far as they show them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from transforms.distances.mass import Mass, mass_of
from transforms.distances.text_mass import text_mass_of
from transforms.drift.baseline import Baseline
from transforms.drift.counting.cells import NULL, ColumnCells
from transforms.drift.counting.counts import Counts
from transforms.drift.counting.layout import Integers, Layout
from transforms.drift.counting.learn import LABEL_BYTES, LABELS, bins_of
from transforms.drift.judging.calibration import Calibration
from transforms.drift.judging.tested import TestedCells
from transforms.errors import ConfigError
from transforms.metadata.protos import schema_pb2
from transforms.statistics.sketches.summary import Weighted, distinct

if TYPE_CHECKING:
    from transforms.metadata.columns import Column

IMPORTED = "statistics"
_POINTS = 16
"""Between two positions of a histogram values are taken to be at so many places."""


def baseline_of_statistics(statistics: Any, ignored: tuple[str, ...] = ()) -> Baseline:
    """Returns the baseline that statistics tell of.

    It is as fine as their histograms: those that `GenerateStatistics` makes are, and of TFDV's ten
    quantiles each becomes a bin. Numbers between two positions are taken to be spread evenly. Of
    features with several values to a row only whether there are any is counted. Nothing is known of
    how windows differ.

    Args:
      statistics: A `DatasetFeatureStatisticsList`.
      ignored: Features that are left out: that of event times, which statistics hold as a number.

    Raises:
      ConfigError: It has no rows, or no feature at the top that could be counted.
    """
    from transforms.metadata.datasets import dataset_of

    data = dataset_of(statistics, by_weight=False)
    rows = round(data.examples)
    if not rows:
        raise ConfigError("a baseline needs rows, and these statistics are of none")
    found = [
        _column(path[0], column, rows)
        for path, column in data.columns.items()
        if len(path) == 1 and path[0] not in ignored
    ]
    pairs = sorted((each for each in found if each is not None), key=lambda each: each[0].name)
    if not pairs:
        raise ConfigError("these statistics have no feature that a baseline could count")
    layout = Layout(tuple(cells for cells, _ in pairs), (), ignored)
    cells = np.concatenate([counts for _, counts in pairs])
    counts = Counts(cells[None, :], np.array([rows], np.int64))
    number = 2 * TestedCells.of(layout, cells).columns
    return Baseline(layout, counts, (Calibration.none(number),), None, IMPORTED)


def _column(name: str, column: "Column", rows: int) -> tuple[ColumnCells, Integers] | None:
    if not column.has_common:
        return None
    present = min(round(column.present), rows)
    values = min(round(column.total_values), present)
    if any(most > 1 for _, most in column.valency) or column.is_nested:
        return _presence(name, present, rows)
    texts = text_mass_of(column)
    if texts is not None:
        return _labels(name, texts.counts, values, rows)
    mass = mass_of(column)
    if mass is None:
        return _presence(name, values, rows)
    values_of_mass = _points(mass)
    if column.kind == schema_pb2.INT:
        values_of_mass = distinct(np.rint(values_of_mass[0]), values_of_mass[1])
    return _numbers(name, values_of_mass, mass.odd, values, rows)


def _presence(name: str, present: int, rows: int) -> tuple[ColumnCells, Integers]:
    cells = ColumnCells(name, "presence")
    return cells, np.array([0, rows - present, present], np.int64)


def _labels(name: str, texts: Any, present: int, rows: int) -> tuple[ColumnCells, Integers]:
    counted = {text.encode(): number for text, number in texts.items()}
    short = [(text, n) for text, n in counted.items() if len(text) <= LABEL_BYTES]
    ranked = sorted(short, key=lambda each: (-each[1], each[0]))[:LABELS]
    cells = ColumnCells(name, "labels", labels=tuple(text for text, _ in ranked))
    held = np.array([number for _, number in ranked], np.float64)
    counts = np.zeros(cells.number, np.int64)
    counts[NULL] = rows - present
    counts[NULL + 1 :] = _whole(np.append(held, max(present - held.sum(), 0.0)), present)
    return cells, counts


def _numbers(
    name: str, points: Weighted, odd: np.ndarray, present: int, rows: int
) -> tuple[ColumnCells, Integers]:
    edges, centers = bins_of(points)
    cells = ColumnCells(name, "numbers", edges, centers)
    places = np.searchsorted(edges, points[0], side="right") - 1
    bins = np.bincount(places, points[1], minlength=max(len(edges) - 1, 0))
    nan, low, high = odd.tolist()
    found = [low, 0.0, *bins, 0.0, high, nan] if len(edges) else [low, 0.0, high, nan]
    counts = np.zeros(cells.number, np.int64)
    counts[NULL] = rows - present
    counts[NULL + 1 :] = _whole(np.array(found), present)
    return cells, counts


def _points(mass: Mass) -> Weighted:
    """Returns numbers that stand for a distribution, rising, and their weights."""
    inner = mass.below[1:] - mass.upto[:-1]
    steps = (np.arange(_POINTS) + 0.5) / _POINTS
    low, high = mass.at[:-1, None], mass.at[1:, None]
    spread = low * (1 - steps) + high * steps
    values = np.concatenate([mass.at, spread.ravel()])
    weights = np.concatenate([mass.upto - mass.below, np.repeat(inner / _POINTS, _POINTS)])
    there = weights > 0
    return distinct(values[there], weights[there])


def _whole(shares: np.ndarray, total: int) -> Integers:
    """Returns whole numbers with this sum, as near to some numbers as can be."""
    if not shares.sum():
        nowhere = np.zeros(len(shares), np.int64)
        nowhere[-1] = total
        return nowhere
    exact = shares * (total / shares.sum())
    made: Integers = np.floor(exact).astype(np.int64)
    most = np.argsort(made - exact, kind="stable")[: total - int(made.sum())]
    made[most] += 1
    return made
