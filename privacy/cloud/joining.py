"""A reply joined back to its rows: by their numbers, and only where every row is accounted for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from privacy.cloud.cells import column_of
from privacy.cloud.decode import Unusual, all_texts, read_texts
from privacy.cloud.settings import ROW

Tally: TypeAlias = Counter[tuple[str, str, bool]]
"""How many values were transformed, by column and infoType, which may be empty; and whether it is
of those that could not be transformed, and were left as the policy says."""
_ERROR = 2
"""DLP's code for values that it could not transform."""

_VALUES, _NUMBER = attrgetter("values"), attrgetter("integer_value")


@dataclass(frozen=True)
class Joined:
    """What became of the rows of a request.

    Args:
      rows: The numbers of the rows that came back, ascending.
      columns: A column for each that was sent, of as many rows.
      faults: For each column as many booleans, true where a value is not to be used: it was
        refused, or can't be kept in its column's type, as what was found in a number is a text now.
    """

    rows: np.ndarray
    columns: list[pa.Array]
    faults: list[np.ndarray]

    @property
    def unfit(self) -> np.ndarray:
        """Which rows have a fault."""
        unfit: np.ndarray = np.logical_or.reduce(self.faults)
        return unfit


@dataclass(frozen=True)
class Part:
    """What became of the rows from `start` to `stop`; `why` says why they are lost, if they are."""

    start: int
    stop: int
    joined: Joined | None = None
    why: str = ""
    transformed: Tally = field(default_factory=Counter)


def join_reply(
    table: Any, overview: Any, names: Sequence[str], kinds: Sequence[pa.DataType], sent: int
) -> Joined:
    """Returns the columns of a reply, after it is sure which row is which.

    Args:
      table: The reply's table.
      overview: What the service says that it did.
      names: The columns that were sent.
      kinds: The type that each shall have.
      sent: How many rows were sent.

    Raises:
      ValueError: Columns or rows are missing, or out of order; or rows are gone that the service
        does not say it suppressed. The text holds no value.
    """
    if [header.name for header in table.headers] != [*names, ROW]:
        raise ValueError("the reply has other columns than the request")
    width, rows = len(names) + 1, len(table.rows)
    cells = list(chain.from_iterable(map(_VALUES, table.rows)))
    if len(cells) != width * rows:
        raise ValueError("the reply has rows with other numbers of cells")
    numbers = np.fromiter(map(_NUMBER, cells[width - 1 :: width]), np.int64, rows)
    _check(numbers, sent, suppressed(overview))
    made = [column_of(cells[at::width], kinds[at]) for at in range(width - 1)]
    return Joined(numbers, [column for column, _ in made], [other for _, other in made])


def join_bytes(
    reply: bytes, response: Any, names: Sequence[str], kinds: Sequence[pa.DataType], sent: int
) -> tuple[Joined, Tally]:
    """Joins a reply as it came; see `join_reply`.

    Returns: What became of the rows, and what was transformed.
    """
    if all_texts(kinds):
        try:
            headers, columns, numbers, rest = read_texts(reply, len(names))
        except (Unusual, IndexError):
            pass
        else:
            if headers != [*names, ROW]:
                raise ValueError("the reply has other columns than the request")
            overview = response.DESCRIPTOR.fields_by_name["overview"].message_type._concrete_class()
            overview.MergeFromString(rest)
            _check(numbers, sent, suppressed(overview))
            sound = [np.zeros(len(numbers), bool) for _ in columns]
            return Joined(numbers, columns, sound), transformed(overview)
    message = response.FromString(reply)
    joined = join_reply(message.item.table, message.overview, names, kinds, sent)
    return joined, transformed(message.overview)


def _check(numbers: np.ndarray, sent: int, gone: int) -> None:
    if len(numbers) + gone != sent:
        raise ValueError("the reply lacks rows")
    if (np.diff(numbers) <= 0).any() or (len(numbers) and (numbers[0] < 0 or numbers[-1] >= sent)):
        raise ValueError("the rows of the reply are out of order")


def suppressed(overview: Any) -> int:
    """Returns how many rows the service says that it left out, as the policy asks."""
    return sum(
        result.count
        for summary in overview.transformation_summaries
        if summary.HasField("record_suppress")
        for result in summary.results
    )


def transformed(overview: Any) -> Tally:
    """Returns how many values the service says that it transformed, or left."""
    tally: Tally = Counter()
    for summary in overview.transformation_summaries:
        if not summary.HasField("record_suppress"):
            name, kind = summary.field.name, summary.info_type.name
            for each in summary.results:
                tally[name, kind, each.code == _ERROR] += each.count
    return +tally
