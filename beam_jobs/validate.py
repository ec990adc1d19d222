"""Validates data: python -m beam_jobs.validate --input in/ --schema s.pbtxt --output out/."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beam_jobs.launch import Run, run
from beam_jobs.options import JobOptions, option
from beam_jobs.verdict import verdict

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.gate import Judge
    from transforms.io.source import Source


@dataclass(frozen=True, kw_only=True)
class Options(JobOptions):
    """Makes the statistics of files, and tells what in them is not as it should be.

    Writes FeatureStats.pb, SchemaDiff.pb and schema.pbtxt, as TensorFlow Data Validation does, and
    report.html, and prints the anomalies. Exit code 3 says that one of them is an error.

    Examples:
      python -m beam_jobs.validate --input 'train/*.csv' --infer_schema --output train_stats/
      python -m beam_jobs.validate --input eval.csv --schema schema.pbtxt --output eval_stats/ \
--reference train_stats/
      python -m beam_jobs.validate --input day2/ --schema s.pbtxt --slices payment_type --output d2/
    """

    input: str = option(
        "Rows: a file, folder or glob of Parquet, CSV, JSON Lines, Avro, TFRecord or Arrow files, "
        "local or gs://. The suffix tells the format, or ?format=csv.",
        kind="GCS_READ_FILE",
        metavar="URI",
        group="Data",
    )
    output: str = option(
        "A folder for what is found. Nothing appears there before the job is done.",
        kind="GCS_WRITE_FOLDER",
        metavar="URI",
        group="Data",
    )
    schema: str | None = option(
        "A schema.pbtxt: what the data is to be. Without one there are statistics only.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group="Validation",
    )
    environment: str | None = option(
        "The schema's environment: TRAINING or SERVING, say.",
        default=None,
        metavar="NAME",
        group="Validation",
    )
    infer_schema: bool = option(
        "Write a schema.pbtxt that the data keeps to.", default=False, group="Validation"
    )
    reference: str | None = option(
        "Statistics of other data to compare with, where the schema has comparators: a "
        "FeatureStats.pb, or the folder of an earlier validation.",
        kind="GCS_READ_FOLDER",
        default=None,
        metavar="URI",
        group="Validation",
    )
    reference_kind: str = option(
        "What the reference is: the data of before (span: drift), or what a model is given "
        "(serving: skew).",
        default="span",
        choices=("span", "serving"),
        group="Validation",
    )
    slices: str | None = option(
        "Make statistics of parts too: a column (each of its values), column=value, or several of "
        "these with commas between; more of such by semicolons.",
        default=None,
        metavar="COLUMNS",
        group="Statistics",
    )
    weight: str | None = option(
        "The column of the rows' weights.", default=None, metavar="COLUMN", group="Statistics"
    )
    sample_rate: float = option(
        "Which part of the rows is looked at, chosen at random.",
        default=1.0,
        minimum=0.000001,
        maximum=1.0,
        metavar="SHARE",
        group="Statistics",
    )
    semantics: bool = option(
        "Look for what values mean: images, addresses, times, language.",
        default=False,
        group="Statistics",
    )


def resolve(options: Options) -> "tuple[Source, Judge]":
    """Reads the schema and the reference, and looks at the files."""
    from transforms.errors import ConfigError
    from transforms.gate import Judge, read_statistics
    from transforms.io.source import Source
    from transforms.schema import read_metadata
    from transforms.schema.environments import check_environment
    from transforms.statistics.options import StatisticsOptions
    from transforms.statistics.slices import SliceBy

    schema = read_metadata(options.schema) if options.schema else None
    if schema is None and (options.reference or options.environment):
        given = "reference" if options.reference else "environment"
        raise ConfigError(f"--{given} needs --schema: without one nothing is judged")
    if schema is not None:
        check_environment(schema, options.environment)
    source = Source.resolve(options.input, limit=options.limit)
    statistics = StatisticsOptions(
        schema=schema,
        weight=options.weight,
        slices=tuple(SliceBy.parse(text) for text in (options.slices or "").split(";") if text),
        sample_rate=options.sample_rate,
        semantics=options.semantics,
    )
    statistics.check(source.schema)
    reference = read_statistics(options.reference) if options.reference else None
    judge = Judge(
        statistics,
        schema,
        options.environment,
        options.infer_schema,
        reference,
        options.reference_kind,
        title=options.input,
    )
    return source, judge


def build(
    root: "beam.Pipeline", resolved: "tuple[Source, Judge]", options: Options, run: Run
) -> None:
    """The whole pipeline."""
    import apache_beam as beam

    from transforms.io.read import Read
    from transforms.statistics.generate import CollectStatistics

    source, judge = resolved
    rows = root | Read(source, dead_letters=run.dead_letters)
    slices = rows | "Statistics" >> CollectStatistics(judge.options)
    found = slices | "Judge" >> beam.FlatMap(judge)
    run.commit.artifacts(found, run.commit.target(options.output))
    run.commit.published(rows, options.output)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job, and returns its exit code."""
    return run(Options, resolve, build, argv, verdict)


if __name__ == "__main__":
    sys.exit(main())
