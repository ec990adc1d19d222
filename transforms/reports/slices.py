"""Slices: how many rows each has, and what differs most between it and the whole."""

import numpy as np

from transforms.reports.bins import Bins, Ranks, number_bins, text_ranks
from transforms.reports.charts import histogram, in_words
from transforms.reports.context import Context, link
from transforms.reports.figures import NOTHING, number, share
from transforms.reports.markup import Markup, element, joined
from transforms.reports.measures import DISTINCT, MEAN, MISSING
from transforms.reports.page import Section, more, note, table
from transforms.reports.pairing import NUMBERS, TEXTS, Feature, dataset, features
from transforms.schema.anomalies.distances import jensen_shannon
from transforms.schema.datasets import ALL_EXAMPLES, Dataset
from transforms.schema.paths import path_text
from transforms.schema.protos import statistics_pb2

SLICES, SLICES_BRIEF = 30, 5
"""Of how many slices, the largest, there is a table of features; where there are many of these."""
FEATURES, RANKS = 12, 10
"""How many features such a table has; how many texts a chart shows."""


def slices_section(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, whole: Dataset, context: Context
) -> Section | None:
    """The slices of statistics, the largest first; None where there are none."""
    parts = [part for part in statistics.datasets if part.name != ALL_EXAMPLES]
    if not parts or len(statistics.datasets) == 1:
        return None
    parts.sort(key=lambda part: (-part.num_examples, part.name))
    heads = [
        "Slice",
        *(element("th", name, scope="col", class_="n") for name in ("Rows", "Share")),
    ]
    told = SLICES_BRIEF if context.is_brief else SLICES
    bodies = (_slice(part, whole, context, at < told) for at, part in enumerate(parts))
    body = joined(
        note("The bars are the slice, the line is all rows; what differs most comes first."),
        element("div", table("Slices", heads, bodies, "slices sorts"), class_="scroll"),
    )
    return Section("slices", "Slices", body, len(parts))


def _slice(
    part: statistics_pb2.DatasetFeatureStatistics, whole: Dataset, context: Context, is_told: bool
) -> Markup:
    name = context.values.text("", part.name)
    by_weight = any(column.by_weight for column in whole.columns.values())
    rows = float(part.weighted_num_examples if by_weight else part.num_examples)
    row = element(
        "tr",
        element("th", name, scope="row"),
        element("td", number(rows), class_="n", data_v=rows),
        element("td", share(rows, whole.examples), class_="n", data_v=rows),
    )
    if not is_told:
        return element("tbody", row)
    data = dataset(statistics_pb2.DatasetFeatureStatisticsList(datasets=[part]))
    detail = more("Features that differ most", _features(name, data, whole, context))
    return element("tbody", row, element("tr", element("td", detail, colspan=3)))


def _features(name: str, data: Dataset, whole: Dataset, context: Context) -> Markup:
    pairs = [each for each in features(data, whole, {}, {}) if each.current is not None]
    told = sorted(
        ((_distance(each), each) for each in pairs if each.group in (NUMBERS, TEXTS)),
        key=lambda pair: -pair[0],
    )
    names = ("Divergence", "Missing", "Mean", "Distinct")
    heads = ["Feature", "Distribution"]
    rows = (_row(feature, distance, context) for distance, feature in told[:FEATURES])
    return element(
        "div",
        table(
            f"Features of {name}",
            [*heads, *(element("th", each, scope="col", class_="n") for each in names)],
            [element("tbody", *rows)],
        ),
        class_="scroll",
    )


def _shared(feature: Feature) -> Bins | Ranks | None:
    if feature.group == NUMBERS:
        return number_bins(*feature.both)
    return text_ranks(*feature.both, limit=RANKS)


def _distance(feature: Feature) -> float:
    """The Jensen-Shannon divergence of what a chart shows, the rest as one more cell."""
    bins = _shared(feature)
    shares = [
        np.nan_to_num(each)
        for each in (bins.shares if bins is not None else ())
        if each is not None
    ]
    if len(shares) < 2:
        return 0.0
    return jensen_shannon(*(np.append(each, max(1 - each.sum(), 0)) for each in shares))


def _row(feature: Feature, distance: float, context: Context) -> Markup:
    bins = _shared(feature)
    label = in_words(bins, f"Distribution of {path_text(feature.path)}")
    figures = (
        element(
            "td",
            each.text(feature.current, context.values),
            element("span", each.text(feature.baseline, context.values), class_="was"),
            class_="n",
        )
        for each in (MISSING, MEAN, DISTINCT)
    )
    return element(
        "tr",
        element("th", link(context, feature.path, feature.name), scope="row"),
        element("td", NOTHING if bins is None else histogram(bins.shares, label, "spark")),
        element("td", number(distance), class_="n"),
        *figures,
    )
