"""Which columns feed which inputs, checked against a schema before any row moves."""

import fnmatch
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from inference.signature.spec import Layout, Mappings, Signature, TensorSpec
from inference.signature.unnamed import by_position
from transforms.arrow.types import is_list, is_text, plain_type, to_example
from transforms.errors import ConfigError
from transforms.nearest import most_similar
from transforms.preprocess.times import is_point
from transforms.wording import mapped, typed


@dataclass(frozen=True)
class Column:
    """A column that feeds an input.

    Attributes:
      name: Its name.
      index: Its place in the schema.
      cast: The type that it is cast to; None if it can be taken as it is.
    """

    name: str
    index: int
    cast: pa.DataType | None


@dataclass(frozen=True)
class Feed:
    """An input and the columns that feed it: one, several to be stacked, or none."""

    spec: TensorSpec
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Binding:
    """How a model is fed from columns.

    Attributes:
      feeds: What feeds each input.
      examples: The input that takes the feeds together, as serialized tf.Examples, if so.
      notes: What was assumed, for the user.
    """

    feeds: tuple[Feed, ...]
    examples: TensorSpec | None = None
    notes: tuple[str, ...] = ()


def bind(signature: Signature, mappings: Mappings, schema: pa.Schema) -> Binding:
    """Finds the columns of every input.

    Args:
      signature: The model's.
      mappings: The columns of inputs that are not named like their column.
      schema: The columns there are.

    Raises:
      ConfigError: Columns are missing or of types that can't feed the inputs. The text lists all
        problems.
    """
    placed = by_position(signature, mappings, schema)
    mappings = {**mappings, **placed}
    specs, examples = _fed(signature, mappings, schema)
    named = [(spec, _columns(spec, mappings, schema)) for spec in specs]
    problems = [text for spec, names in named for text in _problems(spec, names, schema)]
    if problems:
        raise ConfigError("\n".join([*problems, f"The columns are: {', '.join(schema.names)}"]))
    feeds = [
        Feed(spec, tuple(_column(spec, name, schema) for name in names)) for spec, names in named
    ]
    return Binding(tuple(feeds), examples, tuple(_notes(placed)))


def _notes(placed: Mappings) -> Iterator[str]:
    for name, columns in placed.items():
        yield (
            f"its input {name!r} has no name of its own, so it is fed by position, from "
            f"{', '.join(columns)}; {mapped(name, ['...'])} says otherwise"
        )


def _fed(
    signature: Signature, mappings: Mappings, schema: pa.Schema
) -> tuple[Iterable[TensorSpec], TensorSpec | None]:
    """Returns the inputs that columns feed; or the features of the input's tf.Examples.

    A column of the input's name holds such examples ready-made.
    """
    if signature.features is None:
        return signature.inputs, None
    examples = signature.inputs[0]
    index = schema.get_field_index(examples.name)
    ready = index >= 0 and is_text(schema.field(index).type)
    if examples.name in mappings or (ready and not mappings):
        return signature.inputs, None
    return signature.features or _any_features(schema), examples


def _any_features(schema: pa.Schema) -> Iterator[TensorSpec]:
    """Returns all columns that a tf.Example can hold, for a model with unknown features."""
    for field in schema:
        type = to_example(plain_type(field.type))
        if type is not None:
            leaf, _ = unnested(type)
            dtype = "string" if is_text(leaf) else str(leaf).replace("float", "float32")
            yield TensorSpec(field.name, dtype, (None, None), Layout.SPARSE, required=False)


def _columns(spec: TensorSpec, mappings: Mappings, schema: pa.Schema) -> tuple[str, ...]:
    """Returns the columns of an input: those mapped to it, patterns expanded, or its namesake."""
    for name in (spec.name, *spec.parts[:1]):
        if name in mappings:
            names = schema.names
            return tuple(c for column in mappings[name] for c in _expanded(column, names))
    return (spec.name,)


def _expanded(column: str, names: list[str]) -> list[str]:
    """Returns the columns that match `f*`, f2 before f10; the name itself if it is no pattern."""
    if "*" not in column or column in names:
        return [column]
    return sorted(fnmatch.filter(names, column), key=_natural) or [column]


