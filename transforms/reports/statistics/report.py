"""Statistics report: the statistics of a data set as a page, and what is wrong with it."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from transforms.metadata.datasets import Dataset
from transforms.metadata.paths import index_of
from transforms.metadata.protos import anomalies_pb2, schema_pb2, statistics_pb2
from transforms.reports.figures import number, share
from transforms.reports.markup import Markup, element, joined
from transforms.reports.page import Section, described, page, tiles
from transforms.reports.redaction import Redact, Values
from transforms.reports.statistics.context import Context
from transforms.reports.statistics.correlations import correlations_section
from transforms.reports.statistics.drift import drift_section
from transforms.reports.statistics.example import Example
from transforms.reports.statistics.features import feature_sections
from transforms.reports.statistics.findings import anomalies_section, severities
from transforms.reports.statistics.pairing import Feature, dataset, features
from transforms.reports.statistics.pairing import slices as slices_of
from transforms.reports.statistics.slices import Slices, slices_section
from transforms.schema.slices import slices_with_errors

_Info = anomalies_pb2.AnomalyInfo
BRIEF = 200
"""With more features, each has fewer lines, so that the page stays small."""


def statistics_report(
    baseline: statistics_pb2.DatasetFeatureStatisticsList | None,
    current: statistics_pb2.DatasetFeatureStatisticsList,
    anomalies: anomalies_pb2.Anomalies | None = None,
    schema: schema_pb2.Schema | None = None,
    *,
    title: str,
    examples: Mapping[str, pa.RecordBatch | Example] | None = None,
    examples_note: str | None = None,
    redact: Redact | None = None,
    slices: Mapping[str, anomalies_pb2.Anomalies] | None = None,
    about: Iterable[tuple[str, str]] = (),
) -> str:
    """Returns an HTML page about statistics: distributions, anomalies, drift, slices.

    Args:
      baseline: Statistics to show beside the current ones, slices beside those of the same name;
        None without a baseline.
      current: The statistics that the report is about, and those of its slices.
      anomalies: The anomalies of a validation, with its distances; None without a validation.
      schema: The schema to show beside the features; by default the schema in `anomalies`.
      title: The heading.
      examples: Rows at fault by path, with the keys of `anomaly_info`; the first 5 are shown. The
        column of the path is marked; an `Example` names the columns to mark.
      examples_note: Says how the other values of examples are masked, which then look different.
        None if they are shown as they are.
      redact: Returns the text to show for a value, from the path of its column and its text. Every
        value goes through it: texts, ends and quantiles of numbers, examples, values in sentences
        and in the names of slices (whose path is empty). None shows values as they are.
      slices: The anomalies from `validate_slices`, by name of slice.
      about: Facts to show under the heading, each with its name: the run, its date, the schema.

    Returns: The document, a text for UTF-8. It loads nothing and reads the same without scripts.

    Raises:
      ConfigError: The statistics are of slices only.
    """
    data, before = dataset(current), None if baseline is None else dataset(baseline)
    if schema is None and anomalies is not None and anomalies.HasField("baseline"):
        schema = anomalies.baseline
    found = _features(data, before, anomalies, schema)
    context = Context(
        Values(redact),
        before is not None,
        {feature.path: f"f{at}" for at, feature in enumerate(found)},
        len(found) > BRIEF,
    )
    sections: list[Section | None] = []
    if anomalies is not None:
        sections.append(anomalies_section(anomalies, examples or {}, examples_note, context))
        by_path = {feature.path: feature for feature in found}
        sections.append(drift_section(anomalies, by_path, context))
    parts = Slices(
        data,
        slices_of(current),
        before,
        {} if baseline is None else slices_of(baseline),
        slices or {},
    )
    sections += [
        *feature_sections(found, context),
        correlations_section(current, baseline, context),
        slices_section(parts, context),
    ]
    facts = joined(
        described(about), _tiles(data, before, found, anomalies, parts), _legend(context)
    )
    return page(title, facts, [section for section in sections if section is not None])


def _features(
    data: Dataset,
    before: Dataset | None,
    anomalies: anomalies_pb2.Anomalies | None,
    schema: schema_pb2.Schema | None,
) -> Sequence[Feature]:
    infos = anomalies.anomaly_info.values() if anomalies is not None else ()
    by_path = {tuple(info.path.step): info for info in infos}
    expected = {} if schema is None else index_of(schema).features
    return list(features(data, before, expected, by_path))


def _tiles(
    data: Dataset,
    before: Dataset | None,
    found: Sequence[Feature],
    anomalies: anomalies_pb2.Anomalies | None,
    parts: Slices,
) -> Markup:
    by_weight = any(column.by_weight for column in data.columns.values())
    rows = "Rows, by weight" if by_weight else "Rows"
    figures_of = [(rows, number(data.examples), "")]
    if before is not None:
        figures_of.append((f"{rows} of the baseline", number(before.examples), ""))
    figures_of.append(("Features", number(len(found)), ""))
    top = [column for column in data.columns.values() if len(column.path) == 1]
    missing = sum(column.missing for column in top)
    cells = missing + sum(column.present for column in top)
    figures_of.append(("Values missing", share(missing, cells), ""))
    if anomalies is not None:
        figures_of += _severities(anomalies)
    if worse := slices_with_errors(parts.by_slice):
        figures_of.append(
            ("Slices with errors", element("a", number(worse), href="#slices"), "bad")
        )
    return tiles(figures_of)


def _severities(anomalies: anomalies_pb2.Anomalies) -> list[tuple[str, str, str]]:
    found = severities(anomalies)
    errors, warnings = (found[each] for each in (_Info.ERROR, _Info.WARNING))
    figures_of = [("With errors", number(errors), "bad" if errors else "good")]
    return [*figures_of, ("With warnings", number(warnings), "warn")] if warnings else figures_of


def _legend(context: Context) -> Markup | None:
    if not context.has_baseline:
        return None
    return element(
        "p",
        element("span", "current", class_="c"),
        element("span", "baseline", class_="b"),
        class_="legend",
    )
