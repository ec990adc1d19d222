"""How `Read` and `Write` work with tables."""

from typing import TYPE_CHECKING, Any

from transforms.coders import Batches
from transforms.commit.commit import Commit
from transforms.errors import ConfigError
from transforms.io.bigquery.read import ReadBigQuery
from transforms.io.bigquery.sink import BigQuerySink
from transforms.io.bigquery.source import BigQuerySource
from transforms.io.bigquery.write import WriteBigQuery

if TYPE_CHECKING:
    from transforms.io.read import Read
    from transforms.io.write import Write


def read_rows(root: Any, source: BigQuerySource, verb: "Read") -> Batches:
    """Reads the rows of a table."""
    batches: Batches = root | "BigQuery" >> ReadBigQuery(source, verb.max_rows, verb.dead_letters)
    return batches


def write_rows(batches: Batches, verb: "Write") -> None:
    """Stages rows for the commit of their run; a write without a run commits itself."""
    if verb.shards is not None:
        raise ConfigError("--shards is for files: a table has none. Leave it out")
    commit = verb.commit or Commit("write")
    sink = BigQuerySink.resolve(verb.uri)
    _ = batches | "BigQuery" >> WriteBigQuery(
        sink, verb.uri, commit, verb.dead_letters, verb.target_bytes
    )
    if verb.commit is None:
        commit.prepare()
        commit.close()
