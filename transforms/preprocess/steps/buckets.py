"""Buckets: numbers to categories, by given boundaries or by quantiles."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from transforms.preprocess.declared.values import INT, Kind
from transforms.preprocess.figures.numbers import Ranks
from transforms.preprocess.steps.step import Step, WrongStep


@dataclass(frozen=True)
class ApplyBuckets(Step):
    """The number of boundaries at or below each number; NaN goes to the last bucket.

    Args:
      boundaries: Ascending numbers.
    """

    boundaries: tuple[float, ...] = ()

    name: ClassVar[str] = "apply_buckets"
    aliases: ClassVar[tuple[str, ...]] = ("Discretization", "digitize")
    shapes: ClassVar[tuple[str, ...]] = ("one", "many")

    def check(self) -> None:
        """Checks that the boundaries ascend."""
        if not self.boundaries or list(self.boundaries) != sorted(set(self.boundaries)):
            raise WrongStep("boundaries are ascending numbers, such as [0, 10, 100]")

    def made(self, given: Kind) -> Kind:
        """Returns categories."""
        return dataclasses.replace(given, dtype=INT, size=len(self.boundaries) + 1, category=True)

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the buckets."""
        boundaries = np.array(self.boundaries, np.float32)
        made = ops.buckets(ops.floats(value.values), boundaries)
        return value.of(made, len(boundaries) + 1)


@dataclass(frozen=True)
class Bucketize(Step):
    """Buckets of about as many rows each, by quantiles; NaN goes to the last bucket.

    Args:
      num_buckets: How many.
    """

    num_buckets: int = 10

    name: ClassVar[str] = "bucketize"
    aliases: ClassVar[tuple[str, ...]] = ("quantile_buckets", "KBinsDiscretizer")
    shapes: ClassVar[tuple[str, ...]] = ("one", "many")

    def check(self) -> None:
        """Checks that there are buckets."""
        if not 2 <= self.num_buckets <= 10**6:
            raise WrongStep("num_buckets is from 2 to 1000000")

    def made(self, given: Kind) -> Kind:
        """Returns categories."""
        return dataclasses.replace(given, dtype=INT, size=self.num_buckets, category=True)

    def figure(self, given: Kind) -> type:
        """Needs quantiles."""
        return Ranks

    def settle(self, state: Ranks) -> Any:
        """Returns the boundaries: one fewer than buckets, some of them equal where few differ."""
        shares = np.arange(1, self.num_buckets) / self.num_buckets
        found = state.at(shares).astype(np.float32)
        return found if len(found) else np.zeros(self.num_buckets - 1, np.float32)

    def measure(self, value: Any, ops: Any) -> Any:
        """Returns the boundaries by tft.quantiles, with the error of tft.bucketize."""
        x = ops.analyzed_values(value.of(ops.floats(value.values)))
        return ops.tft.quantiles(x, self.num_buckets, min(1 / self.num_buckets, 0.01))[0]

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the buckets."""
        return value.of(ops.buckets(ops.floats(value.values), known), self.num_buckets)
