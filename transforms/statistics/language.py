"""Language: how much of a feature's tokens a vocabulary covers, and how they are distributed."""

import json
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import statistics_pb2

from transforms.statistics.sketches.histograms import by_quantiles
from transforms.statistics.sketches.summary import QuantileSummary, distinct
from transforms.statistics.sketches.value_counts import ValueCounts, add_ranks
from transforms.statistics.vocabulary import Token, TokenQuestions

NAME = "nl_statistics"
"""The custom statistic that holds a `NaturalLanguageStatistics`, by TFDV's name."""
_PARTS = 10
"""Parts of a sequence, of equal length, in which the places of a token are counted."""
_Stats: TypeAlias = statistics_pb2.NaturalLanguageStatistics
_TokenStats: TypeAlias = statistics_pb2.NaturalLanguageStatistics.TokenStatistics


@dataclass
class Occurrences:
    """Where a token is.

    Attributes:
      looked_at: Sequences, the empty among them.
      filled: Those that have any token.
      sequences: Those that have this one.
      number: How often it is there in all.
      least, most: In a sequence that is not empty; `least` is 0 where one lacks it.
      places: How often in each tenth of its sequence.
    """

    looked_at: int = 0
    filled: int = 0
    sequences: int = 0
    number: int = 0
    least: int = 0
    most: int = 0
    places: np.ndarray = field(default_factory=lambda: np.zeros(_PARTS, np.int64))

    def merge(self, other: "Occurrences") -> None:
        """Takes other sequences into account."""
        if other.filled:
            self.least = min(self.least, other.least) if self.filled else other.least
        self.most = max(self.most, other.most)
        self.places = self.places + other.places
        for name in ("looked_at", "filled", "sequences", "number"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def describe(self, stats: _TokenStats, token: Token) -> None:
        """Fills in the statistics of a token."""
        setattr(stats, "int_token" if isinstance(token, int) else "string_token", token)
        if not self.sequences:
            return
        stats.frequency, stats.fraction_of_sequences = self.number, self.sequences / self.looked_at
        stats.per_sequence_min_frequency = self.least
        stats.per_sequence_avg_frequency = self.number / self.sequences
        stats.per_sequence_max_frequency = self.most
        for place in np.flatnonzero(self.places).tolist():
            stats.positions.buckets.add(
                low_value=place / _PARTS,
                high_value=(place + 1) / _PARTS,
                sample_count=self.places[place],
            )


@dataclass
class Language:
    """What is known of sequences of tokens, which are texts or numbers.

    Attributes:
      counted: Tokens that count for the coverage.
      known: Those of them that the vocabulary has.
      characters: Theirs.
      lengths: Those of known tokens, in characters.
      sequence_lengths: Those of sequences that are not empty.
      counts: Known tokens, and how often each is there.
      tokens: Those that are asked of, by their JSON.
    """

    counted: int = 0
    known: int = 0
    characters: int = 0
    lengths: QuantileSummary = field(default_factory=QuantileSummary)
    sequence_lengths: QuantileSummary = field(default_factory=QuantileSummary)
    counts: ValueCounts = field(default_factory=ValueCounts)
    tokens: dict[str, Occurrences] = field(default_factory=dict)

    def add(self, tokens: pa.Array, lengths: np.ndarray, asked: TokenQuestions) -> None:
        """Takes sequences into account.

        Args:
          tokens: Of all sequences, texts or 64-bit integers; a null is none.
          lengths: How many each sequence has, the null ones among them.
          asked: What is asked of them.
        """
        rows = np.repeat(np.arange(len(lengths)), lengths)
        if tokens.null_count:
            rows = rows[tokens.is_valid().to_numpy(zero_copy_only=False)]
            tokens = tokens.drop_null()
        coded = tokens.dictionary_encode()
        kinds, codes = _Kinds.of(coded.dictionary, asked), coded.indices.to_numpy()
        self._cover(kinds, np.bincount(codes, minlength=len(coded.dictionary)), asked)
        sequences = _Sequences(rows, codes, np.bincount(rows, minlength=len(lengths)))
        short = sequences.number_of(kinds.are(asked.without_length))
        left = (sequences.lengths - short)[sequences.lengths > 0]
        self.sequence_lengths.put(distinct(left))
        for token in asked.counted:
            held = self.tokens.setdefault(json.dumps(token), Occurrences())
            held.merge(sequences.occurrences(kinds.are((token,))))

    def _cover(self, kinds: "_Kinds", often: np.ndarray, asked: TokenQuestions) -> None:
        counts = ~kinds.are(asked.excluded)
        known = counts & kinds.known & ~kinds.are(asked.unknown)
        self.counted += int(often[counts].sum())
        self.known += int(often[known].sum())
        texts = kinds.texts.filter(pa.array(known))
        lengths = pc.utf8_length(texts).to_numpy().astype(np.int64)
        self.characters += int((lengths * often[known]).sum())
        self.lengths.put(distinct(lengths, often[known]))
        self.counts.add(texts, often[known])

    def merge(self, other: "Language") -> None:
        """Takes other sequences into account."""
        for name in ("counted", "known", "characters"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.lengths.merge(other.lengths)
        self.sequence_lengths.merge(other.sequence_lengths)
        self.counts.merge(other.counts)
        for key, more in other.tokens.items():
            self.tokens.setdefault(key, Occurrences()).merge(more)

    def describe(self, made: statistics_pb2.FeatureNameStatistics, asked: TokenQuestions) -> None:
        """Adds the custom statistic that TFDV makes of natural language."""
        stats = _Stats()
        if self.counted:
            stats.feature_coverage = self.known / self.counted
        if self.known:
            stats.avg_token_length = self.characters / self.known
            stats.token_length_histogram.CopyFrom(by_quantiles(self.lengths.table()))
            add_ranks(self.counts, stats.rank_histogram)
        lengths = self.sequence_lengths.table()
        if len(lengths[0]):
            stats.min_sequence_length, stats.max_sequence_length = lengths[0][[0, -1]].tolist()
            stats.sequence_length_histogram.CopyFrom(by_quantiles(lengths))
        for token in asked.counted:
            held = self.tokens.get(json.dumps(token), Occurrences())
            held.describe(stats.token_statistics.add(), token)
        made.custom_stats.add(name=NAME).any.Pack(stats)


@dataclass
class _Kinds:
    """Different tokens, as texts and as numbers; null where the vocabulary does not tell."""

    texts: pa.StringArray
    numbers: pa.Int64Array
    known: np.ndarray

    @classmethod
    def of(cls, tokens: pa.Array, asked: TokenQuestions) -> "_Kinds":
        vocabulary = asked.vocabulary
        if pa.types.is_integer(tokens.type):
            if vocabulary is None:
                texts = pa.nulls(len(tokens), pa.string())
            else:
                places = tokens.to_numpy()
                inside = (places >= 0) & (places < len(vocabulary))
                texts = vocabulary.take(pa.array(np.where(inside, places, 0), mask=~inside))
            return cls(texts, tokens, _mask(texts.is_valid()))
        texts = tokens.cast(pa.string())
        if vocabulary is None:
            return cls(texts, pa.nulls(len(texts), pa.int64()), np.ones(len(texts), bool))
        numbers = pc.index_in(texts, value_set=vocabulary).cast(pa.int64())
        return cls(texts, numbers, _mask(numbers.is_valid()))

    def are(self, wanted: tuple[Token, ...]) -> np.ndarray:
        """Returns which tokens are among some tokens of a schema."""
        texts = pa.array([each for each in wanted if isinstance(each, str)], pa.string())
        numbers = pa.array([each for each in wanted if isinstance(each, int)], pa.int64())
        found: np.ndarray = _mask(pc.is_in(self.texts, texts)) | _mask(
            pc.is_in(self.numbers, numbers)
        )
        return found


@dataclass
class _Sequences:
    """Tokens by their codes, the rows that they are of, ascending, and how many each row has."""

    rows: np.ndarray
    codes: np.ndarray
    lengths: np.ndarray

    def number_of(self, kinds: np.ndarray) -> np.ndarray:
        """Returns how many tokens of some kinds each sequence has."""
        number: np.ndarray = np.bincount(self.rows[kinds[self.codes]], minlength=len(self.lengths))
        return number

    def occurrences(self, kinds: np.ndarray) -> Occurrences:
        """Returns where tokens of some kinds are."""
        filled = self.lengths > 0
        found = self.number_of(kinds)[filled]
        if not len(found):
            return Occurrences(len(self.lengths))
        at = np.flatnonzero(kinds[self.codes])
        rows = self.rows[at]
        before = np.cumsum(self.lengths) - self.lengths
        parts = (at - before[rows]) * _PARTS // self.lengths[rows]
        return Occurrences(
            len(self.lengths),
            int(filled.sum()),
            int(np.count_nonzero(found)),
            int(found.sum()),
            int(found.min()),
            int(found.max()),
            np.bincount(parts, minlength=_PARTS),
        )


def _mask(array: pa.BooleanArray) -> np.ndarray:
    mask: np.ndarray = array.to_numpy(zero_copy_only=False)
    return mask
