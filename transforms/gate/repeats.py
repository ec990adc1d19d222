"""CountRepeats: how many rows have a key that another row has too."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.coders import Batches
from transforms.keys.key_hash import whole_keys, wide_hash
from transforms.keys.partition import check_key
from transforms.verb import Verb


@dataclass(frozen=True)
class _Keys:
    """Turns batches to the keys of their rows, by shard; a shard's keys meet."""

    columns: tuple[str, ...]
    shards: int

    def __call__(self, batch: pa.RecordBatch) -> Iterator[tuple[int, bytes]]:
        keys = wide_hash(batch, self.columns)[whole_keys(batch, self.columns)]
        shards = keys[:, 0] % np.uint64(self.shards)
        order = np.argsort(shards, kind="stable")
        ends = np.searchsorted(shards[order], np.arange(1, self.shards + 1))
        for shard, part in enumerate(np.split(keys[order], ends[:-1])):
            if len(part):
                yield shard, part.tobytes()


def _repeats(shard: tuple[int, Iterable[bytes]]) -> int:
    keys = np.frombuffer(b"".join(shard[1]), np.uint64).reshape(-1, 2)
    keys = keys[np.lexsort(keys.T)]
    return int((keys[1:] == keys[:-1]).all(axis=1).sum())


@dataclass
class CountRepeats(Verb):
    """Counts rows whose key came before, in any order of the rows.

    Keys are compared by `key_hash.wide_hash`; a key with a missing part equals no other key.
    16 bytes of each row go through a shuffle.

    Args:
      columns: The columns that make the key: numbers, texts, times.
      shards: In how many parts keys are compared.

    Returns: One number: all rows with a whole key, less those with one of their own.

    Raises:
      ConfigError: When constructed without columns or shards; from the workers, if a batch lacks a
        column.
    """

    columns: tuple[str, ...]
    shards: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        check_key("CountRepeats", self.columns, self.shards)

    def expand(self, batches: Batches) -> "beam.PCollection[int]":
        """Returns the number of repeated rows, as one value."""
        keys = batches | "Keys" >> beam.FlatMap(_Keys(self.columns, self.shards)).with_output_types(
            tuple[int, bytes]
        )
        counts = keys | beam.GroupByKey() | "Count" >> beam.Map(_repeats).with_output_types(int)
        return counts | "Sum" >> beam.CombineGlobally(sum)
