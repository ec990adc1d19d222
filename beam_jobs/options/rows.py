"""The options of jobs that read rows: where these come from, and where they go."""

from dataclasses import dataclass

from beam_jobs.options.declare import JobOptions, option
from beam_jobs.options.streaming import StreamOptions

GROUP = "Data"


@dataclass(frozen=True, kw_only=True)
class FileInput(JobOptions):
    """Input of a job on rows of files."""

    input: str = option(
        "Rows: a file, folder or glob of Parquet, CSV, JSON Lines, Avro, TFRecord or Arrow files, "
        "local or gs://. The suffix names the format, or ?format=csv. Or a table, "
        "bq://PROJECT.DATASET.TABLE, or a query, bq:?query=SQL&temp_dataset=PROJECT.DATASET.",
        kind="GCS_READ_FILE",
        tables=True,
        metavar="URI",
        group=GROUP,
    )


@dataclass(frozen=True, kw_only=True)
class FileOptions(FileInput):
    """Input and schema of a job on rows of files."""

    schema: str | None = option(
        "A schema.pbtxt or BigQuery .json schema of the input; by default the files' own, or one "
        "inferred from a sample of text.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group=GROUP,
    )


@dataclass(frozen=True, kw_only=True)
class InputOptions(StreamOptions):
    """Input and schema of a job on rows of files, messages or tables."""

    input: str = option(
        "Rows: a file, folder or glob of Parquet, CSV, JSON Lines, Avro, TFRecord or Arrow files, "
        "local or gs://. The suffix names the format, or ?format=csv. Or messages: "
        "pubsub://projects/P/subscriptions/S?format=json (avro, tf_example, arrow, text). A local "
        "run reads a topic, pubsub://projects/P/topics/T, through the subscription "
        "millrace-RUN_ID. It is created at launch if it doesn't exist, and deleted after a drain "
        "if it is empty and --run_id was not given. Or a table: bq://PROJECT.DATASET.TABLE; "
        "?filter=fare>0 reads only some of its rows. Or a query: "
        "bq:?query=SQL&temp_dataset=PROJECT.DATASET.",
        kind="GCS_READ_FILE",
        metavar="URI",
        group=GROUP,
        messages=True,
    )
    schema: str | None = option(
        "A schema.pbtxt or BigQuery .json schema of the input; by default the files' own, or one "
        "inferred from a sample of text. Messages of JSON and tf.Examples need one, unless a model "
        "or a baseline says which fields it reads.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group=GROUP,
    )


@dataclass(frozen=True, kw_only=True)
class RowOptions(InputOptions):
    """Input and output of a job that turns rows into rows."""

    output: str = option(
        "A folder for shards, a file, or stdout: for a preview. Parquet unless the suffix or "
        "?format= names another format. Nothing appears there before the job is done. A file has "
        "its rows in the order of the input, a folder only with --shards. Or messages: "
        "pubsub://projects/P/topics/T?format=json. Or a new or empty table: "
        "bq://PROJECT.DATASET.TABLE; ?mode=append adds to its rows, ?staging=gs://BUCKET/FOLDER "
        "says where they wait.",
        kind="GCS_WRITE_FOLDER",
        metavar="URI",
        group=GROUP,
        messages=True,
    )
    allow_schema_growth: bool = option(
        "Tables: add columns that the output lacks, NULLABLE, as the rows come to be there.",
        default=False,
        group=GROUP,
    )
    shards: int | None = option(
        "Write exactly N files, in the order of the input. Every row is then written twice.",
        default=None,
        minimum=1,
        metavar="N",
        group=GROUP,
    )
