"""Principal components."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from transforms.preprocess.declared.values import FLOAT, Kind, Vector
from transforms.preprocess.figures.covariance import Covariance
from transforms.preprocess.steps.step import Step, WrongStep


@dataclass(frozen=True)
class Pca(Step):
    """Projects numbers, less their means, on the directions in which they vary most.

    Args:
      output_dim: How many directions.
    """

    output_dim: int = 2

    name: ClassVar[str] = "pca"
    aliases: ClassVar[tuple[str, ...]] = ("PCA",)
    shapes: ClassVar[tuple[str, ...]] = ("several", "vector")

    def check(self) -> None:
        """Checks the number of directions."""
        if self.output_dim < 1:
            raise WrongStep("output_dim is 1 or more")

    def check_kind(self, given: Kind) -> None:
        """Checks that each row has all numbers."""
        super().check_kind(given)
        if any(part.shape not in ("one", "vector") for part in given.parts):
            raise WrongStep("pca takes columns with one value a row, or vectors")
        if not given.whole:
            raise WrongStep("pca needs a value of each column in each row: fill them before")
        size = [part.size if part.shape == "vector" else 1 for part in given.parts or (given,)]
        if None not in size and sum(each or 0 for each in size) < self.output_dim:
            raise WrongStep("output_dim is greater than the number of columns")

    def made(self, given: Kind) -> Kind:
        """Returns vectors."""
        return Kind("vector", FLOAT, size=self.output_dim)

    def figure(self, given: Kind) -> type:
        """Needs the covariance."""
        return Covariance

    def analyzed(self, value: Any) -> Any:
        """Returns n rows of k numbers."""
        if isinstance(value, Vector):
            return value.values
        return np.column_stack([each.values for each in value])

    def settle(self, state: Covariance) -> Any:
        """Returns the means and the directions, the most important first: k and k x output_dim.

        The greatest part of each direction is positive, so that it does not turn round by chance.
        """
        if not state.rows:
            return np.float32(0), None
        _, vectors = np.linalg.eigh(state.moments / state.rows)
        chosen = vectors[:, ::-1][:, : self.output_dim]
        greatest = chosen[np.abs(chosen).argmax(axis=0), np.arange(chosen.shape[1])]
        turned = chosen * np.where(greatest < 0, -1, 1)
        return state.mean.astype(np.float32), turned.astype(np.float32)

    def measure(self, value: Any, ops: Any) -> Any:
        """Returns them by tft.mean and tft.pca."""
        x = ops.matrix(value)
        return ops.tft.mean(x, reduce_instance_dims=False), ops.tft.pca(
            x, self.output_dim, ops.tf.float32
        )

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the projections."""
        mean, directions = known
        x = ops.matrix(value)
        return Vector(ops.projected(x - mean, directions, self.output_dim))
