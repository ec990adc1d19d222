"""How many distinct values a feature has."""

from collections.abc import Iterator

from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft, Mend
from transforms.words import counted


def unique(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Checks `unique_constraints`, each bound by itself."""
    if not draft.feature.HasField("unique_constraints"):
        return
    asked, found = draft.feature.unique_constraints, context.column.unique
    if found is None:
        yield Anomaly(
            "FEATURE_TYPE_NO_UNIQUE",
            "No unique values",
            "Distinct values were not counted: it is neither text nor a category.",
            _no_constraints,
        )
        return
    if asked.HasField("min") and found < asked.min:
        text = f"It has {counted(found, 'distinct value')}; expected at least {asked.min}."
        yield Anomaly(
            "FEATURE_TYPE_LOW_UNIQUE", "Low number of unique values", text, _set("min", found)
        )
    if asked.HasField("max") and found > asked.max:
        text = f"It has {counted(found, 'distinct value')}; expected at most {asked.max}."
        yield Anomaly(
            "FEATURE_TYPE_HIGH_UNIQUE", "High number of unique values", text, _set("max", found)
        )


def _set(field: str, value: int) -> Mend:
    def mend(draft: Draft) -> None:
        setattr(draft.feature.unique_constraints, field, value)

    return mend


def _no_constraints(draft: Draft) -> None:
    draft.feature.ClearField("unique_constraints")
