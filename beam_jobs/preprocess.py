"""Makes features: python -m beam_jobs.preprocess --input in/ --preprocessing_fn f.py ..."""

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from beam_jobs.judging.judge import read_schema
from beam_jobs.launch import run
from beam_jobs.options.declare import JobOptions, option
from beam_jobs.running.run import Run
from transforms.errors import ConfigError

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.coders import Batches
    from transforms.io.inputs import Input
    from transforms.io.spans import Span
    from transforms.keys.splits import Splits
    from transforms.preprocess.analyze import Analyze
    from transforms.preprocess.graph import TransformGraph
    from transforms.preprocess.spans import SpanAnalysis


_log = logging.getLogger(__name__)


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
      python -m beam_jobs.preprocess --input 'day-{SPAN}/*.csv' --spans last:30 --cache cache/ \
--steps steps.yaml --analyze_only --output graph/
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
    cache: str | None = option(
        "A folder that keeps what was learned of each span of --input, {SPAN} or {YYYY}-{MM}-{DD}: "
        "a new one is read, the others are not. It says before the run what an edit discards.",
        kind="GCS_WRITE_FOLDER",
        default=None,
        metavar="URI",
        group="Preprocessing",
    )
    spans: str = option(
        "Which spans of --input: all, or last:30 for a window that moves on.",
        default="all",
        metavar="all|last:N",
        group="Data",
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
      by_span: How it is made by span, where there is a cache.
    """

    source: "Input"
    splits: "Splits"
    graph: "TransformGraph | None"
    analysis: "Analyze | None"
    by_span: "SpanAnalysis | None" = None


def resolve(options: Options) -> Resolved:
    """Traces the function or reads the graph, looks at the files, and checks that they fit."""
    from transforms.families import family_of
    from transforms.io.spans import glob_of
    from transforms.keys.splits import Splits

    if not family_of(glob_of(options.input)).bounded:
        raise ConfigError(
            "--input: messages have no end at which all are analyzed: analyze files, then apply "
            "the transform graph to messages by python -m beam_jobs.score --transform_graph"
        )
    _check_one(options)
    graph = _graph(options)
    splits = Splits.parse(options.splits, options.split_key)
    analysis = _by_function(options) if options.preprocessing_fn else None
    source, spans = None, _spans(options)
    if options.steps:
        analysis, source = _by_steps(options, spans)
    columns = analysis.columns if analysis is not None else graph.columns if graph else None
    assert columns is not None
    source = source or _source(options, spans, columns.types())
    columns.check(source.schema)
    splits.check(source.schema)
    by_span = _cached(options, analysis, spans) if options.cache else None
    return Resolved(source, splits, graph, analysis, by_span)


def _spans(options: Options) -> "tuple[Span, ...]":
    """Returns the spans that are wanted; none where --input has none."""
    from transforms.files.filesystem import list_files
    from transforms.files.uris import parse
    from transforms.io.spans import glob_of, has_spans, latest, spans_of

    if not has_spans(options.input):
        for name in ("cache", "spans"):
            if getattr(options, name) not in (None, "all"):
                raise ConfigError(
                    f"--{name} needs spans in --input: 'day-{{SPAN}}/*.csv', say, or "
                    "'{YYYY}-{MM}-{DD}.csv'"
                )
        return ()
    if options.limit is not None and options.cache:
        raise ConfigError("--limit: the cache keeps whole spans: use --spans last:N instead")
    files = list(list_files(parse(glob_of(options.input)).path))
    if not files:
        raise ConfigError(f"--input: no files match {options.input!r}")
    return latest(spans_of(options.input, files), options.spans)


def _source(options: Options, spans: "tuple[Span, ...]", types: Any = None) -> "Input":
    """Returns the rows: those of the spans, if there are some."""
    from transforms.io.file_source import Source
    from transforms.io.inputs import resolve_bounded
    from transforms.io.spans import glob_of

    if not spans:
        source: Input = resolve_bounded(options.input, None, types, options.limit)
        return source
    files = [file for span in spans for file in span.files]
    return Source.resolve(glob_of(options.input), None, types, options.limit, files)


def _cached(
    options: Options, analysis: "Analyze | None", spans: "tuple[Span, ...]"
) -> "SpanAnalysis":
    """Returns an analysis by span, and says what the cache lacks that it might have."""
    from transforms.preprocess.cache import SpanCache
    from transforms.preprocess.spans import SpanAnalysis

    assert options.cache is not None
    if analysis is None:
        raise ConfigError("--cache is about the analysis, and --transform_graph is given")
    rows = [options.splits, options.split_key, options.input.partition("?")[2]]
    by_span = SpanAnalysis.resolve(analysis, SpanCache(options.cache, spans, repr(rows)))
    if news := by_span.news():
        _log.warning(news)
    return by_span


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


def _by_steps(options: Options, spans: "tuple[Span, ...]") -> "tuple[Analyze, Input | None]":
    """Returns how a graph is made of steps, and the rows where their own types are taken."""
    from transforms.preprocess.analyze import Analyze
    from transforms.preprocess.declared.parse import Steps
    from transforms.preprocess.declared.plan import raw_schema

    assert options.steps is not None
    steps = Steps.read(options.steps)
    if options.schema is not None:
        return Analyze(schema=read_schema(options.schema), steps=steps), None
    source = _source(options, spans)
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
    from transforms.io.file_source import Source
    from transforms.io.read import Read
    from transforms.keys.splits import SplitRows
    from transforms.preprocess.spans import EVERY

    target = run.commit.target(options.output)
    target.check_folder()
    # The features read the rows once more, which then are counted and, at fault, recorded.
    alone = options.analyze_only
    folder, temp = f"{target.staging}/transform_graph", f"{target.staging}/temp"

    def read(source: "Input", label: str, counted: bool) -> "Batches":
        door = run.dead_letters if counted else Unrecorded()
        rows = root | f"Read{label}" >> Read(source, dead_letters=door)
        if counted:
            run.commit.published(rows, options.output)
        return (rows | f"Split{label}" >> SplitRows(resolved.splits))[resolved.splits.names[0]]

    def read_spans(names: frozenset[str], label: str) -> "Batches":
        assert resolved.by_span is not None
        spans = [span for span in resolved.by_span.cache.spans if span.name in names]
        files = tuple(file for span in spans for file in span.files)
        assert isinstance(resolved.source, Source)
        counted = alone and (label == EVERY or not resolved.by_span.rereads)
        return read(replace(resolved.source, files=files), f"ToAnalyze{label}", counted)

    if resolved.by_span is not None:
        made = resolved.by_span.run(root, read_spans, folder, temp)
    else:
        assert resolved.analysis is not None
        analyze = replace(resolved.analysis, folder=folder, temp=temp)
        made = read(resolved.source, "ToAnalyze", alone) | analyze
    run.whole.written(made, target)
    return made, folder


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job, and returns its exit code."""
    return run(Options, resolve, build, argv)


if __name__ == "__main__":
    sys.exit(main())
