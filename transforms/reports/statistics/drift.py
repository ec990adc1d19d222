"""Distances that were measured: from the time before, and from where the model is used."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from transforms.metadata.paths import Path, path_text
from transforms.metadata.protos import anomalies_pb2
from transforms.reports.charts import meter
from transforms.reports.figures import NOTHING, number, share
from transforms.reports.markup import Markup, element, joined
from transforms.reports.page import Section, badge, note, table
from transforms.reports.redaction import MOST
from transforms.reports.statistics.context import Context, link
from transforms.reports.statistics.pairing import Feature
from transforms.schema.anomalies.anomaly import ColumnContext, Control
from transforms.schema.anomalies.comparators import DISTANCES, measure
from transforms.schema.anomalies.measured import Measured
from transforms.schema.anomalies.missing_share import measure_missing

_Measurement = anomalies_pb2.DriftSkewInfo.Measurement
_WORDS = {
    _Measurement.L_INFTY: "L-infinity",
    _Measurement.JENSEN_SHANNON_DIVERGENCE: "Jensen-Shannon divergence",
    _Measurement.NORMALIZED_ABSOLUTE_DIFFERENCE: "normalized difference",
}
_KINDS = {_Measurement.Type.Value(each.measure): each.kind for each in DISTANCES}


@dataclass(frozen=True)
class _Measured:
    path: Path
    kind: str
    distance: int
    value: float
    threshold: float | None
    missing: tuple[float, float] | None = None

    @property
    def excess(self) -> float:
        """How many times its threshold it is; of those without, itself."""
        return self.value / self.threshold if self.threshold else self.value

    @property
    def is_high(self) -> bool:
        return self.threshold is not None and self.value > self.threshold


def drift_section(
    anomalies: anomalies_pb2.Anomalies, features: dict[Path, Feature], context: Context
) -> Section | None:
    """Returns every distance, its threshold and the largest difference; None without distances."""
    of_values = list(_measured(anomalies))
    kinds = {each.kind for each in of_values}
    of_missing = (
        each for each in _missing(features.values()) if each.kind in kinds and each.value > 0
    )
    measured = [*of_values, *of_missing]
    found = sorted(measured, key=lambda each: (not each.is_high, -each.excess))
    if not found:
        return None
    most = 1.05 * max(max(each.value, each.threshold or 0.0) for each in found) or 1.0
    heads = [
        "Feature",
        "Compared",
        "Distance",
        *(element("th", name, scope="col", class_="n") for name in ("Value", "Threshold")),
        element(
            "th",
            element("div", element("span", "0"), element("span", number(most)), class_="scale"),
            scope="col",
            data_sort="no",
            aria_label=f"From 0 to {number(most)}",
        ),
        "Differs most",
    ]
    rows = (_row(each, features.get(each.path), most, context) for each in found)
    body = joined(
        note(
            "Bars are distances, all on one scale; the line across is the threshold above which "
            "one is an anomaly."
        ),
        element(
            "div",
            table("Distances that were measured", heads, rows, "drift sorts cards"),
            class_="scroll",
        ),
    )
    return Section("drift", "Drift and skew", body, len(found))


def _measured(anomalies: anomalies_pb2.Anomalies) -> Iterator[_Measured]:
    for info in anomalies.drift_skew_info:
        for kind in ("drift", "skew"):
            for each in getattr(info, f"{kind}_measurements"):
                bound = each.threshold if each.HasField("threshold") else None
                yield _Measured(tuple(info.path.step), kind, each.type, each.value, bound)


def _row(found: _Measured, feature: Feature | None, most: float, context: Context) -> Markup:
    name = path_text(found.path)
    flag = badge("too far", "bad") if found.is_high else None
    bound = NOTHING if found.threshold is None else number(found.threshold)
    what = _WORDS.get(found.distance, "distance")
    if found.missing is not None:
        what, shown_value = f"{what} of the missing share", _shares(*found.missing)
    else:
        shown_value = context.values.cell(name, "" if feature is None else _cell(found, feature))
    cells = (
        element("th", link(context, found.path, name), " ", flag, scope="row"),
        element("td", found.kind, data_label="Compared"),
        element("td", what, data_label="Distance"),
        element("td", number(found.value), class_="n", data_label="Value", data_v=found.value),
        element("td", bound, class_="n", data_label="Threshold", data_v=found.threshold),
        element("td", meter(found.value, found.threshold, most), class_="chart"),
        element("td", shown_value or NOTHING, data_label="Differs most"),
    )
    return element("tbody", element("tr", *cells), class_="bad" if found.is_high else None)


def _missing(features: Iterable[Feature]) -> Iterator[_Measured]:
    """Returns distances of missing shares, if the baseline is what was compared with."""
    for feature in features:
        data = _beside(feature)
        if data is None or feature.expected is None:
            continue
        for each in measure_missing(feature.expected, data):
            distance = _Measurement.Type.Value(each.distance.measure)
            kind = each.comparator.partition("_")[0]
            yield _Measured(feature.path, kind, distance, each.value, each.threshold, each.missing)


def _shares(current: float, other: float) -> str:
    return f"missing in {share(current, 1)}, in the other data in {share(other, 1)}"


def _cell(found: _Measured, feature: Feature) -> str:
    """Returns the largest difference: measured anew against the baseline, else the anomaly's."""
    for again in _again(feature):
        distance = _Measurement.Type.Value(again.distance.measure)
        if distance == found.distance and abs(again.value - found.value) < 1e-9:
            return again.cell
    return _measured_difference(found, feature)


def _again(feature: Feature) -> list[Measured]:
    data = _beside(feature)
    return [] if data is None or feature.expected is None else measure(feature.expected, data)


def _beside(feature: Feature) -> ColumnContext | None:
    """Returns a feature beside the baseline, which may be either kind of control."""
    if feature.current is None or feature.baseline is None:
        return None
    previous = Control("previous", "current", feature.baseline)
    serving = Control("serving", "training", feature.baseline)
    return ColumnContext(feature.current, previous=previous, serving=serving)


def _measured_difference(found: _Measured, feature: Feature) -> str:
    """Returns the largest difference in the anomaly's text; "" if there is no anomaly."""
    for reason in feature.anomaly.reason if feature.anomaly is not None else ():
        kind = anomalies_pb2.AnomalyInfo.Type.Name(reason.type)
        if found.is_high and kind == _KINDS.get(found.distance) and MOST in reason.description:
            return str(reason.description.partition(MOST)[2]).removesuffix(".")
    return ""
