"""Slices by values of columns: payment_type, or payment_type=Cash, or several of them at once."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.batches import select_rows
from transforms.errors import ConfigError
from transforms.types import is_list


@dataclass(frozen=True)
class SliceBy:
    """A slice for each value of a column, or of several: each combination that occurs.

    The name of a slice is that of TFDV: `column_value`, of several joined by `_`, in their order.
    A row with a null in one of the columns is in no slice; one with a list is in that of each of
    its values.

    Attributes:
      columns: The columns.
      values: Only this value of each, as text; None takes all of its column.
    """

    columns: tuple[str, ...]
    values: tuple[str | None, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "SliceBy":
        """Reads `column`, `column=value`, or several with commas between.

        Raises:
          ConfigError: A column has no name, or is there twice.
        """
        parts = [part.strip().partition("=") for part in text.split(",")]
        columns = tuple(name.strip() for name, _, _ in parts)
        if not all(columns) or len(set(columns)) < len(columns):
            raise ConfigError(
                f"slice {text!r}: name each column once: column, column=value, or column,column"
            )
        return cls(columns, tuple(value if mark else None for _, mark, value in parts))

    def __call__(self, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        """The slices of a batch."""
        masks = [
            self._masks(batch, column, wanted)
            for column, wanted in itertools.zip_longest(self.columns, self.values)
        ]
        for several in itertools.product(*masks):
            mask = np.logical_and.reduce([mask for _, mask in several])
            if mask.any():
                yield "_".join(name for name, _ in several), select_rows(batch, mask)

    def _masks(
        self, batch: pa.RecordBatch, column: str, wanted: str | None
    ) -> list[tuple[str, np.ndarray]]:
        """Which rows have each value of a column."""
        if column not in batch.schema.names:
            raise ConfigError(f"there is no column {column!r} to slice by")
        array = batch[column]
        if is_list(array.type):
            rows = pc.list_parent_indices(array).to_numpy()
            array = pc.list_flatten(array)
        else:
            rows = np.arange(batch.num_rows)
        try:
            coded = array.cast(pa.string()).dictionary_encode()
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise ConfigError(
                f"column {column!r} is {array.type}: slices are by texts, numbers and the like"
            ) from None
        codes = pc.fill_null(coded.indices, -1).to_numpy()
        masks = []
        for code, value in enumerate(coded.dictionary.to_pylist()):
            if wanted in (None, value):
                mask = np.zeros(batch.num_rows, bool)
                mask[rows[codes == code]] = True
                masks.append((f"{column}_{value}", mask))
        return masks
