"""Column types of JSON Lines, inferred from the first lines of a file."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.files.formats.json.objects import NOT_FINITE, Number, parse_object
from transforms.files.formats.json.wire import Unfit

_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)?\Z")
_KINDS = {
    frozenset({"bool"}): pa.bool_(),
    frozenset({"int"}): pa.int64(),
    frozenset({"float"}): pa.float64(),
    frozenset({"int", "float"}): pa.float64(),
    frozenset({"int", "not finite"}): pa.float64(),
    frozenset({"float", "not finite"}): pa.float64(),
    frozenset({"int", "float", "not finite"}): pa.float64(),
    frozenset({"date"}): pa.date32(),
    frozenset({"time"}): pa.timestamp("us"),
    frozenset({"date", "time"}): pa.timestamp("us"),
    frozenset({"zoned"}): pa.timestamp("us", "UTC"),
}


@dataclass
class _Seen:
    """What was seen of one column, field or list.

    Attributes:
      kinds: The kinds of its scalars.
      fields: What was seen of the fields of its objects.
      items: What was seen of the items of its lists.
    """

    kinds: set[str] = field(default_factory=set)
    fields: dict[str, "_Seen"] | None = None
    items: "_Seen | None" = None

    def add(self, value: Any) -> None:
        """Takes a value into account."""
        if isinstance(value, dict):
            self.fields = {} if self.fields is None else self.fields
            for name, item in value.items():
                self.fields.setdefault(name, _Seen()).add(item)
        elif isinstance(value, list):
            self.items = self.items or _Seen()
            for item in value:
                self.items.add(item)
        elif value is not None and "string" not in self.kinds:
            self.kinds.add(_kind(value))

    def type(self) -> pa.DataType | None:
        """Returns the type that holds all values, a string if no other does; None for no type."""
        if self.kinds or (self.fields is not None and self.items is not None):
            return _KINDS.get(frozenset(self.kinds), pa.string()) if self.plain else pa.string()
        if self.items is not None:
            value = self.items.type()
            return None if value is None else pa.list_(value)
        if self.fields is None:
            return pa.string()
        known = [(name, seen.type()) for name, seen in self.fields.items()]
        kept = [(name, type) for name, type in known if type is not None]
        return pa.struct(kept) if kept else None

    def widest(self) -> int:
        """Returns how many fields the widest of its objects has."""
        inner = [*(self.fields or {}).values(), *([self.items] if self.items else [])]
        nested = [each for each in inner if each.fields or each.items]
        return max(len(self.fields or {}), *(each.widest() for each in nested), 0)

    @property
    def empty(self) -> bool:
        """Whether every value was null."""
        return not self.kinds and self.plain

    @property
    def plain(self) -> bool:
        """Whether only scalars were seen."""
        return self.fields is None and self.items is None


MOST_KEYS = 20_000
"""An object of a file without a schema may have as many keys: each is a column."""


def infer_schema(lines: Iterable[bytes], uri: str = "JSON") -> pa.Schema:
    """Types for the fields of some lines; lines that are no JSON objects are passed over.

    Integers are int64, with fractions among them float64; dates and timestamps as in ISO 8601 are
    typed, with microseconds; what is mixed is a string. A column that is always null has the type
    null. "NaN", "Infinity" and "-Infinity" among numbers are floats. An object that is always
    empty is no column: there is nothing in it to read.

    Raises:
      ConfigError: There are more than `MOST_KEYS` columns, or as many fields in one of them.
    """
    seen = _Seen(fields={})
    for line in lines:
        if line.strip():
            try:
                seen.add(parse_object(line))
            except Unfit:
                continue
            if seen.widest() > MOST_KEYS:
                raise ConfigError(
                    f"{uri}: its first objects have more than {MOST_KEYS:,} keys, too many for "
                    "columns: pass --schema with the columns wanted"
                )
    fields = seen.fields or {}
    types = [(n, pa.null() if each.empty else each.type()) for n, each in fields.items()]
    return pa.schema([(name, type) for name, type in types if type is not None])


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, Number):
        if not value.is_integer:
            return "float"
        return "int" if len(value) <= 20 and -(2**63) <= int(value) < 2**63 else "string"
    if value in NOT_FINITE:
        return "not finite"
    if _DATE.match(value):
        return "date"
    found = _TIME.match(value)
    if not found:
        return "string"
    return "zoned" if found[3] else "time"
