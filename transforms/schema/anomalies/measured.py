"""Distances of a column from what it is compared with, as they were measured."""

from collections.abc import Callable
from dataclasses import dataclass

from transforms.distances.divergences import Cells
from transforms.metadata.protos import anomalies_pb2


@dataclass(frozen=True)
class Distance:
    """One of the three distances.

    Attributes:
      field: Of a `FeatureComparator`.
      kind: Of the anomaly.
      measure: The name of its measurement's type.
      of: The distance of two data sets over the same cells.
      short: What the anomaly is called, before `between ... and ...`.
    """

    field: str
    kind: str
    measure: str
    of: Callable[[Cells], float]
    short: str


@dataclass(frozen=True)
class Measured:
    """One distance of a column from its control.

    Attributes:
      comparator: The field of the feature that asked for it.
      distance: Which it is.
      value: From 0, alike.
      threshold: Above this it is an anomaly; None asks for the measurement alone.
      between: What was compared, in words.
      cell: The value or range that differs most.
      missing: The shares of rows without it, of the data and of the other, where the distance is
        of these and not of values.
    """

    comparator: str
    distance: Distance
    value: float
    threshold: float | None
    between: str
    cell: str
    missing: tuple[float, float] | None = None

    def as_message(self) -> anomalies_pb2.DriftSkewInfo.Measurement:
        """Returns the message for `drift_skew_info`."""
        kind = anomalies_pb2.DriftSkewInfo.Measurement.Type.Value(self.distance.measure)
        return anomalies_pb2.DriftSkewInfo.Measurement(
            type=kind, value=self.value, threshold=self.threshold
        )
