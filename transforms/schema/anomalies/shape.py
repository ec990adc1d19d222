"""A fixed shape: every row has it, with as many values as it says."""

from collections.abc import Iterator
from math import prod

from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft
from transforms.schema.infer.shape import fixed_shape
from transforms.words import counted


def shape(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Checks `shape`: rows lack values, or have another number of them."""
    if not draft.feature.HasField("shape"):
        return
    found = fixed_shape(context.column)
    if found is None:
        yield _dropped("Rows lack it, or differ in how many values they have.")
        return
    asked = prod(dim.size for dim in draft.feature.shape.dim)
    if prod(found) != asked:
        yield _dropped(f"Each row has {counted(prod(found), 'value')}; the shape takes {asked}.")


def _dropped(text: str) -> Anomaly:
    return Anomaly("INVALID_FEATURE_SHAPE", "Feature shape dropped", text, _no_shape)


def _no_shape(draft: Draft) -> None:
    # No value count instead: it might not fit the data from which the shape was inferred.
    draft.feature.ClearField("shape")
