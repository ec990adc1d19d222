"""AppendOnce: rows without end to a table, each once, where the runner keeps its state."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.coders import StrUtf8Coder, TupleCoder, VarIntCoder
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagStateSpec,
    ReadModifyWriteStateSpec,
    TimerSpec,
    on_timer,
)
from google.api_core import exceptions

from transforms import progress
from transforms.coders import Batches, RecordBatchCoder
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.io.bigquery.append.appending import Appending, Closed, Refusal
from transforms.io.bigquery.append.connection import Connection
from transforms.io.bigquery.append.placed import Answer, Entry, Place, Progress, advance, placed
from transforms.io.bigquery.append.refused import split_refused
from transforms.io.bigquery.append.requests import Part, parts_of, too_large
from transforms.io.bigquery.append.table import body, made_fields
from transforms.io.bigquery.clients import explained, write_client
from transforms.io.bigquery.fit import fit
from transforms.io.bigquery.patience import tried
from transforms.io.bigquery.sink import BigQuerySink
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, Outcome, join_rejects
from transforms.verb import Verb

SHARDS = 16
"""Into how many streams rows are appended at a time: one request waits for its answer in each."""


class Streams:
    """Committed streams of a table, by Google's client.

    Args:
      client: Google's `BigQueryWriteClient`.
      path: The table, as the Storage API names it.
    """

    def __init__(self, client: Any, path: str) -> None:
        self._client, self._path = client, path
        self._open: Appending | None = None

    def make(self) -> str:
        """Makes a stream; returns its name."""
        kind = {"type_": "COMMITTED"}
        make = self._client.create_write_stream
        return str(tried(lambda: make(parent=self._path, write_stream=kind, retry=None)).name)

    def close(self, stream: str) -> int:
        """Closes a stream for good; returns its number of rows."""
        close = self._client.finalize_write_stream
        return int(tried(lambda: close(name=stream, retry=None)).row_count)

    def offer(self, stream: str, offset: int, rows: pa.RecordBatch) -> Answer:
        """Appends rows at an offset, unless they are there."""
        if self._open is None or self._open.stream != stream:
            self.end()
            self._open = Appending(lambda: Connection(self._client, stream), stream, offset)
        part = Part.of(rows, np.arange(rows.num_rows))
        try:
            instead, refused = self._open.offer(part, offset)
        except Closed:
            return Answer(closed=True)
        numbers = None if instead is None else [each.numbers for each in instead]
        return Answer(instead=numbers, refused=tuple(refused))

    def end(self) -> None:
        """Ends the connection."""
        if self._open is not None:
            self._open.close()
        self._open = None


class _FitFn(beam.DoFn):
    """Fits batches to the table, and rejects rows that no request can hold."""

    def __init__(self, sink: BigQuerySink) -> None:
        self.sink, self.fields = sink, sink.fields

    def process(self, rows: pa.RecordBatch) -> Iterator[Outcome]:
        if not rows.num_rows:
            yield rows, NO_REJECTS
            return
        if self.fields is None:
            self.fields = made_fields(self.sink, rows.schema)
        fitted, rejects = fit(body(rows, self.fields), self.fields)
        large = [int(part.numbers[0]) for part in parts_of(fitted) if too_large(part)]
        why = "is larger than a request may be"
        good, more = split_refused(fitted, [Refusal(n, Reason.OVERSIZED, why) for n in large])
        yield good, join_rejects([rejects, more])


class _ShardFn(beam.DoFn):
    """Deals batches out to the shards."""

    def start_bundle(self) -> None:
        self.shard = int(np.random.default_rng().integers(SHARDS))

    def process(self, rows: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
        if rows.num_rows:
            self.shard = (self.shard + 1) % SHARDS
            yield self.shard, rows.replace_schema_metadata(None)


class _ServedFn(beam.DoFn):
    """Has a client of the table."""

    def __init__(self, sink: BigQuerySink) -> None:
        self.sink = sink

    def setup(self) -> None:
        self.client = write_client()
        self.streams = Streams(self.client, self.sink.address.path)

    def teardown(self) -> None:
        self.streams.end()
        self.client.transport.close()


_PLACE = beam.DoFn.StateParam(ReadModifyWriteStateSpec("place", StrUtf8Coder()))


class _PlaceFn(_ServedFn):
    """Gives rows their places in streams; what it says holds once the runner has kept it."""

    def process(
        self,
        element: tuple[int, pa.RecordBatch],
        place: Any = _PLACE,
    ) -> Iterator[tuple[str, tuple[int, int, pa.RecordBatch]]]:
        """Returns rows as entries, each with the stream that it is for."""
        parts = list(parts_of(element[1]))
        try:
            made, then = placed(parts, Place.parsed(place.read()), self.streams.make, time.time())
        except exceptions.GoogleAPIError as error:
            raise explained(error, self.sink.address, "write") from None
        place.write(then.dumped())
        yield from ((stream, tuple(entry)) for stream, entry in made)


_ENTRY = TupleCoder((VarIntCoder(), VarIntCoder(), RecordBatchCoder()))
_AGAIN = TimerSpec("append-again", TimeDomain.WATERMARK)
_KNOWN_PARAM = beam.DoFn.StateParam(ReadModifyWriteStateSpec("known", StrUtf8Coder()))
_WAITING_PARAM = beam.DoFn.StateParam(BagStateSpec("waiting", _ENTRY))
_AGAIN_PARAM = beam.DoFn.TimerParam(_AGAIN)


class _AppendFn(_ServedFn):
    """Appends rows at their places, a stream's one after another."""

    def process(
        self,
        element: tuple[str, tuple[int, int, pa.RecordBatch]],
        known: Any = _KNOWN_PARAM,
        waiting: Any = _WAITING_PARAM,
        again: Any = _AGAIN_PARAM,
        moment: Any = beam.DoFn.TimestampParam,
    ) -> Iterator[Outcome]:
        """Appends rows, if it is their turn."""
        kept = known, waiting, lambda: again.set(moment)
        yield from self._advance(element[0], [Entry(*element[1])], *kept)

    @on_timer(_AGAIN)
    def go_on(
        self,
        stream: str = beam.DoFn.KeyParam,
        known: Any = _KNOWN_PARAM,
        waiting: Any = _WAITING_PARAM,
        again: Any = _AGAIN_PARAM,
        moment: Any = beam.DoFn.TimestampParam,
    ) -> Iterator[Outcome]:
        """Goes on where a refusal had to be kept first."""
        yield from self._advance(stream, [], known, waiting, lambda: again.set(moment))

    def _advance(
        self, stream: str, new: list[Entry], known: Any, waiting: Any, again: Callable[[], None]
    ) -> Iterator[Outcome]:
        before = Progress.parsed(known.read()) or Progress(stream)
        entries = [*(Entry(*each) for each in waiting.read()), *new]
        try:
            outcome = advance(before, entries, self.streams)
        except exceptions.GoogleAPIError as error:
            raise explained(error, self.sink.address, "write") from None
        waiting.clear()
        for entry in outcome.waiting:
            waiting.add(tuple(entry))
        if outcome.progress is None:
            known.clear()
            return
        known.write(outcome.progress.dumped())
        if outcome.again:
            again()
        progress.add("write", rows=outcome.progress.next - before.next)
        for entry, refused in outcome.refused:
            yield split_refused(entry.rows, refused)


