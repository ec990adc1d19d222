"""What flows between declared steps: one value a row, several, a vector, or several columns.

Arrays are those of the place where the steps run: numpy and Arrow while rows are analyzed, tensors
in the transform graph.
"""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

FLOAT, INT, TEXT = "float32", "int64", "string"
"""The types of values: those of a tf.Example."""


@dataclass(frozen=True)
class Kind:
    """What is known of a value before any row is read.

    Attributes:
      shape: "one" value a row, "many" of them, a "vector" of fixed size, or "several" columns.
      dtype: `FLOAT`, `INT` or `TEXT`; that of the first of several.
      whole: Whether each row has it.
      size: Of a vector: how many numbers; of a category: how many there are. None where only the
        rows tell.
      parts: What several columns are, each.
      traced: Whether numpy can make it too, so that it can be analyzed.
      category: Whether it is a number below a size, which may become known with the rows.
      weighted: Whether each value has a weight.
    """

    shape: str
    dtype: str
    whole: bool = True
    size: int | None = None
    parts: tuple["Kind", ...] = ()
    traced: bool = True
    category: bool = False
    weighted: bool = False


@dataclass(frozen=True)
class One:
    """One value a row, or none.

    Attributes:
      values: n values; those of rows without one mean nothing, and are 0 or empty.
      present: n booleans; None where each row has a value.
      size: How many categories there are, if it is one.
      least: The least category: what stands for unknown ones may be -1.
    """

    values: Any
    present: Any = None
    size: Any = None
    least: int = 0

    def of(self, values: Any, size: Any = None, least: int = 0) -> "One":
        """Returns other values of the same rows."""
        return replace(self, values=values, size=size, least=least)


@dataclass(frozen=True)
class Many:
    """Any number of values a row.

    Attributes:
      values: All of them, row after row.
      rows: The row of each, ascending.
      count: How many rows there are.
      size: How many categories there are, if they are some.
      weights: What each weighs, if they are weighted.
      least: The least category.
    """

    values: Any
    rows: Any
    count: Any
    size: Any = None
    weights: Any = None
    least: int = 0

    def of(self, values: Any, size: Any = None, least: int = 0) -> "Many":
        """Returns other values of the same rows and number."""
        return replace(self, values=values, size=size, least=least)


@dataclass(frozen=True)
class Vector:
    """The same number of numbers in each row.

    Attributes:
      values: n rows of k.
    """

    values: Any

    def of(self, values: Any, size: Any = None, least: int = 0) -> "Vector":
        """Returns other numbers of the same rows."""
        return Vector(values)


Value: TypeAlias = One | Many | Vector | tuple[One | Vector, ...]
