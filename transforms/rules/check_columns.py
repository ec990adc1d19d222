"""CheckColumns: the verdicts of column rules over all rows, or over each window's."""

import functools
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.coders import Batches
from transforms.errors import ConfigError
from transforms.merging import MergeFn
from transforms.rules.column_rules import ColumnRule, ColumnState, Verdict
from transforms.verb import Verb


# Class methods would be pickled with the code of their class.
def _empty(rules: tuple[ColumnRule, ...]) -> ColumnState:
    return ColumnState.empty(rules)


def _state_of(rules: tuple[ColumnRule, ...], batch: pa.RecordBatch) -> ColumnState:
    return ColumnState.of(rules, batch)


@dataclass
class CheckColumns(Verb):
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
        super().__post_init__()
        if not self.rules:
            raise ConfigError("CheckColumns: rules has no column rule")

    def expand(self, batches: Batches) -> Any:
        """Returns the verdict of each rule."""
        empty = functools.partial(_empty, self.rules)
        state_of = functools.partial(_state_of, self.rules)
        combine = beam.CombineGlobally(MergeFn(empty, state_of))
        if not batches.windowing.is_default():
            combine = combine.without_defaults()
        state = batches | "Combine" >> combine
        return state | "Verdicts" >> beam.FlatMap(ColumnState.verdicts).with_output_types(Verdict)
