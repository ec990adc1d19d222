"""Select: some columns of batches."""

import functools
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from transforms.coders import Batches
from transforms.verb import Verb


@dataclass
class Select(Verb):
    """Leaves out all columns but some.

    Args:
      columns: Those that stay, in this order.

    Returns: The rows, in order.
    """

    columns: tuple[str, ...]

    def expand(self, batches: Batches) -> Batches:
        """Selects in each batch by itself."""
        selected = functools.partial(select_columns, columns=self.columns)
        return batches | "Select" >> beam.Map(selected).with_output_types(pa.RecordBatch)


def select_columns(batch: pa.RecordBatch, columns: tuple[str, ...]) -> pa.RecordBatch:
    """Returns a batch with some of its columns, in the order in which they are named."""
    return batch.select(list(columns))
