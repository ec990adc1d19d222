"""Validates statistics against a schema, a span or version before, and serving data."""

from collections.abc import Mapping
from typing import TypeAlias

from transforms.errors import ConfigError
from transforms.metadata.arguments import check_schema
from transforms.metadata.datasets import Dataset, dataset_of, is_weighted
from transforms.metadata.paths import path_text
from transforms.metadata.protos import anomalies_pb2, schema_pb2, statistics_pb2
from transforms.nearest import nearest
from transforms.schema.anomalies.anomaly import Anomaly, ValidationContext
from transforms.schema.anomalies.dataset import DatasetAnomaly, dataset_findings
from transforms.schema.anomalies.examine import Report, examine
from transforms.schema.anomalies.measured import Measured
from transforms.schema.anomalies.rules import KINDS
from transforms.schema.environments import check_environment

_Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList
_Info: TypeAlias = anomalies_pb2.AnomalyInfo


def validate_statistics(
    statistics: _Statistics,
    schema: schema_pb2.Schema,
    environment: str | None = None,
    previous_span: _Statistics | None = None,
    previous_version: _Statistics | None = None,
    serving: _Statistics | None = None,
    severities: Mapping[str, str] | None = None,
) -> anomalies_pb2.Anomalies:
    """Finds anomalies: where the data violates the schema, and where it has drifted.

    Args:
      statistics: Of the data; of slices, the one named `All Examples` counts.
      schema: The schema that the data should meet; it is not changed.
      environment: Of the data, as the schema names it; without it every feature is expected.
      previous_span: Of the time before: for `drift_comparator` and the number of rows.
      previous_version: Of the same data in the version before: for the number of rows.
      serving: Of where the model is used: for `skew_comparator`.
      severities: `ERROR`, `WARNING` or `UNKNOWN` by kind of anomaly; those not named are errors.

    Returns: An entry in `anomaly_info` for each feature at fault, by its path, with a reason for
      each anomaly; in `drift_skew_info` every distance that was measured. Without rows, only
      `data_missing`.

    Raises:
      ConfigError: The schema or the statistics are of another type, the schema has no such
        environment, the statistics are of slices only, or there is no such kind of anomaly or
        severity.
    """
    check_schema(schema)
    check_environment(schema, environment)
    overrides = checked_severities(severities or {})
    data = validation_context(statistics, environment, previous_span, previous_version, serving)
    return judged(schema, data, overrides)


def judged(
    schema: schema_pb2.Schema, data: ValidationContext, overrides: Mapping[str, int]
) -> anomalies_pb2.Anomalies:
    """Returns the anomalies of data sets that were read, as `validate_statistics` does."""
    found = anomalies_pb2.Anomalies(
        baseline=schema, anomaly_name_format=anomalies_pb2.Anomalies.SERIALIZED_PATH
    )
    if data.current.examples == 0:
        found.data_missing = True
        return found
    for report in examine(schema, data):
        _add(found, report, overrides)
    rows = list(dataset_findings(schema, data))
    if rows:
        found.dataset_anomaly_info.CopyFrom(info_of(rows, overrides))
    return found


def validation_context(
    statistics: _Statistics,
    environment: str | None = None,
    previous_span: _Statistics | None = None,
    previous_version: _Statistics | None = None,
    serving: _Statistics | None = None,
) -> ValidationContext:
    """Returns the data sets of a validation, all weighted if the current one is."""
    by_weight = is_weighted(statistics)

    def read(name: str, other: _Statistics | None) -> Dataset | None:
        try:
            return None if other is None else dataset_of(other, by_weight)
        except ConfigError as error:
            raise ConfigError(f"{name}: {error}") from None

    return ValidationContext(
        dataset_of(statistics, by_weight),
        environment,
        read("previous_span", previous_span),
        read("previous_version", previous_version),
        read("serving", serving),
    )


def _add(found: anomalies_pb2.Anomalies, report: Report, overrides: Mapping[str, int]) -> None:
    if report.findings:
        info = info_of(report.findings, overrides)
        info.path.step.extend(report.path)
        found.anomaly_info[path_text(report.path)].CopyFrom(info)
    if report.measured:
        told = found.drift_skew_info.add()
        told.path.step.extend(report.path)
        told.drift_measurements.extend(_messages(report.measured, "drift_comparator"))
        told.skew_measurements.extend(_messages(report.measured, "skew_comparator"))


def _messages(
    measured: list[Measured], comparator: str
) -> list[anomalies_pb2.DriftSkewInfo.Measurement]:
    return [each.as_message() for each in measured if each.comparator == comparator]


def info_of(findings: list[Anomaly] | list[DatasetAnomaly], overrides: Mapping[str, int]) -> _Info:
    """Returns one entry for several findings."""
    reasons = [
        _Info.Reason(
            type=_Info.Type.Value(each.kind), short_description=each.short, description=each.text
        )
        for each in findings
    ]
    return info_of_reasons(reasons, overrides)


def info_of_reasons(
    reasons: list[anomalies_pb2.AnomalyInfo.Reason], overrides: Mapping[str, int]
) -> _Info:
    """Returns one entry for several reasons: the worst severity, and all sentences."""
    kinds = [_Info.Type.Name(each.type) for each in reasons]
    return _Info(
        severity=max(overrides.get(kind, _Info.ERROR) for kind in kinds),
        short_description=reasons[0].short_description if len(reasons) == 1 else "Multiple errors",
        description=" ".join(each.description for each in reasons),
        reason=reasons,
    )


def checked_severities(severities: Mapping[str, str]) -> dict[str, int]:
    """Severities by kind of anomaly, as numbers.

    Raises:
      ConfigError: There is no such kind or severity.
    """
    for kind, severity in severities.items():
        for name, known, what in (
            (kind, sorted(KINDS), "kind of anomaly"),
            (severity, list(_Info.Severity.keys()), "severity"),
        ):
            if name not in known:
                raise ConfigError(f"{name!r} is no {what}{nearest(name, known)}")
    return {kind: _Info.Severity.Value(severity) for kind, severity in severities.items()}
