"""The pipeline that analyzes declared steps: passes over the rows, then the graph is written."""

import copy
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.batches import row_origin
from transforms.coders import Batches, register_pickled_coder
from transforms.io.spans import Span
from transforms.merging import MergeFn
from transforms.preprocess.cache import SpanCache
from transforms.preprocess.declared.plan import Plan
from transforms.preprocess.declared.states import (
    Known,
    Pass,
    States,
    entries_of,
    settled,
    states_from,
)

register_pickled_coder(States)


class _PassFn(MergeFn):
    """Merges the states of batches; in a later pass with the constants of those before."""

    def __init__(self, each: Pass) -> None:
        super().__init__(States, lambda batch: each.states_of(batch, {}))
        self._pass = each

    def add_input(self, state: States, batch: pa.RecordBatch, known: Known | None = None) -> States:
        """Returns the state with the rows of one more batch."""
        return state.merge(self._pass.states_of(batch, known or {}))

    def merge_accumulators(self, states: Any, known: Known | None = None) -> States:
        """Returns the state of all rows."""
        return super().merge_accumulators(states)  # type: ignore[no-any-return]

    def create_accumulator(self, known: Known | None = None) -> States:
        """Returns the state of no rows."""
        return States()

    def extract_output(self, state: States, known: Known | None = None) -> States:
        """Returns the state as it is."""
        return state


def learn(batches: Batches, plan: Plan) -> "beam.PCollection[Known]":
    """Returns the constants of a plan's figures: one dict.

    Args:
      batches: All rows, bounded.
      plan: The steps.
    """
    nothing = batches.pipeline | "Nothing" >> beam.Create([{}])
    return _learn_from(0, batches, plan, nothing)


def _learn_from(first: int, batches: Batches, plan: Plan, known: Any) -> Any:
    """Returns the constants of a plan's figures, those of the passes before the first known."""
    for phase in range(first, plan.phases):
        before = beam.pvalue.AsSingleton(known)
        sides = (before,) if phase else ()
        count = beam.CombineGlobally(_PassFn(Pass(plan, phase)), *sides)
        states = batches | f"Count {phase}" >> count.with_output_types(States)
        known = states | f"Settle {phase}" >> beam.Map(_settle, before, plan, phase)
    return known


def _settle(states: States, known: Known, plan: Plan, phase: int) -> Known:
    return settled(plan, phase, states, known)


def learn_spans(
    root: Any, news: "Batches | None", every: "Batches | None", plan: Plan, cache: SpanCache
) -> "beam.PCollection[Known]":
    """Returns the constants of a plan's figures, from a cache and the rows that it lacks.

    Args:
      root: The pipeline.
      news: The rows of the spans that the cache lacks; None if it has all.
      every: The rows of all spans, for plans of several passes.
      plan: The steps.
      cache: What was learned before; it is given what is learned now.
    """
    missing = cache.missing(plan.kept)
    held = [span for span in cache.spans if span.name not in missing]
    old = root | "Held" >> beam.Create(held, reshuffle=False)
    parts = [old | "Load" >> beam.Map(_load, plan, cache).with_output_types(States)]
    if news is not None:
        names = frozenset(name for each in missing.values() for name in each)
        parts.append(_of_spans(news, plan, cache, names))
    together = tuple(parts) | "Together" >> beam.Flatten()
    merged = together | "Merge" >> beam.CombineGlobally(_MergeStatesFn()).with_output_types(States)
    nothing = beam.pvalue.AsSingleton(root | "Nothing" >> beam.Create([{}]))
    known = merged | "Settle 0" >> beam.Map(_settle, nothing, plan, 0)
    return known if every is None else _learn_from(1, every, plan, known)


def _of_spans(news: Batches, plan: Plan, cache: SpanCache, names: frozenset[str]) -> Any:
    """Returns the states of spans, which are put into the cache as they pass."""
    homes = homes_of(cache)
    by_span = beam.Map(_with_span, homes).with_output_types(
        beam.typehints.Tuple[str, pa.RecordBatch]
    )
    count = beam.CombinePerKey(_PassFn(Pass(plan, 0, names)))
    counted = (
        news
        | "BySpan" >> by_span
        | "Count" >> count.with_output_types(beam.typehints.Tuple[str, States])
    )
    return counted | "Store" >> beam.Map(_store, plan, cache).with_output_types(States)


def homes_of(cache: SpanCache) -> dict[str, str]:
    """Returns the names of spans by file."""
    return {file.uri: span.name for span in cache.spans for file in span.files}


def _with_span(batch: pa.RecordBatch, homes: dict[str, str]) -> tuple[str, pa.RecordBatch]:
    file, _ = row_origin(batch)
    return homes[file], batch


def _load(span: Span, plan: Plan, cache: SpanCache) -> States:
    return states_from(cache.held(span, plan.kept), plan.asked)


def _store(counted: tuple[str, States], plan: Plan, cache: SpanCache) -> States:
    name, states = counted
    (span,) = (each for each in cache.spans if each.name == name)
    before = states_from(cache.held(span, plan.kept - states.figures.keys()), plan.asked)
    before.figures |= states.figures
    cache.write(span, entries_of(states))
    return before


class _MergeStatesFn(MergeFn):
    """Merges the states of spans."""

    def __init__(self) -> None:
        super().__init__(States, copy.deepcopy)


def write(known: Known, plan: Plan, schema: bytes, folder: str) -> str:
    """Writes the graph, on a worker, and returns its folder.

    Args:
      known: The constants.
      plan: The steps.
      schema: The serialized schema of the raw columns.
      folder: Where to.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2

    from transforms.preprocess.declared.graph import write_graph

    write_graph(plan, known, schema_pb2.Schema.FromString(schema), folder)
    return folder
