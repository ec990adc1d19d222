"""Slices: how many rows each has, its anomalies, and where it differs.

It is compared with all rows, and with the same slice of the baseline.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from transforms.distances.divergences import jensen_shannon
from transforms.metadata.datasets import Dataset
from transforms.metadata.paths import path_text
from transforms.metadata.protos import anomalies_pb2
from transforms.reports.bins import Bins, Ranks, number_bins, text_ranks
from transforms.reports.charts import BOTH, histogram, in_words
from transforms.reports.figures import NOTHING, number, share
from transforms.reports.markup import Markup, element, figure, joined
from transforms.reports.page import Section, more, note, table
from transforms.reports.statistics.context import Context, link
from transforms.reports.statistics.measures import DISTINCT, MEAN, MISSING
from transforms.reports.statistics.pairing import NUMBERS, TEXTS, Feature, features
from transforms.reports.statistics.slice_anomalies import anomalies_by_slice, names, slice_name

_Ranked: TypeAlias = list[tuple[float, Feature]]
"""Features with how far they are from others, the furthest first."""
SLICES, SLICES_BRIEF = 30, 5
"""Of how many slices, the largest, there are tables of features; where there are many of these."""
FEATURES, RANKS = 8, 10
"""How many features such a table has; how many texts a chart shows."""


@dataclass(frozen=True)
class Slices:
    """All that a report knows of slices.

    Attributes:
      whole: All rows.
      parts: The slices by name.
      before: All rows of the baseline; None where there is none.
      parts_before: Its slices by name.
      by_slice: What is wrong with each slice.
    """

    whole: Dataset
    parts: dict[str, Dataset]
    before: Dataset | None = None
    parts_before: dict[str, Dataset] = field(default_factory=dict)
    by_slice: Mapping[str, anomalies_pb2.Anomalies] = field(default_factory=dict)

    @property
    def by_size(self) -> list[str]:
        """The names of slices, the largest first."""
        return sorted(self.parts, key=lambda name: (-self.parts[name].examples, name))


def slices_section(slices: Slices, context: Context) -> Section | None:
    """Returns the slices of statistics, the largest first; None without slices."""
    if not slices.parts:
        return None
    order = slices.by_size
    heads = ["Slice", *(_figures_head(name) for name in ("Rows", "Share"))]
    heads += ["Changed most"] if slices.parts_before else []
    shown = SLICES_BRIEF if context.is_brief else SLICES
    bodies = (_slice(name, slices, context, at < shown) for at, name in enumerate(order))
    gone = sorted(slices.parts_before.keys() - slices.parts.keys())
    body = joined(
        anomalies_by_slice(slices.by_slice, order, context),
        element("div", table("Slices", heads, bodies, "slices sorts cards"), class_="scroll"),
        note("In the baseline only: ", names(gone, context), ".") if gone else None,
    )
    return Section("slices", "Slices", body, len(order))


def _figures_head(name: str) -> Markup:
    return element("th", name, scope="col", class_="n")


def _slice(name: str, slices: Slices, context: Context, is_detailed: bool) -> Markup:
    part, before = slices.parts[name], slices.parts_before.get(name)
    rows, was = part.examples, None if before is None else before.examples
    changed = _ranked(part, before) if is_detailed and before is not None else []
    cells = [
        element("th", slice_name(name, context), scope="row"),
        _figure("Rows", number(rows), None if was is None else number(was), rows),
        _figure(
            "Share", share(rows, slices.whole.examples), _share_before(was, slices.before), rows
        ),
    ]
    if slices.parts_before:
        cells.append(_most(changed, before is None, context))
    row = element("tr", *cells)
    if not is_detailed:
        return element("tbody", row)
    shown = f"Features of {context.values.text('', name)}"
    details = (
        None if before is None else _changed(shown, changed, context),
        _different(shown, _ranked(part, slices.whole), context),
    )
    detail = element("td", element("div", *details, class_="beside"), colspan=len(cells))
    return element("tbody", row, element("tr", detail))


def _changed(shown: str, ranked: _Ranked, context: Context) -> Markup:
    return more(
        "Features that changed most",
        note("The bars are the slice now, the line is the same slice of the baseline."),
        _features(f"{shown}, and of the same slice of the baseline", ranked, context, BOTH),
    )


def _different(shown: str, ranked: _Ranked, context: Context) -> Markup:
    return more(
        "Features that differ most from all rows",
        note("The bars are the slice, the line is all rows."),
        _features(f"{shown}, and of all rows", ranked, context, ("the slice", "all rows")),
    )


def _figure(name: str, text: str, was: str | None, value: float) -> Markup:
    """Returns a figure, with that of the baseline below it."""
    below = None if was is None else element("span", figure(was), class_="was")
    return element("td", figure(text), below, class_="n", data_v=value, data_label=name)


def _share_before(rows: float | None, before: Dataset | None) -> str | None:
    return None if rows is None or before is None else share(rows, before.examples)


def _most(changed: _Ranked, is_new: bool, context: Context) -> Markup:
    """Returns the features that changed most since the baseline."""
    if is_new:
        shown: list[object] = [element("span", "not in the baseline", class_="soft")]
        value = -1.0
    elif not changed:
        shown, value = [NOTHING], 0.0
    else:
        value, feature = changed[0]
        name = link(context, feature.path, feature.name)
        shown = [name, " ", element("span", number(value), class_="soft")]
    return element("td", *shown, data_v=value, data_label="Changed most")


def _ranked(data: Dataset, other: Dataset) -> _Ranked:
    """Numbers and texts of a slice with their divergence from other data, the greatest first."""
    pairs = [each for each in features(data, other, {}, {}) if each.current is not None]
    shown = ((_distance(each), each) for each in pairs if each.group in (NUMBERS, TEXTS))
    return sorted(shown, key=lambda pair: -pair[0])


def _features(caption: str, shown: _Ranked, context: Context, both: tuple[str, str]) -> Markup:
    heads = ["Feature", "Distribution"]
    heads += map(_figures_head, ("Divergence", "Missing", "Mean", "Distinct"))
    rows = (_row(feature, distance, context, both) for distance, feature in shown[:FEATURES])
    made = table(caption, heads, rows, "cards")
    return element("div", made, class_="scroll")


def _shared(feature: Feature) -> Bins | Ranks | None:
    if feature.group == NUMBERS:
        return number_bins(*feature.both)
    return text_ranks(*feature.both, limit=RANKS)


def _distance(feature: Feature) -> float:
    """Returns the Jensen-Shannon divergence of a chart's cells, the rest as one more."""
    bins = _shared(feature)
    shares = [
        np.nan_to_num(each)
        for each in (bins.shares if bins is not None else ())
        if each is not None
    ]
    if len(shares) < 2:
        return 0.0
    return jensen_shannon(*(np.append(each, max(1 - each.sum(), 0)) for each in shares))


def _row(feature: Feature, distance: float, context: Context, both: tuple[str, str]) -> Markup:
    bins = _shared(feature)
    label = in_words(bins, f"Distribution of {path_text(feature.path)}", both)
    figures = (
        element(
            "td",
            figure(each.text(feature.current, context.values)),
            element("span", figure(each.text(feature.baseline, context.values)), class_="was"),
            class_="n",
            data_label=each.name,
        )
        for each in (MISSING, MEAN, DISTINCT)
    )
    spark = NOTHING if bins is None else histogram(bins.shares, label, "spark")
    row = element(
        "tr",
        element("th", link(context, feature.path, feature.name), scope="row"),
        element("td", spark, class_="chart"),
        element("td", number(distance), class_="n", data_label="Divergence"),
        *figures,
    )
    return element("tbody", row)
