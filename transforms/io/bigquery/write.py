"""WriteBigQuery: batches to files of rows that fit a table, which the commit loads at once."""

from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.commit.outputs import TARGET_BYTES, RunCommit
from transforms.io.bigquery.append.table import body, log_fields
from transforms.io.bigquery.fit import check_loadable, fit, grown
from transforms.io.bigquery.sink import BigQuerySink
from transforms.rejects import Outcome
from transforms.schema.bigquery_types import bigquery_fields
from transforms.verb import Verb


def fit_batch(
    batch: pa.RecordBatch,
    fields: list[dict[str, Any]] | None,
    endless: bool = False,
    growth: bool = False,
) -> Outcome:
    """Fits rows to a table, or to the one that would be made of them; see `fit`.

    Args:
      batch: n rows.
      fields: The table's; None where there is none yet.
      endless: Whether they are rows of messages, which wait in a log before they are appended.
      growth: Whether columns that the table lacks are added to it.

    Returns: The rows that fit, and rejects. Of rows of messages the message's id is kept, also
      where the table lacks it.

    Raises:
      ConfigError: A column that the table can't take.
    """
    if endless:
        found = fields or bigquery_fields(batch.schema)
        known = log_fields(found)
        return fit(body(batch, known), known)
    if fields is None:
        fields = bigquery_fields(batch.schema)
        check_loadable(fields)
    return fit(batch, grown(fields, batch.schema) if growth else fields)


@dataclass
class WriteBigQuery(Verb):
    """Stages rows that fit a table; the commit makes all of them visible, or none.

    Rows without end are appended at the end of each window instead.

    Args:
      sink: The table.
      uri: As the user gave it.
      commit: The run it belongs to.
      dead_letters: Takes the rows that don't fit; without it they fail the pipeline.
      target_bytes: A file is ended at about this size.
    """

    sink: BigQuerySink
    uri: str
    commit: RunCommit
    dead_letters: DeadLetters | None = None
    target_bytes: int = TARGET_BYTES

    def expand(self, batches: Batches) -> Any:
        """Returns rejects that the commit makes, if any."""
        fit_each = beam.Map(fit_batch, self.sink.fields, self.commit.endless, self.sink.growth)
        outcomes = batches | "Fit" >> fit_each
        # A builtin tuple's hint would be taken for Any, and batches pickled.
        outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        fitted = split_rejects(outcomes, self.dead_letters, "Write")
        target = self.commit.target(self.uri)
        return self.commit.stage(fitted, target, "Write", target_bytes=self.target_bytes)
