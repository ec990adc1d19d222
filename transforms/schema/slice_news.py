"""The anomalies of slices that all rows together do not have."""

from collections.abc import Mapping
from typing import TypeAlias

from transforms.metadata.paths import Path
from transforms.metadata.protos import anomalies_pb2
from transforms.schema.validate import info_of_reasons

_Info: TypeAlias = anomalies_pb2.AnomalyInfo
Kinds: TypeAlias = set[tuple[Path, int]]
_OF_ROWS: Path = ()
"""The path of what is wrong with the number of rows."""


def kinds(anomalies: anomalies_pb2.Anomalies) -> Kinds:
    """Returns the anomalies by path and kind."""
    infos = [(tuple(info.path.step), info) for info in anomalies.anomaly_info.values()]
    infos.append((_OF_ROWS, anomalies.dataset_anomaly_info))
    return {(path, each.type) for path, info in infos for each in info.reason}


def leave_out(
    anomalies: anomalies_pb2.Anomalies, known: Kinds, severities: Mapping[str, int]
) -> None:
    """Leaves out of what a slice has that which all rows have; but not drift, for it is its own.

    Args:
      anomalies: Of the slice.
      known: Of all rows.
      severities: By kind of anomaly, where it is no error.
    """
    for key, info in list(anomalies.anomaly_info.items()):
        kept = _kept(info, known, severities)
        if kept is None:
            del anomalies.anomaly_info[key]
        else:
            info.CopyFrom(kept)
    if anomalies.HasField("dataset_anomaly_info"):
        kept = _kept(anomalies.dataset_anomaly_info, known, severities)
        if kept is None:
            anomalies.ClearField("dataset_anomaly_info")
        else:
            anomalies.dataset_anomaly_info.CopyFrom(kept)


def _kept(info: _Info, known: Kinds, severities: Mapping[str, int]) -> _Info | None:
    path = tuple(info.path.step)
    reasons = [
        each
        for each in info.reason
        if (path, each.type) not in known or _Info.Type.Name(each.type).startswith("COMPARATOR")
    ]
    if len(reasons) == len(info.reason):
        return info
    if not reasons:
        return None
    kept = info_of_reasons(reasons, severities)
    kept.path.CopyFrom(info.path)
    return kept


def has_errors(anomalies: anomalies_pb2.Anomalies) -> bool:
    """Returns whether one of the anomalies is an error."""
    infos = (*anomalies.anomaly_info.values(), anomalies.dataset_anomaly_info)
    return any(info.severity == _Info.ERROR for info in infos)
