"""Estimates the number of slices from the first rows, before a long run."""

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from transforms.errors import ConfigError

if TYPE_CHECKING:
    from transforms.io.inputs import Input
    from transforms.statistics.options import Slicer

SAMPLE_ROWS = 50_000
"""Rows that are looked at; that takes a second or less."""


def check_slices(source: "Input", slicers: "Iterable[Slicer]", most: int) -> None:
    """Looks at the first rows of the input, whether they are of too many slices.

    Args:
      source: The input. Of a query nothing is looked at beforehand: it would have to be run.
      slicers: By what it is sliced; those by conditions and functions are let be, for their
        slices are few or wanted.
      most: How many slices there may be.

    Raises:
      ConfigError: There are more; the text names the columns, and the way out.
    """
    from transforms.io.file_read import read_batches
    from transforms.io.file_source import Source
    from transforms.statistics.slices.values import SliceBy

    by_values = [each for each in slicers if isinstance(each, SliceBy) and None in each.wanted()]
    if not by_values or not source.bounded or getattr(source, "query", None):
        return
    limit = min(SAMPLE_ROWS, getattr(source, "limit", None) or SAMPLE_ROWS)
    columns = {name for each in by_values for name in each.columns}
    sample: Any = dataclasses.replace(source.select(columns), limit=limit)  # type: ignore[type-var]
    found: dict[str, set[str]] = {each.of: set() for each in by_values}
    seen = 0
    if isinstance(sample, Source):
        batches = read_batches(sample)
    else:
        from transforms.io.bigquery.read import read_table

        # So few rows of so few columns cost next to nothing.
        batches = read_table(sample)
    for rows, _ in batches:
        seen += rows.num_rows
        for each in by_values:
            found[each.of] |= {name for name, _ in each(rows)}
    number = sum(map(len, found.values()))
    if number > most:
        worst = max(found, key=lambda of: len(found[of]))
        raise ConfigError(
            f"--slices: the first {seen:,} rows alone are of {number:,} slices, "
            f"{len(found[worst]):,} of them by {worst!r}; each takes memory and a place in the "
            f"report. Name the values that are wanted ({worst.split(',')[0]}=VALUE), slice by a "
            f"column of fewer, or allow more: --max_slices={number}"
        )
