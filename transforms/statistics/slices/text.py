"""Slices as a text says them: payment_type; far: trip_miles > 100; python:by_season."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.nearest import nearest_column
from transforms.rules.kinds import Kinds, kinds_of_columns
from transforms.rules.tokens import ExpressionError
from transforms.statistics.dataset import WHOLE
from transforms.statistics.options import Slicer
from transforms.statistics.slices.code import SliceCode
from transforms.statistics.slices.values import SliceBy
from transforms.statistics.slices.where import SliceWhere
from transforms.user_code import Code

_WORD = re.compile(r"([^\W\d]\w*)?")
_VALUE = re.compile(r"(?![\s'=])(?!.*\s.*[=<>]).*", re.DOTALL)
_NAMED = re.compile(r"\s*(\w[\w .-]*?)\s*:")
_QUOTING = re.compile(r"(?:'(?:[^']|'')*'|`[^`]+`|[^;])*")
"""Up to the next semicolon that is not in quotes."""


def parse_slices(text: str, schema: pa.Schema, code: Code | None = None) -> tuple[Slicer, ...]:
    """Reads slices: parts with semicolons between, each of one form.

    | form | slices |
    |---|---|
    | `column`, `column=value`, or several with commas between | each value, or the one |
    | `expression`, `name: expression` | the rows where it is true |
    | `python:function` | what the function says of a row |

    A part is by columns if it is nothing but their names, each perhaps with the value that it is
    wanted to have. The value stands right after the `=`, as it is in the data: in quotes, as in
    `payment_type='Cash'`, or with a comparison after a blank it makes an expression.

    Args:
      text: The parts; blank ones are left out.
      schema: The columns of the data.
      code: The file of the functions.

    Raises:
      ConfigError: A part is of none of the forms, names what is not there, or has the slices or
        the name of another; the text names the place of an expression's fault.
    """
    reader = _Reader(schema, code)
    slicers = tuple(reader.slicer(part, at) for part, at in _split(text, schema.names))
    for one, other in combinations(slicers, 2):
        _check_apart(one, other)
    return slicers


def _split(text: str, names: list[str]) -> Iterator[tuple[str, int]]:
    """Returns the parts that are not blank, and where each begins."""
    at = 0
    while at < len(text):
        end = text.find(";", at) % (len(text) + 1)
        if not _is_by_columns(text[at:end], names):
            quoting = _QUOTING.match(text, at)
            assert quoting is not None
            end = quoting.end()
        if text[at:end].strip():
            yield text[at:end], at
        at = end + 1


def _is_by_columns(part: str, names: list[str]) -> bool:
    pieces = [piece.strip().partition("=") for piece in part.split(",")]
    return all(
        (name.strip() in names or _WORD.fullmatch(name.strip()))
        and (not mark or _VALUE.fullmatch(value))
        for name, mark, value in pieces
    )


class _Reader:
    def __init__(self, schema: pa.Schema, code: Code | None) -> None:
        self.schema, self.code = schema, code
        self.kinds: Mapping[str, Kinds] = kinds_of_columns(schema)

    def slicer(self, part: str, at: int) -> Slicer:
        if _is_by_columns(part, self.schema.names):
            return self.by_columns(part, at)
        named = _NAMED.match(part)
        if named is None:
            return self.expression(part, at, None)
        if named[1] == "python":
            return self.function(part[named.end() :].strip(), at)
        if named[1] == WHOLE:
            raise _error(at, f"{WHOLE!r} are all rows: give the slice another name")
        return self.expression(part[named.end() :], at + named.end(), named[1])

    def by_columns(self, part: str, at: int) -> SliceBy:
        slicer = SliceBy.parse(part)
        for column in slicer.columns:
            if column not in self.schema.names:
                near = nearest_column(column, self.schema.names)
                raise _error(at, f"there is no column {column!r}{near}")
        # Of no rows there are no slices, but columns by which there are none are found.
        empty = {name: pa.nulls(0, self.schema.field(name).type) for name in slicer.columns}
        assert not list(slicer(pa.record_batch(empty)))
        return slicer

    def expression(self, part: str, at: int, name: str | None) -> SliceWhere:
        try:
            return SliceWhere.parse(part, self.kinds, name)
        except ExpressionError as error:
            raise _error(at + error.at, error.message) from None

    def function(self, name: str, at: int) -> SliceCode:
        if self.code is None:
            raise _error(at, f"python:{name} needs --code, the file it is in")
        return SliceCode(name, self.code)


def _error(at: int, message: str) -> ConfigError:
    return ConfigError(f"--slices: character {at + 1}: {message}")


def _check_apart(one: Slicer, other: Slicer) -> None:
    """Looks whether two slicers give one slice, as far as it can be known without rows."""
    if isinstance(one, SliceBy) and isinstance(other, SliceBy) and one.columns == other.columns:
        pairs = zip(one.wanted(), other.wanted(), strict=True)
        if all(None in pair or pair[0] == pair[1] for pair in pairs):
            raise ConfigError(f"--slices: some of those by {one.of!r} are asked for twice")
    if isinstance(one, SliceCode) and one == other:
        raise ConfigError(f"--slices: {one.of} is there twice")
    if isinstance(one, SliceWhere) and isinstance(other, SliceWhere) and one.name == other.name:
        raise ConfigError(f"--slices: two slices are called {one.name!r}")
