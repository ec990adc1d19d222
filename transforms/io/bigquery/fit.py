"""Fits rows to the fields of a table before anything is loaded: a load job would refuse all."""

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import true_where
from transforms.arrow.casts import checked_cast
from transforms.conform import described_faults
from transforms.errors import ConfigError
from transforms.faults import Fault
from transforms.reasons import Reason
from transforms.rejects import Outcome, split_by_faults
from transforms.schema.bigquery_types import NO_LOAD, arrow_schema, bigquery_fields, type_name

Fields = Sequence[Mapping[str, Any]]
_DAYS = datetime.date(1, 1, 1), datetime.date(9999, 12, 31)
_EPOCH = datetime.date(1970, 1, 1)
_DAY_MICROSECONDS = 86_400_000_000


def fit(batch: pa.RecordBatch, fields: Fields) -> Outcome:
    """Casts the columns of a batch to the fields of a table, and rejects the rows that don't fit.

    Args:
      batch: n rows.
      fields: The table's, as BigQuery's JSON has them.

    Returns: The rows that fit, with those of the table's columns that the batch has; and rejects
      with the column, and what is wrong.

    Raises:
      ConfigError: A column that the table lacks, or the batch lacks one that it requires.
    """
    batch = spelled(batch, fields)
    check_columns(batch.schema, fields)
    names = set(batch.schema.names)
    mine = [field for field in fields if field["name"] in names]
    wanted = arrow_schema(list(mine))
    casts = {f.name: checked_cast(batch.column(f.name), f.type) for f in wanted}
    faults = described_faults(casts)
    for field in mine:
        faults += value_faults(casts[field["name"]].values, field, field["name"])
    schema = wanted.with_metadata(batch.schema.metadata)
    fitted = pa.RecordBatch.from_arrays([cast.values for cast in casts.values()], schema=schema)
    return split_by_faults(batch, faults, good=fitted)


def spelled(batch: pa.RecordBatch, fields: Fields) -> pa.RecordBatch:
    """Returns rows whose columns have the table's spelling: to BigQuery case makes no difference.

    Raises:
      ConfigError: Two columns differ in case alone.
    """
    names = batch.schema.names
    check_cases(names)
    by_case = {field["name"].casefold(): field["name"] for field in fields}
    wanted = [by_case.get(name.casefold(), name) for name in names]
    if wanted == names:
        return batch
    return batch.rename_columns(wanted).replace_schema_metadata(batch.schema.metadata)


def check_cases(names: Sequence[str], option: str = "--output") -> None:
    """Checks that no two columns are one to BigQuery.

    Raises:
      ConfigError: Two differ in case alone; the text names them.
    """
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(name.casefold(), name)
        if other != name:
            raise ConfigError(
                f"{option}: columns {other!r} and {name!r} differ in case alone, which BigQuery "
                "does not see: leave one out (--keep_columns), or rename it"
            )


def grown(fields: Fields, schema: pa.Schema) -> list[Mapping[str, Any]]:
    """Returns the fields of a table and, NULLABLE, those of columns that it lacks.

    Raises:
      ConfigError: No table can hold one of these.
    """
    known = {field["name"].casefold() for field in fields}
    return [*fields, *bigquery_fields(f for f in schema if f.name.casefold() not in known)]


def check_columns(schema: pa.Schema, fields: Fields, option: str = "--output") -> None:
    """Checks by name that a table can take some columns.

    Args:
      schema: The columns.
      fields: The table's.
      option: What named the table, for the error.

    Raises:
      ConfigError: It can't; the text names the column.
    """
    known = {field["name"] for field in fields}
    if unknown := [name for name in schema.names if name not in known]:
        raise ConfigError(
            f"{option}: the table has no column {', '.join(unknown)}; it has: "
            f"{', '.join(sorted(known))}. Leave the column out (--keep_columns), or add it to the "
            "table (--allow_schema_growth does)"
        )
    required = [field["name"] for field in fields if _mode(field) == "REQUIRED"]
    if missing := [name for name in required if name not in schema.names]:
        raise ConfigError(
            f"{option}: the table requires a column {', '.join(missing)}, and the rows have none: "
            "add it, or relax the column to NULLABLE"
        )