def _natural(name: str) -> list[tuple[int, str]]:
    """Orders names as people do: numbers within them by their value."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _column(spec: TensorSpec, name: str, schema: pa.Schema) -> Column:
    index = schema.get_field_index(name)
    return Column(name, index, _cast(spec, schema.field(index).type))


def _cast(spec: TensorSpec, type: pa.DataType) -> pa.DataType | None:
    """Returns the type to cast a column to: the input's, in as many lists as the column has.

    A list of one becomes the scalar that an input without further dimensions takes.
    """
    plain = plain_type(type)
    leaf, sizes = unnested(plain)
    wanted = leaf if pa.types.is_binary(leaf) and spec.is_text else spec.arrow()
    if pa.types.is_fixed_size_binary(leaf) and spec.is_text:
        wanted = pa.binary()
    flatten = spec.row_shape == () and sizes
    if not flatten and (leaf.equals(wanted) or _widens(leaf, wanted)):
        return None if plain.equals(type) else plain
    for _ in () if flatten else sizes:
        wanted = pa.list_(wanted)
    return wanted


def _widens(source: pa.DataType, wanted: pa.DataType) -> bool:
    """Returns whether numpy casts every value exactly when it fills the tensor."""
    kinds = pa.types
    if not (kinds.is_integer(source) or kinds.is_floating(source)) or kinds.is_boolean(wanted):
        return False
    if is_text(wanted) or (source.bit_width == 64 and not source.equals(wanted)):
        return False
    return np.can_cast(source.to_pandas_dtype(), wanted.to_pandas_dtype(), "safe")


def _problems(spec: TensorSpec, columns: tuple[str, ...], schema: pa.Schema) -> Iterator[str]:
    if not columns and spec.required:
        yield f"input {spec.name!r} needs a value in each row: map a column to it"
    counts = Counter(schema.names)
    for column in columns:
        count = counts[column]
        if count == 0:
            yield _missing(spec, column, schema.names)
        elif count > 1:
            yield f"column {column!r} occurs {count} times, so input {spec.name!r} can't tell which"
        else:
            why = misfit(spec, schema.field(column).type, len(columns), column)
            if why is not None:
                type = schema.field(column).type
                yield f"column {column!r} is {type}, so it can't feed input {_shown(spec)}: {why}"
    wanted = spec.row_shape or ()
    if len(columns) > 1 and len(wanted) == 1 and wanted[0] not in (None, len(columns)):
        yield f"input {_shown(spec)} takes {wanted[0]} columns, but {len(columns)} are mapped"


_SEVERAL = ("FIRST", "SECOND", "...")


def _missing(spec: TensorSpec, column: str, names: list[str]) -> str:
    near = most_similar(column, names)
    hint = f" (did you mean {near!r}?)" if near else ""
    if "*" in column:
        return f"input {_shown(spec)}: no column matches {column!r}{hint}"
    ways = mapped(spec.name, ["COLUMN"])
    if spec.row_shape and len(spec.row_shape) == 1 and spec.layout == Layout.DENSE:
        ways += f", {mapped(spec.name, _SEVERAL)} or {mapped(spec.name, ['f*'])} to stack several"
    if not spec.required:
        ways += f", or {mapped(spec.name)} to leave it without values"
    return f"input {_shown(spec)} needs column {column!r}, which is missing{hint}; pass {ways}"


def _shown(spec: TensorSpec) -> str:
    if spec.shape is None:
        return f"{spec.name!r} ({spec.dtype})"
    sizes = ", ".join("?" if size is None else str(size) for size in spec.shape[1:])
    kind = "" if spec.layout == Layout.DENSE else f"{spec.layout} "
    return f"{spec.name!r} ({kind}{spec.dtype} [n{', ' if sizes else ''}{sizes}])"


def unnested(type: pa.DataType) -> tuple[pa.DataType, list[int | None]]:
    """Returns the type inside all lists, and their sizes, outermost first; None if they vary."""
    sizes: list[int | None] = []
    while is_list(type):
        sizes.append(type.list_size if pa.types.is_fixed_size_list(type) else None)
        type = type.value_type
    return type, sizes


def misfit(spec: TensorSpec, type: pa.DataType, stacked: int = 1, column: str = "") -> str | None:
    """Returns why a column can't feed an input; None if it can.

    Args:
      spec: The input.
      type: The column's type.
      stacked: How many columns feed the input.
      column: Its name, for the message.
    """
    leaf, sizes = unnested(plain_type(type))
    return _wrong_leaf(spec, leaf, column) or _wrong_nesting(spec, sizes, stacked)


def _wrong_leaf(spec: TensorSpec, leaf: pa.DataType, column: str) -> str | None:
    kinds = pa.types
    if kinds.is_null(leaf):
        return None
    number = kinds.is_integer(leaf) or kinds.is_floating(leaf) or kinds.is_decimal(leaf)
    if is_text(leaf) or kinds.is_fixed_size_binary(leaf):
        ways = f"{typed(column)}, or map another: {mapped(spec.name, ['COLUMN'])}"
        return None if spec.is_text else f"text is no number; {ways}"
    if spec.unit is not None and is_point(leaf):
        return None
    if not number and not kinds.is_boolean(leaf):
        return "no tensor holds that; cast it first, to numbers or text"
    if spec.is_text and not kinds.is_integer(leaf):
        return "that is not text; cast it first"
    return None


def _wrong_nesting(spec: TensorSpec, sizes: list[int | None], stacked: int) -> str | None:
    wanted = spec.row_shape
    if stacked > 1:
        flat = spec.layout == Layout.DENSE and (wanted is None or len(wanted) == 1)
        if not flat:
            return f"{stacked} columns can be stacked only for a dense input of two dimensions"
        return "only scalars can be stacked" if sizes else None
    if wanted is None:
        return None
    depth = len(wanted)
    scalar = not sizes and (depth == 0 or (depth == 1 and wanted[0] in (None, 1)))
    single = len(sizes) == 1 and depth == 0 and sizes[0] in (None, 1)
    if scalar or single:
        return None
    if not sizes and depth == 1:
        return f"map {wanted[0]} columns to it, {mapped(spec.name, _SEVERAL)}, or lists"
    if len(sizes) != depth:
        return f"it has {len(sizes)} levels of lists instead of {depth}"
    for size, known in zip(sizes, wanted, strict=True):
        if None not in (size, known) and spec.layout == Layout.DENSE and size != known:
            return f"its lists have {size} values instead of {known}"
    return None
