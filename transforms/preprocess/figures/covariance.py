"""Covariance: means of several numbers, and how they vary together."""

from dataclasses import dataclass, field

import numpy as np


def _nothing(*shape: int) -> np.ndarray:
    return np.zeros(shape)


@dataclass
class Covariance:
    """Joined as Chan, Golub and LeVeque (1979) join variances.

    Attributes:
      rows: How many rows.
      mean: Of each number: k.
      moments: Sums of products of distances from the means: k x k.
    """

    rows: int = 0
    mean: np.ndarray = field(default_factory=lambda: _nothing(0))
    moments: np.ndarray = field(default_factory=lambda: _nothing(0, 0))

    def add(self, values: np.ndarray) -> None:
        """Takes rows of k numbers into account; those with one that is not finite are left out."""
        values = values.astype(np.float64)
        values = values[np.isfinite(values).all(axis=1)]
        if len(values):
            mean = values.mean(axis=0)
            away = values - mean
            self.merge(Covariance(len(values), mean, away.T @ away))

    def merge(self, other: "Covariance") -> None:
        """Takes other rows into account."""
        if not self.rows or not other.rows:
            source = other if other.rows else self
            self.__dict__.update(source.__dict__)
            return
        rows, away = self.rows + other.rows, other.mean - self.mean
        together = np.outer(away, away) * (self.rows * (other.rows / rows))
        self.moments = self.moments + other.moments + together
        self.mean = self.mean + away * (other.rows / rows)
        self.rows = rows

    @property
    def nbytes(self) -> int:
        """Its size."""
        return int(self.moments.nbytes + self.mean.nbytes) + 8