@dataclass
class AppendOnce(Verb):
    """Appends rows without end to a table as they come, each once.

    The runner must keep its state, and do again what it has not kept: Dataflow does. Rows get a
    place in a stream first, and are sent once that is kept.

    Args:
      sink: The table.
      dead_letters: Takes the rows that don't fit, or that the service refuses; without it they fail
        the pipeline.
    """

    sink: BigQuerySink
    dead_letters: DeadLetters | None = None

    def expand(self, batches: Batches) -> Any:
        """Returns nothing: the rows are in the table."""
        outcomes = batches | "Fit" >> beam.ParDo(_FitFn(self.sink))
        # A builtin tuple's hint would be taken for Any, and batches pickled.
        outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        fitted = split_rejects(outcomes, self.dead_letters, "Write")
        whole = fitted | "Whole" >> beam.WindowInto(beam.window.GlobalWindows())
        dealt = whole | "Shards" >> beam.ParDo(_ShardFn())
        dealt.element_type = beam.typehints.Tuple[int, pa.RecordBatch]
        entries = dealt | "Place" >> beam.ParDo(_PlaceFn(self.sink))
        kind = beam.typehints.Tuple
        entries.element_type = kind[str, kind[int, int, pa.RecordBatch]]
        refused = entries | "Append" >> beam.ParDo(_AppendFn(self.sink))
        refused.element_type = kind[pa.RecordBatch, pa.RecordBatch]
        return refused | "Refused" >> _Refused(self.dead_letters)


@dataclass
class _Refused(Verb):
    """Has rows that the service refused leave by the door."""

    dead_letters: DeadLetters | None

    def expand(self, outcomes: Any) -> Any:
        return split_rejects(outcomes, self.dead_letters, "Append")
