"""Documents: how many there are, and in how many each term is."""

from dataclasses import dataclass, field

import numpy as np

from transforms.preprocess.declared.values import Many


@dataclass
class Documents:
    """Numbers of documents.

    Attributes:
      documents: All of them, empty ones too.
      terms: Those that have a term, by the term's number.
    """

    documents: int = 0
    terms: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, value: Many) -> None:
        """Takes documents into account: lists of terms."""
        self.documents += value.count
        size = int(value.size)
        known = (value.values >= 0) & (value.values < size)
        pairs = np.unique(value.rows[known] * size + value.values[known])
        self._add(np.bincount(pairs % size, minlength=size))

    def merge(self, other: "Documents") -> None:
        """Takes other documents into account."""
        self.documents += other.documents
        self._add(other.terms)

    def _add(self, terms: np.ndarray) -> None:
        size = max(len(terms), len(self.terms))
        made = np.zeros(size, np.int64)
        made[: len(self.terms)] += self.terms
        made[: len(terms)] += terms
        self.terms = made

    @property
    def nbytes(self) -> int:
        """Its size."""
        return int(self.terms.nbytes) + 8
