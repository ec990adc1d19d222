"""AppendBigQuery: rows without end to a table's default stream, each at least once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
from google.api_core import exceptions

from transforms import progress
from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.io.bigquery.append.appending import Appending
from transforms.io.bigquery.append.connection import Connection
from transforms.io.bigquery.append.refused import split_refused
from transforms.io.bigquery.append.requests import parts_of
from transforms.io.bigquery.append.table import body, made_fields
from transforms.io.bigquery.clients import explained, write_client
from transforms.io.bigquery.fit import fit
from transforms.io.bigquery.patience import TRANSIENT
from transforms.io.bigquery.sink import BigQuerySink
from transforms.rejects import NO_REJECTS, Outcome, join_rejects
from transforms.verb import Verb


def append_batch(
    rows: pa.RecordBatch, fields: list[dict[str, Any]], appending: Appending
) -> Outcome:
    """Appends the rows of a batch that fit a table, and returns once the service has them.

    Args:
      rows: n rows.
      fields: The table's.
      appending: The stream.

    Returns: The rows that are in the table, and rejects: those that don't fit, and those that the
      service refuses.

    Raises:
      ConfigError: A column that the table lacks, or lacks a value for.
      GoogleAPICallError: The service is away.
    """
    fitted, rejects = fit(body(rows, fields), fields)
    good, refused = split_refused(fitted, appending.append(parts_of(fitted)))
    return good, join_rejects([rejects, refused])


class _AppendFn(beam.DoFn):
    """Appends batches; a bundle ends when all of its rows are at the service."""

    def __init__(self, sink: BigQuerySink) -> None:
        self.sink = sink

    def setup(self) -> None:
        self._client = write_client()
        self._fields = self.sink.fields
        stream = f"{self.sink.address.path}/streams/_default"
        # A table that was just made is not known everywhere at once.
        new = (exceptions.NotFound,) if self._fields is None else ()
        self._appending = Appending(
            lambda: Connection(self._client, stream), stream, passing=(*TRANSIENT, *new)
        )

    def process(self, rows: pa.RecordBatch) -> Iterator[Outcome]:
        if not rows.num_rows:
            yield rows, NO_REJECTS
            return
        if self._fields is None:
            self._fields = made_fields(self.sink, rows.schema)
        try:
            outcome = append_batch(rows, self._fields, self._appending)
        except exceptions.GoogleAPIError as error:
            raise explained(error, self.sink.address, "write") from None
        progress.add("write", rows=outcome[0].num_rows)
        yield outcome

    def teardown(self) -> None:
        self._appending.close()
        self._client.transport.close()


@dataclass
class AppendBigQuery(Verb):
    """Appends rows to a table as they come: each at least once, visible at once.

    Args:
      sink: The table; where it is not there, it is made of the first rows.
      dead_letters: Takes the rows that don't fit, or that the service refuses; None lets the first
        one fail the pipeline.

    Returns: The rows that are in the table.
    """

    sink: BigQuerySink
    dead_letters: DeadLetters | None = None

    def expand(self, batches: Batches) -> Batches:
        """Returns the rows that are in the table."""
        appended = batches | "Append" >> beam.ParDo(_AppendFn(self.sink))
        # A builtin tuple's hint would be taken for Any, and batches pickled.
        appended.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        return split_rejects(appended, self.dead_letters, "Write")
