"""Whether an input fits a baseline: its types."""

import pyarrow as pa

from transforms.drift.baseline import Baseline
from transforms.errors import ConfigError

_TYPES = {
    "numbers": pa.float64(),
    "digits": pa.int64(),
    "labels": pa.string(),
    "text_lengths": pa.string(),
}


def types_of(baseline: Baseline) -> dict[str, pa.DataType]:
    """Returns the types of columns, for an input without types."""
    columns = baseline.layout.columns
    return {each.name: _TYPES[each.kind] for each in columns if each.kind in _TYPES}


def check_fits(baseline: Baseline, schema: pa.Schema) -> None:
    """Looks whether the columns of an input can be counted.

    Raises:
      ConfigError: One is of a type that can't, or none is there.
    """
    there = [each for each in baseline.layout.columns if each.name in schema.names]
    for column in there:
        column.count(pa.nulls(0, schema.field(column.name).type))
    if not there:
        known = ", ".join(each.name for each in baseline.layout.columns[:10])
        raise ConfigError(
            f"--input has no column of the baseline, which knows {known}: is it of other data?"
        )
