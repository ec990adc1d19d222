"""Rows in memory as a pipeline's input. Create would pickle and compress them all, for minutes."""

from typing import Any

import apache_beam as beam

_HELD: dict[str, list[Any]] = {}


def _held(_: object, name: str) -> list[Any]:
    return _HELD[name]


def held(root: Any, name: str, elements: list[Any], kind: Any) -> Any:
    """Returns elements as a PCollection of a runner in this process.

    Args:
      root: The pipeline.
      name: The step's label; what the same name held before is forgotten.
      elements: What it gives.
      kind: Their type.
    """
    _HELD[name] = elements
    one = root | f"{name}: one" >> beam.Create([None], reshuffle=False)
    return one | name >> beam.FlatMap(_held, name).with_output_types(kind)
