"""One-hot vectors of categories."""

from dataclasses import dataclass
from typing import Any, ClassVar

from transforms.errors import ConfigError
from transforms.preprocess.declared.values import FLOAT, INT, Kind, Vector
from transforms.preprocess.steps.step import Step, WrongStep

MOST = 10_000
"""The longest vector: a row of it takes 40 kB, and a batch of 65,536 rows 2.6 GB."""
_WAYS = (
    "keep the frequent values by top_k or frequency_threshold of the vocabulary, hash to fewer "
    "buckets by hash_strings, or leave out one_hot and give the model the numbers, for an embedding"
)


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
        if self.num_buckets is not None and self.num_buckets > MOST:
            raise WrongStep(f"num_buckets is {MOST:,} at most: {_WAYS}")

    def check_kind(self, given: Kind) -> None:
        """Checks that the length is known, or will be."""
        super().check_kind(given)
        if self.num_buckets is None and not given.category:
            raise WrongStep("one_hot of any integers needs num_buckets")
        if self.num_buckets is None and (given.size or 0) > MOST:
            raise WrongStep(_too_long(given.size or 0))

    def made(self, given: Kind) -> Kind:
        """Returns vectors."""
        return Kind("vector", FLOAT, size=self.num_buckets or given.size)

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the vectors.

        Raises:
          ConfigError: A vocabulary, known only now, is too large for them.
        """
        size = value.size if self.num_buckets is None else self.num_buckets
        if isinstance(size, int) and size > MOST:
            of = f"feature {ops.feature!r}: " if ops.feature else ""
            raise ConfigError(of + _too_long(size))
        return Vector(ops.hot(value, size))


def _too_long(size: int) -> str:
    return f"one_hot would make {size:,} numbers of each row, more than {MOST:,}: {_WAYS}"
