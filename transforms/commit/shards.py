"""Exactly so many shards: staged files are cut and joined once all rows are there."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

import apache_beam as beam
import pyarrow as pa

from transforms.coders import Batches
from transforms.commit.ledger import Entry, Target
from transforms.commit.stage import Stage, write_file
from transforms.files.filesystem import open_read
from transforms.verb import Verb


@dataclass(frozen=True)
class Piece:
    """A shard to be made of staged files: (path, first row, rows) of each."""

    index: int
    schema: pa.Schema
    parts: tuple[tuple[str, int, int], ...]


def cut_shards(staged: list[Entry], shards: int) -> list[Piece]:
    """Deals the rows of staged files, in their order, to a number of shards of equal size."""
    schema = pa.ipc.read_schema(pa.py_buffer(staged[0].schema))
    staged = sorted(staged, key=lambda entry: (entry.order, entry.path))
    total = sum(entry.rows for entry in staged)
    edges = [total * index // shards for index in range(shards + 1)]
    pieces = []
    for index in range(shards):
        low, high, start, parts = edges[index], edges[index + 1], 0, []
        for entry in staged:
            first, end = max(low, start), min(high, start + entry.rows)
            if first < end:
                parts.append((entry.path, first - start, end - first))
            start += entry.rows
        pieces.append(Piece(index, schema, tuple(parts)))
    return pieces


def _deal(entries: list[Entry], shards: int) -> Iterator[tuple[Entry | None, Piece | None]]:
    """Deals ledger entries to shards; entries that are no files are passed on."""
    staged = [entry for entry in entries if entry.kind == "staged"]
    yield from ((entry, None) for entry in entries if entry.kind != "staged")
    if staged:
        yield from ((None, piece) for piece in cut_shards(staged, shards))


def _merge(dealt: tuple[Entry | None, Piece | None], target: Target, step: str) -> Entry:
    """Writes the rows of a shard to a file of its own, in the format that was asked for."""
    entry, piece = dealt
    if entry is not None:
        return entry
    assert piece is not None
    path = f"{target.staging}/{step}-{uuid.uuid4().hex}{target.suffix}"
    rows = (batch for part in piece.parts for batch in _rows(*part))
    size = write_file(target, path, piece.schema, rows)
    total = sum(rows for _, _, rows in piece.parts)
    return Entry("staged", step, target.root, path, total, size, ("", piece.index))


def _rows(path: str, first: int, rows: int) -> Iterator[pa.RecordBatch]:
    """Returns some consecutive rows of a file staged as Arrow."""
    start = 0
    with open_read(path) as stream, pa.ipc.open_file(stream) as reader:
        for index in range(reader.num_record_batches):
            batch = reader.get_batch(index)
            low, high = max(first, start), min(first + rows, start + batch.num_rows)
            if low < high:
                yield batch.slice(low - start, high - low)
            start += batch.num_rows
            if start >= first + rows:
                return


@dataclass
class StageShards(Verb):
    """Stages batches as a given number of files of equal size, in the order of the input.

    The rows are written twice: to Arrow files by the bundles, then to the shards.

    Args:
      target: Where they go.
      step: The label under which they are counted.
      shards: How many files.

    Returns: One ledger entry a shard.
    """

    target: Target
    step: str
    shards: int

    def expand(self, batches: Batches) -> "beam.PCollection[Entry]":
        """Returns one ledger entry for each file."""
        # Arrow keeps every type, so that the copy to the shards loses nothing.
        waiting = replace(self.target, format="arrow", compression="", settings=())
        return (
            batches
            | Stage(waiting, self.step, in_order=True)
            | "Staged" >> beam.CombineGlobally(beam.combiners.ToListCombineFn())
            | "Deal" >> beam.FlatMap(_deal, self.shards)
            | "Spread" >> beam.Reshuffle()
            | "Merge" >> beam.Map(_merge, self.target, self.step).with_output_types(Entry)
        )
