"""How many values a row may have, level by level of nesting."""

from collections.abc import Callable, Iterator
from functools import partial

from transforms.metadata.protos import schema_pb2
from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft
from transforms.schema.infer.shape import set_value_counts
from transforms.words import counted

_NESTING = "Mismatched value nest level"


def value_count(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Checks `value_count`, for values that are not nested."""
    if not draft.feature.HasField("value_count"):
        return
    if len(context.column.valency) > 1:
        yield _nesting(context, "value_count is for values that are not nested; these are.")
        return
    (least, most) = context.column.valency[0]
    yield from _of_level(draft.feature.value_count, least, most, "", _flat)


def value_counts(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Checks `value_counts`: one for each level of nesting."""
    if not draft.feature.HasField("value_counts"):
        return
    asked, levels = draft.feature.value_counts.value_count, context.column.valency
    if len(asked) != len(levels):
        yield _nesting(
            context,
            f"The values have {counted(len(levels), 'level')}; the schema has {len(asked)}.",
        )
        return
    for at, (count, (least, most)) in enumerate(zip(asked, levels, strict=True)):
        yield from _of_level(count, least, most, f" at level {at}", partial(_level, at))


def _of_level(
    count: schema_pb2.ValueCount,
    least: int,
    most: int,
    where: str,
    find: Callable[[Draft], schema_pb2.ValueCount],
) -> Iterator[Anomaly]:
    if count.HasField("min") and least < count.min:
        yield Anomaly(
            "FEATURE_TYPE_LOW_NUMBER_VALUES",
            "Missing values",
            f"Some row has {counted(least, 'value')}{where}; expected at least {count.min}.",
            lambda draft: _set_least(find(draft), least),
        )
    if count.HasField("max") and most > count.max:
        yield Anomaly(
            "FEATURE_TYPE_HIGH_NUMBER_VALUES",
            "Superfluous values",
            f"Some row has {counted(most, 'value')}{where}; expected at most {count.max}.",
            lambda draft: _set_most(find(draft), most),
        )


def _nesting(context: ColumnContext, text: str) -> Anomaly:
    def mend(draft: Draft) -> None:
        draft.feature.ClearField("shape_type")
        set_value_counts(draft.feature, context.column)

    return Anomaly("VALUE_NESTEDNESS_MISMATCH", _NESTING, text, mend)


def _flat(draft: Draft) -> schema_pb2.ValueCount:
    return draft.feature.value_count


def _level(at: int, draft: Draft) -> schema_pb2.ValueCount:
    return draft.feature.value_counts.value_count[at]


def _set_least(count: schema_pb2.ValueCount, least: int) -> None:
    if least:
        count.min = least
    else:
        count.ClearField("min")


def _set_most(count: schema_pb2.ValueCount, most: int) -> None:
    count.max = most
