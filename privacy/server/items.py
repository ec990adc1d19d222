"""Content of requests: texts and tables as columns, and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.cloud.cells import plain_text
from privacy.server.limits import invalid, unimplemented
from privacy.transformations.calendar import days_of


@dataclass(frozen=True, eq=False)
class Item:
    """A text, or a table of n rows.

    Attributes:
      message: DLP's `ContentItem`.
      names: The columns' names; one empty name for a text.
      columns: The columns as texts.
    """

    message: Any
    names: tuple[str, ...]
    columns: tuple[pa.Array, ...]

    @property
    def is_table(self) -> bool:
        """Whether it is a table."""
        return bool(self.message.WhichOneof("data_item") == "table")

    def batch(self) -> pa.RecordBatch:
        """Returns its columns as other fields see them: whole numbers are numbers."""
        columns = [self._typed(at, each) for at, each in enumerate(self.columns)]
        return pa.RecordBatch.from_arrays(columns, names=list(self.names))

    def _typed(self, at: int, texts: pa.Array) -> pa.Array:
        if not self.is_table:
            return texts
        kinds = {row.values[at].WhichOneof("type") for row in self.message.table.rows} - {None}
        wanted = {"integer_value": pa.int64(), "boolean_value": pa.bool_()}
        (kind,) = kinds if len(kinds) == 1 else ("",)
        return texts.cast(wanted[kind]) if kind in wanted else texts

    def without(self, out: np.ndarray) -> "Item":
        """Returns the table without some rows."""
        if not out.any():
            return self
        message = type(self.message)()
        message.CopyFrom(self.message)
        del message.table.rows[:]
        kept = [row for row, gone in zip(self.message.table.rows, out, strict=True) if not gone]
        message.table.rows.extend(kept)
        return item_of(message)


def item_of(message: Any) -> Item:
    """Returns the content of a request.

    Raises:
      Refused: It is of a kind that the emulator does not look into, or a table is malformed.
    """
    kind = message.WhichOneof("data_item")
    if kind == "value":
        return Item(message, ("",), (pa.array([message.value], pa.string()),))
    if kind == "byte_item":
        try:
            return Item(message, ("",), (pa.array([message.byte_item.data.decode()], pa.string()),))
        except UnicodeDecodeError:
            raise unimplemented("bytes that are not UTF-8 text") from None
    if kind != "table":
        raise unimplemented(f"items of {kind or 'no kind'}")
    table = message.table
    names = tuple(header.name for header in table.headers)
    if any(len(row.values) != len(names) for row in table.rows):
        raise invalid("a row has another number of values than the table has headers")
    if len(set(names)) != len(names):
        raise invalid("two headers of the table have the same name")
    columns = [
        pa.array([plain_text(row.values[at]) for row in table.rows], pa.string())
        for at in range(len(names))
    ]
    return Item(message, names, tuple(columns))


def with_columns(item: Item, columns: Sequence[pa.Array]) -> Any:
    """Returns the content with new texts; cells whose text is the same stay as they were."""
    made = type(item.message)()
    made.CopyFrom(item.message)
    kind = made.WhichOneof("data_item")
    if kind == "value":
        made.value = columns[0][0].as_py()
    elif kind == "byte_item":
        made.byte_item.data = columns[0][0].as_py().encode()
    else:
        for at, (old, new) in enumerate(zip(item.columns, columns, strict=True)):
            changed = np.flatnonzero(np.asarray(pc.fill_null(pc.not_equal(old, new), False)))
            cells = [made.table.rows[row].values[at] for row in changed]
            _put(cells, new.take(pa.array(changed)))
    return made


def _put(cells: Sequence[Any], texts: pa.Array) -> None:
    """Writes texts into cells; a day in the place of a day stays one."""
    days, good = days_of(texts)
    for cell, text, day, is_day in zip(cells, texts.to_pylist(), days, good, strict=True):
        if is_day and cell.WhichOneof("type") == "date_value":
            date = np.datetime64(int(day), "D").astype(object)
            cell.date_value.year, cell.date_value.month = date.year, date.month
            cell.date_value.day = date.day
        else:
            cell.string_value = text
