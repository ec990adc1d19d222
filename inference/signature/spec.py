"""What a model takes and gives: named tensors with types and shapes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from transforms.arrow.types import from_tensor

Mappings = Mapping[str, tuple[str, ...]]
"""Columns by input. Several are stacked; none means that the input never has a value."""

Shape = tuple[int | None, ...]
"""Sizes of a tensor, rows first; None where it is known only when called."""


class Layout(StrEnum):
    """How a tensor holds its values."""

    DENSE = "dense"
    SPARSE = "sparse"
    RAGGED = "ragged"


@dataclass(frozen=True)
class TensorSpec:
    """One input or output.

    Attributes:
      name: What a column is matched with.
      dtype: TensorFlow's name of the type of its values.
      shape: Its sizes, rows first. None where even the rank is unknown.
      layout: How it holds its values.
      parts: The model's own names of the tensors it is fed as: one for a dense input; indices,
        values and dense shape for a sparse one; values and row splits, outermost first, for a
        ragged one. Empty for outputs, and for features of a tf.Example.
      splits: How many levels of a ragged input have row splits.
      splits_dtype: Their type.
      required: Whether each row needs a value.
      unit: That of times since 1970 (d, s, ms, us or ns), if timestamps and dates can feed it.
    """

    name: str
    dtype: str
    shape: Shape | None
    layout: Layout = Layout.DENSE
    parts: tuple[str, ...] = ()
    splits: int = 0
    splits_dtype: str = "int64"
    required: bool = True
    unit: str | None = None

    @property
    def row_shape(self) -> Shape | None:
        """The sizes of one row's value."""
        return None if self.shape is None else self.shape[1:]

    @property
    def is_text(self) -> bool:
        """Whether its values are byte strings."""
        return self.dtype == "string"

    def arrow(self) -> pa.DataType:
        """Returns the type of one value in a column.

        Raises:
          KeyError: No column can hold it.
        """
        return pa.float32() if self.dtype == "bfloat16" else from_tensor(self.dtype)


@dataclass(frozen=True)
class Signature:
    """One way to call a model.

    Attributes:
      name: As the model calls it.
      inputs: What it takes. A row is one index of each input's first dimension.
      outputs: What it gives, in the order of the columns to come.
      features: Where its one input takes serialized tf.Examples, the features it parses from them;
        empty if it does but their names are unknown. None for other models.
      rows: How many rows each call must have, where the model fixes that.
      tags: Those of the meta graph that it is in.
    """

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    features: tuple[TensorSpec, ...] | None = None
    rows: int | None = None
    tags: tuple[str, ...] = ()


def fixed_rows(inputs: tuple[TensorSpec, ...]) -> int | None:
    """Returns how many rows a call must have; None if any number will do.

    Raises:
      ValueError: The inputs differ in it.
    """
    known = {spec.shape[0] for spec in inputs if spec.shape}
    sizes = {size for size in known if size is not None}
    if len(sizes) > 1:
        raise ValueError(f"its inputs fix different numbers of rows: {sorted(sizes)}")
    return sizes.pop() if sizes else None


def faults(signature: Signature) -> Iterator[str]:
    """Returns why a signature can't be fed from columns, or its outputs not become columns."""
    if not signature.inputs:
        yield "it takes no input"
    for kind, specs in (("input", signature.inputs), ("output", signature.outputs)):
        for spec in specs:
            try:
                spec.arrow()
            except KeyError:
                yield f"{kind} {spec.name!r} is {spec.dtype}, which no column can hold"
    for spec in signature.inputs:
        if spec.shape == ():
            yield f"input {spec.name!r} takes one value for all rows, so no column can feed it"
    for spec in signature.outputs:
        if spec.shape and spec.shape[0] not in (None, signature.rows):
            yield (
                f"output {spec.name!r} has always {spec.shape[0]} rows, not one for each row "
                "that went in"
            )
