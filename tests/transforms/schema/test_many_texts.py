"""Columns of more different texts than statistics hold: drift and domains are told all the same."""

import math

import numpy as np
import pyarrow as pa
import pytest

from tests.transforms.schema.builders import kinds_of, schema_of
from tests.transforms.schema.cases import x
from transforms.schema import update_schema, validate_statistics
from transforms.statistics.collect import statistics_of
from transforms.statistics.options import StatisticsOptions

ALL = " ".join(
    f"{field} {{ threshold: 1 }}"
    for field in ("infinity_norm", "normalized_abs_difference", "jensen_shannon_divergence")
)


def texts(often, rare=0, prefix="", weight=None):
    """Statistics of a few texts that are there often, and of many that are there once each."""
    values = [text for text, number in often.items() for _ in range(number)]
    columns = {"x": [*values, *(f"{prefix}{number}" for number in range(rare))]}
    if weight is None:
        return statistics_of([pa.record_batch(columns)])
    columns["weight"] = [weight] * len(columns["x"])
    return statistics_of([pa.record_batch(columns)], StatisticsOptions(weight="weight"))


def drift(current, previous):
    schema = schema_of(x(f"type: BYTES drift_comparator {{ {ALL} }}"))
    found = validate_statistics(current, schema, previous_span=previous)
    (info,) = found.drift_skew_info
    return [measured.value for measured in info.drift_measurements]


@pytest.mark.parametrize("weight", [None, 0.25])
def test_shares_are_of_all_values(weight):
    current = texts({"A": 1000}, 9000, "new", weight)
    previous = texts({"A": 5000}, 5000, "", weight)
    infinity, normalized, shannon = drift(current, previous)
    assert infinity == pytest.approx(0.4, abs=1e-3)
    assert normalized == pytest.approx(0.2, abs=1e-3)
    terms = [(0.1, 0.3), (0.9, 0.7), (0.5, 0.3), (0.5, 0.7)]
    assert shannon == pytest.approx(sum(p * math.log2(p / q) for p, q in terms) / 2, abs=1e-3)
    assert drift(current, texts({"A": 1000}, 9000, "", weight)) == pytest.approx([0, 0, 0])


def test_where_none_is_frequent_there_is_something_to_compare():
    assert drift(texts({}, 9000, "new"), texts({}, 8000)) == [0, 0, 0]
    assert drift(texts({"A": 9000}), texts({}, 9000))[0] == pytest.approx(1, abs=1e-3)
    assert drift(texts({}, 9000), texts({"A": 9000}))[0] == pytest.approx(1, abs=1e-3)


def test_what_may_be_there_and_is_not_held_is_no_drift():
    """Of texts that are about as frequent, others are held of the one than of the other."""
    draw = np.random.default_rng(0)
    made = [
        statistics_of([pa.record_batch({"x": (draw.zipf(1.2, 40_000) % 6000).astype(str)})])
        for _ in range(2)
    ]
    held = [
        {
            bucket.label
            for bucket in each.datasets[0].features[0].string_stats.rank_histogram.buckets
        }
        for each in made
    ]
    assert held[0] != held[1]
    assert max(drift(*made)) < 0.01


def test_statistics_of_tfdv_hold_the_most_frequent_ones_only():
    current, previous = texts({"A": 100, "B": 50}, 50), texts({"A": 50, "B": 50}, 100)
    for data in (current, previous):
        del data.datasets[0].features[0].string_stats.rank_histogram.buckets[2:]
    assert drift(current, previous)[0] == pytest.approx(0.25)


def test_what_is_taken_to_be_there_is_no_more_than_there_is():
    """All that the other has may be here, but not all at once beside what is held."""
    held = {"a": 5000, **{f"b{n}": 70 for n in range(20)}}
    current = texts(held, 3600)
    strings = current.datasets[0].features[0].string_stats
    strings.unique = 1021
    del strings.rank_histogram.buckets[21:]
    del current.datasets[0].features[0].custom_stats[:]
    common = {"a": 5000, **{f"b{n}": 50 for n in range(20)}}
    control = texts({**common, **{f"c{n}": 4 for n in range(1000)}})
    infinity, _, _ = drift(current, control)
    assert infinity == pytest.approx(0.002, abs=1e-4)


DOMAIN = schema_of(x("type: BYTES string_domain { value: 'A' value: 'B' }"))
UNEXPECTED = {"x": ["ENUM_TYPE_UNEXPECTED_STRING_VALUES"]}


@pytest.mark.parametrize("weight", [None, 0.25])
def test_rare_texts_outside_of_a_domain_are_not_missed(weight):
    """Each is too rare to be held, and together they are 9 % of all."""
    data = texts({"A": 25_000, "B": 25_000}, 5000, weight=weight)
    found = validate_statistics(data, DOMAIN)
    assert kinds_of(found)["x"] == UNEXPECTED["x"]
    assert "each of them rare, at least ~9% together" in found.anomaly_info["x"].description
    assert kinds_of(validate_statistics(data, update_schema(DOMAIN, data))) == {}


def test_those_that_are_held_are_named_beside_the_rare_ones():
    found = validate_statistics(texts({"A": 5000, "C": 5000}, 5000), DOMAIN).anomaly_info["x"]
    assert '"C" (~33%), and others, each of them rare, at least ~33%' in found.description


def test_a_share_that_may_be_outside_of_a_domain():
    schema = schema_of(x("type: BYTES string_domain { value: 'A' value: 'B' }"))
    for mass, expected in ((0.9, {}), (0.92, UNEXPECTED)):
        schema.feature[0].distribution_constraints.min_domain_mass = mass
        data = texts({"A": 25_000, "B": 25_000}, 5000)
        assert kinds_of(validate_statistics(data, schema)) == expected


@pytest.mark.parametrize("number", [4096, 4097, 6000, 20_000])
def test_texts_that_are_all_in_a_large_domain_are_no_anomaly(number):
    values = [str(n) for n in range(number)]
    schema = schema_of(x("type: BYTES domain: 'd'"))
    schema.string_domain.add(name="d", value=values)
    draw = np.random.default_rng(number)
    rows = [*values, *(values[n] for n in draw.zipf(1.3, 30_000) % number)]
    assert (
        kinds_of(validate_statistics(statistics_of([pa.record_batch({"x": rows})]), schema)) == {}
    )


def test_too_many_different_texts_for_a_domain():
    """What is not held might be of the domain by its number, but not all of it."""
    schema = schema_of(x("type: BYTES domain: 'd'"))
    schema.string_domain.add(name="d", value=[f"v{n}" for n in range(5000)])
    found = validate_statistics(texts({}, 20_000), schema)
    assert kinds_of(found) == UNEXPECTED
