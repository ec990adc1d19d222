"""Walks through schema and data side by side, and asks every rule."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from transforms.metadata.columns import Column
from transforms.metadata.datasets import nowhere
from transforms.metadata.paths import Index, Path, index_of
from transforms.metadata.protos import schema_pb2
from transforms.schema.anomalies.anomaly import (
    Anomaly,
    ColumnContext,
    Draft,
    Rule,
    ValidationContext,
)
from transforms.schema.anomalies.comparators import measure
from transforms.schema.anomalies.composite import collision, sparse, weighted
from transforms.schema.anomalies.measured import Measured
from transforms.schema.anomalies.missing_share import measure_missing
from transforms.schema.anomalies.presence import absent, lacking, unknown
from transforms.schema.anomalies.rules import ABSENT_RULES, DATA_RULES, SCHEMA_RULES
from transforms.schema.domains import domain_name
from transforms.schema.environments import in_environment, is_required
from transforms.schema.lifecycle import is_checked


@dataclass
class Report:
    """The findings about one path.

    Attributes:
      path: Where.
      subjects: Which messages of the schema the mends are for: names of attributes of an `Index`.
      findings: In the order of the rules.
      measured: Every distance, also those within their thresholds.
    """

    path: Path
    subjects: tuple[str, ...]
    findings: list[Anomaly] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)


def examine(schema: schema_pb2.Schema, data: ValidationContext) -> Iterator[Report]:
    """Reports the anomalies of the columns of a data set, and faults of the schema itself.

    Args:
      schema: Is left as it is.
      data: The data, and what it is compared with.

    Yields: A report for each column of the data and each that it lacks, also where all is well.
      Below a column that is new, or out of the checks, there are none.
    """
    index, closed = index_of(schema), set()
    for path, column in data.current.columns.items():
        if any(path[:end] in closed for end in range(1, len(path))):
            continue
        report, goes_on = _of_column(schema, index, column, data)
        if not goes_on:
            closed.add(path)
        yield report
    yield from _lacking(schema, index, data)


def _of_column(
    schema: schema_pb2.Schema, index: Index, column: Column, data: ValidationContext
) -> tuple[Report, bool]:
    """Returns the report of a column, and whether the columns below it are examined."""
    held = _subjects(index, column.path)
    if not held:
        # Statistics of a sparse or weighted feature that the schema lacks are no column's.
        new = [unknown()] if column.has_common else []
        return Report(column.path, (), new), False
    live = tuple(name for name in held if is_checked(held[name]))
    if len(live) > 1 and live != ("features",):
        which = "Weighted" if "weighted" in live else "Sparse"
        return Report(column.path, live, [collision(which)]), False
    if live == ("weighted",):
        return Report(column.path, live, list(weighted(column))), False
    if live == ("sparse",):
        return Report(column.path, live, list(sparse(column))), False
    if not live:
        return Report(column.path, ()), False
    return _of_feature(
        held["features"], data.context_of(column, schema.default_environment, index.domains), index
    )


def _subjects(index: Index, path: Path) -> dict[str, Any]:
    kinds = ("weighted", "sparse", "features")
    return {kind: getattr(index, kind)[path] for kind in kinds if path in getattr(index, kind)}


def _of_feature(
    feature: schema_pb2.Feature, context: ColumnContext, index: Index
) -> tuple[Report, bool]:
    report = Report(context.column.path, ("features",))
    draft = _copied(feature, index)
    draft.missing = measure_missing(feature, context)
    for rule in SCHEMA_RULES:
        report.findings += _ask((rule,), draft, context)
        if not is_checked(draft.feature):
            return report, False
    if context.column.present == 0:
        required = is_required(draft.feature, context.environment, context.defaults)
        report.findings += [absent()] if required else _ask(ABSENT_RULES, draft, context)
        return report, not required
    draft.measured = report.measured = measure(feature, context)
    report.findings += _ask(DATA_RULES, draft, context)
    return report, is_checked(draft.feature)


def _ask(rules: tuple[Rule, ...], draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Yields the findings of rules. Each sees the feature as earlier findings would change it."""
    for rule in rules:
        for finding in rule.check(draft, context):
            assert finding.kind in rule.kinds, finding.kind
            assert finding.mend is not None, finding.kind
            finding.mend(draft)
            yield finding


def _copied(feature: schema_pb2.Feature, index: Index) -> Draft:
    copy = schema_pb2.Feature()
    copy.CopyFrom(feature)
    shared = index.domains.get(feature.domain) if domain_name(feature) == "domain" else None
    if shared is None:
        return Draft(copy)
    domain = schema_pb2.StringDomain()
    domain.CopyFrom(shared)
    return Draft(copy, domain)


def _lacking(schema: schema_pb2.Schema, index: Index, data: ValidationContext) -> Iterator[Report]:
    """Reports required columns that the data lacks, unless it may lack the one above.

    One that is required is lacking; another may be missing more often than in other data.
    """
    skipped: set[Path] = set()
    for path, feature in index.features.items():
        required = is_required(feature, data.environment, schema.default_environment)
        is_there = path in data.current.columns
        if not is_there and not required and path[:-1] not in skipped and is_checked(feature):
            yield from _vanished(schema, index, data, path)
        if path[:-1] in skipped or not is_checked(feature) or not (is_there or required):
            skipped.add(path)
        elif not is_there:
            yield Report(path, ("features",), [lacking()])


def _vanished(
    schema: schema_pb2.Schema, index: Index, data: ValidationContext, path: Path
) -> Iterator[Report]:
    """Reports an optional column that the data lacks, if it has comparators."""
    feature, defaults = index.features[path], schema.default_environment
    if not in_environment(feature, data.environment, defaults):
        return
    context, draft = (
        data.context_of(nowhere(path, data.current), defaults, ()),
        _copied(feature, index),
    )
    draft.missing = measure_missing(feature, context)
    findings = list(_ask(ABSENT_RULES, draft, context))
    if findings:
        yield Report(path, ("features",), findings)
