"""What a declared step is: its parameters, what it takes and makes, and what it needs to know."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from transforms.preprocess.declared.values import FLOAT, INT, TEXT, Kind, One, Value


class WrongStep(Exception):
    """A step that can't be what it is, or where it is; the text says why."""


@dataclass(frozen=True)
class Step:
    """A step of a feature. Its fields are its parameters; the first may be given without a name.

    A step that needs figures of all rows says which by `figure`; `settle` makes constants of them,
    and `measure` the same constants by tf.Transform's analyzers, for those who use both.
    """

    name: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    """Names that scikit-learn or others have for it."""
    takes: ClassVar[tuple[str, ...]] = (FLOAT, INT)
    shapes: ClassVar[tuple[str, ...]] = ("one", "many", "vector")
    traced: ClassVar[bool] = True
    """Whether numpy can do it too, so that what follows can be analyzed."""

    def check(self) -> None:
        """Checks the parameters.

        Raises:
          WrongStep: One is out of range.
        """

    def kind(self, given: Kind) -> Kind:
        """Returns what it makes of what it is given.

        Raises:
          WrongStep: It doesn't take that.
        """
        self.check_kind(given)
        return dataclasses.replace(self.made(given), traced=given.traced and self.traced)

    def made(self, given: Kind) -> Kind:
        """Returns the kind of what it makes, of a kind that it takes."""
        raise NotImplementedError

    def check_kind(self, given: Kind) -> None:
        """Checks that it takes a kind.

        Raises:
          WrongStep: It does not; the text says what it takes.
        """
        if given.weighted:
            raise WrongStep("no step takes weighted terms: tfidf is the last, or {dense: true}")
        if given.shape not in self.shapes:
            wanted = " or ".join(_SHAPES[each] for each in self.shapes)
            raise WrongStep(f"{self.name} takes {wanted}, but is given {_SHAPES[given.shape]}")
        for part in given.parts or (given,):
            if part.dtype not in self.takes:
                raise WrongStep(
                    f"{self.name} takes {' or '.join(_DTYPES[each] for each in self.takes)}, but "
                    f"is given {_DTYPES[part.dtype]}"
                )

    def figure(self, given: Kind) -> type | None:
        """Returns the class of the state that it needs of all rows; None if it needs none."""
        return None

    def analyzed(self, value: Any) -> Any:
        """Returns what the state takes of a value: numbers in numpy, texts in Arrow, none missing.

        Args:
          value: Of numpy and Arrow arrays.
        """
        values = value.values
        if isinstance(value, One) and value.present is not None:
            mask = value.present
            return values[mask] if isinstance(values, np.ndarray) else values.filter(pa.array(mask))
        return values.reshape(-1) if isinstance(values, np.ndarray) else values

    def settle(self, state: Any) -> Any:
        """Returns constants of a state: numbers, or tuples, arrays and `Vocabulary`s of them."""
        raise NotImplementedError

    def measure(self, value: Any, ops: Any) -> Any:
        """Returns the same by tf.Transform's analyzers, of tensors.

        Raises:
          WrongStep: tf.Transform has no such analyzer.
        """
        raise WrongStep(f"tf.Transform has no analyzer for {self.name}")

    def apply(self, value: Value, known: Any, ops: Any) -> Value:
        """Returns what it makes.

        Args:
          value: What it is given.
          known: What `settle` or `measure` returned; None if it needs nothing.
          ops: `Arrays` or `Tensors`: the operations of the place where it runs.
        """
        raise NotImplementedError


_SHAPES = {
    "one": "one value a row",
    "many": "lists of values",
    "vector": "vectors",
    "several": "several columns",
}
_DTYPES = {FLOAT: "floats", INT: "integers", TEXT: "texts"}


class Elementwise(Step):
    """A step that makes a number of each number."""

    def made(self, given: Kind) -> Kind:
        """Returns floats of the same shape."""
        size = given.size if given.shape == "vector" else None
        return dataclasses.replace(given, dtype=FLOAT, size=size, category=False)

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the new numbers."""
        return value.of(self.number(ops.floats(value.values), known, ops))

    def number(self, x: Any, known: Any, ops: Any) -> Any:
        """Returns a float for each float."""
        raise NotImplementedError
