"""How far a column's values are from those of the span before, or of serving data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transforms.schema.anomalies.distances import (
    jensen_shannon,
    l_infinity,
    normalized_difference,
    number_cells,
    text_cells,
)
from transforms.schema.anomalies.finding import Control, Draft, Finding, Mend, Seen
from transforms.schema.anomalies.mass import edges_of, mass_of
from transforms.schema.anomalies.words import number, quoted
from transforms.schema.columns import Column
from transforms.schema.protos import anomalies_pb2, schema_pb2, statistics_pb2

_Floats = NDArray[np.float64]
_Cells = tuple[list[str], _Floats, _Floats]


@dataclass(frozen=True)
class Distance:
    """One of the three distances.

    Attributes:
      field: Of a `FeatureComparator`.
      kind: Of the anomaly.
      measure: The name of its measurement's type.
      of: The distance of two vectors of counts over the same cells.
      short: What the anomaly is called, before `between ... and ...`.
    """

    field: str
    kind: str
    measure: str
    of: Callable[[_Floats, _Floats], float]
    short: str


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
        jensen_shannon,
        "High approximate Jensen-Shannon divergence",
    ),
)

COMPARATORS = ("drift_comparator", "skew_comparator")
"""Fields of a feature: against the span before, and against serving data."""


@dataclass(frozen=True)
class Measured:
    """One distance of a column from its control.

    Attributes:
      comparator: Which of `COMPARATORS` asked for it.
      distance: Which it is.
      value: From 0, alike.
      threshold: Above this it is an anomaly; None asks for the measurement alone.
      control: What it was compared with.
      cell: The value or range that differs most.
    """

    comparator: str
    distance: Distance
    value: float
    threshold: float | None
    control: Control
    cell: str

    def as_message(self) -> anomalies_pb2.DriftSkewInfo.Measurement:
        """The message that goes to `drift_skew_info`."""
        kind = anomalies_pb2.DriftSkewInfo.Measurement.Type.Value(self.distance.measure)
        return anomalies_pb2.DriftSkewInfo.Measurement(
            type=kind, value=self.value, threshold=self.threshold
        )


def measure(feature: schema_pb2.Feature, seen: Seen) -> list[Measured]:
    """Every distance that a feature's comparators ask for, where there is something to compare."""
    found = []
    for comparator, control in _controls(feature, seen):
        asked = getattr(feature, comparator)
        for distance in DISTANCES:
            bound = getattr(asked, distance.field)
            cells = _cells(seen.column, control, asked) if asked.HasField(distance.field) else None
            if cells is not None:
                threshold = bound.threshold if bound.HasField("threshold") else None
                found.append(_measured(comparator, distance, threshold, control, cells))
    return found


def too_far(draft: Draft, seen: Seen) -> Iterator[Finding]:
    """A distance above its threshold."""
    for found in measure(draft.feature, seen):
        if found.threshold is None or found.value <= found.threshold:
            continue
        names = f"{found.control.current} and {found.control.name}"
        text = (
            f"Between {names} it is {number(found.value)}, above {number(found.threshold)}; "
            f"what differs most is {found.cell}."
        )
        yield Finding(
            found.distance.kind, f"{found.distance.short} between {names}", text, _accept(found)
        )


def no_control(draft: Draft, seen: Seen) -> Iterator[Finding]:
    """There is a data set to compare with, but in it nothing to compare this column with."""
    for comparator, control in _controls(draft.feature, seen):
        asked = getattr(draft.feature, comparator)
        bounds = [getattr(asked, each.field) for each in DISTANCES if asked.HasField(each.field)]
        if not any(bound.HasField("threshold") for bound in bounds):
            continue
        if _cells(seen.column, control, asked) is None:
            yield Finding(
                "COMPARATOR_CONTROL_DATA_MISSING",
                f"{control.name} data missing",
                f"The {control.name} data has no such column, or none of the same type with "
                "values.",
                _no_thresholds(comparator),
            )


def _controls(feature: schema_pb2.Feature, seen: Seen) -> Iterator[tuple[str, Control]]:
    for comparator, control in zip(COMPARATORS, (seen.previous, seen.serving), strict=True):
        if feature.HasField(comparator) and control is not None:
            yield comparator, control


def _cells(current: Column, control: Control, asked: schema_pb2.FeatureComparator) -> _Cells | None:
    """The counts of both over the same cells, texts or ranges of numbers; None if incomparable."""
    other = control.column
    if other is None or current.kind != other.kind:
        return None
    if current.counts or other.counts:
        texts, ours, theirs = text_cells(current.counts, other.counts)
        return (list(map(quoted, texts)), ours, theirs) if ours.sum() and theirs.sum() else None
    source = asked.jensen_shannon_divergence.source.type
    wanted = (
        statistics_pb2.Histogram.QUANTILES
        if source == schema_pb2.HistogramSelection.QUANTILES
        else statistics_pb2.Histogram.STANDARD
    )
    ours_, theirs_, edges = mass_of(current), mass_of(other), edges_of(other, wanted)
    if ours_ is None or theirs_ is None or not ours_.total or not theirs_.total:
        return None
    return number_cells(ours_, theirs_, np.empty(0) if edges is None else edges)


def _measured(
    comparator: str, distance: Distance, threshold: float | None, control: Control, cells: _Cells
) -> Measured:
    names, current, other = cells
    shares = np.abs(current / current.sum() - other / other.sum())
    cell = names[int(shares.argmax())]
    return Measured(comparator, distance, distance.of(current, other), threshold, control, cell)


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
