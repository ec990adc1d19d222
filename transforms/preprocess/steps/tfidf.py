"""Term frequency times inverse document frequency."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from transforms.preprocess.declared.values import FLOAT, INT, Kind, Many, Vector
from transforms.preprocess.figures.documents import Documents
from transforms.preprocess.steps.step import Step, WrongStep


@dataclass(frozen=True)
class TfIdf(Step):
    """Weights of the terms of a document: their share in it, times how rare they are elsewhere.

    The inverse frequency is 1 + log((documents + 1) / (documents with the term + 1)). Makes two
    sparse columns, NAME_index and NAME_weight, as tft.tfidf, or one vector.

    Args:
      smooth: Whether 1 is added to both numbers.
      dense: Whether it is a vector of all terms.
    """

    smooth: bool = True
    dense: bool = False

    name: ClassVar[str] = "tfidf"
    aliases: ClassVar[tuple[str, ...]] = ("TfidfTransformer", "TfidfVectorizer")
    takes: ClassVar[tuple[str, ...]] = (INT,)
    shapes: ClassVar[tuple[str, ...]] = ("many",)
    traced: ClassVar[bool] = False

    def check_kind(self, given: Kind) -> None:
        """Checks that the numbers are categories."""
        super().check_kind(given)
        if not given.category:
            raise WrongStep("tfidf takes categories: of a vocabulary, say")

    def made(self, given: Kind) -> Kind:
        """Returns weighted categories, or vectors."""
        if self.dense:
            return Kind("vector", FLOAT)
        return dataclasses.replace(given, weighted=True)

    def figure(self, given: Kind) -> type:
        """Needs the number of documents, and of those with each term."""
        return Documents

    def analyzed(self, value: Many) -> Any:
        """Returns the terms with their rows."""
        return value

    def settle(self, state: Documents) -> Any:
        """Returns the inverse frequency of each term."""
        more = 1 if self.smooth else 0
        with np.errstate(divide="ignore"):
            inverse = np.log((state.documents + more) / (state.terms + more))
        return (1 + inverse).astype(np.float32)

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the weights."""
        weighted = ops.weighted_terms(value, known)
        return Vector(ops.spread(weighted)) if self.dense else weighted
