"""Redacts personal data: python -m beam_jobs.redact --input in/ --policy p.yaml --output out/."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beam_jobs.launch import run
from beam_jobs.options.declare import option
from beam_jobs.options.streaming import StreamOptions
from beam_jobs.running.redaction import Redaction, close_door, read_redaction, redacted
from beam_jobs.running.run import Run
from beam_jobs.streaming.streams import read

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.io.inputs import Input


@dataclass(frozen=True, kw_only=True)
class Options(StreamOptions):
    """Redacts or pseudonymises the personal data in rows, by a policy in Cloud DLP's words.

    Nothing is stored unredacted: rows that can't be transformed are dead letters without the values
    at fault, and the payloads of all dead letters are redacted too.

    Examples:
      python -m beam_jobs.redact --input trips.csv --policy policy.yaml --output redacted/
      python -m beam_jobs.redact --input 'notes/*.jsonl' --policy p.json --output stdout: --limit 5
      python -m beam_jobs.redact --input pubsub://projects/p/subscriptions/notes \
--schema notes.json --policy policy.yaml --output gs://bucket/notes/
    """

    input: str = option(
        "Rows to redact: a file, folder or glob of Parquet, CSV, JSON Lines, Avro, TFRecord or "
        "Arrow files, local or gs://. The suffix names the format, or ?format=csv. Or messages: "
        "pubsub://projects/P/subscriptions/S?format=json (avro, tf_example, arrow, text). A local "
        "run reads a topic, pubsub://projects/P/topics/T, through the subscription "
        "millrace-RUN_ID: made at launch or found there, and deleted after a drain if nothing "
        "waits in it and --run_id was not given.",
        kind="GCS_READ_FILE",
        metavar="URI",
        group="Data",
        messages=True,
    )
    policy: str = option(
        "A YAML or JSON file: what is looked for (inspect_config), what becomes of it "
        "(deidentify_config), in DLP's words, and in which columns. See docs/privacy.md.",
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
        messages=True,
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


def resolve(options: Options) -> "tuple[Input, Redaction]":
    """Looks at the input and the policy, and checks that they fit each other."""
    from transforms.io.inputs import resolve_input

    redaction = read_redaction(options.policy)
    source = resolve_input(
        options.input, options.schema, redaction.types, options.limit, **options.streaming
    )
    return source, redaction.fitted(source)


def build(
    root: "beam.Pipeline", resolved: "tuple[Input, Redaction]", options: Options, run: Run
) -> None:
    """Builds the whole pipeline."""
    from transforms.io.write import Write

    source, redaction = resolved
    close_door(redaction, root, run)
    rows = redacted(read(root, source, options, run), redaction, run.dead_letters)
    _ = rows | Write(options.output, run.commit, options.shards, dead_letters=run.dead_letters)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job, and returns its exit code."""
    return run(Options, resolve, build, argv)


if __name__ == "__main__":
    sys.exit(main())
