"""Moments: number, mean and spread of numbers, in parts that can be joined."""

import math
import sys
from dataclasses import dataclass

import numpy as np

_INT_MAX = 2**63 - 1
_Number = int | float
_HUGE = 2.0**1000
_LEAST, _MOST = 2.0**-250, 2.0**250
"""Sizes of numbers and sums of weights whose products all fit into doubles."""


@dataclass
class Moments:
    """Weight, mean and standard deviation.

    Parts are joined as Chan, Golub and LeVeque (1979) do. The mean is a sum of two doubles (Dekker
    1971), so that means of two parts that are far from zero and near each other are told apart:
    those of times in nanoseconds. The deviation is kept, not its square, which no double may hold.

    Attributes:
      weight: The sum of the weights: how many numbers there are, where each weighs 1.
      mean: Their mean; 0 of none.
      rest: What the mean is besides, less than the last digit of a double.
      deviation: Their standard deviation as a whole population; 0 of none.
    """

    weight: float = 0.0
    mean: float = 0.0
    rest: float = 0.0
    deviation: float = 0.0

    def add(self, values: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Takes numbers into account.

        Args:
          values: Integers of 64 bits or finite doubles, in any order.
          weights: What each weighs, 0 or more; 1 by default.
        """
        if weights is not None:
            weights = weights.astype(np.float64, copy=False)
        weight = float(len(values) if weights is None else weights.sum())
        if weight > 0:
            self.join(_moments(values, weights, weight))

    def join(self, other: "Moments") -> None:
        """Takes other moments into account."""
        if not self.weight or not other.weight:
            source = other if other.weight else self
            self.__dict__.update(source.__dict__)
        elif max(abs(self.mean), abs(other.mean)) > _HUGE:
            # Their distance may be beyond what doubles hold; that of their quarters is not.
            made = self._times(-2)
            made.join(other._times(-2))
            self.__dict__.update(made._times(2).__dict__)
        else:
            self._join(other)

    def _join(self, other: "Moments") -> None:
        weight = self.weight + other.weight
        mine, theirs = self.weight / weight, other.weight / weight
        away = (other.mean - self.mean) + (other.rest - self.rest)
        self.deviation = math.hypot(
            math.sqrt(mine) * self.deviation,
            math.sqrt(theirs) * other.deviation,
            math.sqrt(mine * theirs) * away,
        )
        mean, lost = _two_sum(self.mean, away * theirs)
        self.mean, self.rest = _two_sum(mean, self.rest + lost)
        self.weight = weight

    def _times(self, exponent: int) -> "Moments":
        """Returns the moments of the numbers times a power of two."""
        most = sys.float_info.max
        with np.errstate(over="ignore"):
            scaled = np.ldexp([self.mean, self.rest, self.deviation], exponent).clip(-most, most)
        return Moments(self.weight, *scaled.tolist())


def _moments(values: np.ndarray, weights: np.ndarray | None, weight: float) -> Moments:
    """Returns the moments of numbers of any size."""
    low, high = values.min().item(), values.max().item()
    size, whole = max(-low, high), weight
    if weights is not None and not _LEAST < weight < _MOST:
        weights, whole = weights / weight, 1.0
    if not size or _LEAST < size < _MOST:
        return Moments(weight, *_two_passes(values, weights, whole, (low, high)))
    exponent = math.frexp(size)[1]
    ends = math.ldexp(low, -exponent), math.ldexp(high, -exponent)
    made = _two_passes(np.ldexp(values, -exponent), weights, whole, ends)
    return Moments(weight, *made)._times(exponent)


def _two_passes(
    values: np.ndarray, weights: np.ndarray | None, weight: float, ends: tuple[_Number, _Number]
) -> tuple[float, float, float]:
    """Returns mean, rest and deviation in two corrected passes (Chan, Golub, LeVeque 1983)."""
    low, high = ends
    mean = _sum(values, weights) / weight
    near = min(max(round(mean) if isinstance(low, int) else mean, low), high)
    # Integers are taken from each other before they become doubles, which may not hold them.
    if high - low > _INT_MAX:
        values = values.astype(np.float64)
    away = (values - near).astype(np.float64, copy=False)
    residual = _sum(away, weights) / weight
    squares = _sum(np.square(away, out=away), weights) / weight
    # By as much the nearest double is off the integer.
    lost = near - int(float(near)) if isinstance(near, int) else 0.0
    mean, rest = _two_sum(float(near), residual + lost)
    return mean, rest, math.sqrt(max(squares - residual * residual, 0.0))


def _sum(values: np.ndarray, weights: np.ndarray | None) -> float:
    # No @: a BLAS of many threads costs more than such a sum.
    return float((values if weights is None else values * weights).sum(dtype=np.float64))


def _two_sum(one: float, other: float) -> tuple[float, float]:
    """Returns the sum of two doubles, and its exact error (Knuth)."""
    made = one + other
    from_other = made - one
    return made, (one - (made - from_other)) + (other - from_other)


def exact_sum(values: np.ndarray) -> int:
    """Returns the sum of integers, which may exceed 64 bits."""
    if not len(values):
        return 0
    values = values.astype(np.int64, copy=False)
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())
