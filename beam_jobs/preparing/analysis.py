"""The analysis in the pipeline: the first split, whole or by span, becomes a transform graph."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from beam_jobs.options.preprocessing import PreprocessingOptions
from beam_jobs.running.run import Run

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.coders import Batches
    from transforms.io.inputs import Input
    from transforms.keys.splits import Splits
    from transforms.preprocess.analyze import Analyze
    from transforms.preprocess.graph import TransformGraph
    from transforms.preprocess.spans import SpanAnalysis


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


def analyzed(
    root: "beam.Pipeline", resolved: Resolved, options: PreprocessingOptions, run: Run
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
