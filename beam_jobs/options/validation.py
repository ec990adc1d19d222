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
