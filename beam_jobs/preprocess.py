"""Makes features: python -m beam_jobs.preprocess --input in/ --preprocessing_fn f.py ..."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beam_jobs.launch import run
from beam_jobs.options.preprocessing import PreprocessingOptions
from beam_jobs.preparing.analysis import Resolved, analyzed
from beam_jobs.preparing.spans import by_spans, rows_of, wanted_spans
from beam_jobs.preparing.ways import by_function, by_steps, check_one_way, given_graph
from beam_jobs.running.run import Run
from transforms.errors import ConfigError

if TYPE_CHECKING:
    import apache_beam as beam


@dataclass(frozen=True, kw_only=True)
class Options(PreprocessingOptions):
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
    check_one_way(options)
    graph = given_graph(options)
    splits = Splits.parse(options.splits, options.split_key)
    analysis = by_function(options) if options.preprocessing_fn else None
    source, spans = None, wanted_spans(options)
    if options.steps:
        analysis, source = by_steps(options, spans)
    columns = analysis.columns if analysis is not None else graph.columns if graph else None
    assert columns is not None
    source = source or rows_of(options, spans, columns.types())
    columns.check(source.schema)
    splits.check(source.schema)
    by_span = by_spans(options, analysis, spans) if options.cache else None
    return Resolved(source, splits, graph, analysis, by_span)


def build(root: "beam.Pipeline", resolved: Resolved, options: Options, run: Run) -> None:
    """Builds the whole pipeline."""
    from transforms.io.read import Read
    from transforms.io.write import Write
    from transforms.keys.splits import SplitRows
    from transforms.preprocess.preprocess import Preprocess

    splits, graph, made = resolved.splits, resolved.graph or "", None
    if resolved.analysis is not None:
        made, graph = analyzed(root, resolved, options, run)
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


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job, and returns its exit code."""
    return run(Options, resolve, build, argv)


if __name__ == "__main__":
    sys.exit(main())
