"""A frozen transform graph applied to batches."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.arrow.casts import as_plain
from transforms.arrow.types import plain_type
from transforms.batches import select_rows
from transforms.calls import Calls, Failed, RowLimit
from transforms.errors import ConfigError, MillraceError
from transforms.faults import Fault
from transforms.nearest import nearest_column
from transforms.preprocess.graph import TransformGraph
from transforms.reasons import Reason
from transforms.rejects import Outcome, split_by_faults
from transforms.tensorflow import blame, is_exhausted, tensorflow

MOST_ROWS = 1 << 16
"""The most rows of one call."""


class LoadedGraph:
    """A transform graph ready to be applied, and what it learned about memory. Threads share it.

    Args:
      graph: As it was read.

    Raises:
      ConfigError: It can't be loaded.
    """

    def __init__(self, graph: TransformGraph) -> None:
        from tfx_bsl.tfxio.tensor_adapter import TensorAdapter
        from tfx_bsl.tfxio.tensor_to_arrow import TensorsToRecordBatchConverter

        tf = tensorflow()
        self.graph = graph
        used = [each for each in graph.columns.features if each.name in graph.columns.used]
        self.columns = type(graph.columns)(tuple(used), graph.columns.used)
        self._function = graph.function()
        self._call = self._function.compiled(sorted(graph.columns.used), graph.outputs)
        self._adapter = TensorAdapter(self.columns.adapter()) if used else None
        specs = {
            name: tf.type_spec_from_value(self._function.outputs[name]) for name in graph.outputs
        }
        self._converter = TensorsToRecordBatchConverter(specs)
        self._scalar = {name for name, spec in specs.items() if _is_scalar(spec)}
        self.limit = RowLimit(MOST_ROWS)
        types = {field.name: field.type for field in self._converter.arrow_schema()}
        self.schema = pa.schema([(name, self._type(name, types[name])) for name in graph.outputs])
        """The columns that it makes."""

    def transform(self, fed: pa.RecordBatch) -> pa.RecordBatch:
        """Applies the graph to rows without fault, in one call of TensorFlow.

        Args:
          fed: n rows as `RawColumns.feed` returns them.

        Returns: n rows of the columns of `schema`.
        """
        tensors = {} if self._adapter is None else self._adapter.ToBatchTensors(fed, True)
        made = self._converter.convert(self._call(tensors))
        arrays = [self._column(name, made.column(name)) for name in self.graph.outputs]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def calls(self, fed: pa.RecordBatch) -> Calls[pa.RecordBatch]:
        """Returns the calls that transform the rows of a batch and find those at fault."""

        def call(start: int, count: int, padded: int) -> pa.RecordBatch:
            return self.transform(fed.slice(start, count))

        nodes = self._function.nodes
        return Calls(
            call,
            is_exhausted,
            lambda error: blame(error, nodes, "the transform graph"),
            passed=(MillraceError,),
        )

    def _type(self, name: str, type: pa.DataType) -> pa.DataType:
        plain = plain_type(type)
        return plain.value_type if name in self._scalar else plain

    def _column(self, name: str, made: pa.Array) -> pa.Array:
        plain = as_plain(made, plain_type(made.type))
        return plain.flatten() if name in self._scalar else plain.cast(self.schema.field(name).type)


def _is_scalar(spec: Any) -> bool:
    """Returns whether an output has exactly one value for each row."""
    if not isinstance(spec, tensorflow().TensorSpec):
        return False
    return spec.shape.rank is not None and list(spec.shape[1:]) in ([], [1])


def transform_batch(
    batch: pa.RecordBatch, loaded: LoadedGraph, keep_columns: Sequence[str] = ()
) -> Outcome:
    """Applies a frozen transform graph to the rows of a batch.

    Args:
      batch: n rows with the columns that the graph needs.
      loaded: The graph.
      keep_columns: Columns of the batch to keep before what the graph makes.

    Returns: The transformed rows, in order; and the rows whose values are missing, don't fit, or
      make the graph fail.

    Raises:
      ConfigError: The batch lacks a column, or it is of a type that can't be cast.
    """
    fed, faults = loaded.columns.feed(batch)
    good = np.ones(batch.num_rows, bool)
    for fault in faults:
        good &= ~fault.mask
    made, failed = _applied(loaded, select_rows(fed, good))
    rows = np.flatnonzero(good)
    for message in dict.fromkeys(failure.message for failure in failed):
        mask = np.zeros(batch.num_rows, bool)
        mask[rows[[each.row for each in failed if each.message == message]]] = True
        good &= ~mask
        faults.append(Fault(mask, Reason.MODEL_ERROR, None, message))
    kept, rejects = split_by_faults(batch, faults, version=loaded.graph.version)
    return beside(kept, keep_columns, made), rejects


def _applied(loaded: LoadedGraph, fed: pa.RecordBatch) -> tuple[pa.RecordBatch, list[Failed]]:
    """Returns the graph's results, and the rows that it fails on."""
    parts = list(loaded.calls(fed).over(fed.num_rows, loaded.limit))
    made = [part.result for part in parts if not isinstance(part, Failed)]
    failed = [part for part in parts if isinstance(part, Failed)]
    if not made:
        return pa.RecordBatch.from_pylist([], loaded.schema), failed
    return made[0] if len(made) == 1 else pa.concat_batches(made), failed


def beside(
    rows: pa.RecordBatch, keep_columns: Sequence[str], made: pa.RecordBatch
) -> pa.RecordBatch:
    """Returns some columns of rows, and those that were made of them.

    Args:
      rows: n rows; the note of where they came from is kept.
      keep_columns: Which of their columns are kept.
      made: n rows.
    """
    kept = [rows.schema.field(name) for name in keep_columns]
    schema = pa.schema([*kept, *made.schema], metadata=rows.schema.metadata)
    columns = [*(rows.column(name) for name in keep_columns), *made.columns]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def check_kept(columns: pa.Schema, keep_columns: Sequence[str], made: Sequence[str]) -> None:
    """Checks the columns that are kept beside those that a graph makes.

    Raises:
      ConfigError: One is not there, or the graph makes one of its name.
    """
    for name in keep_columns:
        if name not in columns.names:
            near = nearest_column(name, columns.names)
            raise ConfigError(f"--keep_columns: there is no column {name!r}{near}")
        if name in made:
            raise ConfigError(
                f"--keep_columns: the transform graph makes a column {name!r} too: rename one"
            )
