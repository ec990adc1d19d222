"""MergeFn: batches to one state that knows how to merge."""

from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam
import pyarrow as pa


class MergeFn(beam.CombineFn):
    """Makes a state of each batch, and merges them.

    Args:
      empty: Gives the state of no rows, which has a method `merge` that returns the state of both.
      state_of: Gives the state of a batch.
    """

    def __init__(self, empty: Callable[[], Any], state_of: Callable[[pa.RecordBatch], Any]) -> None:
        self.empty, self.state_of = empty, state_of

    def create_accumulator(self) -> Any:
        """Returns the state of no rows."""
        return self.empty()

    def add_input(self, state: Any, batch: pa.RecordBatch) -> Any:
        """Returns the state with the rows of one more batch."""
        return state.merge(self.state_of(batch))

    def merge_accumulators(self, states: Iterable[Any]) -> Any:
        """Returns the state of all rows."""
        whole = self.empty()
        for state in states:
            whole = whole.merge(state)
        return whole

    def extract_output(self, state: Any) -> Any:
        """Returns the state as it is."""
        return state


class MergedFn(MergeFn):
    """Merges states that are made already.

    Args:
      empty: Gives the state of no rows; see `MergeFn`.
    """

    def __init__(self, empty: Callable[[], Any]) -> None:
        super().__init__(empty, _itself)


def _itself(state: Any) -> Any:
    return state
