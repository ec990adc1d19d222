"""Makes features: python -m beam_jobs.preprocess --input in/ --preprocessing_fn f.py ..."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from beam_jobs.launch import run
from beam_jobs.options.declare import JobOptions, option
from beam_jobs.running.judging import read_schema
from beam_jobs.running.run import Run
from transforms.errors import ConfigError

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.io.inputs import Input
    from transforms.keys.splits import Splits
    from transforms.preprocess.analyze import Analyze
    from transforms.preprocess.graph import TransformGraph


@dataclass(frozen=True, kw_only=True)
class Options(JobOptions):
    """Analyzes rows by declared steps or a preprocessing_fn, and writes graph and features.

    Writes transform_graph/ and a folder Split-NAME/ for each split, which TFX's components and
    tft.TFTransformOutput read. Only the first split is analyzed; all are transformed.

    Examples:
      python -m beam_jobs.preprocess --input 'train/*.csv' --steps steps.yaml --output prepared/
      python -m beam_jobs.preprocess --input 'train/*.csv' --schema schema.pbtxt \
--preprocessing_fn features.py --output prepared/
      python -m beam_jobs.preprocess --input day.csv --transform_graph prepared/transform_graph \
--splits all --output 'day/?format=tfrecord'
      python -m beam_jobs.preprocess --input in/ --schema s.pbtxt --preprocessing_fn my.features \
