"""The options of jobs that judge data as a whole."""

from dataclasses import dataclass

from beam_jobs.options.declare import JobOptions, option

GROUP = "Validation"


@dataclass(frozen=True, kw_only=True)
class ValidationOptions(JobOptions):
    """Settings for judging data, besides a schema."""

    environment: str | None = option(
        "The schema's environment, such as TRAINING or SERVING.",
        default=None,
        metavar="NAME",
        group=GROUP,
    )
    reference: str | None = option(
        "Statistics of other data, to compare columns that have comparators in the schema: a "
        "FeatureStats.pb, or the folder of an earlier validation.",
        kind="GCS_READ_FOLDER",
        default=None,
        metavar="URI",
        group=GROUP,
    )
    reference_kind: str = option(
        "The kind of reference: earlier data (span, to measure drift), or the data that a model "
        "is given (serving, to measure skew).",
        default="span",
        choices=("span", "serving"),
        group=GROUP,
    )
    warn_only: tuple[str, ...] = option(
        "Kinds of anomalies that are only warnings, such as SCHEMA_NEW_COLUMN. docs/anomalies.md "
        "lists them. For rules, write severity: warning in their file.",
        default=(),
        metavar="KIND,...",
        group=GROUP,
    )
    rules: str | None = option(
        "A YAML file of custom rules about rows, columns and keys: see docs/rules.md.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group=GROUP,
    )
    code: str | None = option(
        "A Python file with the functions that rules or slices name.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group=GROUP,
    )
    examples: str = option(
        "How the report shows some of the rows at fault: only the values at fault, the others "
        "masked (masked), all values (full), or no rows (none).",
        default="masked",
        choices=("masked", "full", "none"),
        group=GROUP,
    )


@dataclass(frozen=True, kw_only=True)
class JudgedDataOptions(ValidationOptions):
    """The data that is judged, where judging it is all that a job does, and its schema."""

    input: str = option(
        "Rows: a file, folder or glob of Parquet, CSV, JSON Lines, Avro, TFRecord or Arrow files, "
        "local or gs://. The suffix names the format, or ?format=csv. Or a table, "
        "bq://PROJECT.DATASET.TABLE, or a query, bq:?query=SQL&temp_dataset=PROJECT.DATASET. With "
        "--merge: the folders of earlier validations.",
        kind="GCS_READ_FILE",
        tables=True,
        metavar="URI",
        group="Data",
    )
    output: str = option(
        "A folder for the results. Nothing appears there before the job is done.",
        kind="GCS_WRITE_FOLDER",
        metavar="URI",
        group="Data",
    )
    schema: str | None = option(
        "A schema.pbtxt that the data should meet. Without it and --rules, only make statistics.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group=GROUP,
    )
    infer_schema: bool = option(
        "Write a schema.pbtxt that the data meets: a new one, or --schema with the "
        "smallest changes.",
        default=False,
        group=GROUP,
    )
