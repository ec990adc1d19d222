"""The options of jobs that judge data as a whole, and what they come to."""

from dataclasses import dataclass

from beam_jobs.options.declare import JobOptions, option

GROUP = "Validation"


@dataclass(frozen=True, kw_only=True)
class ValidationOptions(JobOptions):
    """By what data is judged, besides a schema."""

    environment: str | None = option(
        "The schema's environment: TRAINING or SERVING, say.",
        default=None,
        metavar="NAME",
        group=GROUP,
    )
    reference: str | None = option(
        "Statistics of other data to compare with, where the schema has comparators: a "
        "FeatureStats.pb, or the folder of an earlier validation.",
        kind="GCS_READ_FOLDER",
        default=None,
        metavar="URI",
        group=GROUP,
    )
    reference_kind: str = option(
        "What the reference is: the data of before (span: drift), or what a model is given "
        "(serving: skew).",
        default="span",
        choices=("span", "serving"),
        group=GROUP,
    )
    warn_only: tuple[str, ...] = option(
        "Kinds of anomalies that are warnings here, not errors: SCHEMA_NEW_COLUMN, say. "
        "docs/anomalies.md tells all; of rules their file says it.",
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
        "How the report shows some of the rows at fault: the values at fault as they are and all "
        "others by their form (masked), all as they are (full), or no rows (none).",
        default="masked",
        choices=("masked", "full", "none"),
        group=GROUP,
    )
