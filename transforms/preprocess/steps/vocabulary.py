"""Vocabularies: texts or integers to their rank among the most frequent."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.preprocess.declared.values import INT, TEXT, Kind
from transforms.preprocess.figures.counts import Counts
from transforms.preprocess.figures.vocabulary import Vocabulary
from transforms.preprocess.steps.step import Step, WrongStep


@dataclass(frozen=True)
class ComputeAndApplyVocabulary(Step):
    """The rank among the most frequent texts or integers; of equally frequent, the last first.

    Args:
      top_k: So many, the most frequent, are told apart; all by default.
      frequency_threshold: Rarer ones are not told apart.
      num_oov_buckets: So many numbers, by hash, stand for the others.
      default_value: Stands for the others where there are no such buckets.
      vocab_filename: The name of the vocabulary's file; the feature's by default.
    """

    top_k: int | None = None
    frequency_threshold: int | None = None
    num_oov_buckets: int = 0
    default_value: int = -1
    vocab_filename: str | None = None

    name: ClassVar[str] = "compute_and_apply_vocabulary"
    aliases: ClassVar[tuple[str, ...]] = ("vocabulary", "OrdinalEncoder", "StringLookup")
    takes: ClassVar[tuple[str, ...]] = (TEXT, INT)
    shapes: ClassVar[tuple[str, ...]] = ("one", "many")

    def check(self) -> None:
        """Checks that numbers are in range."""
        if self.top_k is not None and self.top_k < 1:
            raise WrongStep("top_k is 1 or more")
        if self.frequency_threshold is not None and self.frequency_threshold < 0:
            raise WrongStep("frequency_threshold is 0 or more")
        if self.num_oov_buckets < 0:
            raise WrongStep("num_oov_buckets is 0 or more")

    def made(self, given: Kind) -> Kind:
        """Returns categories."""
        # What numpy can't do is the hash of unknown texts to several buckets.
        traced = self.num_oov_buckets <= 1
        return dataclasses.replace(
            given, dtype=INT, size=None, traced=given.traced and traced, category=True
        )

    def figure(self, given: Kind) -> type:
        """Needs all texts and their numbers."""
        return Counts

    def settle(self, state: Counts) -> Vocabulary:
        """Returns the vocabulary: texts that a line of a file can hold, the most frequent first."""
        values, counts = state.ranked()
        keep = _fits_a_line(values)
        if self.frequency_threshold is not None:
            keep &= counts >= self.frequency_threshold
        return Vocabulary(values.filter(pa.array(keep))[: self.top_k])

    def measure(self, value: Any, ops: Any) -> Any:
        """Returns it by tft.vocabulary."""
        return ops.tft.vocabulary(
            ops.analyzed(value),
            top_k=self.top_k,
            frequency_threshold=self.frequency_threshold,
            vocab_filename=self.vocab_filename,
        )

    def apply(self, value: Any, known: Any, ops: Any) -> Any:
        """Returns the ranks."""
        name = self.vocab_filename or ops.feature
        ranks, size = ops.lookup(
            value.values, known, self.num_oov_buckets, self.default_value, name
        )
        return value.of(ranks, size, 0 if self.num_oov_buckets else min(0, self.default_value))


def _fits_a_line(values: pa.Array) -> np.ndarray:
    """Returns which texts tf.Transform takes into a vocabulary: not empty, and of one line."""
    broken = pc.match_substring_regex(values, "[\n\r]")
    there = pc.greater(pc.binary_length(values), 0)
    return np.asarray(pc.and_not(there, broken).to_numpy(zero_copy_only=False))
