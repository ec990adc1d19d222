"""The options of the job that makes statistics."""

from dataclasses import dataclass

from beam_jobs.options.declare import ColumnMap, JobOptions, option

GROUP = "Statistics"


@dataclass(frozen=True, kw_only=True)
class StatisticsSettings(JobOptions):
    """Says what statistics `validate` makes: slices, weights, samples, pairs, days merged."""

    merge: bool = option(
        "Merge the statistics of earlier validations instead of reading rows: the days of a month, "
        "for example. Each of them wrote a FeatureStats.arrow.",
        default=False,
        group=GROUP,
    )
    slices: str | None = option(
        "Make statistics of parts of the data too: a column (each of its values), column=value, "
        "several of these separated by commas, an expression (fare > 100), name: expression, or "
        "python:function of --code. Separate slices by semicolons. The report judges each slice; "
        "the exit code depends on all rows only.",
        default=None,
        metavar="SLICES",
        group=GROUP,
    )
    max_slices: int = option(
        "Refuse at launch if the first rows of the input make more slices by values than this.",
        default=200,
        minimum=1,
        maximum=1000,
        metavar="N",
        group=GROUP,
    )
    weight: str | None = option(
        "The column of the rows' weights.", default=None, metavar="COLUMN", group=GROUP
    )
    sample_rate: float = option(
        "Make statistics of this part of the rows, chosen at random. Rules still use all rows.",
        default=1.0,
        minimum=0.000001,
        maximum=1.0,
        metavar="SHARE",
        group=GROUP,
    )
    vocabularies: ColumnMap = option(
        "Vocabularies: files of one token a line, by their names in the natural-language domains "
        "of the schema: name=URI;name=URI.",
        default=(),
        metavar="NAME=URI",
        group=GROUP,
    )
    correlations: bool = option(
        "Make covariance and correlation of each pair of numeric columns (the first 200 by name).",
        default=False,
        group=GROUP,
    )
    semantics: bool = option(
        "Detect what values mean: images, addresses, times, language.",
        default=False,
        group=GROUP,
    )
