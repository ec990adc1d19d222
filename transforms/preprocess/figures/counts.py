"""Counts: all different texts and how often each came, exactly, as a vocabulary needs them."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import ConfigError
from transforms.preprocess.figures.numbers import finite

MOST_BYTES = 2 << 30
"""Texts of a vocabulary that one machine holds."""


def _none() -> pa.LargeBinaryArray:
    return pa.array([], pa.large_binary())


@dataclass
class Counts:
    """Different texts with their numbers: exact, in memory in the order of their size.

    Attributes:
      values: Different texts, as bytes.
      counts: How often each came.
      latest: Texts that were not joined yet, some of them maybe in `values` too.
      latest_counts: How often each of them came.
    """

    values: pa.LargeBinaryArray = field(default_factory=_none)
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    latest: pa.LargeBinaryArray = field(default_factory=_none)
    latest_counts: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, values: pa.Array | np.ndarray) -> None:
        """Takes texts or numbers into account, none of them null."""
        if isinstance(values, np.ndarray):
            # Adding 0 makes one number of 0 and -0.
            values = pa.array(finite(values) + values.dtype.type(0))
        found = values.value_counts()
        self._put(texts_of(found.field(0)), np.asarray(found.field(1)))

    def repeat(self, value: bytes | np.generic, number: int) -> None:
        """Takes a text or a number into account, so often."""
        if number:
            self._put(texts_of(pa.array([value])), np.array([number]))

    def merge(self, other: "Counts") -> None:
        """Takes other counts into account."""
        self._put(other.values, other.counts)
        self._put(other.latest, other.latest_counts)

    def _put(self, values: pa.Array, counts: np.ndarray) -> None:
        """Takes different texts and their counts into account.

        They are joined once they are as many as are joined already, so that each text is moved
        about twice, however many batches there are.
        """
        self.latest = pa.concat_arrays([self.latest, values])
        self.latest_counts = np.concatenate([self.latest_counts, counts.astype(np.int64)])
        if len(self.latest) > max(4096, len(self.values)):
            self.join()

    def join(self) -> None:
        """Joins what was not joined yet.

        Raises:
          ConfigError: The texts are more than memory should hold.
        """
        if not len(self.latest):
            return
        values = pa.concat_arrays([self.values, self.latest])
        counts = np.concatenate([self.counts, self.latest_counts])
        coded = values.dictionary_encode()
        sums = np.zeros(len(coded.dictionary), np.int64)
        np.add.at(sums, coded.indices.to_numpy(), counts)
        self.values, self.counts = coded.dictionary, sums
        self.latest, self.latest_counts = _none(), np.zeros(0, np.int64)
        if self.values.nbytes > MOST_BYTES:
            raise ConfigError(
                f"a vocabulary has more than {MOST_BYTES >> 30} GiB of different texts, which does "
                "not fit in memory: use hash_strings, which needs no vocabulary, or a column with "
                "fewer different texts"
            )

    def ranked(self) -> tuple[pa.Array, np.ndarray]:
        """Returns texts and counts, the most frequent first, equal ones in reverse order."""
        self.join()
        table = pa.table({"value": self.values, "count": self.counts})
        order = pc.sort_indices(table, [("count", "descending"), ("value", "descending")])
        return self.values.take(order), self.counts[order.to_numpy()]

    @property
    def nbytes(self) -> int:
        """Its size."""
        held = self.values.nbytes + self.latest.nbytes
        return int(held + self.counts.nbytes + self.latest_counts.nbytes)


def texts_of(values: pa.Array) -> pa.Array:
    """Returns texts or numbers as bytes: numbers as they are written."""
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        values = values.cast(pa.large_string())
    return values.cast(pa.large_binary())
