"""How `Read` and `Write` work with tables."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from transforms.coders import Batches
from transforms.commit.commit import Commit
from transforms.commit.ledger import Target
from transforms.errors import ConfigError
from transforms.io.bigquery.append.once import AppendOnce
from transforms.io.bigquery.append.write import AppendBigQuery
from transforms.io.bigquery.read import ReadBigQuery
from transforms.io.bigquery.sink import AT_LEAST_ONCE, BY_STATE, ONCE, BigQuerySink
from transforms.io.bigquery.source import BigQuerySource
from transforms.io.bigquery.write import WriteBigQuery

if TYPE_CHECKING:
    from transforms.io.read import Read
    from transforms.io.write import Write


def read_rows(root: Any, source: BigQuerySource, verb: "Read") -> Batches:
    """Reads the rows of a table."""
    batches: Batches = root | "BigQuery" >> ReadBigQuery(
        source, verb.max_rows, verb.dead_letters, verb.after
    )
    return batches


def write_rows(batches: Batches, verb: "Write") -> None:
    """Stages rows for the commit of their run; a write without a run commits itself.

    Raises:
      ConfigError: The URI asks for what its rows can't have.
    """
    if verb.shards is not None:
        raise ConfigError("--shards is for files: a table has none. Leave it out")
    sink = BigQuerySink.resolve(verb.uri, endless=not batches.is_bounded)
    if not batches.is_bounded and sink.growth:
        raise ConfigError("--allow_schema_growth is for tables that are loaded, not for messages")
    if not batches.is_bounded and sink.delivery != ONCE:
        append = AppendOnce if sink.delivery == BY_STATE else AppendBigQuery
        sent = batches | "BigQuery" >> append(sink, verb.dead_letters)
        if verb.commit is not None:
            verb.commit.published(sent, verb.uri)
        return
    if batches.is_bounded and sink.delivery != ONCE:
        raise ConfigError(
            f"{verb.uri!r}: delivery={sink.delivery} is for messages; rows that have an end are "
            "loaded once, by one job. Leave it out"
        )
    if not batches.is_bounded and verb.commit is None:
        raise ConfigError(
            f"{verb.uri!r}: rows without end need a commit (StreamCommit) to be there once: pass "
            f"one, or add ?delivery={AT_LEAST_ONCE}"
        )
    commit = verb.commit or Commit("write")
    refused = batches | "BigQuery" >> WriteBigQuery(
        sink, verb.uri, commit, verb.dead_letters, verb.target_bytes
    )
    if refused is not None and verb.dead_letters is not None:
        verb.dead_letters.take(refused, "Append")
    if verb.commit is None:
        commit.prepare()
        commit.close()


def append_letters(batches: Batches, target: Target) -> None:
    """Appends dead letters without end to their table as they come."""
    sink = BigQuerySink.resolve(target.uri, endless=True)
    sink = replace(sink, partition=sink.partition or "timestamp")
    append = AppendOnce if sink.delivery == BY_STATE else AppendBigQuery
    # One that the table refuses has no further door: it fails, and says why.
    _ = batches | "AppendLetters" >> append(sink)
