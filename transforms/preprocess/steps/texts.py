"""Texts: lower case, words and n-grams."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from transforms.preprocess.declared.values import TEXT, Kind
from transforms.preprocess.steps.step import Step, WrongStep


@dataclass(frozen=True)
class Lower(Step):
    """Texts with the letters A to Z in lower case; other letters stay."""

    name: ClassVar[str] = "lower"
    takes: ClassVar[tuple[str, ...]] = (TEXT,)
    shapes: ClassVar[tuple[str, ...]] = ("one", "many")

    def made(self, given: Kind) -> Kind:
        """Returns texts."""
        return given

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the texts."""
        return value.of(ops.lower(value.values))


@dataclass(frozen=True)
class Split(Step):
    """The words of a text: what is between separators, or between white space.

    Args:
      separator: What separates words; any ASCII white space by default.
    """

    separator: str | None = None

    name: ClassVar[str] = "split"
    aliases: ClassVar[tuple[str, ...]] = ("tokenize",)
    takes: ClassVar[tuple[str, ...]] = (TEXT,)
    shapes: ClassVar[tuple[str, ...]] = ("one",)

    def check(self) -> None:
        """Checks that a separator is one."""
        if self.separator == "":
            raise WrongStep("separator is a text, or left out")

    def made(self, given: Kind) -> Kind:
        """Returns lists of words."""
        return dataclasses.replace(given, shape="many", whole=False)

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the words."""
        return ops.split(value, self.separator)


@dataclass(frozen=True)
class NGrams(Step):
    """Words that follow each other, joined: all of the least length, then all longer ones.

    Args:
      ngram_range: The least and the greatest number of words.
      separator: What is between them.
    """

    ngram_range: tuple[int, ...] = (1, 2)
    separator: str = " "

    name: ClassVar[str] = "ngrams"
    takes: ClassVar[tuple[str, ...]] = (TEXT,)
    shapes: ClassVar[tuple[str, ...]] = ("many",)

    def check(self) -> None:
        """Checks the range."""
        if len(self.ngram_range) != 2 or not 1 <= self.ngram_range[0] <= self.ngram_range[1] <= 100:
            raise WrongStep("ngram_range is two integers up to 100, such as [1, 2]")

    def made(self, given: Kind) -> Kind:
        """Returns lists of texts."""
        return given

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the n-grams."""
        return ops.ngrams(value, self.ngram_range, self.separator)
