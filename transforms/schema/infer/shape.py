"""How many values a row has, as a schema says it: a fixed shape, or counts of values."""

from transforms.metadata.columns import Column
from transforms.metadata.protos import schema_pb2


def fixed_shape(column: Column) -> list[int] | None:
    """Returns the size of each level of nesting; None if rows lack values or differ in number."""
    levels = column.valency
    if any(column.missing_by_level) or any(least != most or least < 1 for least, most in levels):
        return None
    return [least for least, _ in levels]


def set_shape(feature: schema_pb2.Feature, column: Column) -> None:
    """Gives a feature the fixed shape of its data, if there is one."""
    sizes = None if column.kind == schema_pb2.STRUCT else fixed_shape(column)
    if sizes is not None:
        feature.shape.dim.extend(schema_pb2.FixedShape.Dim(size=size) for size in sizes)


def set_value_counts(feature: schema_pb2.Feature, column: Column) -> None:
    """Gives a feature the number of values of its data, level by level if it is nested."""
    levels = column.valency
    if column.is_nested:
        for least, most in levels:
            _count(feature.value_counts.value_count.add(), least, most)
    elif levels[0][0] > 0:
        _count(feature.value_count, *levels[0])


def _count(count: schema_pb2.ValueCount, least: int, most: int) -> None:
    if least > 0:
        count.min = least if least == most else 1
    if 0 < least == most:
        count.max = most
