"""Validates each slice of statistics by itself, its drift against the same slice of others."""

from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from transforms.metadata.arguments import check_schema
from transforms.metadata.datasets import dataset_of_one, is_weighted, slices_of
from transforms.metadata.paths import walk_features
from transforms.metadata.protos import anomalies_pb2, schema_pb2, statistics_pb2
from transforms.schema.anomalies.anomaly import ValidationContext
from transforms.schema.anomalies.comparators import DISTANCES
from transforms.schema.anomalies.dataset import DatasetAnomaly
from transforms.schema.environments import check_environment
from transforms.schema.slice_news import has_errors, kinds, leave_out
from transforms.schema.validate import checked_severities, info_of, judged

_Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList
WARNING = int(anomalies_pb2.AnomalyInfo.WARNING)
NO_CONTROL = "COMPARATOR_CONTROL_DATA_MISSING"
_COMPARED = {
    "previous_span": ("drift_comparator", "num_examples_drift_comparator"),
    "previous_version": ("", "num_examples_version_comparator"),
    "serving": ("skew_comparator", ""),
}
"""By what a schema asks for a comparison: the fields of a feature, and of the data set."""


def validate_slices(
    statistics: _Statistics,
    schema: schema_pb2.Schema,
    *,
    environment: str | None = None,
    previous_span: _Statistics | None = None,
    previous_version: _Statistics | None = None,
    serving: _Statistics | None = None,
    severities: Mapping[str, str] | None = None,
    few: int = 100,
    whole: anomalies_pb2.Anomalies | None = None,
) -> dict[str, anomalies_pb2.Anomalies]:
    """Finds anomalies of slices, and measures how each slice has drifted.

    A slice must meet the schema's types, values and shares, and is compared with the slice of the
    same name. Numbers of rows and distinct values are constraints on all rows, and not checked for
    slices: `min_count`, `min_examples_count`, `max_examples_count` and `unique_constraints.min`.

    Args:
      statistics: Of the data and of its slices.
      schema: What is expected; it is left as it is.
      environment: As of `validate_statistics`; so are the others.
      previous_span: Of the time before, with its slices.
      previous_version: Of the same data in the version before.
      serving: Of where the model is used.
      severities: By kind of anomaly.
      few: With fewer rows on either side, a distance is mostly chance.
      whole: The anomalies of all rows, which are not repeated for slices, except drift: it is
        measured against the same slice.

    Returns: By name of slice the anomalies of `validate_statistics`, without `baseline`. If the
      schema has a comparator and the other data lacks the slice, `dataset_anomaly_info` says so.
      That is a warning, and so are anomalies of comparisons with few rows, unless `severities`
      sets them.

    Raises:
      ConfigError: As of `validate_statistics`.
    """
    check_schema(schema)
    check_environment(schema, environment)
    overrides = checked_severities(severities or {})
    by_weight = is_weighted(statistics)
    others = {
        name: slices_of(data)
        for name, data in (
            ("previous_span", previous_span),
            ("previous_version", previous_version),
            ("serving", serving),
        )
        if data is not None
    }
    asked = _of_slices(schema)
    compared = [name for name in others if _asks(schema, *_COMPARED[name])]
    known = set() if whole is None else kinds(whole)
    found = {}
    for slice_name, data in slices_of(statistics).items():
        controls = {
            name: slices[slice_name] for name, slices in others.items() if slice_name in slices
        }
        seen = ValidationContext(
            dataset_of_one(data, by_weight),
            environment,
            **{name: dataset_of_one(each, by_weight) for name, each in controls.items()},
        )
        rows = [each.num_examples for each in (data, *controls.values())]
        of_slice = {**_of_few(rows, few), **overrides}
        anomalies = judged(asked, seen, of_slice)
        anomalies.ClearField("baseline")
        leave_out(anomalies, known, of_slice)
        _add_findings(anomalies, list(_missing(compared, controls)), overrides)
        found[slice_name] = anomalies
    return found


def _of_few(rows: list[int], few: int) -> dict[str, int]:
    """Returns the severities of comparisons, with warnings if too few rows are compared."""
    kinds: list[str] = []
    if min(rows) < few:
        kinds += [NO_CONTROL, *(each.kind for each in DISTANCES)]
    if max(rows) < few:
        kinds += ["COMPARATOR_LOW_NUM_EXAMPLES", "COMPARATOR_HIGH_NUM_EXAMPLES"]
    return dict.fromkeys(kinds, WARNING)


def _of_slices(schema: schema_pb2.Schema) -> schema_pb2.Schema:
    """Returns a schema without its least and greatest numbers for all rows."""
    made = schema_pb2.Schema()
    made.CopyFrom(schema)
    for _, feature in walk_features(made):
        for field, inner in (("presence", "min_count"), ("unique_constraints", "min")):
            if feature.HasField(field):
                getattr(feature, field).ClearField(inner)
    if made.HasField("dataset_constraints"):
        made.dataset_constraints.ClearField("min_examples_count")
        made.dataset_constraints.ClearField("max_examples_count")
    return made


def _asks(schema: schema_pb2.Schema, comparator: str, of_rows: str) -> bool:
    by_rows = bool(of_rows) and schema.dataset_constraints.HasField(of_rows)
    return by_rows or (
        bool(comparator)
        and any(feature.HasField(comparator) for _, feature in walk_features(schema))
    )


def _missing(compared: list[str], controls: Collection[str]) -> Iterator[DatasetAnomaly]:
    for name in compared:
        if name not in controls:
            told = name.replace("_", " ")
            yield DatasetAnomaly(
                NO_CONTROL,
                f"No such slice in {told} data",
                f"The {told} data has no slice of this name: there is nothing to compare it with.",
                lambda constraints: None,
            )


def _add_findings(
    anomalies: anomalies_pb2.Anomalies,
    findings: list[DatasetAnomaly],
    overrides: Mapping[str, int],
) -> None:
    """Adds findings about the number of rows to the anomalies."""
    if not findings:
        return
    info = info_of(findings, {NO_CONTROL: WARNING, **overrides})
    told = anomalies.dataset_anomaly_info
    if told.reason:
        info.severity = max(info.severity, told.severity)
        info.short_description = "Multiple errors"
        info.description = f"{told.description} {info.description}"
        info.reason.extend(told.reason)
    told.CopyFrom(info)


def slices_with_errors(slices: Mapping[str, anomalies_pb2.Anomalies]) -> int:
    """Returns how many slices have an error among the anomalies of `validate_slices`."""
    return sum(map(has_errors, slices.values()))
