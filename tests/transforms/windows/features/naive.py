"""Windowed features row by row, as a person would: what the columnar ones are compared with."""

import math
import statistics

from transforms.windows.features.declare import Lag


def naive(rows, feature, keys):
    """The feature of each row, by looking at all rows. `time` is in whole microseconds or None."""
    return [_of(row, rows, feature, keys) for row in rows]


def _of(row, rows, feature, keys):
    if row["time"] is None:
        return None
    mine = [r for r in rows if r["time"] is not None and all(r[k] == row[k] for k in keys)]
    return (_lag if isinstance(feature, Lag) else _rolling)(row, mine, feature)


def _lag(row, mine, lag):
    ages = [(row["time"] - r["time"], r) for r in mine]
    earlier = [r for age, r in ages if age > 0 and age >= lag.ago * 10**6]
    # Of those with one time the smaller value is the earlier; a missing one is the last.
    earlier.sort(key=lambda r: (r["time"], r[lag.column] is None, r[lag.column] or 0))
    if len(earlier) < lag.rows:
        return None
    found = earlier[-lag.rows]
    old = lag.within is not None and row["time"] - found["time"] > lag.within * 10**6
    return None if old else found[lag.column]


def _rolling(row, mine, rolling):
    size = rolling.seconds * 10**6
    ages = [(row["time"] - r["time"], r) for r in mine]
    inside = [
        r for age, r in ages if (0 < age <= size if rolling.closed == "left" else 0 <= age < size)
    ]
    if rolling.column is None:
        return len(inside)
    values = [r[rolling.column] for r in inside]
    values = [v for v in values if v is not None and not math.isnan(v)]
    return _figure(values, rolling.statistic)


def _figure(values, statistic):
    if statistic == "count":
        return len(values)
    if len(values) <= (statistic == "std"):
        return None
    figures = {"sum": math.fsum, "mean": statistics.fmean, "min": min, "max": max}
    return (figures | {"std": statistics.stdev})[statistic](values)
