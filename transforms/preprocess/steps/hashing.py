"""Hashes and crosses: categories without a vocabulary, and of several columns together."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from transforms.preprocess.declared.values import INT, TEXT, Kind, One
from transforms.preprocess.steps.step import Step, WrongStep


def _check(hash_buckets: int | None, key: tuple[int, ...] | None = None) -> None:
    if hash_buckets is not None and hash_buckets < 1:
        raise WrongStep("hash_buckets is 1 or more")
    if key is not None and len(key) != 2:
        raise WrongStep("key is a list of two integers")


@dataclass(frozen=True)
class HashStrings(Step):
    """A number by a hash of each text or integer: no vocabulary, but different ones may meet.

    Args:
      hash_buckets: How many numbers there are.
      key: Two integers, for a strong hash that nobody can foresee who doesn't know them.
    """

    hash_buckets: int = 1000
    key: tuple[int, ...] | None = None

    name: ClassVar[str] = "hash_strings"
    aliases: ClassVar[tuple[str, ...]] = ("hash", "Hashing", "FeatureHasher")
    takes: ClassVar[tuple[str, ...]] = (TEXT, INT)
    shapes: ClassVar[tuple[str, ...]] = ("one", "many")
    traced: ClassVar[bool] = False

    def check(self) -> None:
        """Checks the parameters."""
        _check(self.hash_buckets, self.key)

    def made(self, given: Kind) -> Kind:
        """Returns categories."""
        return dataclasses.replace(given, dtype=INT, size=self.hash_buckets, category=True)

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the numbers."""
        made = ops.hashed(ops.texts(value.values), self.hash_buckets, self.key)
        return value.of(made, self.hash_buckets)


@dataclass(frozen=True)
class Cross(Step):
    """Texts or integers of several columns as one text, hashed or not; missing if one is.

    Args:
      hash_buckets: So many numbers stand for the texts, by hash; without, they stay texts.
      separator: What is between them.
    """

    hash_buckets: int | None = None
    separator: str = "_X_"

    name: ClassVar[str] = "cross"
    aliases: ClassVar[tuple[str, ...]] = ("hashed_cross", "HashedCrossing", "crossed_column")
    takes: ClassVar[tuple[str, ...]] = (TEXT, INT)
    shapes: ClassVar[tuple[str, ...]] = ("several",)

    def check(self) -> None:
        """Checks the parameters."""
        _check(self.hash_buckets)

    def check_kind(self, given: Kind) -> None:
        """Checks that each column has one value a row."""
        super().check_kind(given)
        if any(part.shape != "one" for part in given.parts):
            raise WrongStep("cross takes columns with one value a row")

    def made(self, given: Kind) -> Kind:
        """Returns texts or categories."""
        size, hashed = self.hash_buckets, self.hash_buckets is not None
        traced = given.traced and not hashed
        dtype = INT if hashed else TEXT
        return Kind("one", dtype, given.whole, size, traced=traced, category=hashed)

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the texts or numbers."""
        joined = ops.joined([ops.texts(each.values) for each in value], self.separator)
        present = ops.all_present([each.present for each in value])
        if self.hash_buckets is None:
            return One(joined, present)
        return One(ops.hashed(joined, self.hash_buckets, None), present, self.hash_buckets)
