"""Changes a schema as little as it takes to accept some data."""

from collections.abc import Collection, Iterable
from typing import TypeAlias

from transforms.metadata.arguments import check_schema
from transforms.metadata.columns import Column
from transforms.metadata.paths import Index, index_of, path_text
from transforms.metadata.protos import anomalies_pb2, schema_pb2, statistics_pb2
from transforms.schema.anomalies.anomaly import Draft, ValidationContext
from transforms.schema.anomalies.dataset import dataset_findings
from transforms.schema.anomalies.examine import Report, examine
from transforms.schema.environments import check_environment, in_environment
from transforms.schema.infer.infer import Limits, add_column
from transforms.schema.validate import validation_context

_Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList
_Type = anomalies_pb2.AnomalyInfo.Type
_Wanted = set[tuple[str, str]] | None


def update_schema(
    schema: schema_pb2.Schema,
    statistics: _Statistics,
    anomalies: anomalies_pb2.Anomalies | None = None,
    environment: str | None = None,
    previous_span: _Statistics | None = None,
    previous_version: _Statistics | None = None,
    serving: _Statistics | None = None,
    max_string_domain_size: int = 100,
    infer_shape: bool = True,
) -> schema_pb2.Schema:
    """Returns the schema with the smallest change that makes the data free of these anomalies.

    A feature of another type, or one that is missing, is deprecated; a new one is added as
    `infer_schema` would; domains, ranges and thresholds are widened to the data.

    Args:
      schema: Is left as it is.
      statistics: Of the data to accept.
      anomalies: The anomalies to accept, by path and kind: those of `validate_statistics`, less
        the entries or reasons that should stay anomalies. Without it all are accepted.
      environment: As of `validate_statistics`.
      previous_span: As of `validate_statistics`.
      previous_version: As of `validate_statistics`.
      serving: As of `validate_statistics`.
      max_string_domain_size: As of `infer_schema`, for new features.
      infer_shape: As of `infer_schema`, for new features.

    Raises:
      ConfigError: As of `validate_statistics`.
    """
    check_schema(schema)
    check_environment(schema, environment)
    data = validation_context(statistics, environment, previous_span, previous_version, serving)
    updated = schema_pb2.Schema()
    updated.CopyFrom(schema)
    if data.current.examples == 0:
        return updated
    wanted, index = _wanted(anomalies), index_of(updated)
    for report in examine(schema, data):
        if report.subjects:
            _mend(index, report, wanted)
        elif any(_is_wanted(wanted, report, finding.kind) for finding in report.findings):
            column = data.current.columns[report.path]
            _add(updated, index, data, column, Limits(max_string_domain_size, infer_shape))
    for finding in dataset_findings(schema, data):
        if wanted is None or ("", finding.kind) in wanted:
            finding.mend(updated.dataset_constraints)
    return updated


def _wanted(anomalies: anomalies_pb2.Anomalies | None) -> _Wanted:
    if anomalies is None:
        return None
    wanted = set(_kinds("", anomalies.dataset_anomaly_info.reason))
    for key, info in anomalies.anomaly_info.items():
        name = path_text(tuple(info.path.step)) if info.path.step else key
        wanted |= set(_kinds(name, info.reason))
    return wanted


def _kinds(name: str, reasons: Iterable[anomalies_pb2.AnomalyInfo.Reason]) -> list[tuple[str, str]]:
    return [(name, _Type.Name(reason.type)) for reason in reasons]


def _is_wanted(wanted: _Wanted, report: Report, kind: str) -> bool:
    return wanted is None or (path_text(report.path), kind) in wanted


def _mend(index: Index, report: Report, wanted: _Wanted) -> None:
    """Applies the mends of a report to every message that it is about."""
    for subject in report.subjects:
        message = getattr(index, subject)[report.path]
        for finding in report.findings:
            if finding.mend is not None and _is_wanted(wanted, report, finding.kind):
                domain = index.domains.get(message.domain) if subject == "features" else None
                finding.mend(Draft(message, domain))


def _add(
    schema: schema_pb2.Schema, index: Index, data: ValidationContext, column: Column, limits: Limits
) -> None:
    above = column.path[:-1]
    level = index.features[above].struct_domain if above else schema
    add_column(schema, level, data.current, column, limits)
    _add_to_environment(level.feature[-1], data.environment, schema.default_environment)


def _add_to_environment(
    feature: schema_pb2.Feature, environment: str | None, defaults: Collection[str]
) -> None:
    """Makes a feature, and those below it, ones that data of an environment has."""
    if environment is not None and not in_environment(feature, environment, defaults):
        feature.in_environment.append(environment)
    for inner in feature.struct_domain.feature:
        _add_to_environment(inner, environment, defaults)
