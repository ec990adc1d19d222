"""SumQuality: adds up sums of predictions and labels."""

from functools import partial
from typing import Any

import apache_beam as beam

from transforms.coders import PickledCoder, register_pickled_coder
from transforms.drift.quality.sums import Sums
from transforms.merging import MergeFn

register_pickled_coder(Sums)


@beam.typehints.with_input_types(Sums)
@beam.typehints.with_output_types(Sums)
class SumQuality(MergeFn):
    """Adds up sums.

    Args:
      task: That of the predictions.
    """

    def __init__(self, task: str) -> None:
        super().__init__(partial(_no_rows, task), _same)

    def get_accumulator_coder(self) -> PickledCoder:
        """Returns the coder of sums."""
        return PickledCoder()


def _no_rows(task: str) -> Sums:
    # A class's method would be shipped as code.
    return Sums.empty(task)


def _same(sums: Any) -> Any:
    return sums
