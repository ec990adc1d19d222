"""Scaling: to a range, to mean 0 and variance 1, by median and quartiles."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from transforms.preprocess.declared.values import Kind
from transforms.preprocess.figures.numbers import Bounds, Ranks, Spread
from transforms.preprocess.steps.step import Elementwise, WrongStep

_NONE, _ONE = np.float32(0), np.float32(1)


@dataclass(frozen=True)
class ScaleByMinMax(Elementwise):
    """Scales to a range by the least and greatest number, or by a sigmoid if these are equal.

    Args:
      output_min: Where the least number goes.
      output_max: Where the greatest number goes.
    """

    output_min: float = 0.0
    output_max: float = 1.0

    name: ClassVar[str] = "scale_by_min_max"
    aliases: ClassVar[tuple[str, ...]] = ("scale_to_0_1", "MinMaxScaler")

    def check(self) -> None:
        """Checks that the range is one."""
        if not self.output_min < self.output_max:
            raise WrongStep("output_min must be less than output_max")

    def figure(self, given: Kind) -> type:
        """Needs the bounds."""
        return Bounds

    def settle(self, state: Bounds) -> Any:
        """Returns the least and the greatest; zeros of no numbers."""
        if state.least > state.most:
            return _NONE, _NONE
        return np.float32(state.least), np.float32(state.most)

    def measure(self, value: Any, ops: Any) -> Any:
        """Returns them by tft.min and tft.max."""
        x = ops.analyzed(value.of(ops.floats(value.values)))
        return ops.tft.min(x), ops.tft.max(x)

    def number(self, x: Any, known: Any, ops: Any) -> Any:
        """Returns the scaled numbers."""
        low, high = known
        differ = low < high
        width = ops.where(differ, high - low, _ONE)
        scaled = ops.where(differ, ops.ratio(x - low, width), ops.sigmoid(x))
        return scaled * np.float32(self.output_max - self.output_min) + np.float32(self.output_min)


@dataclass(frozen=True)
class ScaleToZScore(Elementwise):
    """Subtracts the mean and divides by the standard deviation, if that is not 0."""

    name: ClassVar[str] = "scale_to_z_score"
    aliases: ClassVar[tuple[str, ...]] = ("StandardScaler",)

    def figure(self, given: Kind) -> type:
        """Needs mean and variance."""
        return Spread

    def settle(self, state: Spread) -> Any:
        """Returns mean and variance."""
        moments = state.moments
        return np.float32(moments.mean), np.float32(moments.deviation**2)

    def measure(self, value: Any, ops: Any) -> Any:
        """Returns them by tft.mean and tft.var."""
        x = ops.analyzed(value.of(ops.floats(value.values)))
        return ops.tft.mean(x), ops.tft.var(x)

    def number(self, x: Any, known: Any, ops: Any) -> Any:
        """Returns the scaled numbers."""
        mean, variance = known
        deviation = ops.sqrt(variance)
        return ops.ratio(x - mean, ops.where(deviation > _NONE, deviation, _ONE))


@dataclass(frozen=True)
class RobustScale(Elementwise):
    """Subtracts the median and divides by the distance of two percentiles, if that is not 0.

    Args:
      quantile_range: The two percentiles.
    """

    quantile_range: tuple[float, ...] = (25.0, 75.0)

    name: ClassVar[str] = "robust_scale"
    aliases: ClassVar[tuple[str, ...]] = ("RobustScaler",)

    def check(self) -> None:
        """Checks that the percentiles are two."""
        if len(self.quantile_range) != 2 or not (
            0 <= self.quantile_range[0] < self.quantile_range[1] <= 100
        ):
            raise WrongStep("quantile_range is two percentiles, such as [25, 75]")

    def figure(self, given: Kind) -> type:
        """Needs quantiles."""
        return Ranks

    def settle(self, state: Ranks) -> Any:
        """Returns the median and the distance."""
        low, high = self.quantile_range
        found = state.at(np.array([low / 100, 0.5, high / 100]))
        if not len(found):
            return _NONE, _NONE
        return np.float32(found[1]), np.float32(found[2] - found[0])

    def number(self, x: Any, known: Any, ops: Any) -> Any:
        """Returns the scaled numbers."""
        median, width = known
        return ops.ratio(x - median, ops.where(width > _NONE, width, _ONE))
