"""Batches from rows and back, in this process: what FromRows and ToRows wrap.

This is the bridge to pipelines that hold rows, and so it goes row by row in Python; nothing on the
way from a file through the verbs to a file does.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.arrow.cast_faults import Cast
from transforms.arrow.casts import checked_cast
from transforms.arrow.json_text import json_object
from transforms.arrow.types import is_list, plain_schema, plain_type
from transforms.batches import select_rows
from transforms.conform import conform, fault_message
from transforms.examples.convert import decode_examples
from transforms.examples.schema import infer_example_schema
from transforms.faults import Fault
from transforms.reasons import Reason
from transforms.rejects import Outcome, join_rejects, reject_payloads

DICT, EXAMPLE, FRAME = "dict", "example", "pandas"

_SIMPLE = frozenset((type(None), bool, int, float, str, bytes))
_UNFIT = (TypeError, ValueError, OverflowError, pa.ArrowNotImplementedError)


def record_of(row: Any) -> tuple[str, Any]:
    """Returns the kind of a row, and the row in the form in which it is buffered.

    Args:
      row: A dict, Beam Row, NamedTuple or dataclass, a tf.train.Example, serialized or not, or a
        pandas DataFrame.

    Raises:
      TypeError: It is something else.
    """
    if isinstance(row, dict):
        return DICT, row
    if isinstance(row, bytes):
        return EXAMPLE, row
    fields = _fields(row)
    if fields is not None:
        return DICT, {name: _plain(value) for name, value in fields.items()}
    if hasattr(row, "SerializeToString"):
        return EXAMPLE, row.SerializeToString()
    if hasattr(row, "to_dict") and hasattr(row, "iloc"):
        return FRAME, row
    raise TypeError(
        "FromRows takes dicts, Beam Rows, NamedTuples, dataclasses, tf.Examples and DataFrames, "
        f"not {type(row)}"
    )


def _fields(row: Any) -> dict[str, Any] | None:
    """Returns the fields of a Beam Row, NamedTuple or dataclass."""
    if dataclasses.is_dataclass(row) and not isinstance(row, type):
        return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    fields = getattr(row, "as_dict", None) or getattr(row, "_asdict", None)
    return None if fields is None else fields()


def _plain(value: Any) -> Any:
    """Returns a value with Beam's own types, and arrays of several dimensions, as Python's."""
    if type(value) in _SIMPLE:
        return value
    if isinstance(value, np.ndarray):
        return value.tolist() if value.ndim > 1 else value
    if (fields := _fields(value)) is not None:
        return {name: _plain(part) for name, part in fields.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if hasattr(value, "to_utc_datetime"):
        return value.to_utc_datetime(has_tz=True)
    return value


def infer_schema(kind: str, records: Sequence[Any]) -> pa.Schema:
    """Returns the schema of some rows; a column without any value is string.

    Args:
      kind: What `record_of` says they are.
      records: At least one row.
    """
    if kind == EXAMPLE:
        found = infer_example_schema(list(records))
    elif kind == FRAME:
        found = plain_schema(_frame_batch(records[0]).schema)
    else:
        names = list(dict.fromkeys(name for record in records for name in record))
        found = pa.schema([(name, _natural([r.get(name) for r in records])) for name in names])
    types = [pa.string() if pa.types.is_null(field.type) else field.type for field in found]
    return pa.schema(list(zip(found.names, types, strict=True)))


def _natural(values: list[Any]) -> pa.DataType:
    """Returns the type of a column: that of all its values, or of its first."""
    try:
        return plain_type(pa.array(values).type)
    except _UNFIT:
        pass
    values = [value for value in values if value is not None]
    try:
        return plain_type(pa.array([_plain(values[0])]).type)
    except _UNFIT:
        return pa.string()


def batch_of(kind: str, records: Sequence[Any], schema: pa.Schema) -> Outcome:
    """Makes a batch of rows.

    Args:
      kind: What `record_of` says they are.
      records: n rows (of DataFrames, one).
      schema: The columns wanted. A key that a row lacks is null, others are left out.

    Returns: The rows that fit the schema, in order, and the rejects.
    """
    if kind == EXAMPLE:
        raw = pa.RecordBatch.from_arrays([pa.array(records, pa.binary())], ["example"])
        return decode_examples(raw, schema)
    if kind == FRAME:
        return _batch_of_frame(records[0], schema)
    return batch_of_dicts(records, schema)


def _batch_of_frame(frame: Any, schema: pa.Schema) -> Outcome:
    try:
        batch = _frame_batch(frame)
    except _UNFIT:
        # A column of objects of several types: row by row.
        return batch_of_dicts(frame.to_dict("records"), schema)
    return conform(batch, schema)


def _frame_batch(frame: Any) -> pa.RecordBatch:
    batch = pa.RecordBatch.from_pandas(frame, preserve_index=False)
    return batch.replace_schema_metadata(None)


def batch_of_dicts(records: Sequence[dict[str, Any]], schema: pa.Schema) -> Outcome:
    """Makes a batch of dicts, each column by itself; see `batch_of`."""
    casts = {
        field.name: column_of([record.get(field.name) for record in records], field.type)
        for field in schema
    }
    columns = [cast.values for cast in casts.values()]
    batch = pa.RecordBatch.from_arrays(columns, schema=schema)
    bad = np.zeros(len(records), bool)
    rejects = []
    for name, cast in casts.items():
        for fault in cast.faults:
            new = fault.mask & ~bad
            bad |= new
            payloads = [json_object(records[index]) for index in np.flatnonzero(new).tolist()]
            message = fault_message(fault.reason, name, cast.values.type)
            texts = pa.array(payloads, pa.string())
            rejects.append(reject_payloads(texts, fault.reason, message, column=name))
    return select_rows(batch, ~bad), join_rejects(rejects)


def column_of(values: list[Any], type: pa.DataType) -> Cast:
    """Returns a column of Python values, in its own type first and then by a checked cast.

    Arrow would convert straight to the type too, but then 3.5 becomes the integer 3 unseen. Where
    the values are of several types, each run of one type is cast apart.
    """
    runs = list(_runs(values, type))
    if len(runs) == 1:
        return runs[0]
    masks: dict[Reason, np.ndarray] = {}
    start = 0
    for run in runs:
        for fault in run.faults:
            whole = masks.setdefault(fault.reason, np.zeros(len(values), bool))
            whole[start : start + len(fault.mask)] = fault.mask
        start += len(run.values)
    faults = tuple(Fault(mask, reason) for reason, mask in masks.items())
    return Cast(pa.concat_arrays([run.values for run in runs]), faults)


def _runs(values: list[Any], type: pa.DataType) -> Iterator[Cast]:
    try:
        # Dicts would be taken as structs, and so only the type tells a map.
        array = pa.array(values, type if _maps(type) else None)
    except _UNFIT:
        half = len(values) // 2
        if not half:
            yield _alone(values[0], type)
            return
        yield from _runs(values[:half], type)
        yield from _runs(values[half:], type)
        return
    yield checked_cast(array, type)


def _maps(type: pa.DataType) -> bool:
    if is_list(type):
        return _maps(type.value_type)
    if pa.types.is_struct(type):
        return any(_maps(field.type) for field in type)
    return bool(pa.types.is_map(type))


def _alone(value: Any, type: pa.DataType) -> Cast:
    """Returns a value that Arrow does not know in a form that it knows."""
    try:
        return checked_cast(pa.array([_plain(value)], type if _maps(type) else None), type)
    except UnicodeEncodeError:
        reason = Reason.INVALID_UTF8
    except OverflowError:
        reason = Reason.OVERFLOW
    except _UNFIT:
        reason = Reason.WRONG_TYPE
    return Cast(pa.nulls(1, type), (Fault(np.ones(1, bool), reason),))
