"""How far a column's values are from those of the span before, or of serving data."""

from collections.abc import Iterator

from transforms.distances.divergences import (
    Cells,
    divergence,
    l_infinity,
    normalized_difference,
    number_cells,
    share_differences,
    text_cells,
)
from transforms.distances.mass import edges_of, mass_of
from transforms.distances.text_mass import text_mass_of
from transforms.metadata.columns import Column
from transforms.metadata.protos import schema_pb2, statistics_pb2
from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Control, Draft, Mend
from transforms.schema.anomalies.measured import Distance, Measured
from transforms.words import number

DISTANCES = (
    Distance(
        "infinity_norm",
        "COMPARATOR_L_INFTY_HIGH",
        "L_INFTY",
        l_infinity,
        "High Linfty distance",
    ),
    Distance(
        "normalized_abs_difference",
        "COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH",
        "NORMALIZED_ABSOLUTE_DIFFERENCE",
        normalized_difference,
        "High normalized absolute difference",
    ),
    Distance(
        "jensen_shannon_divergence",
        "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH",
        "JENSEN_SHANNON_DIVERGENCE",
        divergence,
        "High approximate Jensen-Shannon divergence",
    ),
)

_BOTH = (statistics_pb2.Histogram.STANDARD, statistics_pb2.Histogram.QUANTILES)
_SOURCES = {
    schema_pb2.HistogramSelection.STANDARD: _BOTH[:1],
    schema_pb2.HistogramSelection.QUANTILES: _BOTH[1:],
}
"""Whose edges cut the cells of numbers, if the comparator says so; else both histograms'.

Bins of equal width see nothing where one value is far out, for all others are in the first;
quantiles see little of where the tails end.
"""

COMPARATORS = ("drift_comparator", "skew_comparator")
"""Fields of a feature: against the span before, and against serving data."""


def measure(feature: schema_pb2.Feature, context: ColumnContext) -> list[Measured]:
    """Measures every distance that a feature's comparators ask for and that can be compared."""
    found = []
    for comparator, control in controls(feature, context):
        asked = getattr(feature, comparator)
        wanted = [each for each in DISTANCES if asked.HasField(each.field)]
        cells = _cells(context.column, control, asked) if wanted else None
        if cells is not None:
            found += [_measured(comparator, each, asked, control, cells) for each in wanted]
    return found


def drift_exceeded(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a distance above its threshold."""
    for found in draft.measured:
        if found.threshold is None or found.value <= found.threshold:
            continue
        text = (
            f"Between {found.between} it is {number(found.value)}, above "
            f"{number(found.threshold)}; what differs most: {found.cell}."
        )
        short = f"{found.distance.short} between {found.between}"
        yield Anomaly(found.distance.kind, short, text, _accept(found))


def no_control(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports data to compare with that lacks the column, or has it in another type."""
    for comparator, control in controls(draft.feature, context):
        asked = getattr(draft.feature, comparator)
        bounds = [getattr(asked, each.field) for each in DISTANCES if asked.HasField(each.field)]
        is_measured = any(each.comparator == comparator for each in draft.measured)
        if not is_measured and any(bound.HasField("threshold") for bound in bounds):
            yield Anomaly(
                "COMPARATOR_CONTROL_DATA_MISSING",
                f"{control.name} data missing",
                f"The {control.name} data has no such column, or none of the same type with "
                "values.",
                _no_thresholds(comparator),
            )


def controls(feature: schema_pb2.Feature, context: ColumnContext) -> Iterator[tuple[str, Control]]:
    """Yields the comparators of a feature that have data to compare with, each with this data."""
    for comparator, control in zip(COMPARATORS, (context.previous, context.serving), strict=True):
        if feature.HasField(comparator) and control is not None:
            yield comparator, control


def _cells(current: Column, control: Control, asked: schema_pb2.FeatureComparator) -> Cells | None:
    """Counts both over the same cells, texts or ranges of numbers; None if incomparable."""
    other = control.column
    if other is None or current.kind != other.kind:
        return None
    texts, controls = text_mass_of(current), text_mass_of(other)
    if texts is not None and controls is not None:
        return text_cells(texts, controls) if texts.total and controls.total else None
    kinds = _SOURCES.get(asked.jensen_shannon_divergence.source.type, _BOTH)
    ours_, theirs_ = mass_of(current), mass_of(other)
    if ours_ is None or theirs_ is None or not ours_.total or not theirs_.total:
        return None
    return number_cells(ours_, theirs_, edges_of(other, kinds))


def _measured(
    comparator: str,
    distance: Distance,
    asked: schema_pb2.FeatureComparator,
    control: Control,
    cells: Cells,
) -> Measured:
    bound = getattr(asked, distance.field)
    threshold = bound.threshold if bound.HasField("threshold") else None
    apart = share_differences(cells)
    return Measured(
        comparator,
        distance,
        distance.of(cells),
        threshold,
        f"{control.current} and {control.name}",
        # Without texts that are frequent there is only the rest.
        cells.names[int(apart.argmax()) if len(apart) else -1],
    )


def _accept(found: Measured) -> Mend:
    def mend(draft: Draft) -> None:
        bound = getattr(getattr(draft.feature, found.comparator), found.distance.field)
        bound.threshold = found.value

    return mend


def _no_thresholds(comparator: str) -> Mend:
    def mend(draft: Draft) -> None:
        asked = getattr(draft.feature, comparator)
        for distance in DISTANCES:
            if asked.HasField(distance.field):
                getattr(asked, distance.field).ClearField("threshold")

    return mend
