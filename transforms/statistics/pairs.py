"""Pairs: covariance and correlation of numeric columns, two by two."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import statistics_pb2

from transforms.arrow.casts import as_plain
from transforms.arrow.number_casts import doubles
from transforms.arrow.types import is_time, plain_type, whole_times

MOST = 200
"""More columns are not compared with each other: the number of pairs grows with its square."""
SUMS = ("count", "mean", "square", "product")
_DIGITS = 1e-6
"""Where so little of a sum of squares is left, its rounding would be seen in 32 bits."""
_LEAST = 1e-290
"""Smaller squares have lost digits, or are 0."""


@dataclass
class Pairs:
    """Moments over the rows in which both columns of a pair have a finite number.

    Each pair has means of its own, of its rows, so that squares do not swallow what distinguishes
    its values, wherever those of other rows are. Parts are joined as by Chan, Golub and LeVeque
    (1979). A column of lists is in no pair.

    Attributes:
      names: The columns, in order; of too many the first.
      sums: By name, of shape [columns, columns]: "count", of rows; "mean", of the column of the
        row of the matrix; "square", the sum of its squared distances from that; "product", the sum
        of the products of both columns' distances.
    """

    names: tuple[str, ...] = ()
    sums: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes rows into account."""
        # In the order of their names those that are left are the same, however rows are cut.
        numeric = sorted(each.name for each in batch.schema if _is_number(plain_type(each.type)))
        if names := tuple(numeric[:MOST]):
            values = np.stack([_floats(batch[name]) for name in names])
            self.merge(Pairs(names, _sums(values)))

    def merge(self, other: "Pairs") -> None:
        """Takes other rows into account; where these lack a column, no pair of it has any."""
        names = tuple(sorted({*self.names, *other.names})[:MOST])
        if names:
            self.names, self.sums = names, _joined(self._over(names), other._over(names))

    def _over(self, names: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Returns the sums over other columns, with 0 for new ones."""
        if names == self.names:
            return self.sums
        sums = {name: np.zeros((len(names), len(names))) for name in SUMS}
        place = {name: at for at, name in enumerate(self.names)}
        to = [at for at, name in enumerate(names) if name in place]
        since = [place[names[at]] for at in to]
        for name, values in self.sums.items():
            sums[name][np.ix_(to, to)] = values[np.ix_(since, since)]
        return sums

    def describe(self) -> Iterator[statistics_pb2.CrossFeatureStatistics]:
        """Returns count, covariance and correlation of each pair; of the population, as in TFDV."""
        if not self.names:
            return
        number = np.maximum(self.sums["count"], 1)
        covariance, variance = self.sums["product"] / number, self.sums["square"] / number
        correlation = _correlations(covariance, variance)
        for one in range(len(self.names)):
            for other in range(one + 1, len(self.names)):
                made = statistics_pb2.CrossFeatureStatistics()
                made.path_x.step.append(self.names[one])
                made.path_y.step.append(self.names[other])
                made.count = int(self.sums["count"][one, other])
                made.num_cross_stats.covariance = covariance[one, other]
                if np.isfinite(correlation[one, other]):
                    made.num_cross_stats.correlation = correlation[one, other]
                yield made


def _correlations(covariance: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Returns correlations, NaN if a column is constant or its squares are not numbers."""
    spread = np.sqrt(np.where(variance >= _LEAST, variance, np.nan))
    with np.errstate(invalid="ignore"):
        correlations: np.ndarray = covariance / (spread * spread.T)
    return correlations


def _sums(values: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the sums of rows, for values of shape [columns, rows]."""
    there = np.isfinite(values)
    first = _first(values, there)
    # Of numbers beyond 1e154 squares are infinite.
    with np.errstate(over="ignore", invalid="ignore"):
        away = np.where(there, values - first[:, None], 0.0)
        mask = there.astype(np.float64)
        count = mask @ mask.T
        total, squares = away @ mask.T, (away * away) @ mask.T
        mean = total / np.maximum(count, 1)
        sums = {
            "count": count,
            "mean": first[:, None] + mean,
            "square": np.maximum(squares - total * mean, 0.0),
            "product": away @ away.T - total * mean.T,
        }
        _sum_again(sums, values, there, sums["square"] < _DIGITS * squares)
    return sums


def _first(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Returns the first number of each column, which is subtracted from the others, else 0.

    From one of n numbers, squared distances add up to at most n + 1 times those from their mean:
    few digits are lost, and those of a constant are 0.
    """
    if not values.shape[1]:
        return np.zeros(len(values))
    found = values[np.arange(len(values)), there.argmax(axis=1)]
    return np.where(np.isfinite(found), found, 0.0)


def _sum_again(
    sums: dict[str, np.ndarray], values: np.ndarray, there: np.ndarray, doubtful: np.ndarray
) -> None:
    """Makes the sums of pairs anew whose rows are few and far from the columns' other numbers."""
    for one, other in np.argwhere(np.triu(doubtful | doubtful.T, 1)):
        both = there[one] & there[other]
        pair = values[np.ix_([one, other], both)]
        first = pair[:, :1]
        away = pair - first
        mean = away.mean(axis=1, keepdims=True)
        away -= mean
        squares = away @ away.T
        for at, row, column in ((0, one, other), (1, other, one)):
            sums["mean"][row, column] = (first + mean)[at, 0]
            sums["square"][row, column] = squares[at, at]
            sums["product"][row, column] = squares[0, 1]


def _joined(mine: dict[str, np.ndarray], more: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the sums of the rows of both."""
    count = mine["count"] + more["count"]
    # The mean of no rows is of no account: its share, or the weight of what is away, is 0.
    with np.errstate(over="ignore", invalid="ignore"):
        share = more["count"] / np.maximum(count, 1)
        away = more["mean"] - mine["mean"]
        weight = mine["count"] * share
        return {
            "count": count,
            "mean": mine["mean"] + away * share,
            "square": mine["square"] + more["square"] + away * away * weight,
            "product": mine["product"] + more["product"] + away * away.T * weight,
        }


def _is_number(type: pa.DataType) -> bool:
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return is_time(type) or any(kind(type) for kind in kinds)


def _floats(column: pa.Array) -> np.ndarray:
    plain = as_plain(column, plain_type(column.type))
    numbers = whole_times(plain) if is_time(plain.type) else plain
    floats = doubles(numbers)
    values: np.ndarray = pc.fill_null(floats, np.nan).to_numpy(zero_copy_only=False)
    return values
