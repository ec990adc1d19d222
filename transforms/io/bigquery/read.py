"""ReadBigQuery: a table to batches, each stream of a read session on its own."""

import contextlib
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import apache_beam as beam
import pyarrow as pa

from transforms import progress
from transforms.batches import MAX_BYTES, MAX_ROWS, rebatch, slice_rows, with_source
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, Unrecorded, split_rejects
from transforms.commit.ledger import Entry
from transforms.commit.outputs import RunCommit
from transforms.conform import conform
from transforms.files.ahead import side_by_side
from transforms.io.bigquery.clients import read_client
from transforms.io.bigquery.query import forget_tables
from transforms.io.bigquery.source import BigQuerySource
from transforms.io.bigquery.streams import ReadStream, open_session, read_stream
from transforms.rejects import NO_REJECTS, Outcome, rejected_rows
from transforms.verb import Verb

Streams: TypeAlias = tuple[ReadStream, ...]
TOGETHER = 1
"""Most streams that a worker reads side by side. With two the clock gains a tenth on two cores, and
memory grows: by 20 to 60 MiB from four million rows to eight, as each thread keeps pages."""
GROUPS = 8
"""Groups of streams that there are at least, where there are as many streams."""


def read_table(source: BigQuerySource, max_rows: int = MAX_ROWS) -> Iterator[Outcome]:
    """Reads a table in this process, stream after stream, up to its limit.

    Args:
      source: What to read.
      max_rows: Most rows of a batch.

    Yields: Rows with the source's schema, and rejects.
    """
    left = source.limit
    streams = open_session(source)
    with read_client() as client:
        for stream in streams:
            for rows, rejects in stream_batches(client, source, stream, max_rows):
                kept = rows if left is None else slice_rows(rows, 0, left)
                yield kept, rejects
                left = None if left is None else left - kept.num_rows
                if left == 0:
                    return


def stream_batches(
    client: Any, source: BigQuerySource, stream: ReadStream, max_rows: int = MAX_ROWS
) -> Iterator[Outcome]:
    """Reads one stream.

    Args:
      client: Google's.
      source: The table.
      stream: Which part.
      max_rows: Most rows of a batch.

    Yields: Rows with the source's schema and a note of where they stood in the stream; and rejects,
      which only a column whose type was changed since can make.
    """
    place, position = f"{source.origin}/stream{stream.number}", 1
    for batch in rebatch(read_stream(client, source, stream), max_rows, MAX_BYTES):
        noted = with_source(batch, place, position)
        position += batch.num_rows
        rows, rejects = conform(noted, source.schema)
        yield with_note(rows, noted), rejects


def with_note(rows: pa.RecordBatch, noted: pa.RecordBatch) -> pa.RecordBatch:
    """Returns rows that bear a note of their origin, which a cast may have dropped."""
    if rows.schema.metadata or rows.num_rows != noted.num_rows:
        return rows
    return rows.replace_schema_metadata(noted.schema.metadata)


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, f.type) for f in schema], schema=schema)


def _when_ready(streams: Streams, ready: Iterable[Any]) -> Streams:
    """Returns streams; the runner calls it once the other collection is complete."""
    return streams


