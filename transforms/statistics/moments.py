"""Moments: number, mean and spread of numbers, in parts that can be joined."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Moments:
    """Weight, mean and sum of squared distances from it (Chan, Golub, LeVeque 1979).

    Attributes:
      weight: The sum of the weights: how many numbers there are, where none is given.
      mean: Their mean; 0 of none.
      squares: The sum of weight * (number - mean)^2.
    """

    weight: float = 0.0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, values: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Takes finite numbers into account, in two passes over them."""
        if not len(values):
            return
        if weights is None:
            mean = float(values.mean(dtype=np.float64))
            # No @: a BLAS of many threads costs more than such a sum.
            self.join(Moments(float(len(values)), mean, _sum_of_squares(values - mean)))
            return
        weight = float(weights.sum())
        if weight > 0:
            mean = _mean(values.astype(np.float64), weights, weight)
            self.join(Moments(weight, mean, _sum_of_squares(values - mean, weights)))

    def join(self, other: "Moments") -> None:
        """Takes other moments into account."""
        weight = self.weight + other.weight
        if not other.weight or not weight:
            return
        away, share = other.mean - self.mean, other.weight / weight
        self.squares += other.squares + away * away * self.weight * share
        self.mean += away * share
        self.weight = weight

    @property
    def deviation(self) -> float:
        """The standard deviation of the numbers as a whole population; 0 of none."""
        return float(np.sqrt(self.squares / self.weight)) if self.weight else 0.0


def _mean(values: np.ndarray, weights: np.ndarray, weight: float) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float((values * weights).sum()) / weight
    # Shares of the weight round, where products may be beyond all numbers.
    return mean if np.isfinite(mean) else float((values * (weights / weight)).sum())


def _sum_of_squares(values: np.ndarray, weights: np.ndarray | float = 1.0) -> float:
    # Of numbers beyond 1e154 it is infinite.
    with np.errstate(over="ignore"):
        return float((np.square(values) * weights).sum())


def exact_sum(values: np.ndarray) -> int:
    """The sum of integers, which may exceed 64 bits."""
    if not len(values):
        return 0
    values = values.astype(np.int64, copy=False)
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())
