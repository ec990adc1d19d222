"""Slices by a Python function, from a file of the user's."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.cast_faults import true_where
from transforms.arrow.types import plain_type
from transforms.batches import select_rows
from transforms.statistics.slices.values import parts
from transforms.user_code import Code, checked_result


@dataclass(frozen=True)
class SliceCode:
    """What a function of a RecordBatch of n rows says of each: a text, or whether it is in.

    Of texts each is a slice, `function_text`; of booleans the true ones are the slice `function`.
    A row without a value is in no slice.

    Attributes:
      function: Its name.
      code: The file that defines it.
    """

    function: str
    code: Code

    def __post_init__(self) -> None:
        self.code.check(self.function)

    @property
    def of(self) -> str:
        """What the slices are of."""
        return f"python:{self.function}"

    def __call__(self, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Returns the slices of a batch.

        Raises:
          ConfigError: The function failed, or returned something else.
        """
        what, result = self.code.call(self.function, batch)
        told = checked_result(result, batch.num_rows, what, "texts or booleans", _fits)
        if pa.types.is_boolean(told.type):
            if told.true_count:
                yield self.function, select_rows(batch, true_where(told))
            return
        coded = told.cast(pa.string()).dictionary_encode()
        codes = pc.fill_null(coded.indices, -1).to_numpy().astype(np.int64)
        rows = np.flatnonzero(codes >= 0)
        for code, part in parts(batch, rows, codes[rows]):
            yield f"{self.function}_{coded.dictionary[code].as_py()}", part


def _fits(type: pa.DataType) -> bool:
    return plain_type(type) in (pa.string(), pa.bool_())
