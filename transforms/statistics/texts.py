"""Texts: what the statistics of a string or bytes feature need to know of its values."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import statistics_pb2

from transforms.statistics.images import Images
from transforms.statistics.semantics import DOMAIN_INFO, IMAGES, Sample
from transforms.statistics.sketches.levels import valid_of
from transforms.statistics.sketches.value_counts import ValueCounts, add_ranks

TOP_VALUES = 20
"""Most frequent values that stand apart, as TFDV has them; all that are known are in the ranks."""
NO_TEXT = "__BYTES_VALUE__"
"""Stands for all values that are not UTF-8, as in TFDV."""
COUNT_ERROR, DISTINCT_IS_EXACT = "count_error", "unique_is_exact"
"""Custom statistics: the most by which a frequency is too small, and whether `unique` is exact."""
WEIGHTED_COUNT_ERROR = "weighted_count_error"
"""The same of weighted frequencies."""


@dataclass
class Texts:
    """Values of a string feature, or of one of bytes.

    Attributes:
      counts: Different values, and how often each came.
      number: How many values.
      size: Their bytes.
      least, most: The fewest and most bytes of a value.
      not_text: How many are not UTF-8.
      weighted: By weights, where rows have any.
      is_bytes: Whether they are no texts, and are not to be.
      sample: Some of them, where it is wanted to know what they mean.
      images: What they are as images, then.
    """

    counts: ValueCounts = field(default_factory=ValueCounts)
    number: int = 0
    size: int = 0
    least: int = 0
    most: int = 0
    not_text: int = 0
    weighted: ValueCounts | None = None
    is_bytes: bool = False
    sample: Sample | None = None
    images: Images | None = None

    def add(self, array: pa.Array, weights: np.ndarray | None = None) -> None:
        """Takes values, none of them null, into account."""
        if not len(array):
            return
        lengths = pc.binary_length(array).to_numpy()
        self._size(len(array), int(lengths.sum()), int(lengths.min()), int(lengths.max()))
        if self.sample is not None and self.images is not None:
            self.sample.add(array)
            self.images.add(array)
        if not self.is_bytes:
            array, wrong = as_text(array)
            self.not_text += wrong
        self.counts.add(array)
        if weights is not None:
            self.weighted = self.weighted or ValueCounts()
            self.weighted.add(array, weights)

    def _size(self, number: int, size: int, least: int, most: int) -> None:
        self.least = min(self.least, least) if self.number else least
        self.most = max(self.most, most)
        self.number += number
        self.size += size

    def merge(self, other: "Texts") -> None:
        """Takes the values of others into account."""
        self.counts.merge(other.counts)
        if other.number:
            self._size(other.number, other.size, other.least, other.most)
        self.not_text += other.not_text
        if other.weighted is not None:
            self.weighted = self.weighted or ValueCounts()
            self.weighted.merge(other.weighted)
        if other.sample is not None and other.images is not None:
            self.sample, self.images = self.sample or Sample(), self.images or Images()
            self.sample.merge(other.sample)
            self.images.merge(other.images)

    def describe(self, made: statistics_pb2.FeatureNameStatistics) -> None:
        """Fills in the string statistics of a feature."""
        domain = self.sample.domain() if self.sample is not None else ""
        if domain:
            made.custom_stats.add(name=DOMAIN_INFO, str=domain)
        if self.images is not None and (self.is_bytes or domain == IMAGES):
            self.images.describe(made)
        if self.is_bytes:
            self._describe_bytes(made)
            return
        stats = made.string_stats
        made.type = statistics_pb2.FeatureNameStatistics.STRING
        if not self.number:
            return
        stats.unique = self.counts.distinct()
        stats.avg_length = self.size / self.number
        stats.invalid_utf8_count = self.not_text
        _describe_ranks(self.counts, stats)
        if self.weighted is not None:
            _describe_ranks(self.weighted, stats.weighted_string_stats)
        if not self.counts.is_exact:
            made.custom_stats.add(name=COUNT_ERROR, num=self.counts.error)
            made.custom_stats.add(name=DISTINCT_IS_EXACT, num=0)
            if self.weighted is not None:
                made.custom_stats.add(name=WEIGHTED_COUNT_ERROR, num=self.weighted.error)

    def _describe_bytes(self, made: statistics_pb2.FeatureNameStatistics) -> None:
        stats = made.bytes_stats
        made.type = statistics_pb2.FeatureNameStatistics.BYTES
        if self.number:
            stats.unique = self.counts.distinct()
            stats.avg_num_bytes = self.size / self.number
            stats.min_num_bytes, stats.max_num_bytes = self.least, self.most
            stats.max_num_bytes_int = self.most


def _describe_ranks(
    counts: ValueCounts,
    stats: statistics_pb2.StringStatistics | statistics_pb2.WeightedStringStatistics,
) -> None:
    add_ranks(counts, stats.rank_histogram)
    for bucket in stats.rank_histogram.buckets[:TOP_VALUES]:
        stats.top_values.add(value=bucket.label, frequency=bucket.sample_count)


def _is_utf8(array: pa.Array) -> bool:
    """Returns whether values are UTF-8, which Arrow does not check in files."""
    if not pa.types.is_string(array.type):
        return False
    data = array.buffers()[2]
    # What is ASCII, also where the array is a part of more, needs no closer look.
    if data is None or np.frombuffer(data, np.int8).min(initial=0) >= 0:
        return True
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def as_text(array: pa.Array) -> tuple[pa.Array, int]:
    """Strings or bytes as texts, a placeholder where they are none, and how many are not."""
    if _is_utf8(array):
        return array, 0
    array = array.cast(pa.binary())
    try:
        return array.cast(pa.large_string()), 0
    except pa.ArrowInvalid:
        coded = array.dictionary_encode()
    wrong = np.array([not _is_text(value) for value in coded.dictionary.to_pylist()])
    mask = wrong[coded.indices.fill_null(0).to_numpy()] & valid_of(array)
    texts = pc.replace_with_mask(
        array.cast(pa.large_binary()),
        pa.array(mask),
        pa.scalar(NO_TEXT.encode(), pa.large_binary()),
    )
    return texts.cast(pa.large_string()), int(mask.sum())


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
