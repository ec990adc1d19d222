"""The three ways to a transform graph: a function, declared steps, or one that exists."""

from typing import TYPE_CHECKING

from beam_jobs.judging.judge import read_schema
from beam_jobs.options.preprocessing import PreprocessingOptions
from beam_jobs.preparing.spans import rows_of
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from transforms.io.inputs import Input
    from transforms.io.spans import Span
    from transforms.preprocess.analyze import Analyze
    from transforms.preprocess.graph import TransformGraph


def check_one_way(options: PreprocessingOptions) -> None:
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


def by_function(options: PreprocessingOptions) -> "Analyze":
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


def by_steps(
    options: PreprocessingOptions, spans: "tuple[Span, ...]"
) -> "tuple[Analyze, Input | None]":
    """Returns how a graph is made of steps, and the rows where their own types are taken."""
    from transforms.preprocess.analyze import Analyze
    from transforms.preprocess.declared.columns import raw_schema
    from transforms.preprocess.declared.parse import Steps

    assert options.steps is not None
    steps = Steps.read(options.steps)
    if options.schema is not None:
        return Analyze(schema=read_schema(options.schema), steps=steps), None
    source = rows_of(options, spans)
    return Analyze(schema=raw_schema(steps, source.schema), steps=steps), source


def given_graph(options: PreprocessingOptions) -> "TransformGraph | None":
    """Returns the graph that is given, if any."""
    from transforms import wording
    from transforms.preprocess.graph import TransformGraph

    if options.transform_graph is None:
        return None
    with wording.command_line():
        return TransformGraph.read(options.transform_graph, options.trust_graph)
