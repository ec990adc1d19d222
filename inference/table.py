"""Scores tables, DataFrames and lists of dicts in this process, without a pipeline."""

import functools
import os
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from inference.devices.execution import Execution
from inference.loaded import LoadedModel
from inference.model.model import BATCH_ROWS, TIMEOUT, Columns, Model, names_of
from inference.model.resolve import resolved
from inference.score import score_batch
from transforms.arrow.types import plain_schema
from transforms.batches import rebatch
from transforms.errors import ConfigError
from transforms.rejects import REJECTS, Outcome
from transforms.rows.batches import DICT, FRAME, batch_of, infer_schema, record_of
from transforms.wording import rows_in_memory


def score_table(
    rows: Any,
    model: Any,
    signature: str | None = None,
    mapping: Columns | None = None,
    keep_columns: Sequence[str] | str | None = None,
    output_prefix: str = "",
    batch_rows: int = BATCH_ROWS,
    trust_model: bool = False,
    model_timeout: float | None = TIMEOUT,
    transform_graph: str | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Scores a table as `Score` does, without a pipeline.

    The models used last stay loaded in this process, so that calls may be many and small.

    Args:
      rows: n rows with the columns that feed the model: a pyarrow Table or RecordBatch, a pandas
        DataFrame, or a list of dicts.
      model: The URI of a SavedModel directory or `.keras` file, a resolved `Model`, or a Keras
        model in memory.
      signature: A SavedModel's signature; None for `serving_default`, or the only one.
      mapping: Inputs to columns, where their names differ; see `Model.resolve`.
      keep_columns: The columns to keep beside the outputs, or the name of one; None keeps all.
      output_prefix: Put before the names of the columns that the model adds.
      batch_rows: The most rows of a call.
      trust_model: Lets the model reach outside of TensorFlow; see `Model.resolve`.
      model_timeout: The most seconds of a call; None for any number.
      transform_graph: A frozen transform graph, applied in the model's own call.

    Returns: The rows that were scored, in order, with the model's outputs; and the rejected ones,
      in the columns of `rejects.REJECTS`.

    Raises:
      ConfigError: There is no such model, or the columns can't feed it.
    """
    chosen = resolved(
        model,
        signature=signature,
        mapping=mapping,
        output_prefix=output_prefix,
        batch_rows=batch_rows,
        trust_model=trust_model,
        model_timeout=model_timeout,
        transform_graph=transform_graph,
    )
    whole, unfit = table_of(rows, chosen)
    keep = names_of(keep_columns)
    with rows_in_memory():
        chosen.check(whole.schema, keep)
    loaded = _loaded(chosen)
    nothing = [pa.nulls(0, field.type) for field in whole.schema]
    chunks = whole.to_batches() or [pa.RecordBatch.from_arrays(nothing, schema=whole.schema)]
    batches = rebatch(chunks, max_rows=loaded.limit.rows)
    outcomes = [score_batch(batch, loaded, keep) for batch in batches]
    scored = pa.Table.from_batches([batch for batch, _ in outcomes])
    rejects = pa.Table.from_batches([unfit, *(batch for _, batch in outcomes)], schema=REJECTS)
    return scored, rejects


def table_of(rows: Any, model: Model) -> tuple[pa.Table, pa.RecordBatch]:
    """Returns rows as a table, and the rejects of those that don't fit its columns.

    Args:
      rows: See `score_table`. What dicts hold has the type of the column's first value.
      model: Says the types of columns that hold no value at all.

    Raises:
      ConfigError: They are something else.
    """
    if isinstance(rows, pa.Table):
        return rows, _NOTHING
    if isinstance(rows, pa.RecordBatch):
        return pa.Table.from_batches([rows]), _NOTHING
    fitted, rejects = _gathered(rows, model)
    return pa.Table.from_batches([fitted]), rejects


_NOTHING = pa.RecordBatch.from_pylist([], schema=REJECTS)


def _gathered(rows: Any, model: Model) -> Outcome:
    if hasattr(rows, "to_dict") and hasattr(rows, "iloc"):
        try:
            return batch_of(FRAME, [rows], infer_schema(FRAME, [rows]))
        except (pa.ArrowException, TypeError):
            # A column of objects of several types: row by row.
            rows = rows.to_dict("records")
    if isinstance(rows, str | bytes) or not isinstance(rows, Sequence):
        raise ConfigError(
            "rows= is a pyarrow Table or RecordBatch, a pandas DataFrame or a list of dicts, not a "
            f"{type(rows).__qualname__}"
        )
    records = [_record(row) for row in rows]
    if not records:
        return batch_of(DICT, [], pa.schema(list(model.input_types().items())))
    types = model.input_types(times=False)
    return batch_of(DICT, records, _typed(infer_schema(DICT, records), records, types))


def _record(row: Any) -> Any:
    kind, record = record_of(row)
    if kind != DICT:
        raise ConfigError("rows= is a list of dicts, but holds something else")
    return record


def _typed(
    schema: pa.Schema, records: list[dict[str, Any]], types: dict[str, pa.DataType]
) -> pa.Schema:
    """Returns the schema with the model's types for columns without any value."""
    empty = {name for name in schema.names if all(row.get(name) is None for row in records)}
    fields = [
        field.with_type(types[field.name]) if field.name in empty & types.keys() else field
        for field in schema
    ]
    return plain_schema(pa.schema(fields))


@functools.lru_cache(maxsize=4)
def _loaded(model: Model) -> LoadedModel:
    return LoadedModel(model, Execution(calls_beside=len(os.sched_getaffinity(0))))