--splits train:8,eval:2 --split_key trip_id --output prepared/
    """

    input: str = option(
        "Rows: a file, folder or glob of Parquet, CSV, JSON Lines, Avro, TFRecord or Arrow files, "
        "local or gs://. The suffix names the format, or ?format=csv. Or a table, "
        "bq://PROJECT.DATASET.TABLE, or a query, bq:?query=SQL&temp_dataset=PROJECT.DATASET.",
        kind="GCS_READ_FILE",
        tables=True,
        metavar="URI",
        group="Data",
    )
    output: str = option(
        "A folder for transform_graph/ and the splits: of Parquet, or with ?format=tfrecord of "
        "tf.Examples. Nothing appears there before the job is done.",
        kind="GCS_WRITE_FOLDER",
        metavar="URI",
        group="Data",
    )
    schema: str | None = option(
        "A schema.pbtxt of the raw columns: which the function is given, and as which tensors. "
        "Steps do without: any value may then be missing. A transform graph has its own.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group="Preprocessing",
    )
    preprocessing_fn: str | None = option(
        "The function: features.py, features.py:name, package.module or package.module:name; it is "
        "called preprocessing_fn unless named. A file travels to the workers.",
        default=None,
        metavar="FILE_OR_MODULE[:NAME]",
        group="Preprocessing",
    )
    steps: str | None = option(
        "Declared steps in place of a function: a YAML file, see docs/preprocessing_steps.md.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="FILE.yaml",
        group="Preprocessing",
    )
    transform_graph: str | None = option(
        "Apply this graph, of an earlier run, of TFX or of tf.Transform, instead of analyzing.",
        kind="GCS_READ_FOLDER",
        default=None,
        metavar="URI",
        group="Preprocessing",
    )
    trust_graph: bool = option(
        "Apply a transform graph that reads or writes files, or runs Python code: it can do what "
        "you can, so trust who made it. By default such a graph is refused, with the names of its "
        "operations.",
        default=False,
        group="Preprocessing",
    )
    analyze_only: bool = option(
        "Write the transform graph and no features.", default=False, group="Preprocessing"
    )
    splits: str = option(
        "The parts of the data, and how many of all buckets each has. The first is analyzed.",
        default="train:2,eval:1",
        metavar="NAME:N,...",
        group="Data",
    )
    split_key: tuple[str, ...] = option(
        "Columns whose rows stay together in one split; by default rows that are equal do.",
        default=(),
        metavar="COLUMNS",
        group="Data",
    )


@dataclass(frozen=True)
class Resolved:
    """What is known before the pipeline is made.

    Attributes:
      source: The rows.
      splits: How they are parted.
      graph: What is applied; None where it is yet to be made.
      analysis: How it is made; None where there is one.
    """

    source: "Input"
    splits: "Splits"
    graph: "TransformGraph | None"
    analysis: "Analyze | None"


def resolve(options: Options) -> Resolved:
    """Traces the function or reads the graph, looks at the files, and checks that they fit."""
    from transforms.families import family_of
    from transforms.io.inputs import resolve_bounded
    from transforms.keys.splits import Splits

    if not family_of(options.input).bounded:
        raise ConfigError(
            "--input: messages have no end at which all are analyzed: analyze files, then apply "
            "the transform graph to messages by python -m beam_jobs.score --transform_graph"
        )
    _check_one(options)
    graph = _graph(options)
    splits = Splits.parse(options.splits, options.split_key)
    analysis = _by_function(options) if options.preprocessing_fn else None
    source = None
    if options.steps:
        analysis, source = _by_steps(options)
    columns = analysis.columns if analysis is not None else graph.columns if graph else None
    assert columns is not None
    source = source or resolve_bounded(options.input, None, columns.types(), options.limit)
    columns.check(source.schema)
    splits.check(source.schema)
    return Resolved(source, splits, graph, analysis)


def _check_one(options: Options) -> None:
    """Checks that exactly one option says what to do."""
    ways = ("preprocessing_fn", "steps", "transform_graph")
    if sum(getattr(options, name) is not None for name in ways) != 1:
        raise ConfigError(
            "give one of --preprocessing_fn and --steps, to analyze the rows, and "
            "--transform_graph, to apply what was analyzed before"
        )
    if options.transform_graph is not None:
        for name in ("schema", "analyze_only"):
            if getattr(options, name):
                raise ConfigError(f"--{name} is about the analysis, and --transform_graph is given")


def _by_function(options: Options) -> "Analyze":
    """Returns how a graph is made of a function, without its folder."""
    if options.schema is None:
        raise ConfigError(
            "--preprocessing_fn needs --schema: it says which columns the function is given, and "
            "as which tensors. python -m beam_jobs.validate --infer_schema makes one"
        )
    from transforms.preprocess.analyze import Analyze
    from transforms.preprocess.function import PreprocessingFn

    assert options.preprocessing_fn is not None
    function = PreprocessingFn.read(options.preprocessing_fn)
    return Analyze.resolve(function, read_schema(options.schema))


def _by_steps(options: Options) -> "tuple[Analyze, Input | None]":
    """Returns how a graph is made of steps, and the rows where their own types are taken."""
    from transforms.io.inputs import resolve_bounded
    from transforms.preprocess.analyze import Analyze
    from transforms.preprocess.declared.parse import Steps
    from transforms.preprocess.declared.plan import raw_schema

    assert options.steps is not None
    steps = Steps.read(options.steps)
    if options.schema is not None:
        return Analyze(schema=read_schema(options.schema), steps=steps), None
    source = resolve_bounded(options.input, limit=options.limit)
    return Analyze(schema=raw_schema(steps, source.schema), steps=steps), source


def _graph(options: Options) -> "TransformGraph | None":
    """Returns the graph that is given, if any."""
    from transforms import wording
    from transforms.preprocess.graph import TransformGraph

    if options.transform_graph is None:
        return None
    with wording.command_line():
        return TransformGraph.read(options.transform_graph, options.trust_graph)


def build(root: "beam.Pipeline", resolved: Resolved, options: Options, run: Run) -> None:
    """Builds the whole pipeline."""
    from transforms.io.read import Read
    from transforms.io.write import Write
    from transforms.keys.splits import SplitRows
    from transforms.preprocess.preprocess import Preprocess

    splits, graph, made = resolved.splits, resolved.graph or "", None
    if resolved.analysis is not None:
        made, graph = _analyzed(root, resolved, options, run)
    if options.analyze_only:
        return
    rows = root | Read(resolved.source, dead_letters=run.dead_letters, after=made)
    parts = rows | "Split" >> SplitRows(splits)
    for name in splits.names:
        features = parts[name] | f"Preprocess {name}" >> Preprocess(
            # One that was made here is of the user's own code.
            graph,
            trust_graph=resolved.graph is None,
            dead_letters=run.dead_letters,
        )
        write = Write(options.output, run.commit, folder=f"Split-{name}")
        _ = features | f"Write {name}" >> write


def _analyzed(
    root: "beam.Pipeline", resolved: Resolved, options: Options, run: Run
) -> tuple[Any, str]:
    """Returns the transform graph of the first split: a collection, complete once it exists."""
    from transforms.commit.dead_letters import Unrecorded
    from transforms.io.read import Read
    from transforms.keys.splits import SplitRows

    target = run.commit.target(options.output)
    target.check_folder()
    # The features read the rows once more, which then are counted and, at fault, recorded.
    door = run.dead_letters if options.analyze_only else Unrecorded()
    rows = root | "ReadToAnalyze" >> Read(resolved.source, dead_letters=door)
    if options.analyze_only:
        run.commit.published(rows, options.output)
    parts = rows | "SplitToAnalyze" >> SplitRows(resolved.splits)
    assert resolved.analysis is not None
    folder, temp = f"{target.staging}/transform_graph", f"{target.staging}/temp"
    analyze = replace(resolved.analysis, folder=folder, temp=temp)
    made = parts[resolved.splits.names[0]] | analyze
    run.whole.written(made, target)
    return made, folder


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job, and returns its exit code."""
    return run(Options, resolve, build, argv)


if __name__ == "__main__":
    sys.exit(main())
