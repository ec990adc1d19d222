"""Unique: no two rows of the data with one key."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.batches import (
    MAX_ROWS,
    rebatch,
    row_origin,
    row_positions,
    row_sources,
    select_rows,
)
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.keys.key_hash import whole_keys, wide_hash
from transforms.keys.partition import PartitionByKey, check_key
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, Outcome, join_rejects, reject_rows
from transforms.verb import Verb


def unique_rows(batches: Iterable[pa.RecordBatch], columns: Sequence[str]) -> Iterator[Outcome]:
    """Parts the rows whose key an earlier row has from the rest.

    Keys are compared by `key_hash.wide_hash`. A key with a missing part equals no other key,
    as in SQL.

    Args:
      batches: Batches that can be gone through twice; of each row, 40 bytes are held. Which row is
        earlier is decided by file and position where the batches note them (`batches.with_source`),
        else by the order here.
      columns: The columns that make the key.

    Yields: For each batch the rows that stay, in order, and a reject for each of the others.

    Raises:
      ConfigError: A batch lacks a column, or it can't be part of a key.
    """
    stays = _first_of_each([_Keys.of(batch, columns) for batch in batches])
    only = columns[0] if len(columns) == 1 else None
    why = f"an earlier row has the same {', '.join(columns)}"
    start = 0
    for batch in batches:
        kept = stays[start : start + batch.num_rows]
        start += batch.num_rows
        if kept.all():
            yield batch, NO_REJECTS
            continue
        sources = row_sources(batch, np.flatnonzero(~kept))
        bad = select_rows(batch, ~kept)
        rejects = reject_rows(bad, Reason.DUPLICATE, why, column=only, sources=sources)
        yield select_rows(batch, kept), rejects


@dataclass(frozen=True)
class _Keys:
    """The keys of a batch's rows, whether they are whole, and where the rows came from."""

    ids: np.ndarray
    whole: np.ndarray
    file: str
    positions: np.ndarray | None

    @classmethod
    def of(cls, batch: pa.RecordBatch, columns: Sequence[str]) -> "_Keys":
        ids, whole = wide_hash(batch, columns), whole_keys(batch, columns)
        return cls(ids, whole, row_origin(batch)[0], row_positions(batch))


def _first_of_each(parts: list[_Keys]) -> np.ndarray:
    """Returns whether each row is the first of its key, or has none."""
    if not parts:
        return np.zeros(0, bool)
    ids = np.concatenate([part.ids for part in parts])
    rank = {file: place for place, file in enumerate(sorted({part.file for part in parts}))}
    files = np.concatenate([np.full(len(part.ids), rank[part.file]) for part in parts])
    starts = np.cumsum([0, *(len(part.ids) for part in parts)])
    positions = np.concatenate(
        [
            np.arange(start, start + len(part.ids)) if part.positions is None else part.positions
            for start, part in zip(starts, parts, strict=False)
        ]
    )
    order = np.lexsort((positions, files, *ids.T))
    again = (ids[order[1:]] == ids[order[:-1]]).all(axis=1)
    stays = ~np.concatenate([part.whole for part in parts])
    stays[order[:1]] = True
    stays[order[1:][~again]] = True
    return stays


class _UniqueFn(beam.DoFn):
    """The batches of a shard to outcomes."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns

    def process(self, shard: tuple[int, Iterable[pa.RecordBatch]]) -> Iterator[Outcome]:
        # A shard's part of a batch is small: they are joined again.
        held: list[Outcome] = []
        rows = 0
        for good, bad in unique_rows(shard[1], self.columns):
            held.append((good, bad))
            rows += good.num_rows + bad.num_rows
            if rows >= MAX_ROWS:
                yield from _joined(held)
                held, rows = [], 0
        yield from _joined(held)


def _joined(outcomes: list[Outcome]) -> Iterator[Outcome]:
    """Outcomes as few: the rejects go with the first."""
    rejects = join_rejects([bad for _, bad in outcomes])
    for rows in rebatch(good for good, _ in outcomes):
        yield rows, rejects
        rejects = NO_REJECTS


@dataclass
class Unique(Verb):
    """Lets the first row of each key pass, and rejects the others.

    The first row is the first in the input, by file and position; for messages, which have no
    position, it is any one of them. Rows with a missing part of the key all pass. All rows go
    through a shuffle, in which rows of one key meet, window by window; an unbounded input needs
    windows. A shard's worker holds 40 bytes for each of its rows; the local runner holds all
    shuffled rows.

    Args:
      columns: The columns that make the key: numbers, texts, times.
      shards: In how many parts the data is compared.
      dead_letters: Takes the repeated rows; if None, the first one fails the pipeline.

    Returns: The first row of each key, not in the order of the input.

    Raises:
      ConfigError: When constructed without columns or shards; from the workers, if a batch lacks a
        column.
    """

    columns: Sequence[str]
    shards: int = 32
    dead_letters: DeadLetters | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_key("Unique", self.columns, self.shards)

    def expand(self, batches: Batches) -> Batches:
        """Returns the first row of each key."""
        shards = batches | PartitionByKey(self.columns, self.shards) | beam.GroupByKey()
        outcomes = shards | "First" >> beam.ParDo(_UniqueFn(tuple(self.columns)))
        outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        return split_rejects(outcomes, self.dead_letters, "Unique")
