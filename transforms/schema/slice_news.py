"""What is wrong with slices, where all rows do not show it: one rule for tables and reports."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from transforms.schema.paths import Path
from transforms.schema.protos import anomalies_pb2
from transforms.schema.slices import NO_CONTROL

_Info: TypeAlias = anomalies_pb2.AnomalyInfo
_Kinds = set[tuple[Path, int]]


def slice_news(
    slices: Mapping[str, anomalies_pb2.Anomalies], whole: anomalies_pb2.Anomalies | None
) -> dict[str, list[_Info]]:
    """What slices have and all rows have not, and drift from the same slice of other data.

    Args:
      slices: As `validate_slices` gives them.
      whole: What was found of all rows.

    Returns: For each slice that has any, its anomalies by feature, the worst first; the path of the
      number of rows is empty. That the other data has no such slice is not in it.
    """
    known = set() if whole is None else kinds(whole)
    found = {name: _news(anomalies, known) for name, anomalies in slices.items()}
    return {name: infos for name, infos in found.items() if infos}


def slices_with_errors(news: Mapping[str, list[_Info]]) -> int:
    """How many slices have an error, of what `slice_news` gives."""
    return sum(infos[0].severity == _Info.ERROR for infos in news.values())


def _infos(anomalies: anomalies_pb2.Anomalies) -> Iterator[tuple[Path, _Info]]:
    """Every entry by path; that of the data set by the path of none."""
    if anomalies.HasField("dataset_anomaly_info"):
        yield (), anomalies.dataset_anomaly_info
    for info in anomalies.anomaly_info.values():
        yield tuple(info.path.step), info


def kinds(anomalies: anomalies_pb2.Anomalies) -> _Kinds:
    """What was found, by path and kind of anomaly."""
    return {(path, each.type) for path, info in _infos(anomalies) for each in info.reason}


def _news(anomalies: anomalies_pb2.Anomalies, known: _Kinds) -> list[_Info]:
    found = []
    for path, info in _infos(anomalies):
        kept = [
            each
            for each in info.reason
            if (path, each.type) not in known or _Info.Type.Name(each.type).startswith("COMPARATOR")
            if path or each.type != _Info.Type.Value(NO_CONTROL)
        ]
        if kept:
            found.append(_Info(severity=info.severity, path=info.path, reason=kept))
    return sorted(found, key=lambda info: (-info.severity, tuple(info.path.step)))
