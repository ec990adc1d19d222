"""Drift and skew: where TFDV's numbers can't be trusted, ours are right."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.schema.builders import (
    Histogram,
    kinds_of,
    schema_of,
    stats_of,
    with_fine_histograms,
)
from tests.transforms.schema.cases import INF, NAN, x
from transforms.distances.divergences import (
    Cells,
    divergence,
    jensen_shannon,
    l_infinity,
    normalized_difference,
    number_cells,
    text_cells,
)
from transforms.distances.mass import Mass, edges_of, mass_of
from transforms.distances.text_mass import TextMass
from transforms.metadata.datasets import dataset_of
from transforms.schema import update_schema, validate_statistics

ALL = " ".join(
    f"{field} {{ threshold: 0.1 }}"
    for field in ("infinity_norm", "normalized_abs_difference", "jensen_shannon_divergence")
)


def drift(current, previous, comparator=ALL, kind="FLOAT"):
    """The measurements of x, by their type."""
    schema = schema_of(x(f"type: {kind} drift_comparator {{ {comparator} }}"))
    found = validate_statistics(current, schema, previous_span=previous)
    (info,) = found.drift_skew_info
    assert not info.skew_measurements
    return [measured.value for measured in info.drift_measurements]


NUMBERS = st.lists(
    st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, NAN, INF, -INF]), min_size=1, max_size=60
)


@given(NUMBERS)
def test_a_column_is_like_itself(values):
    """TFDV says 0.30 of a column with 30% NaN."""
    data = stats_of(x=values)
    assert drift(data, data) == [0, 0, 0]


@given(NUMBERS, NUMBERS)
def test_distances_are_distances(ours, theirs):
    for measured in drift(stats_of(x=ours), stats_of(x=theirs)):
        assert 0 <= measured <= 1


@given(NUMBERS, NUMBERS)
def test_cells_hold_every_value(ours, theirs):
    columns = [dataset_of(stats_of(x=values)).columns[("x",)] for values in (ours, theirs)]
    masses = [mass_of(column) for column in columns]
    edges = edges_of(columns[1], [Histogram.STANDARD, Histogram.QUANTILES])
    cells = number_cells(*masses, edges)
    names, *counts = cells.names, cells.current, cells.control
    for each, values in zip(counts, (ours, theirs), strict=True):
        assert len(names) == len(each)
        assert each.min() >= 0
        assert each.sum() == pytest.approx(len(values))
        assert each[-3:] == pytest.approx(
            [sum(map(math.isnan, values)), values.count(-INF), values.count(INF)]
        )


@pytest.mark.parametrize("odd", [NAN, INF, -INF])
def test_nan_and_infinite_ones_have_cells_of_their_own(odd):
    plain, mixed = stats_of(x=[1.0, 2.0] * 50), stats_of(x=[1.0, 2.0] * 40 + [odd] * 20)
    p, q = np.array([0.5, 0.5, 0]), np.array([0.4, 0.4, 0.2])
    l_inf, difference, divergence = drift(mixed, plain)
    assert l_inf == pytest.approx(0.2)
    assert difference == pytest.approx(0.1)
    assert divergence == pytest.approx(jensen_shannon(q, p))


def test_one_outlier_is_no_drift():
    """TFDV says more than 0.99."""
    rng = np.random.default_rng(7)
    values = list(rng.normal(10, 2, 10_000))
    plain, outlier = stats_of(x=values), stats_of(x=[*values, 5000.0])
    assert drift(outlier, plain)[2] < 0.01
    exact = [
        with_fine_histograms(stats_of(x=each), x=np.array(each))
        for each in ([*values, 5000.0], values)
    ]
    assert drift(*exact)[2] < 1e-3


def test_real_drift_is_seen():
    rng = np.random.default_rng(7)
    ours, theirs = rng.normal(1, 1, 5000), rng.normal(0, 1, 5000)
    coarse = drift(stats_of(x=list(ours)), stats_of(x=list(theirs)))[2]
    fine = drift(
        *(with_fine_histograms(stats_of(x=list(v)), x=v) for v in (ours, theirs)),
    )[2]
    assert fine == pytest.approx(0.16, abs=0.03)
    assert coarse == pytest.approx(fine, abs=0.03)


def test_edges_on_request():
    values = [float(n) for n in range(90)] + [1e6] * 10
    moved = [float(n + 30) for n in range(90)] + [1e6] * 10
    ask = "jensen_shannon_divergence {{ threshold: 1 source {{ type: {} }} }}"
    (standard,) = drift(stats_of(x=moved), stats_of(x=values), ask.format("STANDARD"))
    (quantile,) = drift(stats_of(x=moved), stats_of(x=values), ask.format("QUANTILES"))
    (both,) = drift(stats_of(x=moved), stats_of(x=values), "jensen_shannon_divergence {}")
    # Of ten bins as wide as a tenth of the range, the first holds all that moved.
    assert standard < 0.01 < 0.1 < quantile <= both


def test_a_comparator_without_threshold_is_measured_and_not_judged():
    found = drift(stats_of(x=["a"]), stats_of(x=["b"]), "infinity_norm {}", "BYTES")
    assert found == [1.0]
    schema = schema_of(x("type: BYTES drift_comparator { infinity_norm {} }"))
    anomalies = validate_statistics(stats_of(x=["a"]), schema, previous_span=stats_of(x=["b"]))
    assert kinds_of(anomalies) == {}


def test_every_measurement_is_told_with_its_threshold():
    schema = schema_of(
        x(
            "type: BYTES drift_comparator { infinity_norm { threshold: 0.9 } } "
            "skew_comparator { infinity_norm { threshold: 0.1 } }"
        )
    )
    found = validate_statistics(
        stats_of(x=["a", "b"]),
        schema,
        previous_span=stats_of(x=["a", "b"]),
        serving=stats_of(x=["a", "a"]),
    )
    (info,) = found.drift_skew_info
    assert list(info.path.step) == ["x"]
    assert [(m.value, m.threshold) for m in info.drift_measurements] == [(0, 0.9)]
    assert [(m.value, m.threshold) for m in info.skew_measurements] == [(0.5, 0.1)]
    assert kinds_of(found) == {"x": ["COMPARATOR_L_INFTY_HIGH"]}
    info = found.anomaly_info["x"]
    assert info.short_description == "High Linfty distance between training and serving"
    assert '"a"' in info.description or '"b"' in info.description


@pytest.mark.parametrize("control", [["a"], [None], [1.5]])
def test_what_cant_be_compared_is_said(control):
    """Another type, or no values: TFDV logs a warning on the machine that runs it."""
    schema = schema_of(x(f"type: INT drift_comparator {{ {ALL} }}"))
    found = validate_statistics(stats_of(x=[1, 2]), schema, previous_span=stats_of(x=control))
    assert kinds_of(found) == {"x": ["COMPARATOR_CONTROL_DATA_MISSING"]}
    assert not found.drift_skew_info
    updated = update_schema(schema, stats_of(x=[1, 2]), previous_span=stats_of(x=control))
    assert updated.feature[0].drift_comparator.HasField("infinity_norm")
    assert not updated.feature[0].drift_comparator.infinity_norm.HasField("threshold")


def test_without_a_control_nothing_is_compared():
    schema = schema_of(x(f"type: INT drift_comparator {{ {ALL} }}"))
    found = validate_statistics(stats_of(x=[1, 2]), schema, serving=stats_of(x=[5]))
    assert kinds_of(found) == {}
    assert not found.drift_skew_info


def test_texts_are_compared_over_all_values():
    """A value that is the 1,501st most frequent counts as well."""
    common = [f"v{n:04}" for n in range(1500)] * 2
    current, previous = stats_of(x=[*common, "rare"]), stats_of(x=common)
    schema = schema_of(
        x("type: BYTES domain: 'd' drift_comparator { infinity_norm { threshold: 0.0001 } }")
    )
    schema.string_domain.add(name="d", value=sorted(set(common)))
    found = validate_statistics(current, schema, previous_span=previous)
    assert kinds_of(found) == {
        "x": ["ENUM_TYPE_UNEXPECTED_STRING_VALUES", "COMPARATOR_L_INFTY_HIGH"]
    }
    assert '"rare"' in found.anomaly_info["x"].description


TEXTS = st.dictionaries(st.text(max_size=2), st.integers(1, 1000), min_size=1, max_size=8)


@given(TEXTS, TEXTS)
def test_distances_by_hand(ours, theirs):
    n, m = sum(ours.values()), sum(theirs.values())
    cells = text_cells(TextMass(ours, n), TextMass(theirs, m))
    pairs = [(ours.get(text, 0), theirs.get(text, 0)) for text in sorted({*ours, *theirs})]
    assert l_infinity(cells) == pytest.approx(max(abs(a / n - b / m) for a, b in pairs))
    assert normalized_difference(cells) == pytest.approx(
        max(abs(a - b) for a, b in pairs) / (n + m)
    )
    bits = 0.0
    for a, b in pairs:
        p, q = a / n, b / m
        bits += (p * math.log2(2 * p / (p + q)) if p else 0) / 2
        bits += (q * math.log2(2 * q / (p + q)) if q else 0) / 2
    assert divergence(cells) == pytest.approx(bits, abs=1e-12)


def test_the_divergence_of_what_has_nothing_in_common_is_one():
    cells = Cells(["a", "b"], np.array([5.0, 0]), np.array([0, 3.0]))
    assert divergence(cells) == l_infinity(cells) == 1


def test_mass_between_positions_is_spread_evenly():
    mass = Mass(
        np.array([0.0, 10.0]), np.array([0.0, 8.0]), np.array([2.0, 10.0]), np.zeros(3), False
    )
    assert [mass.count(at, False) for at in (-1, 0, 5, 10, 11)] == [0, 0, 5, 8, 10]
    assert [mass.count(at, True) for at in (-1, 0, 5, 10, 11)] == [0, 2, 5, 10, 10]
    assert mass.has_mass_at(0)
    assert not mass.has_mass_at(5)


def test_the_widest_range_of_doubles():
    big = 1.7e308
    data = stats_of(x=[-big, big, 0.0])
    assert drift(data, data) == [0, 0, 0]
    assert all(map(math.isfinite, drift(stats_of(x=[1.0, big]), data)))


def test_skew_of_bools_as_ints():
    schema = schema_of(x("type: INT skew_comparator { infinity_norm { threshold: 0.2 } }"))
    found = validate_statistics(
        stats_of(x=[0] * 50 + [1] * 50), schema, serving=stats_of(x=[0] * 90 + [1] * 10)
    )
    assert found.drift_skew_info[0].skew_measurements[0].value == pytest.approx(0.4, abs=0.05)
    assert kinds_of(found) == {"x": ["COMPARATOR_L_INFTY_HIGH"]}
