"""Moves rows from any source to any sink: python -m beam_jobs.ingest --input in/ --output out/."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from beam_jobs.launch import run
from beam_jobs.options.declare import option
from beam_jobs.options.privacy import PolicyOptions
from beam_jobs.options.rows import RowOptions
from beam_jobs.privacy.redaction import (
    Redaction,
    close_door,
    redacted,
    redaction_of,
    text_types,
)
from beam_jobs.running.run import Run
from beam_jobs.streaming.streams import read
from transforms.errors import ConfigError

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.io.inputs import Input
    from transforms.io.replay import Replay


@dataclass(frozen=True, kw_only=True)
class Options(RowOptions, PolicyOptions):
    """Moves rows from files or messages to files or messages, typed and committed.

    Examples:
      python -m beam_jobs.ingest --input 'trips/*.csv' --output trips_parquet/
      python -m beam_jobs.ingest --input trips.jsonl --schema trips.pbtxt --output trips.avro
      python -m beam_jobs.ingest --input trips.csv --policy policy.yaml --output trips_redacted/
      python -m beam_jobs.ingest --input out.dead_letters/ --replay --schema s.pbtxt --output again/
      python -m beam_jobs.ingest --input out.dead_letters/ --replay --payload csv --schema in.csv \
--output again/
      python -m beam_jobs.ingest --input pubsub://projects/p/subscriptions/trips \
--schema trips.pbtxt --output gs://bucket/trips/
    """

    replay: bool = option(
        "Read the rows and messages of dead letters again, after a fix: --input is dead letters.",
        default=False,
        group="Data",
    )
    payload: str = option(
        "The format of the payloads of dead letters: csv for lines of CSV files, json for lines of "
        "JSON. Rows that were read, and rejected by a later step, are read as json in both cases.",
        default="json",
        choices=("json", "csv", "tf_example", "arrow", "text"),
        group="Data",
        parent=("replay", ("true",)),
    )


Resolved: TypeAlias = "tuple[Input, Replay | None, Redaction | None]"


def resolve(options: Options) -> Resolved:
    """Looks at the input, and checks that the policy fits it."""
    from transforms.io.inputs import resolve_input

    redaction, replay = redaction_of(options.policy), None
    source: Input
    if options.replay:
        source, replay = replay_of(options)
    else:
        types = text_types(redaction)
        source = resolve_input(
            options.input, options.schema, types, options.limit, **options.streaming
        )
    if redaction is not None:
        redaction = redaction.fitted(source, replay and replay.schema)
    return source, replay, redaction


def replay_of(options: Options) -> "tuple[Input, Replay]":
    """Returns dead letters as an input, and the way their rows are read."""
    from transforms.commit.dead_letters import DEAD_LETTERS
    from transforms.io.file_source import Source
    from transforms.io.inputs import resolve_input
    from transforms.io.payloads.table import load_payload
    from transforms.io.replay import Replay
    from transforms.schema.arrow_schema import SCHEMA_SUFFIXES, read_schema

    if options.schema is None:
        raise ConfigError(
            "--replay needs --schema: dead letters don't tell what their rows hold. Give a schema "
            "file, or a file of rows such as the one they came from"
        )
    letters = resolve_input(options.input, DEAD_LETTERS, None, options.limit)
    if missing := sorted(set(DEAD_LETTERS.names) - set(letters.schema.names)):
        raise ConfigError(
            f"--replay: {letters.uri} holds no dead letters: it has no column {', '.join(missing)}"
        )
    letters = letters.select(DEAD_LETTERS.names)
    is_schema = options.schema.lower().endswith(SCHEMA_SUFFIXES)
    columns = read_schema(options.schema) if is_schema else Source.resolve(options.schema).schema
    return letters, Replay(load_payload(options.payload), columns)


def build(
    root: "beam.Pipeline",
    resolved: Resolved,
    options: Options,
    run: Run,
) -> None:
    """Builds the whole pipeline."""
    from transforms.io.write import Write

    source, replay, redaction = resolved
    close_door(redaction, root, run)
    rows = read(root, source, options, run)
    if replay is not None:
        rows = rows | replace(replay, dead_letters=run.dead_letters)
    rows = redacted(rows, redaction, run.dead_letters)
    _ = rows | Write(options.output, run.commit, options.shards, dead_letters=run.dead_letters)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job, and returns its exit code."""
    return run(Options, resolve, build, argv)


if __name__ == "__main__":
    sys.exit(main())
