"""Anomalies as a list, errors first: what a table shows, and what a gate goes by."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import anomalies_pb2

ERROR = "ERROR"


@dataclass(frozen=True)
class Found:
    """One feature or rule, and what is wrong.

    Attributes:
      severity: "ERROR" or "WARNING".
      feature: Its path; or that of a rule, or of all data.
      why: A few words; they hold no value.
    """

    severity: str
    feature: str
    why: str


def findings(anomalies: "anomalies_pb2.Anomalies") -> list[Found]:
    """What is wrong, errors first, then by name."""
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    name = anomalies_pb2.AnomalyInfo.Severity.Name
    found = [
        Found(name(info.severity), feature, info.short_description)
        for feature, info in anomalies.anomaly_info.items()
    ]
    if anomalies.data_missing:
        found.append(Found(ERROR, "(all)", "there are no rows"))
    if anomalies.HasField("dataset_anomaly_info"):
        info = anomalies.dataset_anomaly_info
        found.append(Found(name(info.severity), "(dataset)", info.short_description))
    return sorted(found, key=lambda each: (each.severity != ERROR, each.feature, each.why))
