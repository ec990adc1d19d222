"""One-hot vectors of categories."""

from dataclasses import dataclass
from typing import Any, ClassVar

from transforms.preprocess.declared.values import FLOAT, INT, Kind, Vector
from transforms.preprocess.steps.step import Step, WrongStep


@dataclass(frozen=True)
class OneHot(Step):
    """A vector of 0 and 1: 1 at the category, or at each of a list; 0 all over where there is none.

    Args:
      num_buckets: How long it is; known of buckets, vocabularies, hashes and parts of dates.
    """

    num_buckets: int | None = None

    name: ClassVar[str] = "one_hot"
    aliases: ClassVar[tuple[str, ...]] = ("OneHotEncoder", "multi_hot", "MultiLabelBinarizer")
    takes: ClassVar[tuple[str, ...]] = (INT,)
    shapes: ClassVar[tuple[str, ...]] = ("one", "many")

    def check(self) -> None:
        """Checks the length."""
        if self.num_buckets is not None and self.num_buckets < 1:
            raise WrongStep("num_buckets is 1 or more")

    def check_kind(self, given: Kind) -> None:
        """Checks that the length is known, or will be."""
        super().check_kind(given)
        if self.num_buckets is None and not given.category:
            raise WrongStep("one_hot of any integers needs num_buckets")

    def made(self, given: Kind) -> Kind:
        """Returns vectors."""
        return Kind("vector", FLOAT, size=self.num_buckets or given.size)

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the vectors."""
        size = value.size if self.num_buckets is None else self.num_buckets
        return Vector(ops.hot(value, size))
