"""Scores batches with a model: the function and the verb."""

import os
import resource
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.metrics import Metrics
from apache_beam.ml.inference import base
from apache_beam.ml.inference.base import ModelHandler, RunInference

from inference.devices.check import check_devices
from inference.devices.execution import AHEAD, FLOAT32, Execution
from inference.devices.gpu import MPS, SHARED, Gpu
from inference.devices.owner import Usage
from inference.devices.plan import share_mib
from inference.loaded import Bound, LoadedModel
from inference.model.model import BATCH_ROWS, TIMEOUT, Columns, Model, names_of
from inference.model.resolve import resolved
from inference.rejecting import Rejecting
from inference.sharing import SharedModel, score_shared
from inference.tensors.features import features_of
from transforms import progress
from transforms.batches import select_rows
from transforms.coders import Batches, known_columns
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.rejects import Outcome
from transforms.verb import Verb

if getattr(base, "resource", None) is None:
    # Beam 2.77 drops this module with an optional import (torch) in the same block, then warns
    # that the platform lacks it, and reports every model's size as 0.
    base.resource = resource


def score_batch(
    batch: pa.RecordBatch, loaded: LoadedModel, keep_columns: Sequence[str] | None = None
) -> Outcome:
    """Scores the rows of a batch.

    Args:
      batch: n rows with the columns that feed the model. It is cut to the model's batch size.
      loaded: The model.
      keep_columns: The columns to keep beside the outputs; None keeps all.

    Returns: The rows that went well, in order, with the model's outputs; and those that can't be
      fed to it (a value is missing, of a wrong shape or does not fit), make it fail, or make it
      return what can't be stored.

    Raises:
      ConfigError: The batch lacks columns of the model, or they are of wrong types.
    """
    bound = loaded.bound(batch.schema, keep_columns)
    features, faults = features_of(batch, bound.binding)
    sifted = Rejecting(batch, loaded.model)
    for fault in faults:
        sifted.reject(fault)
    if faults:
        features = [feature.select(sifted.good) for feature in features]
    predictions = loaded.predict(features, int(np.count_nonzero(sifted.good)))
    fine = sifted.judge(predictions)
    outputs = [output.values for output in predictions.outputs]
    if fine is not None:
        outputs = [values.filter(pa.array(fine)) for values in outputs]
    return _scored(select_rows(batch, sifted.good), bound, outputs, loaded), sifted.rejects()


