"""Builds a baseline for drift: python -m beam_jobs.baseline --input in/ --output trips.baseline."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beam_jobs.judging.baseline_commands import COMMANDS, run_command
from beam_jobs.launch import run
from beam_jobs.options.declare import ColumnMap, Seconds, option
from beam_jobs.options.drift import GROUP, TimeUnitOptions
from beam_jobs.options.rows import FileOptions
from beam_jobs.running.run import Run

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.drift.build import BuildBaseline
    from transforms.drift.quality.sums import Quality
    from transforms.io.inputs import Input


@dataclass(frozen=True, kw_only=True)
class Options(FileOptions, TimeUnitOptions):
    """Builds the baseline with which the drift job compares: cells of each column, and counts.

    The input is of a time when all was well.

    With --event_time_column and --window it learns how far the baseline's own windows differ, and
    drift has to be more than that: 30 windows are the least for it.

    Examples:
      python -m beam_jobs.baseline --input train.csv --output trips.baseline
      python -m beam_jobs.baseline --input 'days/*.parquet' --event_time_column t --window 1h \
--output trips.baseline
      python -m beam_jobs.baseline show trips.baseline
      python -m beam_jobs.baseline diff november.baseline december.baseline
      python -m beam_jobs.baseline merge monday.baseline tuesday.baseline --output both.baseline
      python -m beam_jobs.baseline import train_stats/ --output train.baseline
    """

    output: str = option(
        "A folder for the baseline. Nothing appears there before the job is done.",
        kind="GCS_WRITE_FOLDER",
        metavar="URI",
        group="Data",
    )
    event_time_column: str | None = option(
        "The column of event times, by which windows are cut; it is not counted itself.",
        default=None,
        metavar="COLUMN",
        group=GROUP,
    )
    window: Seconds | None = option(
        "The length of the windows that will be compared with this baseline, as in 1h.",
        default=None,
        minimum=0.001,
        group=GROUP,
    )
    slices: tuple[str, ...] = option(
        "Columns of texts: the rows of each of their frequent texts are compared by themselves "
        "too.",
        default=(),
        metavar="COLUMN,...",
        group=GROUP,
    )
    kinds: ColumnMap = option(
        "What is counted of columns, where type and values are not to decide: numbers, labels, "
        "list_lengths, text_lengths, digits or presence, as in numbers=id,code;labels=zip.",
        default=(),
        metavar="KIND=COLUMNS",
        group=GROUP,
    )
    prediction_column: str | None = option(
        "The column of predictions, where rows have labels too: how good they were is kept, and "
        "windows are compared with it.",
        default=None,
        metavar="COLUMN",
        group=GROUP,
    )
    label_column: str | None = option(
        "The column of labels.", default=None, metavar="COLUMN", group=GROUP
    )
    confidence_column: str | None = option(
        "With --task=classes: the column of how sure the model is of each prediction, from 0 to 1. "
        "Accuracy without labels is estimated by it, and else by how often each class was right.",
        default=None,
        metavar="COLUMN",
        group=GROUP,
    )
    task: str = option(
        "binary: scores from 0 to 1, and labels that are 0 or 1. classes: what should be equal to "
        "the label. regression: a number that should be near it.",
        default="binary",
        choices=("binary", "classes", "regression"),
        group=GROUP,
    )
    cells: str | None = option(
        "Count in the cells of this baseline, so that both can be merged: those of every day, say.",
        kind="GCS_READ_FOLDER",
        default=None,
        metavar="URI",
        group=GROUP,
    )


def resolve(options: Options) -> "tuple[Input, BuildBaseline]":
    """Looks at the files."""
    from transforms.drift.baseline import read_baseline
    from transforms.drift.build import BuildBaseline
    from transforms.drift.fit import check_fits
    from transforms.errors import ConfigError
    from transforms.io.inputs import resolve_bounded

    kinds = {column: kind for kind, columns in options.kinds for column in columns}
    if options.window is not None and options.event_time_column is None:
        raise ConfigError("--window needs --event_time_column: by which times are windows cut?")
    if options.event_time_unit is not None and options.event_time_column is None:
        raise ConfigError("--event_time_unit needs --event_time_column")
    source = resolve_bounded(options.input, options.schema, limit=options.limit)
    like = None
    if options.cells is not None:
        if options.kinds or options.slices:
            raise ConfigError("--cells: --kinds and --slices are those of that baseline")
        like = read_baseline(options.cells)
        check_fits(like, source.schema)
    column, size = options.event_time_column, options.window
    quality = _quality(options, source)
    return source, BuildBaseline(column, size, options.slices, kinds, like=like, quality=quality)


def _quality(options: Options, source: "Input") -> "Quality | None":
    from transforms.drift.quality.sums import Quality
    from transforms.errors import ConfigError

    if options.prediction_column is None and options.label_column is None:
        if options.confidence_column is not None:
            raise ConfigError("--confidence_column needs --prediction_column and --label_column")
        return None
    if options.prediction_column is None or options.label_column is None:
        raise ConfigError("--prediction_column and --label_column go together")
    for name in ("prediction_column", "label_column", "confidence_column"):
        if getattr(options, name) is not None and getattr(options, name) not in source.schema.names:
            raise ConfigError(f"--{name}: --input has no column {getattr(options, name)!r}")
    return Quality(
        options.task,
        options.prediction_column,
        options.label_column,
        options.confidence_column,
    )


def build(
    root: "beam.Pipeline",
    resolved: "tuple[Input, BuildBaseline]",
    options: Options,
    run: Run,
) -> None:
    """Builds the whole pipeline."""
    from transforms.drift.rows import timed
    from transforms.drift.store import store_baseline
    from transforms.io.read import Read

    source, verb = resolved
    output = run.commit.target(options.output)
    rows = root | Read(source, dead_letters=run.dead_letters)
    column = None if options.window is None else options.event_time_column
    rows = timed(rows, column, options.event_time_unit, options.window, run.dead_letters)
    store_baseline(rows | verb, run.whole, output)
    run.commit.published(rows, options.output)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job or a sub-command, and returns its exit code."""
    given = sys.argv[1:] if argv is None else argv
    if given and given[0] in COMMANDS:
        return run_command(given)
    return run(Options, resolve, build, argv)


if __name__ == "__main__":
    sys.exit(main())
