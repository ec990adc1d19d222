"""ValueCounts: which texts there are, and how often; exact while few differ."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import statistics_pb2

from transforms.keys import least_hashes
from transforms.metadata.long_texts import LONG, digest

EXACT = 4096
"""So many different values are counted exactly."""
KEPT = 1024
"""So many of the most frequent ones are kept, once there are more."""
KEPT_BYTES = 96 << 10
"""About so many bytes of them."""
DISTINCT_ERROR = 2 / least_hashes.KEPT**0.5
"""By which part an estimate of how many values differ is wrong, in one case of twenty."""
_NONE = np.zeros(0, np.uint64)


@dataclass
class ValueCounts:
    """Different values and their weights.

    Up to `EXACT` different ones all is exact. When they are more, the `KEPT` most frequent are
    kept by the rule of Misra and Gries (1982), merged as Agarwal et al. (PODS 2012) show: a weight
    is then too small by at most `error`, and what is not kept weighs no more than that. How many
    differ is then estimated by the least of their hashes.

    Attributes:
      values: Different values, as bytes.
      weights: What each weighs: how often it came, say.
      error: The most by which a weight is too small.
      hashes: The least hashes of all values (`least_hashes`), where not every value is kept.
    """

    values: pa.LargeBinaryArray = field(default_factory=lambda: pa.array([], pa.large_binary()))
    weights: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    error: float = 0.0
    hashes: np.ndarray | None = None

    @property
    def is_exact(self) -> bool:
        """Whether every value is there, with its weight."""
        return self.hashes is None

    def add(self, values: pa.Array, weights: np.ndarray | None = None) -> None:
        """Takes values into account.

        Args:
          values: Texts or bytes; null is none.
          weights: What each weighs; 1 by default.
        """
        if values.null_count:
            weights = None if weights is None else weights[values.is_valid().to_numpy(False)]
            values = values.drop_null()
        self._take(_bounded(values.cast(pa.large_binary())), weights)

    def merge(self, other: "ValueCounts") -> None:
        """Takes the values of other counts into account."""
        if other.hashes is not None:
            self._estimate(other.hashes)
        self.error += other.error
        self._take(other.values, other.weights, hashed=other.hashes is not None)

    def distinct(self) -> int:
        """Returns how many values differ: exactly, or within about `DISTINCT_ERROR`."""
        if self.hashes is None:
            return len(self.values)
        return least_hashes.distinct_values(self.hashes)

    def ranked(self) -> tuple[pa.Array, np.ndarray]:
        """Returns values and weights, the heaviest first, equal ones in reverse order."""
        table = pa.table({"value": self.values, "weight": self.weights})
        order = pc.sort_indices(table, [("weight", "descending"), ("value", "descending")])
        return self.values.take(order), self.weights[order.to_numpy()]

    def _take(self, values: pa.Array, weights: np.ndarray | None, hashed: bool = False) -> None:
        known = len(self.values)
        coded = pa.concat_arrays([self.values, values]).dictionary_encode()
        sums = _sums(coded.indices.to_numpy()[known:], weights, len(coded.dictionary))
        if known:
            # They come first, and each once: their codes are their places.
            sums = sums.astype(np.result_type(sums, self.weights), copy=False)
            sums[:known] += self.weights
        self.values, self.weights = coded.dictionary, sums
        if self.hashes is None and len(self.values) > EXACT:
            self._estimate(_NONE)
        elif self.hashes is not None and not hashed:
            self._estimate(least_hashes.hashes_of(self.values[known:]))
        if self.hashes is not None:
            self._prune()

    def _estimate(self, more: np.ndarray) -> None:
        """Takes hashes into account; the first time, those of all values, which are still kept."""
        if self.hashes is None:
            self.hashes = least_hashes.least(least_hashes.hashes_of(self.values))
        self.hashes = least_hashes.joined(self.hashes, more)

    def _prune(self) -> None:
        """Keeps the heaviest, each by so much lighter as the heaviest that goes."""
        if len(self.values) <= KEPT and self.values.nbytes <= KEPT_BYTES:
            return
        first = min(KEPT + 1, len(self.values))
        order = np.argpartition(-self.weights, first - 1)[:first]
        order = order[np.argsort(-self.weights[order], kind="stable")]
        sizes = np.cumsum(pc.binary_length(self.values.take(pa.array(order))).to_numpy())
        keep = min(KEPT, max(1, int(np.searchsorted(sizes, KEPT_BYTES))))
        if keep >= len(order):
            return
        less = self.weights[order[keep]]
        kept = order[:keep]
        kept = np.sort(kept[self.weights[kept] > less])
        self.values, self.weights = self.values.take(pa.array(kept)), self.weights[kept] - less
        self.error += float(less)


def add_ranks(counts: ValueCounts, histogram: statistics_pb2.RankHistogram) -> None:
    """Adds the values that are kept, the most frequent first."""
    values, weights = counts.ranked()
    for rank, (value, weight) in enumerate(zip(values.to_pylist(), weights, strict=True)):
        histogram.buckets.add(
            low_rank=rank,
            high_rank=rank,
            label=value.decode(errors="replace"),
            sample_count=weight,
        )


def _sums(codes: np.ndarray, weights: np.ndarray | None, number: int) -> np.ndarray:
    """Returns the weight of each code."""
    if weights is None:
        return np.bincount(codes, minlength=number)
    sums = np.zeros(number, weights.dtype)
    np.add.at(sums, codes, weights)
    return sums


def _bounded(values: pa.Array) -> pa.Array:
    """Returns the values, with digests in place of long ones."""
    longest = pc.max(pc.binary_length(values)).as_py()
    if longest is None or longest <= LONG:
        return values
    coded = values.dictionary_encode()
    long = pc.greater(pc.binary_length(coded.dictionary), LONG)
    short = [digest(value) for value in coded.dictionary.filter(long).to_pylist()]
    told = pc.replace_with_mask(coded.dictionary, long, pa.array(short, pa.large_binary()))
    return told.take(coded.indices)
