"""Analyze: all rows to a transform graph."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.batches import select_rows
from transforms.coders import Batches
from transforms.errors import ConfigError
from transforms.files.filesystem import write_bytes
from transforms.preprocess.columns import RawColumns
from transforms.preprocess.declared.analyze import learn, write
from transforms.preprocess.declared.columns import narrowed
from transforms.preprocess.declared.parse import Steps
from transforms.preprocess.declared.plan import Plan
from transforms.preprocess.failing import quiet_steps
from transforms.preprocess.function import Function, Traced, trace
from transforms.preprocess.graph import RAW_SCHEMA, SAVED
from transforms.preprocess.manifest import write_manifest
from transforms.tensorflow import tensorflow_transform
from transforms.verb import Verb

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2


def rows_to_analyze(batch: pa.RecordBatch, columns: RawColumns) -> pa.RecordBatch:
    """Returns the rows of a batch as tf.Transform takes them, without those that don't fit.

    Args:
      batch: n rows with the columns that are used.
      columns: What the preprocessing function takes.

    Raises:
      ConfigError: The batch lacks a column, or it is of a type that can't be cast.
    """
    fed, faults = columns.feed(batch)
    if not faults:
        return fed
    return select_rows(fed, ~np.logical_or.reduce([fault.mask for fault in faults]))


@dataclass
class Analyze(Verb):
    """Analyzes batches, and writes the transform graph that `Preprocess` applies.

    A function is analyzed by tf.Transform. Declared steps are analyzed without TensorFlow, by
    figures of columns that merge, and written as a graph like any other. Rows that don't fit the
    schema of the raw data are left out: `Preprocess` rejects them.

    Args:
      function: A `preprocessing_fn` as tf.Transform knows it, or `PreprocessingFn.read("f.py")`.
      schema: The tensorflow-metadata `Schema` of the raw data: which columns there are, and whether
        each is a dense, sparse or ragged tensor.
      folder: Where `transform_fn/`, `transformed_metadata/` and `metadata/` are written, at once.
      temp: A folder for what is in between, which workers can reach; one in `folder` by default.
        Declared steps need none.
      traced: What `trace` told of the function already.
      steps: Declared steps in place of a function: `Steps.read("steps.yaml")`.

    Returns: The folder, once all is in it.

    Raises:
      ConfigError: The steps don't fit the schema. From `expand`: the function can't be traced, or
        the input has no end. From the workers: what analyzers depend on fails on a row.
    """

    function: Function | None = None
    schema: "schema_pb2.Schema | None" = None
    folder: str = ""
    temp: str | None = None
    traced: Traced | None = None
    steps: Steps | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.function is None) == (self.steps is None):
            raise ConfigError("Analyze: give one of function and steps")
        if self.steps is None and not callable(self.function):
            raise ConfigError("Analyze: function is a preprocessing_fn, or PreprocessingFn.read()")
        if self.schema is None:
            raise ConfigError("Analyze: schema is needed: that of the raw columns")
        self.plan = None if self.steps is None else Plan.of(self.steps, self.schema)
        self.folder = self.folder.rstrip("/")

    @classmethod
    def resolve(
        cls, function: Function, schema: "schema_pb2.Schema", folder: str = ""
    ) -> "Analyze":
        """Traces a function once and for all.

        Raises:
          ConfigError: It can't be traced.
        """
        traced = trace(function, RawColumns.of_schema(schema))
        return cls(function, schema, folder, traced=traced)

    @property
    def columns(self) -> RawColumns:
        """The columns that are taken; those that anything depends on are used."""
        if self.plan is not None:
            return self.plan.columns
        assert self.function is not None
        return (self.traced or trace(self.function, RawColumns.of_schema(self.schema))).columns

    def expand(self, batches: Batches) -> "beam.PCollection[str]":
        """Returns the folder, once all is in it."""
        if not batches.is_bounded:
            raise ConfigError(
                "Analyze: the input has no end, so there is no moment at which all of it is "
                "analyzed: analyze in batch, then apply the transform graph to the stream"
            )
        if self.plan is not None:
            return self._by_steps(batches, self.plan)
        return self._by_function(batches)

    def _by_steps(self, batches: Batches, plan: Plan) -> "beam.PCollection[str]":
        return self.write_steps(learn(batches, plan))

    def write_steps(self, known: Any) -> "beam.PCollection[str]":
        """Returns the folder, once the graph of declared steps is in it.

        Args:
          known: A collection of the constants of their figures.
        """
        assert self.plan is not None
        schema = narrowed(self.schema, self.plan.steps.columns)
        schema = schema.SerializeToString(deterministic=True)
        return known | "WriteSteps" >> beam.Map(write, self.plan, schema, self.folder)

    def _by_function(self, batches: Batches) -> "beam.PCollection[str]":
        with self.context():
            tft_beam = importlib.import_module("tensorflow_transform.beam")
            dataset = (self.fed(batches), self.columns.adapter())
            analyzed = dataset | "Analyze" >> tft_beam.AnalyzeDataset(self.function)
        return self.write_function(analyzed)

    @contextmanager
    def context(self) -> Iterator[None]:
        """Lets tf.Transform's steps be built: its folder is told, and its errors show no values."""
        tensorflow_transform()
        tft_beam = importlib.import_module("tensorflow_transform.beam")
        with tft_beam.Context(temp_dir=self.temp or f"{self.folder}/.temp"), quiet_steps():
            yield

    def fed(self, batches: Batches, label: str = "Feed") -> Any:
        """Returns batches as tf.Transform takes them."""
        feed = beam.Map(rows_to_analyze, self.columns).with_output_types(pa.RecordBatch)
        return batches | label >> feed

    def write_function(self, analyzed: Any) -> "beam.PCollection[str]":
        """Returns the folder, once the graph of a function is in it.

        Args:
          analyzed: What tf.Transform's analysis returned.
        """
        tft_beam = importlib.import_module("tensorflow_transform.beam")
        written = analyzed | "WriteGraph" >> tft_beam.WriteTransformFn(self.folder)
        finish = beam.Map(_with_schema, self.folder, _text(self.schema)).with_output_types(str)
        return written | "WriteSchema" >> finish


def _text(schema: Any) -> bytes:
    from google.protobuf import text_format

    return str(text_format.MessageToString(schema)).encode()


def _with_schema(_: object, folder: str, schema: bytes) -> str:
    write_bytes(f"{folder}/{RAW_SCHEMA}", schema)
    write_manifest(folder, SAVED)
    return folder
