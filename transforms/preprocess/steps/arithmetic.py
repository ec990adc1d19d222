"""Arithmetic on each number by itself: logarithms, roots and limits."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from transforms.preprocess.steps.step import Elementwise, WrongStep


@dataclass(frozen=True)
class Log(Elementwise):
    """The natural logarithm; NaN of negative numbers.

    Args:
      offset: What is added before: 1 makes it log1p.
    """

    offset: float = 0.0

    name: ClassVar[str] = "log"

    def number(self, x: Any, known: Any, ops: Any) -> Any:
        """Returns the logarithms."""
        if self.offset == 1:
            return ops.precisely("log1p", x)
        return ops.precisely("log", x + np.float32(self.offset) if self.offset else x)


@dataclass(frozen=True)
class Log1p(Elementwise):
    """The natural logarithm of 1 more, which is exact near 0."""

    name: ClassVar[str] = "log1p"

    def number(self, x: Any, known: Any, ops: Any) -> Any:
        """Returns the logarithms."""
        return ops.precisely("log1p", x)


@dataclass(frozen=True)
class Sqrt(Elementwise):
    """The square root; NaN of negative numbers."""

    name: ClassVar[str] = "sqrt"

    def number(self, x: Any, known: Any, ops: Any) -> Any:
        """Returns the roots."""
        return ops.sqrt(x)


@dataclass(frozen=True)
class Clip(Elementwise):
    """Limits numbers: those beyond a limit become the limit.

    Args:
      min: The least that is left; none by default.
      max: The greatest that is left; none by default.
    """

    min: float | None = None
    max: float | None = None

    name: ClassVar[str] = "clip"
    aliases: ClassVar[tuple[str, ...]] = ("clip_by_value",)

    def check(self) -> None:
        """Checks that there is a limit, and an order."""
        if self.min is None and self.max is None:
            raise WrongStep("clip has min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise WrongStep("min must not be greater than max")

    def number(self, x: Any, known: Any, ops: Any) -> Any:
        """Returns the numbers within the limits."""
        if self.min is not None:
            x = ops.maximum(x, np.float32(self.min))
        return x if self.max is None else ops.minimum(x, np.float32(self.max))