def _scored(
    rows: pa.RecordBatch, bound: Bound, outputs: list[pa.Array], loaded: LoadedModel
) -> pa.RecordBatch:
    """Rows with the model's outputs and version beside the columns to keep."""
    kept = [rows.column(index) for index in bound.kept]
    schema = bound.schema.with_metadata(rows.schema.metadata)
    columns = [*kept, *outputs, loaded.versions(rows.num_rows)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


class ScoreHandler(ModelHandler[pa.RecordBatch, Outcome, LoadedModel]):
    """Runs a model over batches in RunInference. It holds configuration only.

    Args:
      model: The model.
      keep_columns: The columns to keep beside its outputs; None keeps all.
      gpu: The GPUs without which it must not run; None where there need be none.
      execution: How it is run.
    """

    def __init__(
        self,
        model: Model,
        keep_columns: tuple[str, ...] | None = None,
        gpu: Gpu | None = None,
        execution: Execution | None = None,
    ) -> None:
        super().__init__()
        self._model, self._keep, self._gpu = model, keep_columns, gpu
        self._execution = execution or Execution()

    @property
    def identifier(self) -> str:
        """What Beam knows the loaded model by: another in each way that it can be run."""
        how = self._execution
        plain = how.precision == FLOAT32 and not how.jit
        ways = "" if plain else f"#{how.precision}{'#jit' * how.jit}"
        return f"{self._model.uri}#{self._model.digest}{ways}"

    def __repr__(self) -> str:
        """Returns what Beam notes of it in the pipeline: the same in each run."""
        model = self._model
        return f"Score({model.uri!r}, {model.signature.name!r}, {model.digest})"

    def load_model(self) -> "LoadedModel | SharedModel":
        """Loads and warms up the model, once for all threads of a process, or for all processes.

        Raises:
          ConfigError: It can't be loaded, or a GPU that was asked for is not there.
        """
        if self._gpu is not None:
            check_devices(self._gpu)
        with progress.phase("loading the model"):
            loaded = LoadedModel(self._model, self._how())
        return SharedModel(loaded, score_batch) if self.share_model_across_processes() else loaded

    def _how(self) -> Execution:
        """Returns how this process runs the model: with a part of a GPU, if there are others."""
        if self._gpu is None or self._gpu.topology != MPS:
            return self._execution
        # Dataflow runs a process for each vCPU.
        most = share_mib(self._gpu, len(os.sched_getaffinity(0)))
        return replace(self._execution, memory_mib=most)

    def share_model_across_processes(self) -> bool:
        """Returns whether one process of a machine has the model, and the others ask it."""
        return self._gpu is not None and self._gpu.topology == SHARED

    def run_inference(
        self,
        batch: pa.RecordBatch,
        model: Any,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[Outcome]:
        """Scores a batch, and counts what the devices did meanwhile."""
        if self.share_model_across_processes():
            outcome = score_shared(batch, model, self._keep)
        else:
            outcome = score_batch(batch, model, self._keep)
        usage = model.usage()
        if usage is not None:
            _count(usage)
        return [outcome]

    def should_skip_batching(self) -> bool:
        """Returns True: an element is a batch already."""
        return True

    def get_num_bytes(self, batch: pa.RecordBatch) -> int:
        """Returns the bytes of a batch, from its buffers' sizes; Beam would pickle it to know."""
        return int(batch.nbytes)


def _count(usage: Usage) -> None:
    """Counts what devices did, in the metrics of the step: occupancy is busy over elapsed."""
    for name, seconds in (
        ("device_busy_ms", usage.busy),
        ("device_elapsed_ms", usage.seconds),
        ("device_wait_ms", usage.waited),
    ):
        Metrics.counter("millrace", name).inc(round(seconds * 1000))
    Metrics.counter("millrace", "device_calls").inc(usage.calls)
    Metrics.distribution("millrace", "device_occupancy_percent").update(
        round(usage.occupancy * 100)
    )


@dataclass
class Score(Verb):
    """Scores batches with a model, and adds its outputs and `model_version` as columns.

    Args:
      model: The URI of a SavedModel directory or `.keras` file, a resolved `Model`, or a Keras
        model in memory.
      signature: A SavedModel's signature; None for `serving_default`, or the only one.
      mapping: Inputs to columns, where their names differ; see `Model.resolve`.
      keep_columns: The columns to keep beside the outputs, or the name of one; None keeps all.
      output_prefix: Put before the names of the columns that the model adds.
      batch_rows: The most rows of a call. Larger batches are cut. They are padded to a few sizes,
        unless what the model makes of a row depends on the other rows.
      trust_model: Lets the model reach outside of TensorFlow; see `Model.resolve`.
      model_timeout: The most seconds of a call; None for any number.
      transform_graph: A frozen transform graph, applied in the model's own call: the model's inputs
        are features that it makes of raw columns, which flow on; see `Model.resolve`.
      gpu: The GPUs of each worker, `nvidia-l4:1`. The step alone asks the runner for them, and
        fails where they are not seen; None for the CPU, or what there is. `nvidia-l4:1:shared`
        loads the model into one of a machine's processes, for all of them.
      jit: Whether XLA compiles the model, once for each size that rows are padded to.
      precision: In which numbers a SavedModel multiplies matrices: "float32", "bfloat16" or
        "float16". What it takes and gives is unchanged.
      calls_ahead: On a GPU: how many calls wait for it, decoded and copied to its memory.
      calls_beside: On the CPU: how many calls may be made side by side. That is measured when the
        model is loaded, and done if it is faster; 1 for none.
      dead_letters: Takes the rows that the model can't score; None lets the first one fail the
        pipeline.

    Returns: The rows that were scored, in order.

    Raises:
      ConfigError: When the pipeline is built, if there is no such model, it can't be fed from
        columns, or `Read` gives other columns; from the workers, if other batches do.
    """

    model: Any
    signature: str | None = None
    mapping: Columns | None = None
    keep_columns: Sequence[str] | str | None = None
    output_prefix: str = ""
    batch_rows: int = BATCH_ROWS
    trust_model: bool = False
    model_timeout: float | None = TIMEOUT
    transform_graph: str | None = None
    gpu: Gpu | str | None = None
    jit: bool = False
    precision: str = FLOAT32
    calls_ahead: int = AHEAD
    calls_beside: int = 1
    dead_letters: DeadLetters | None = None

    def expand(self, batches: Batches) -> Batches:
        """Calls the model within RunInference; checks the columns, where they are known."""
        model = resolved(
            self.model,
            signature=self.signature,
            mapping=self.mapping,
            output_prefix=self.output_prefix,
            batch_rows=self.batch_rows,
            trust_model=self.trust_model,
            model_timeout=self.model_timeout,
            transform_graph=self.transform_graph,
        )
        keep = names_of(self.keep_columns)
        if (schema := known_columns(batches)) is not None:
            model.check(schema, keep)
        gpu = Gpu.parse(self.gpu) if isinstance(self.gpu, str) else self.gpu
        how = Execution(self.jit, self.precision, self.calls_ahead, calls_beside=self.calls_beside)
        handler = ScoreHandler(model, keep, gpu, how)
        inference: beam.PTransform = RunInference(handler, model_identifier=handler.identifier)
        # Without this hint the outcomes would be pickled wherever the runner encodes them.
        typed = inference.with_output_types(tuple[pa.RecordBatch, pa.RecordBatch])
        if gpu is not None and gpu.hinted:
            typed = typed.with_resource_hints(accelerator=gpu.form)
        return split_rejects(batches | "RunInference" >> typed, self.dead_letters, "Score")
