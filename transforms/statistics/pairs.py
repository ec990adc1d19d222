"""Pairs: covariance and correlation of numeric columns, two by two."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import statistics_pb2

MOST = 200
"""More columns are not compared with each other: the number of pairs grows with its square."""


@dataclass
class Pairs:
    """Sums over the rows in which both columns of a pair have a finite number.

    Values are taken from a number near their mean, that of the first batch, so that squares do not
    swallow what distinguishes them. A column of lists is none of a pair.

    Attributes:
      names: The columns.
      near: What is taken from their values.
      sums: By name: "count", "x" (the sum of the row's column), "xx" and "xy", of shape
        [columns, columns].
    """

    names: tuple[str, ...] = ()
    near: np.ndarray = field(default_factory=lambda: np.zeros(0))
    sums: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes rows into account."""
        names = tuple(f.name for f in batch.schema if _is_number(f.type))[:MOST]
        if not names:
            return
        values = np.stack([_floats(batch[name]) for name in names])
        there = np.isfinite(values)
        made = Pairs(names, _near(values, there))
        away = np.where(there, values - made.near[:, None], 0.0)
        mask = there.astype(np.float64)
        made.sums = {
            "count": mask @ mask.T,
            "x": away @ mask.T,
            "xx": (away * away) @ mask.T,
            "xy": away @ away.T,
        }
        self.merge(made)

    def merge(self, other: "Pairs") -> None:
        """Takes other rows into account; columns that are not in both are left out."""
        if not self.names or not other.names:
            source = other if other.names else self
            self.names, self.near, self.sums = source.names, source.near, source.sums
            return
        both = tuple(name for name in self.names if name in other.names)
        mine, more = self._only(both), other._only(both)._from(self._only(both).near)
        self.names, self.near = both, mine.near
        self.sums = {name: mine.sums[name] + more.sums[name] for name in mine.sums}

    def _only(self, names: tuple[str, ...]) -> "Pairs":
        at = [self.names.index(name) for name in names]
        sums = {name: values[np.ix_(at, at)] for name, values in self.sums.items()}
        return Pairs(names, self.near[at], sums)

    def _from(self, near: np.ndarray) -> "Pairs":
        """The same sums with other numbers taken from the values."""
        less = (self.near - near)[:, None]
        count, x = self.sums["count"], self.sums["x"]
        sums = {
            "count": count,
            "x": x + less * count,
            "xx": self.sums["xx"] + 2 * less * x + less**2 * count,
            "xy": self.sums["xy"] + less.T * x + less * x.T + less * less.T * count,
        }
        return Pairs(self.names, near, sums)

    def describe(self) -> Iterator[statistics_pb2.CrossFeatureStatistics]:
        """Count, covariance and correlation of each pair; of the population, as TFDV has them."""
        if not self.names:
            return
        count = np.maximum(self.sums["count"], 1)
        mean = self.sums["x"] / count
        covariance = self.sums["xy"] / count - mean * mean.T
        variance = self.sums["xx"] / count - mean**2
        spread = np.sqrt(np.maximum(variance * variance.T, 0))
        for one in range(len(self.names)):
            for other in range(one + 1, len(self.names)):
                made = statistics_pb2.CrossFeatureStatistics()
                made.path_x.step.append(self.names[one])
                made.path_y.step.append(self.names[other])
                made.count = int(self.sums["count"][one, other])
                made.num_cross_stats.covariance = covariance[one, other]
                if spread[one, other] > 0:
                    made.num_cross_stats.correlation = covariance[one, other] / spread[one, other]
                yield made


def _near(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    number = np.maximum(there.sum(axis=1), 1)
    means: np.ndarray = np.where(there, values, 0.0).sum(axis=1) / number
    return means


def _is_number(type: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type) or pa.types.is_floating(type))


def _floats(column: pa.Array) -> np.ndarray:
    floats = column.cast(pa.float64(), safe=False)
    values: np.ndarray = pc.fill_null(floats, np.nan).to_numpy(zero_copy_only=False)
    return values
