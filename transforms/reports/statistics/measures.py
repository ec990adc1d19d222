"""The figures of a feature: each with its name, and how it is read from statistics."""

from collections.abc import Callable
from dataclasses import dataclass

from transforms.metadata.columns import Column
from transforms.metadata.paths import path_text
from transforms.metadata.protos import statistics_pb2
from transforms.reports.figures import NOTHING, number, share
from transforms.reports.redaction import Values


@dataclass(frozen=True)
class Measure:
    """A figure of a feature.

    Attributes:
      name: What it is called.
      read: The number itself, by which features are sorted; None where there is none.
      show: How it is written.
      is_value: Whether it is a value of the data, or may be one.
    """

    name: str
    read: Callable[[Column], float | None]
    show: Callable[[Column, Values, float], str] = lambda column, values, value: number(value)
    is_value: bool = False

    def text(self, column: Column | None, values: Values) -> str:
        """Returns the figure as text, `NOTHING` if there is none."""
        value = None if column is None else self.read(column)
        return NOTHING if column is None or value is None else self.show(column, values, value)


def _value(column: Column, values: Values, value: float) -> str:
    return values.number(path_text(column.path), value)


def _mean(column: Column, values: Values, value: float) -> str:
    """Returns the mean, as a value of the data if all numbers are the same."""
    is_one = column.numbers.min == column.numbers.max
    return _value(column, values, value) if is_one else number(value)


def _percent(column: Column, values: Values, value: float) -> str:
    return share(value, 1)


def _missing(column: Column) -> float | None:
    rows = column.missing + column.present
    return column.missing / rows if rows else None


def _moments(
    column: Column,
) -> statistics_pb2.NumericStatistics | statistics_pb2.WeightedNumericStatistics:
    return column.numbers.weighted_numeric_stats if column.by_weight else column.numbers


def _of_numbers(read: Callable[[Column], float]) -> Callable[[Column], float | None]:
    """Returns the figures, nothing without numbers: the statistics then hold a default."""

    def checked(column: Column) -> float | None:
        has_numbers = (
            column.stats.HasField("num_stats") and column.total_values and not column.is_all_nan
        )
        return read(column) if has_numbers else None

    return checked


def _least(column: Column) -> float:
    return column.int_range[0] if column.type_name == "INT" else float(column.numbers.min)


def _greatest(column: Column) -> float:
    return column.int_range[1] if column.type_name == "INT" else float(column.numbers.max)


def _zeros(column: Column) -> float:
    values = column.common.tot_num_values
    return float(column.numbers.num_zeros) / values if values else 0.0


def _nan(column: Column) -> float | None:
    values = column.common.tot_num_values
    nan = max((float(each.num_nan) for each in column.numbers.histograms), default=0.0)
    return nan / values if nan and values else None


def quantiles(column: Column) -> list[float]:
    """Returns the edges of its histogram of quantiles, eleven as a rule; else none."""
    kind = statistics_pb2.Histogram.QUANTILES
    buckets = next((each.buckets for each in column.histograms if each.type == kind), None)
    if not buckets:
        return []
    return [buckets[0].low_value, *(bucket.high_value for bucket in buckets)]


def _decile(at: int) -> Measure:
    def read(column: Column) -> float | None:
        edges = quantiles(column)
        return edges[at] if len(edges) == 11 else None

    return Measure(f"{at * 10}% are at most", read, _value)


def _per_row(column: Column) -> float | None:
    return column.total_values / column.present if column.present else None


def _range_per_row(column: Column, values: Values, value: float) -> str:
    low, high = column.common.min_num_values, column.common.max_num_values
    return f"{low:,}" if low == high else f"{number(value)} ({low:,} to {high:,})"


def _length(column: Column) -> float | None:
    held = column.stats.WhichOneof("stats")
    if not column.total_values or held not in ("string_stats", "bytes_stats"):
        return None
    if held == "bytes_stats":
        return float(column.stats.bytes_stats.avg_num_bytes)
    return float(column.stats.string_stats.avg_length)


def _invalid(column: Column) -> float | None:
    return float(column.stats.string_stats.invalid_utf8_count) or None


def _distinct(column: Column) -> float | None:
    return column.unique if column.total_values else None


def _about(column: Column, values: Values, value: float) -> str:
    exact = column.custom("unique_is_exact")
    return ("about " if exact is not None and not exact.num else "") + number(value)


PRESENT = Measure("Rows with it", lambda column: column.present)
MISSING = Measure("Missing", _missing, _percent)
PER_ROW = Measure("Values a row", _per_row, _range_per_row)
MEAN = Measure("Mean", _of_numbers(lambda column: float(_moments(column).mean)), _mean, True)
DEVIATION = Measure("Std. deviation", _of_numbers(lambda column: float(_moments(column).std_dev)))
ZEROS = Measure("Zeros", _of_numbers(_zeros), _percent)
NAN = Measure("NaN", _nan, _percent)
LEAST = Measure("Min", _of_numbers(_least), _value, True)
MEDIAN = Measure("Median", _of_numbers(lambda column: float(_moments(column).median)), _value, True)
GREATEST = Measure("Max", _of_numbers(_greatest), _value, True)
DISTINCT = Measure("Distinct", _distinct, _about)
LENGTH = Measure("Mean length", _length)
INVALID = Measure("Not UTF-8", _invalid)
DECILES = tuple(map(_decile, (1, 3, 7, 9)))
