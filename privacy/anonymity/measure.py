"""KAnonymity and LDiversity: how well all rows hide among each other, as verbs."""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa

from privacy.anonymity.classes import Measure, class_counts, measured, merged_classes
from transforms.coders import Batches
from transforms.errors import ConfigError
from transforms.keys.partition import check_key
from transforms.merging import MergedFn
from transforms.verb import Verb

SHARDS = 32


@dataclass
class KAnonymity(Verb):
    """Measures the k-anonymity of rows: with how many others each shares its quasi-identifiers.

    Hashes of 128 bits go through a shuffle, one for each class of a batch, and no value.

    Args:
      columns: The quasi-identifiers: numbers, texts, times. Null is a value like any other.
      k: What is asked for; classes of fewer rows are counted.

    Returns: One `Measure` of all rows of a window.

    Raises:
      ConfigError: When constructed without columns; from the workers, if a batch lacks a column.
    """

    columns: Sequence[str]
    k: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        _check("KAnonymity", self.columns, "k", self.k)

    def expand(self, batches: Batches) -> "beam.PCollection[Measure]":
        """Counts the rows of each class, by shards of classes."""
        return _measured(batches, tuple(self.columns), None, self.k)


@dataclass
class LDiversity(Verb):
    """Measures the distinct l-diversity of rows: how many sensitive values each class has.

    Args:
      columns: The quasi-identifiers; see `KAnonymity`.
      sensitive: The column that nobody should learn. Null is a value like any other.
      l: What is asked for; classes of fewer different values are counted.

    Returns: One `Measure` of all rows of a window.

    Raises:
      ConfigError: When constructed without columns, or if the sensitive one is among them; from
        the workers, if a batch lacks a column.
    """

    columns: Sequence[str]
    sensitive: str
    l: int = 2  # noqa: E741

    def __post_init__(self) -> None:
        super().__post_init__()
        _check("LDiversity", self.columns, "l", self.l)
        if self.sensitive in self.columns:
            raise ConfigError(f"LDiversity: {self.sensitive!r} is a quasi-identifier, and so known")

    def expand(self, batches: Batches) -> "beam.PCollection[Measure]":
        """Counts the different values of each class, by shards of classes."""
        return _measured(batches, tuple(self.columns), self.sensitive, self.l)


def _check(verb: str, columns: Sequence[str], name: str, asked: int) -> None:
    check_key(verb, columns, SHARDS)
    if asked < 1:
        raise ConfigError(f"{verb}: {name} is {asked}, but at least 1")


def _measured(
    batches: Batches, columns: tuple[str, ...], sensitive: str | None, asked: int
) -> "beam.PCollection[Measure]":
    parts = functools.partial(_parts, columns=columns, sensitive=sensitive)
    typed = beam.typehints.Tuple[int, pa.RecordBatch]
    classes = batches | "Classes" >> beam.FlatMap(parts).with_output_types(typed)
    measure = functools.partial(_of_shard, asked=asked, diversity=sensitive is not None)
    found = classes | beam.GroupByKey() | "Measure" >> beam.Map(measure).with_output_types(Measure)
    whole: beam.PCollection[Measure] = (
        found | "Whole" >> beam.CombineGlobally(MergedFn(Measure)).without_defaults()
    )
    return whole


def _parts(
    batch: pa.RecordBatch, columns: tuple[str, ...], sensitive: str | None
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yields the classes of a batch by shard; shard 0 always, for a measure of no row."""
    classes = class_counts(batch, columns, sensitive)
    shards = np.asarray(classes.column(0)) % np.uint64(SHARDS)
    for shard in sorted({0, *np.unique(shards).tolist()}):
        yield shard, classes.filter(pa.array(shards == shard))


def _of_shard(shard: tuple[int, Iterable[pa.RecordBatch]], asked: int, diversity: bool) -> Measure:
    return measured(merged_classes(shard[1]), asked, diversity)
