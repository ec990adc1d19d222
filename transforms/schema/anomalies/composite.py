"""Features made of others: sparse ones of values and indices, weighted ones with weights."""

from collections.abc import Iterator

from transforms.metadata.columns import Column
from transforms.metadata.protos import statistics_pb2
from transforms.schema.anomalies.anomaly import Anomaly
from transforms.schema.anomalies.mends import give_up
from transforms.words import amount, counted, quoted


def sparse(column: Column) -> Iterator[Anomaly]:
    """Reports rows of a sparse feature that lack its value or index feature."""
    for custom in column.stats.custom_stats:
        if custom.name == "missing_value" and custom.num:
            text = f"The value feature is missing in {counted(custom.num, 'row')}."
            yield _found("SPARSE_FEATURE_MISSING_VALUE", "Missing value feature", text)
        elif custom.name == "missing_index":
            for index, count in _each(custom):
                text = f"Index feature {quoted(index)} is missing in {counted(count, 'row')}."
                yield _found("SPARSE_FEATURE_MISSING_INDEX", "Missing index feature", text)
        elif custom.name in ("min_length_diff", "max_length_diff"):
            for index, difference in _each(custom):
                yield _found(
                    "SPARSE_FEATURE_LENGTH_MISMATCH",
                    "Length mismatch between value and index feature",
                    f"Values and indices {quoted(index)} differ in number: {custom.name} is "
                    f"{amount(difference)}.",
                )


def weighted(column: Column) -> Iterator[Anomaly]:
    """Reports rows of a weighted feature that lack its value or weight."""
    told = {custom.name: custom.num for custom in column.stats.custom_stats if custom.num}
    for name, what in (("missing_value", "value"), ("missing_weight", "weight")):
        if name in told:
            text = f"The {what} feature is missing in {counted(told[name], 'row')}."
            kind = f"WEIGHTED_FEATURE_MISSING_{what.upper()}"
            yield _found(kind, f"Missing {what} feature", text)
    least, most = (told.get(f"{end}_weight_length_diff", 0.0) for end in ("min", "max"))
    if least or most:
        yield _found(
            "WEIGHTED_FEATURE_LENGTH_MISMATCH",
            "Length mismatch between value and weight feature",
            f"Values and weights differ in number: by {amount(least)} to {amount(most)}.",
        )


def collision(which: str) -> Anomaly:
    """Returns a sparse or weighted feature that has the name of another feature."""
    return _found(
        f"{which.upper()}_FEATURE_NAME_COLLISION",
        f"{which} feature name collision",
        f"Another feature has the name of this {which.lower()} feature.",
    )


def _each(custom: statistics_pb2.CustomStatistic) -> Iterator[tuple[str, float]]:
    for bucket in custom.rank_histogram.buckets:
        if bucket.sample_count:
            yield bucket.label, bucket.sample_count


def _found(kind: str, short: str, text: str) -> Anomaly:
    return Anomaly(kind, short, text, give_up)
