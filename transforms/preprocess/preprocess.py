"""Preprocess: batches through a frozen transform graph."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
from apache_beam.utils.shared import Shared

from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.errors import ConfigError
from transforms.preprocess.apply import LoadedGraph, check_kept, transform_batch
from transforms.preprocess.graph import TransformGraph
from transforms.rejects import Outcome
from transforms.verb import Verb


class _PreprocessFn(beam.DoFn):
    """Loads the graph once for all threads of a process, and applies it."""

    def __init__(
        self, graph: TransformGraph | str, keep_columns: tuple[str, ...], trusted: bool
    ) -> None:
        self._graph, self._keep, self._shared = graph, keep_columns, Shared()
        self._trusted = trusted
        self._schema: pa.Schema | None = None

    def process(self, batch: pa.RecordBatch) -> Iterator[Outcome]:
        # With the first batch and not in setup: the graph may come to be in the same pipeline.
        loaded = self._shared.acquire(self._load)
        if self._schema is None or not self._schema.equals(batch.schema):
            check_kept(batch.schema, self._keep, loaded.graph.outputs)
            self._schema = batch.schema
        yield transform_batch(batch, loaded, self._keep)

    def _load(self) -> LoadedGraph:
        graph = self._graph
        if isinstance(graph, str):
            graph = TransformGraph.read(graph, self._trusted)
        return LoadedGraph(graph)


@dataclass
class Preprocess(Verb):
    """Applies a frozen transform graph to batches: bounded or not, in any windows.

    Args:
      graph: What `TransformGraph.read` returns; or the folder in which a graph will be when the
        first batch comes, such as `Analyze` writes.
      keep_columns: Columns of the input to keep before those that the graph makes.
      trust_graph: Lets a graph in a folder read and write files and run Python code: trust who made
        it. `TransformGraph.read` looks at the others.
      dead_letters: Takes the rows whose values are missing, don't fit, or make the graph fail; None
        lets the first one fail the pipeline.

    Returns: The transformed rows, in order: int64, float32 and binary columns by the names of the
      graph's outputs, in their order. What has one value a row is a scalar, all else are lists.

    Raises:
      ConfigError: From the workers, if the batches lack columns, the graph can't be loaded, or it
        reaches outside of TensorFlow without being trusted.
    """

    graph: TransformGraph | str
    keep_columns: Sequence[str] = ()
    trust_graph: bool = False
    dead_letters: DeadLetters | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.keep_columns, str):
            raise ConfigError("Preprocess: keep_columns is a list of columns")

    def expand(self, batches: Batches) -> Batches:
        """Returns the transformed rows."""
        apply = beam.ParDo(_PreprocessFn(self.graph, tuple(self.keep_columns), self.trust_graph))
        outcomes = batches | "Transform" >> apply
        outcomes.element_type = beam.typehints.Tuple[pa.RecordBatch, pa.RecordBatch]
        return split_rejects(outcomes, self.dead_letters, "Preprocess")