def check_loadable(fields: Fields) -> None:
    """Checks that load jobs can fill a table of these fields from Parquet.

    Raises:
      ConfigError: A type that they don't take there; the text names the field.
    """
    for path, field in _leaves(fields, ""):
        if type_name(field) in NO_LOAD:
            raise ConfigError(
                f"--output: column {path!r} is of type {type_name(field)}, which BigQuery does not "
                "load from Parquet: leave it out of the table, and add it by a query"
            )


def _leaves(fields: Fields, prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for field in fields:
        path = prefix + field["name"]
        if type_name(field) == "STRUCT":
            yield from _leaves(field["fields"], f"{path}.")
        else:
            yield path, field


def _mode(field: Mapping[str, Any]) -> str:
    return str(field.get("mode") or "NULLABLE").upper()


def value_faults(values: pa.Array, field: Mapping[str, Any], path: str) -> list[Fault]:
    """Returns what a field refuses of values that are of its type already.

    Args:
      values: n values, lists of them where the field is REPEATED.
      field: As BigQuery's JSON has it.
      path: Its name, with those of the records around it.

    Returns: Faults of the n rows; of a row with several values that are at fault, each kind once.
    """
    mode = _mode(field)
    if mode == "REPEATED":
        return _repeated(values, field, path)
    faults = _scalar(values, field, path)
    if mode == "REQUIRED":
        missing = true_where(pc.is_null(values))
        faults.append(_fault(missing, Reason.MISSING_VALUE, path, "is missing, and is REQUIRED"))
    return [fault for fault in faults if fault.mask.any()]


def _repeated(lists: pa.Array, field: Mapping[str, Any], path: str) -> list[Fault]:
    values, rows = pc.list_flatten(lists), pc.list_parent_indices(lists).to_numpy()
    why = "is missing in a list, whose values can't be"
    inner = _scalar(values, field, path)
    inner.append(_fault(true_where(pc.is_null(values)), Reason.MISSING_VALUE, path, why))
    return [_of_rows(fault, rows, len(lists)) for fault in inner if fault.mask.any()]


def _of_rows(fault: Fault, rows: np.ndarray, number: int) -> Fault:
    mask = np.zeros(number, bool)
    mask[rows[fault.mask]] = True
    return fault.over(mask)


def _scalar(values: pa.Array, field: Mapping[str, Any], path: str) -> list[Fault]:
    """Returns the faults of values themselves; missing ones have none."""
    kind = type_name(field)
    if kind == "STRUCT":
        return _record(values, field, path)
    if kind in ("DATE", "DATETIME", "TIMESTAMP"):
        why = "is not in the years 1 to 9999"
        return [_fault(_out_of_years(values), Reason.OUT_OF_RANGE, path, why)]
    if kind == "JSON":
        return [_fault(_not_json(values), Reason.UNPARSABLE, path, "is not valid JSON")]
    if "maxLength" in field and kind in ("STRING", "BYTES"):
        most = int(field["maxLength"])
        length = pc.utf8_length if kind == "STRING" else pc.binary_length
        long = true_where(pc.greater(length(values), most))
        return [_fault(long, Reason.OVERSIZED, path, f"is longer than {kind}({most})")]
    return []


def _record(values: pa.Array, field: Mapping[str, Any], path: str) -> list[Fault]:
    valid, faults = true_where(values.is_valid()), []
    for inner in field["fields"]:
        part = pc.struct_field(values, inner["name"])
        for fault in value_faults(part, inner, f"{path}.{inner['name']}"):
            # What a record that is missing would hold is not missing by itself.
            faults.append(fault.over(fault.mask & valid))
    return faults


def _out_of_years(values: pa.Array) -> np.ndarray:
    first, last = ((day - _EPOCH).days for day in _DAYS)
    if pa.types.is_date32(values.type):
        numbers, low, high = values.view(pa.int32()), first, last
    else:
        numbers, low = values.view(pa.int64()), first * _DAY_MICROSECONDS
        high = (last + 1) * _DAY_MICROSECONDS - 1
    return true_where(pc.or_(pc.less(numbers, low), pc.greater(numbers, high)))


def _not_json(values: pa.Array) -> np.ndarray:
    # JSON columns are few, and nothing in Arrow reads a document without a schema.
    return np.array([text is not None and not _is_json(text) for text in values.to_pylist()], bool)


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _fault(mask: np.ndarray, reason: Reason, path: str, why: str) -> Fault:
    return Fault(mask, reason, path, f"a value of column {path!r} {why}")
