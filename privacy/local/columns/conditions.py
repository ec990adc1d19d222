"""Conditions of DLP's record transformations: which rows of a batch they hold for."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from privacy.local.columns.records import field_of, field_paths
from privacy.transformations.buckets import numbers_of
from privacy.transformations.calendar import days_of

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "EQUAL_TO": np.equal,
    "NOT_EQUAL_TO": np.not_equal,
    "GREATER_THAN": np.greater,
    "LESS_THAN": np.less,
    "GREATER_THAN_OR_EQUALS": np.greater_equal,
    "LESS_THAN_OR_EQUALS": np.less_equal,
}
_EXISTS = "EXISTS"


@dataclass(frozen=True)
class Comparison:
    """One comparison of a field with a value.

    Attributes:
      field: The field's path.
      operator: DLP's name of it.
      kind: What the value is: number, text, boolean, day; empty for `EXISTS`.
      value: A number, a text, or the days since 1970.
    """

    field: str
    operator: str
    kind: str = ""
    value: Any = None

    def holds(self, batch: pa.RecordBatch) -> np.ndarray:
        """Tells for which of n rows it holds; never where there is nothing to compare."""
        if self.field not in field_paths(batch.schema):
            return np.zeros(batch.num_rows, bool)
        column = field_of(batch, self.field)
        valid = np.asarray(column.is_valid())
        if self.operator == _EXISTS:
            return valid
        keys, known = self._keys(column)
        found = np.zeros(len(column), bool)
        usable = valid & known
        found[usable] = _OPERATORS[self.operator](keys[usable], self.value)
        if self.operator == "NOT_EQUAL_TO":
            found |= valid & ~known
        return found

    def _keys(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Returns what is compared, and which rows have it."""
        is_ = pa.types
        if is_.is_boolean(column.type) != (self.kind == "boolean"):
            return np.zeros(len(column)), np.zeros(len(column), bool)
        if self.kind == "boolean":
            return np.asarray(column.fill_null(False)), np.ones(len(column), bool)
        if self.kind == "text" and not _is_number(column.type):
            texts = column.cast(pa.string()).fill_null("")
            return np.array(texts.to_pylist(), object), np.ones(len(column), bool)
        if self.kind == "day":
            return days_of(column.cast(pa.string()))
        if _is_number(column.type):
            numbers = np.asarray(column.cast(pa.float64(), safe=False).fill_null(np.nan))
        else:
            numbers = numbers_of(column.cast(pa.string()))
        return numbers, ~np.isnan(numbers)


def _is_number(type: pa.DataType) -> bool:
    is_ = pa.types
    return bool(is_.is_integer(type) or is_.is_floating(type) or is_.is_decimal(type))


class TextComparison(Comparison):
    """A comparison with a text, which is compared as a number with fields that are numbers."""

    def holds(self, batch: pa.RecordBatch) -> np.ndarray:
        """Tells for which of n rows it holds."""
        if self.field not in field_paths(batch.schema):
            return np.zeros(batch.num_rows, bool)
        column = field_of(batch, self.field)
        if _is_number(column.type):
            number = numbers_of(pa.array([self.value]))[0]
            return Comparison(self.field, self.operator, "number", number).holds(batch)
        return super().holds(batch)


@dataclass(frozen=True)
class Condition:
    """Comparisons that must all hold.

    Attributes:
      comparisons: They.
    """

    comparisons: tuple[Comparison, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are looked at."""
        return tuple(each.field for each in self.comparisons)

    def holds(self, batch: pa.RecordBatch) -> np.ndarray:
        """Tells for which of n rows all of them hold."""
        each = [comparison.holds(batch) for comparison in self.comparisons]
        return functools.reduce(np.logical_and, each, np.ones(batch.num_rows, bool))


def compile_condition(condition: Any, problems: list[str]) -> Condition:
    """Returns a `RecordCondition`, and adds what can't be done to the problems."""
    given = condition.expressions.conditions.conditions
    if not given:
        problems.append("a condition has no conditions")
    return Condition(tuple(_comparison(each, problems) for each in given))


def _comparison(given: Any, problems: list[str]) -> Comparison:
    names = given.DESCRIPTOR.fields_by_name["operator"].enum_type.values_by_number
    operator = names[given.operator].name
    if operator == _EXISTS:
        return Comparison(given.field.name, operator)
    if operator not in _OPERATORS:
        problems.append(f"condition on {given.field.name}: operator is missing")
        return Comparison(given.field.name, _EXISTS)
    kind = given.value.WhichOneof("type")
    value: Any = getattr(given.value, kind) if kind else None
    if kind in ("integer_value", "float_value"):
        return Comparison(given.field.name, operator, "number", float(value))
    if kind == "string_value":
        return TextComparison(given.field.name, operator, "text", value)
    if kind == "boolean_value":
        return Comparison(given.field.name, operator, "boolean", value)
    if kind == "timestamp_value":
        return Comparison(given.field.name, operator, "day", value.seconds // 86_400)
    if kind == "date_value":
        text = f"{value.year:04d}-{value.month:02d}-{value.day:02d}"
        return Comparison(given.field.name, operator, "day", int(days_of(pa.array([text]))[0][0]))
    problems.append(
        f"condition on {given.field.name}: {kind or 'no value'} can't be compared by engine local"
    )
    return Comparison(given.field.name, _EXISTS)
