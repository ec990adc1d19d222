"""CheckColumns: the verdicts of column rules over all rows, or over each window's."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.batches import Batches
from transforms.errors import ConfigError
from transforms.rules.column_rules import ColumnRule, ColumnState, Verdict


class _StateFn(beam.CombineFn):
    """Batches to the state of column rules."""

    def __init__(self, rules: tuple[ColumnRule, ...]) -> None:
        self.rules = rules

    def create_accumulator(self) -> ColumnState:
        return ColumnState.empty(self.rules)

    def add_input(self, state: ColumnState, batch: pa.RecordBatch) -> ColumnState:
        return state.merge(ColumnState.of(self.rules, batch))

    def merge_accumulators(self, states: Iterable[ColumnState]) -> ColumnState:
        whole = self.create_accumulator()
        for state in states:
            whole = whole.merge(state)
        return whole

    def extract_output(self, state: ColumnState) -> ColumnState:
        return state


@dataclass
class CheckColumns(beam.PTransform):
    """Judges column rules over all rows; in windows, over those of each.

    The state is bounded: some numbers for each aggregate, at most 32 KB where values are counted.

    Args:
      rules: The rules, as `read_rules(...).column` has them.

    Returns: A `Verdict` for each rule, and window that has rows.

    Raises:
      ConfigError: When constructed without rules.
    """

    rules: tuple[ColumnRule, ...]

    def __post_init__(self) -> None:
        super().__init__()
        if not self.rules:
            raise ConfigError("CheckColumns: rules has no column rule")

    def expand(self, batches: Batches) -> Any:
        """Applies it."""
        combine = beam.CombineGlobally(_StateFn(self.rules))
        if not batches.windowing.is_default():
            combine = combine.without_defaults()
        state = batches | "Combine" >> combine
        return state | "Verdicts" >> beam.FlatMap(ColumnState.verdicts).with_output_types(Verdict)
