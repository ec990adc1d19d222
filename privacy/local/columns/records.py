"""The rows that values belong to: their other fields are contexts, and decide conditions."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.local.columns.nested import as_list

Contexts = Callable[[str], pa.Array | None]
"""Returns the context of each of some values, by the name of a field; None where it isn't there."""


def field_of(batch: pa.RecordBatch, path: str) -> pa.Array:
    """Returns the values of a field, one a row; `a.b` is the field b of the structs in column a."""
    if path in batch.schema.names:
        column = batch.column(path)
    else:
        name, *rest = path.split(".")
        column = batch.column(name)
        for each in rest:
            names = [column.type.field(place).name for place in range(column.type.num_fields)]
            column = column.flatten()[names.index(each)]
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def field_paths(schema: pa.Schema) -> list[str]:
    """Returns the names of columns, and the paths of fields within structs: one value a row."""
    found = []
    waiting = [(each.name, each.type) for each in schema]
    while waiting:
        path, type = waiting.pop(0)
        found.append(path)
        if pa.types.is_struct(type):
            fields = [type.field(place) for place in range(type.num_fields)]
            waiting += [(f"{path}.{each.name}", each.type) for each in fields]
    return found


@dataclass(frozen=True, eq=False)
class Records:
    """A batch whose values are transformed.

    Attributes:
      batch: n rows.
    """

    batch: pa.RecordBatch

    def contexts(self, rows: np.ndarray | None) -> Contexts:
        """Returns what gives the contexts of values of some rows; None for each row in order."""

        def of(name: str) -> pa.Array | None:
            if name not in field_paths(self.batch.schema):
                return None
            column = field_of(self.batch, name)
            if not pa.types.is_integer(column.type):
                column = column.cast(pa.string())
            return column if rows is None else column.take(pa.array(rows))

        return of


def owners(column: pa.Array, path: str, name: str) -> np.ndarray:
    """Returns the row of each value of a path within a nested column."""
    rows = np.arange(len(column))
    rest = path[len(name) :].lstrip(".").split(".") if path != name else []
    while pa.types.is_nested(column.type):
        if pa.types.is_struct(column.type):
            names = [column.type.field(place).name for place in range(column.type.num_fields)]
            column = column.flatten()[names.index(rest.pop(0))]
        else:
            column = as_list(column)
            rows, column = rows[np.asarray(pc.list_parent_indices(column))], column.flatten()
    return rows
