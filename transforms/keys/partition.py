"""PartitionByKey: rows of one key to one shard, as batches."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.batches import take_rows
from transforms.coders import Batches
from transforms.errors import ConfigError
from transforms.keys.key_hash import key_hash
from transforms.verb import Verb


def partition_by_key(
    batch: pa.RecordBatch, columns: Sequence[str], shards: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Parts the rows of a batch by the hash of their key.

    Args:
      batch: n rows.
      columns: The columns that make the key.
      shards: How many shards there are; a row is of shard `key_hash(...) % shards`.

    Yields: Each shard that has rows, and its rows in order, with the note of where they came from.
      Of an empty batch, shard 0 and the batch, which has the columns.

    Raises:
      ConfigError: The batch lacks a column, or it can't be part of a key.
    """
    shard = (key_hash(batch, columns) % np.uint64(shards)).astype(np.int64)
    if not batch.num_rows:
        yield 0, batch
        return
    order = np.argsort(shard, kind="stable")
    found, starts = np.unique(shard[order], return_index=True)
    for number, rows in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
        yield number, take_rows(batch, rows)


@dataclass
class PartitionByKey(Verb):
    """Cuts batches by a stable hash of a key, so that rows of one key have one shard.

    The hash (`transforms.keys.key_hash`) is the same in each process and release, so data cut by
    one run can be joined by another. Group the result by key to bring a shard's rows together:
    grouping batches takes a seventh of the time of grouping rows.

    Args:
      columns: The columns that make the key: numbers, texts, times. Null is a key like any other.
      shards: How many shards there are.

    Returns: Pairs of a shard, from 0, and a batch of its rows.

    Raises:
      ConfigError: When constructed without columns or shards; from the workers, if a batch lacks a
        column.
    """

    columns: Sequence[str]
    shards: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_key("PartitionByKey", self.columns, self.shards)

    def expand(self, batches: Batches) -> Any:
        """Returns pairs of a shard and a batch of its rows."""
        part = functools.partial(partition_by_key, columns=tuple(self.columns), shards=self.shards)
        typed = beam.FlatMap(part).with_output_types(beam.typehints.Tuple[int, pa.RecordBatch])
        return batches | "Partition" >> typed


def check_key(verb: str, columns: Sequence[str], shards: int, argument: str = "columns") -> None:
    """Checks the configuration of a verb that works by key.

    Args:
      verb: Its name.
      columns: The columns that make the key.
      shards: In how many parts it works.
      argument: What the verb calls its columns.

    Raises:
      ConfigError: There are no columns, one is named twice, or there are no shards.
    """
    if isinstance(columns, str) or not columns:
        raise ConfigError(f"{verb}: {argument} is a list of the columns that make the key")
    if len(set(columns)) < len(columns):
        raise ConfigError(f"{verb}: {argument} names one twice")
    if shards < 1:
        raise ConfigError(f"{verb}: shards is {shards}, but at least 1")
