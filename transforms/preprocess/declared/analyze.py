"""The pipeline that analyzes declared steps: passes over the rows, then the graph is written."""

from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.coders import Batches, register_pickled_coder
from transforms.merging import MergeFn
from transforms.preprocess.declared.plan import Plan
from transforms.preprocess.declared.states import Known, Pass, States, settled

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
    known: Any = batches.pipeline | "Nothing" >> beam.Create([{}])
    for phase in range(plan.phases):
        before = beam.pvalue.AsSingleton(known)
        sides = (before,) if phase else ()
        count = beam.CombineGlobally(_PassFn(Pass(plan, phase)), *sides)
        states = batches | f"Count {phase}" >> count.with_output_types(States)
        settle = beam.Map(lambda states, known, p=phase: settled(plan, p, states, known), before)
        known = states | f"Settle {phase}" >> settle
    return known


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