def in_groups(streams: list[ReadStream]) -> list[Streams]:
    """Groups streams that one worker reads side by side, without leaving others idle."""
    size = max(1, min(TOGETHER, len(streams) // GROUPS))
    return [tuple(streams[start : start + size]) for start in range(0, len(streams), size)]


def _forget(_: bytes, source: BigQuerySource, tallies: list[Entry]) -> None:
    """Deletes the table of a query, once all of it was read."""
    forget_tables([source.address.name])


class _PlanFn(beam.DoFn):
    """A table to the streams of one session, in groups; without rows to a group of none."""

    def process(self, source: BigQuerySource) -> Iterator[Streams]:
        yield from in_groups(open_session(source)) or [()]


class _ReadFn(beam.DoFn):
    """Streams to batches, with a tally of the rows at the end of each group."""

    def __init__(self, source: BigQuerySource, max_rows: int) -> None:
        self.source, self.max_rows = source, max_rows
        self.rows = beam.metrics.Metrics.counter("Read", "rows_in")

    def setup(self) -> None:
        self.held = contextlib.ExitStack()
        self.client = self.held.enter_context(read_client())

    def teardown(self) -> None:
        self.held.close()

    def process(self, streams: Streams | None) -> Iterator[Any]:
        """Reads streams side by side; None stands for the whole table, up to its limit."""
        total, yielded = 0, False
        sources = self._outcomes(streams)
        for rows, rejects in side_by_side(sources, len(sources) + 1):
            found = rows.num_rows + rejected_rows(rejects)
            total += found
            self.rows.inc(found)
            progress.add("read", rows=found)
            yield rows, rejects
            yielded = True
        if not yielded:
            yield _no_rows(self.source.schema), NO_REJECTS
        size = self.source.bytes if streams is None else sum(each.weight for each in streams)
        progress.add("read", bytes=size)
        yield beam.pvalue.TaggedOutput("tally", Entry("read", "Read", rows=total))

    def _outcomes(self, streams: Streams | None) -> list[Iterator[Outcome]]:
        if streams is None:
            return [read_table(self.source, self.max_rows)]
        return [stream_batches(self.client, self.source, each, self.max_rows) for each in streams]


@dataclass
class ReadBigQuery(Verb):
    """Reads a BigQuery table as batches, all with one schema; the order is BigQuery's own.

    Args:
      source: The table.
      max_rows: Most rows of a batch.
      dead_letters: Takes rows that can't be read; without it they are errors.
      after: A collection that must be complete before the first row is read.
    """

    source: BigQuerySource
    max_rows: int = MAX_ROWS
    dead_letters: DeadLetters | None = None
    after: "beam.PCollection[Any] | None" = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_rows < 1:
            raise ValueError("ReadBigQuery: max_rows is at least 1")

    def expand(self, root: Any) -> Batches:
        """Applies it."""
        progress.expect("read", bytes=self.source.bytes)
        if self.source.limit is None:
            table = root | "Table" >> beam.Create([self.source], reshuffle=False)
            # One session for all: a stream that is read again is of the same session.
            streams = table | "Session" >> beam.ParDo(_PlanFn()).with_output_types(Streams)
            streams = streams | "Spread" >> beam.Reshuffle()
        else:
            streams = root | "InOrder" >> beam.Create([None], reshuffle=False)
        if self.after is not None:
            ready = beam.Map(_when_ready, beam.pvalue.AsIter(self.after))
            streams = streams | "Wait" >> ready.with_output_types(Streams | None)
        read = streams | "Stream" >> beam.ParDo(_ReadFn(self.source, self.max_rows)).with_outputs(
            "tally", main="outcomes"
        )
        # A builtin tuple's hint would be taken for Any, and batches pickled.
        read.outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        if self.dead_letters is not None:
            self.dead_letters.tally(read.tally)
            # Rows that are read a second time are in the manifest already.
            if not isinstance(self.dead_letters, Unrecorded):
                self._tell(self.dead_letters.commit)
        elif self.source.query is not None:
            once = root | "Once" >> beam.Impulse()
            _ = once | "Forget" >> beam.Map(_forget, self.source, beam.pvalue.AsList(read.tally))
        return split_rejects(read.outcomes, self.dead_letters, "Read")

    def _tell(self, commit: RunCommit) -> None:
        """Tells the manifest what is read as of when; the table of a query goes with the run."""
        source = self.source
        told = {"uri": source.uri, "bytes": source.bytes}
        if source.query is not None:
            told["job"] = source.query.job_id
            commit.after.append(functools.partial(forget_tables, [source.address.name]))
        elif source.snapshot is not None:
            moments = commit.manifest.setdefault("snapshots", {})
            moments[source.address.uri] = source.snapshot.isoformat()
        reads = commit.manifest.setdefault("tables_read", [])
        if told not in reads:
            reads.append(told)
