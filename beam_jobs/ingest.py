"""Moves rows from any source to any sink: python -m beam_jobs.ingest --input in/ --output out/."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beam_jobs.launch import Run, run
from beam_jobs.options import option
from beam_jobs.stream_options import StreamOptions
from beam_jobs.streams import windows_of

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.io.pubsub.source import PubSubSource
    from transforms.io.source import Source


@dataclass(frozen=True, kw_only=True)
class Options(StreamOptions):
    """Moves rows from files or messages to files or messages, typed and committed.

    Examples:
      python -m beam_jobs.ingest --input 'trips/*.csv' --output trips_parquet/
      python -m beam_jobs.ingest --input trips.jsonl --schema trips.pbtxt --output trips.avro
      python -m beam_jobs.ingest --input pubsub://projects/p/subscriptions/trips \
--schema trips.pbtxt --output gs://bucket/trips/
    """

    input: str = option(
        "Rows to move: a file, folder or glob of Parquet, CSV, JSON Lines, Avro, TFRecord or "
        "Arrow files, local or gs://. The suffix tells the format, or ?format=csv. Or messages: "
        "pubsub://projects/P/subscriptions/S?format=json (avro, tf_example, arrow, text).",
        kind="GCS_READ_FILE",
        metavar="URI",
        group="Data",
    )
    output: str = option(
        "A folder, a file, or stdout: for a preview. Parquet unless the name or ?format= says "
        "otherwise. Nothing appears there before the job is done. Or messages: "
        "pubsub://projects/P/topics/T?format=json.",
        kind="GCS_WRITE_FOLDER",
        metavar="URI",
        group="Data",
    )
    schema: str | None = option(
        "A schema.pbtxt or BigQuery .json schema of the input; by default the files' own, or one "
        "inferred from a sample of text. Messages of JSON and tf.Examples need one.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group="Data",
    )
    shards: int | None = option(
        "Write exactly so many files, in the order of the input; this writes every row twice.",
        default=None,
        minimum=1,
        metavar="N",
        group="Data",
    )


def resolve(options: Options) -> "Source | PubSubSource":
    """Looks at the input."""
    from transforms.io.inputs import resolve_input

    return resolve_input(options.input, options.schema, limit=options.limit, **options.streaming)


def build(
    root: "beam.Pipeline", source: "Source | PubSubSource", options: Options, run: Run
) -> None:
    """The whole pipeline."""
    from transforms.io.read import Read
    from transforms.io.write import Write

    rows = root | Read(source, dead_letters=run.dead_letters)
    if not source.bounded:
        rows = rows | windows_of(options, run)
    _ = rows | Write(options.output, run.commit, options.shards, dead_letters=run.dead_letters)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job, and returns its exit code."""
    return run(Options, resolve, build, argv)


if __name__ == "__main__":
    sys.exit(main())
