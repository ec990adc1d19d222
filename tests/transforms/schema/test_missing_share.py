"""Drift of the share of rows without a value, which distances of values do not see."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.schema.builders import kinds_of, schema_of, stats_of
from tests.transforms.schema.cases import x
from transforms.distances.divergences import jensen_shannon
from transforms.reports.redaction import Values
from transforms.schema import update_schema, validate_statistics
from transforms.statistics.collect import statistics_of

L_INFTY = "drift_comparator { infinity_norm { threshold: 0.1 } }"
HALF, FULL, NONE = [1.0, None] * 2, [1.0] * 4, [None] * 4


def columns(values):
    return statistics_of([pa.record_batch({"x": pa.array(values, pa.float64())})])


def found(current, previous, comparator=L_INFTY, **others):
    schema = schema_of(x(f"type: FLOAT {comparator}"))
    return validate_statistics(current, schema, previous_span=previous, **others)


@pytest.mark.parametrize(
    ("current", "previous", "apart"),
    [(HALF, FULL, "0.5"), (NONE, FULL, "1"), (FULL, HALF, "0.5"), (NONE, HALF, "0.5")],
)
def test_a_share_that_moves_is_told(current, previous, apart):
    told = found(columns(current), columns(previous))
    assert kinds_of(told) == {"x": ["COMPARATOR_L_INFTY_HIGH"]}
    (reason,) = told.anomaly_info["x"].reason
    assert "of the missing share between current and previous" in reason.short_description
    assert f"they are {apart} apart, above 0.1" in reason.description
    # The measured distances stay those of the values, as TFDV has them.
    values = [each.value for info in told.drift_skew_info for each in info.drift_measurements]
    assert values == ([0] if current is not NONE else [])


def test_the_shares_stand_in_the_sentence():
    (reason,) = found(columns(HALF), columns(FULL)).anomaly_info["x"].reason
    text = "It is missing in 50% of the current rows and in 0% of the previous rows; by this "
    assert reason.description == text + "distance they are 0.5 apart, above 0.1."
    # It holds no value, and is shown where these are hidden.
    hidden = Values(lambda column, value: "").sentence("x", "COMPARATOR_L_INFTY_HIGH", text)
    assert hidden == text


def test_a_column_of_which_the_data_knows_nothing_is_missing_everywhere():
    told = found(stats_of(4, y=FULL), columns(FULL))
    assert kinds_of(told)["x"] == ["COMPARATOR_L_INFTY_HIGH"]
    assert "missing in 100% of the current rows" in told.anomaly_info["x"].description


def test_a_column_that_this_environment_lacks_is_not_missed():
    schema = schema_of(
        x(f'type: FLOAT not_in_environment: "SERVING" {L_INFTY}')
        + ' default_environment: "TRAINING" default_environment: "SERVING"'
    )
    told = validate_statistics(
        stats_of(4, y=FULL), schema, environment="SERVING", previous_span=columns(FULL)
    )
    assert "x" not in kinds_of(told)


def test_without_a_control_there_is_one_anomaly():
    told = found(columns(FULL), columns(NONE))
    assert kinds_of(told) == {"x": ["COMPARATOR_CONTROL_DATA_MISSING"]}


def test_serving_data_are_compared_too():
    schema = schema_of(x("type: FLOAT skew_comparator { infinity_norm { threshold: 0.1 } }"))
    told = validate_statistics(columns(HALF), schema, serving=columns(FULL))
    text = "missing in 50% of the training rows and in 0% of the serving rows"
    assert text in told.anomaly_info["x"].description


def test_a_comparator_without_threshold_judges_nothing():
    told = found(columns(HALF), columns(FULL), "drift_comparator { infinity_norm {} }")
    assert not told.anomaly_info


@given(st.integers(0, 9), st.integers(1, 9), st.integers(0, 9), st.integers(1, 9))
def test_each_distance_is_that_of_two_cells(missing, present, others_missing, others_present):
    current = columns([None] * missing + [1.0] * present)
    previous = columns([None] * others_missing + [1.0] * others_present)
    ours, theirs = np.array([missing, present]), np.array([others_missing, others_present])
    bits = jensen_shannon(ours.astype(float), theirs.astype(float))
    for threshold in (bits * 0.99, bits * 1.01 + 1e-9):
        asked = f"drift_comparator {{ jensen_shannon_divergence {{ threshold: {threshold} }} }}"
        told = found(current, previous, asked)
        assert bool(told.anomaly_info) == (bits > threshold)


def test_both_distances_are_held_to_the_same_threshold():
    told = found(columns([5.0, None] * 2), columns(FULL)).anomaly_info["x"].reason
    assert len(told) == 2
    assert all("above 0.1" in reason.description for reason in told)


@pytest.mark.parametrize("current", [[1.0, None, 5.0, None], NONE])
def test_what_was_accepted_is_no_anomaly(current):
    schema = schema_of(x(f"type: FLOAT {L_INFTY}"))
    data, before = columns(current), columns(FULL)
    updated = update_schema(schema, data, previous_span=before)
    assert not validate_statistics(data, updated, previous_span=before).anomaly_info
