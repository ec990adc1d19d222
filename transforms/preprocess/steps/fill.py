"""Fill: a value where there is none, known before or learned from the rows that have one."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from transforms.preprocess.declared.values import FLOAT, INT, TEXT, Kind
from transforms.preprocess.figures.counts import Counts
from transforms.preprocess.figures.numbers import Ranks, Spread
from transforms.preprocess.steps.step import Step, WrongStep

_STRATEGIES = ("constant", "mean", "median", "most_frequent", "mode")


@dataclass(frozen=True)
class Fill(Step):
    """Gives rows without a value one; NaN is none. Means and medians make integers floats.

    Args:
      strategy: constant, mean, median or most_frequent (mode): of the rows that have a value.
      value: The constant, or what is given where no row has a value; 0 or an empty text by default.
    """

    strategy: str = "constant"
    value: int | float | str | None = None

    name: ClassVar[str] = "fill"
    aliases: ClassVar[tuple[str, ...]] = ("SimpleImputer", "fillna", "impute")
    takes: ClassVar[tuple[str, ...]] = (FLOAT, INT, TEXT)
    shapes: ClassVar[tuple[str, ...]] = ("one",)

    def check(self) -> None:
        """Checks that the strategy is one."""
        if self.strategy not in _STRATEGIES:
            from transforms.nearest import nearest

            near = nearest(self.strategy, _STRATEGIES) or f"; there are {', '.join(_STRATEGIES)}"
            way = f"a constant is fill: {{value: {self.strategy}}}"
            raise WrongStep(f"there is no strategy {self.strategy!r}{near}; {way}")

    def check_kind(self, given: Kind) -> None:
        """Checks that the value is of the column's type, and that a text has no mean."""
        super().check_kind(given)
        if self.strategy in ("mean", "median") and given.dtype == TEXT:
            raise WrongStep(f"texts have no {self.strategy}: use most_frequent or a constant")
        if self.value is not None and isinstance(self.value, str) != (given.dtype == TEXT):
            told = "a number" if given.dtype == TEXT else "a text"
            raise WrongStep(f"the column is {given.dtype}, and value {told}")
        if given.dtype == INT and isinstance(self.value, float) and self._keeps:
            raise WrongStep("the column is int64, and value has a fraction")

    @property
    def _keeps(self) -> bool:
        """Whether integers stay integers."""
        return self.strategy not in ("mean", "median")

    def made(self, given: Kind) -> Kind:
        """Returns the same, whole."""
        dtype = given.dtype if self._keeps else FLOAT
        return dataclasses.replace(
            given, whole=True, dtype=dtype, category=given.category and self._keeps
        )

    def figure(self, given: Kind) -> type | None:
        """Needs what is filled in, unless that is a constant."""
        if self.strategy == "constant" or (given.whole and given.dtype != FLOAT):
            return None
        return {"mean": Spread, "median": Ranks}.get(self.strategy, Counts)

    def settle(self, state: Any) -> Any:
        """Returns what is filled in; None where no row has a value."""
        if isinstance(state, Spread):
            return np.float32(state.moments.mean) if state.moments.weight else None
        if isinstance(state, Ranks):
            found = state.at(np.array([0.5]))
            return np.float32(found[0]) if len(found) else None
        values, _ = state.ranked()
        return values[0].as_py() if len(values) else None

    def measure(self, value: Any, ops: Any) -> Any:
        """Returns a mean or median by tft.mean or tft.quantiles."""
        if self.strategy == "mean":
            return ops.tft.mean(ops.analyzed(value.of(ops.floats(value.values))))
        if self.strategy == "median":
            x = ops.analyzed_values(value.of(ops.floats(value.values)))
            return ops.tft.quantiles(x, 2, 0.01)[0, 0]
        return super().measure(value, ops)

    def constant(self, known: Any, dtype: str) -> Any:
        """Returns what is filled in, of a type of values."""
        value = self.value if known is None else known
        if dtype == TEXT:
            value = "" if value is None else value
            return value.encode() if isinstance(value, str) else value
        if value is None or isinstance(value, int | float | bytes):
            value = 0 if value is None else value
            return np.float32(value) if dtype == FLOAT else np.int64(value)
        return value

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the filled values."""
        values = value.values if self._keeps else ops.floats(value.values)
        missing = ops.missing(values, value.present)
        if missing is None:
            return dataclasses.replace(value, values=values)
        filled = ops.filled(values, missing, self.constant(known, ops.dtype(values)))
        return dataclasses.replace(value, values=filled, present=None)
