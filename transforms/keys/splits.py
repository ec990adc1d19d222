"""Splits: rows parted for training and evaluation by a stable hash, alike in each run."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.arrow.types import is_list, plain_type
from transforms.batches import select_rows
from transforms.coders import Batches
from transforms.errors import ConfigError
from transforms.keys.key_hash import key_column, key_family, key_hash
from transforms.verb import Verb

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
SEED = 2
"""That of splits, so that they are independent of shards of the same key."""


@dataclass(frozen=True)
class Splits:
    """Named parts of the data.

    Attributes:
      buckets: Each part's name and how many of all buckets it has.
      key: The columns whose rows stay together; empty for all columns that can be a key.
    """

    buckets: tuple[tuple[str, int], ...]
    key: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, key: Sequence[str] = ()) -> "Splits":
        """Reads `train:2,eval:1`.

        Args:
          text: Names and numbers of buckets.
          key: The columns whose rows stay together.

        Raises:
          ConfigError: It is no such list.
        """
        found = []
        for part in text.split(","):
            name, _, number = part.strip().partition(":")
            if not _NAME.fullmatch(name) or not (number or "1").isdecimal() or number == "0":
                raise ConfigError(
                    f"--splits: {part.strip()!r} is no name with a number, such as train:2"
                )
            found.append((name, int(number or 1)))
        names = [name for name, _ in found]
        if len(set(names)) < len(names):
            raise ConfigError(f"--splits: {text!r} names a split twice")
        return cls(tuple(found), tuple(key))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parts."""
        return tuple(name for name, _ in self.buckets)

    def check(self, schema: pa.Schema) -> None:
        """Checks that a schema has the columns of the key.

        Raises:
          ConfigError: It lacks one, or one can't be part of a key.
        """
        nothing = pa.RecordBatch.from_pylist([], schema)
        for name in self._columns(schema):
            try:
                key_family(plain_type(key_column(nothing, name).type))
            except ConfigError as error:
                raise ConfigError(f"--split_key {name}: {error}") from None

    def masks(self, batch: pa.RecordBatch) -> dict[str, np.ndarray]:
        """Returns which rows of a batch are of each part: n booleans by name.

        A row is of bucket `key_hash(row, seed=SEED) % buckets`, counted through the parts.
        """
        total = sum(number for _, number in self.buckets)
        hashes = key_hash(batch, self._columns(batch.schema), SEED)
        bucket = (hashes % np.uint64(total)).astype(np.int64)
        ends = np.cumsum([number for _, number in self.buckets])
        part = np.searchsorted(ends, bucket, side="right")
        return {name: part == index for index, name in enumerate(self.names)}

    def _columns(self, schema: pa.Schema) -> tuple[str, ...]:
        return self.key or tuple(field.name for field in schema if _can_be_key(field.type))


def _can_be_key(type: pa.DataType) -> bool:
    plain = plain_type(type)
    if is_list(plain):
        return False
    try:
        key_family(plain)
    except ConfigError:
        return False
    return True


def split_rows(batch: pa.RecordBatch, splits: Splits) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yields each part of a batch with its name, also where it is empty; rows keep their order."""
    for name, mask in splits.masks(batch).items():
        yield name, select_rows(batch, mask)


class _PartFn(beam.DoFn):
    """Sends each part to an output of its name; the first is the main one."""

    def __init__(self, splits: Splits) -> None:
        self._splits = splits

    def process(self, batch: pa.RecordBatch) -> Iterator[Any]:
        main = self._splits.names[0]
        for name, rows in split_rows(batch, self._splits):
            yield rows if name == main else beam.pvalue.TaggedOutput(name, rows)


@dataclass
class SplitRows(Verb):
    """Parts rows by a stable hash, for training and evaluation, say.

    Args:
      splits: The parts.

    Returns: The rows of each part, by its name: a dict of collections of batches.

    Raises:
      ConfigError: From the workers, if a batch lacks a column of the key.
    """

    splits: Splits

    def expand(self, batches: Batches) -> Any:
        """Returns the rows of each part, by its name."""
        main, *others = self.splits.names
        parts = batches | "Part" >> beam.ParDo(_PartFn(self.splits)).with_outputs(
            *others, main=main
        )
        for name in self.splits.names:
            # Tagged outputs are untyped, and Beam would pickle their elements.
            parts[name].element_type = pa.RecordBatch
        return {name: parts[name] for name in self.splits.names}
