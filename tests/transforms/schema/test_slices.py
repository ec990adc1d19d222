"""validate_slices: each slice by itself, and against the same slice of other data."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest
from hypothesis import given, settings
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from tests.support import record_batches, shared_data
from tests.transforms.schema.builders import kinds_of, schema_of
from transforms.errors import ConfigError
from transforms.schema import infer_schema, validate_slices, validate_statistics
from transforms.schema.slices import slices_with_errors
from transforms.statistics.collect import statistics_of
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.slices.text import parse_slices

ERROR, WARNING = anomalies_pb2.AnomalyInfo.ERROR, anomalies_pb2.AnomalyInfo.WARNING
NO_CONTROL = anomalies_pb2.AnomalyInfo.COMPARATOR_CONTROL_DATA_MISSING


def stats(slices="s", weight=None, **columns):
    batch = pa.record_batch(columns)
    slicers = parse_slices(slices, batch.schema)
    return statistics_of([batch], StatisticsOptions(slices=slicers, weight=weight))


def test_each_slice_is_held_to_the_schema():
    schema = infer_schema(stats(s=["a", "b"], x=["u", "v"]))
    found = validate_slices(stats(s=["a", "a", "b"], x=["u", "new", "v"]), schema)
    assert {name: kinds_of(each) for name, each in found.items()} == {
        "s_a": {"x": ["ENUM_TYPE_UNEXPECTED_STRING_VALUES"]},
        "s_b": {},
    }
    assert not any(each.HasField("baseline") for each in found.values())


def test_without_slices_there_is_nothing_to_judge():
    data = stats("", s=["a"])
    assert validate_slices(data, infer_schema(data)) == {}


@settings(max_examples=30)
@given(record_batches())
def test_a_slice_of_all_rows_is_judged_as_all_rows_are(batch):
    def everything(batch):
        yield "every row", batch

    with np.errstate(over="ignore"):
        data = statistics_of([batch], StatisticsOptions(slices=(everything,)))
        other = statistics_of([batch.slice(batch.num_rows // 2)])
    schema = infer_schema(other)
    for feature in schema.feature:
        feature.presence.ClearField("min_count")
        feature.drift_comparator.infinity_norm.threshold = 0.1
    whole = validate_statistics(data, schema, previous_span=data)
    found = validate_slices(data, schema, previous_span=data, few=0)
    whole.ClearField("baseline")
    assert found == ({"every row": whole} if batch.num_rows else found)


def test_what_is_said_of_all_rows_is_not_asked_of_a_slice():
    schema = schema_of(
        """feature { name: "s" type: BYTES presence { min_count: 4 min_fraction: 1 }
             unique_constraints { min: 2 max: 2 } }
           feature { name: "x" type: INT presence { min_count: 1 } }
           dataset_constraints { min_examples_count: 4 max_examples_count: 4 }"""
    )
    kept = schema_pb2.Schema()
    kept.CopyFrom(schema)
    data = stats(s=["a", "a", "a", "b"], x=[1, 2, 3, None])
    assert kinds_of(validate_statistics(data, schema)) == {}
    found = validate_slices(data, schema)
    assert [kinds_of(each) for each in found.values()] == [{}, {}]
    assert not any(each.HasField("dataset_anomaly_info") for each in found.values())
    assert schema == kept


def test_shares_are_asked_of_a_slice():
    schema = schema_of('feature { name: "s" type: BYTES } feature { name: "x" type: INT '
                       "presence { min_fraction: 0.5 } }")  # fmt: skip
    found = validate_slices(stats(s=["a", "a", "b"], x=[1, 2, None]), schema)
    assert kinds_of(found["s_b"]) == {"x": ["FEATURE_TYPE_NOT_PRESENT"]}


DRIFT = """feature { name: "s" type: BYTES }
  feature { name: "x" type: BYTES %s { infinity_norm { threshold: 0.3 } } }"""


@pytest.mark.parametrize(
    ("comparator", "control"),
    [("drift_comparator", "previous_span"), ("skew_comparator", "serving")],
)
def test_drift_within_a_slice_that_the_whole_does_not_have(comparator, control):
    before = stats(s=["a", "a", "b", "b"], x=["u", "u", "v", "v"])
    now = stats(s=["a", "a", "b", "b"], x=["v", "v", "u", "u"])
    schema = schema_of(DRIFT % comparator)
    assert kinds_of(validate_statistics(now, schema, **{control: before})) == {}
    found = validate_slices(now, schema, **{control: before})
    assert {name: kinds_of(each) for name, each in found.items()} == {
        "s_a": {"x": ["COMPARATOR_L_INFTY_HIGH"]},
        "s_b": {"x": ["COMPARATOR_L_INFTY_HIGH"]},
    }
    measured = found["s_a"].drift_skew_info[0]
    (distance,) = [*measured.drift_measurements, *measured.skew_measurements]
    assert distance.value == 1


@pytest.mark.parametrize("before", [stats(s=["a"], x=["u"]), stats("", s=["a"], x=["u"])])
def test_a_slice_that_the_reference_has_not(before):
    now = stats(s=["a", "b"], x=["u", "u"])
    schema = schema_of(DRIFT % "drift_comparator")
    found = validate_slices(now, schema, previous_span=before)["s_b"]
    info = found.dataset_anomaly_info
    assert (info.severity, [each.type for each in info.reason]) == (WARNING, [NO_CONTROL])
    assert "previous span data has no slice of this name" in info.description
    assert len(found.drift_skew_info) == 0
    severities = {"COMPARATOR_CONTROL_DATA_MISSING": "ERROR"}
    found = validate_slices(now, schema, previous_span=before, severities=severities)["s_b"]
    assert found.dataset_anomaly_info.severity == ERROR
    # Where nothing is to be compared, nothing is missing.
    for unasked in (schema_of(DRIFT % "skew_comparator"), infer_schema(now)):
        found = validate_slices(now, unasked, previous_span=before)["s_b"]
        assert not found.HasField("dataset_anomaly_info")


def test_rows_are_compared_with_those_of_the_same_slice():
    schema = schema_of(
        """feature { name: "s" type: BYTES } feature { name: "x" type: BYTES }
        dataset_constraints { num_examples_drift_comparator { min_fraction_threshold: 0.9 }
          num_examples_version_comparator { max_fraction_threshold: 1 } }"""
    )
    before = stats(s=["a", "a", "b"], x=["u"] * 3)
    now = stats(s=["a", "b", "b"], x=["u"] * 3)
    assert not validate_statistics(now, schema, previous_span=before).HasField(
        "dataset_anomaly_info"
    )
    version = stats(s=["a", "a"], x=["u"] * 2)
    found = validate_slices(now, schema, previous_span=before, previous_version=version, few=0)
    kinds = {
        name: sorted(
            anomalies_pb2.AnomalyInfo.Type.Name(each.type)
            for each in anomalies.dataset_anomaly_info.reason
        )
        for name, anomalies in found.items()
    }
    assert kinds == {
        "s_a": ["COMPARATOR_LOW_NUM_EXAMPLES"],
        "s_b": ["COMPARATOR_CONTROL_DATA_MISSING"],
    }
    both = validate_slices(
        stats(s=["a", "b"], x=["u"] * 2), schema, previous_span=before, previous_version=version
    )
    assert len(both["s_a"].dataset_anomaly_info.reason) == 1
    last = stats("s=c", s=["c"] * 9, x=["u"] * 9)
    more = validate_slices(
        stats("s=c", s=["c"], x=["u"]), schema, previous_span=last, previous_version=before, few=0
    )["s_c"].dataset_anomaly_info
    assert (more.severity, len(more.reason)) == (ERROR, 2)
    assert "no slice of this name" in more.description
    assert "times the rows" in more.description


@pytest.mark.parametrize(("rows", "few", "severity"), [(50, 100, WARNING), (50, 50, ERROR)])
def test_drift_of_few_rows_is_a_warning(rows, few, severity):
    before = stats(s=["a"] * 99, x=["u"] * 99)
    now = stats(s=["a"] * rows, x=["v"] * rows)
    schema = schema_of(DRIFT % "drift_comparator")
    schema.dataset_constraints.num_examples_drift_comparator.min_fraction_threshold = 0.9
    found = validate_slices(now, schema, previous_span=before, few=few)["s_a"]
    assert found.anomaly_info["x"].severity == severity
    # That rows are fewer is chance only where they were few before.
    assert found.dataset_anomaly_info.severity == severity
    found = validate_slices(now, schema, previous_span=before, few=60)["s_a"]
    assert found.anomaly_info["x"].severity == WARNING
    assert found.dataset_anomaly_info.severity == ERROR
    severities = {"COMPARATOR_L_INFTY_HIGH": "ERROR"}
    found = validate_slices(now, schema, previous_span=before, severities=severities)["s_a"]
    assert found.anomaly_info["x"].severity == ERROR


def test_weights_count_in_slices():
    schema = schema_of(DRIFT % "drift_comparator" + 'feature { name: "w" type: FLOAT }')
    columns = {"s": ["a", "a"], "x": ["u", "v"]}
    before = stats(weight="w", w=[1.0, 1.0], **columns)
    now = stats(weight="w", w=[9.0, 1.0], **columns)
    assert kinds_of(validate_slices(now, schema, previous_span=before)["s_a"]) == {
        "x": ["COMPARATOR_L_INFTY_HIGH"]
    }


def test_an_environment_that_is_not_there():
    with pytest.raises(ConfigError, match="environment 'X' is not in the schema"):
        validate_slices(stats(s=["a"]), infer_schema(stats(s=["a"])), environment="X")
    with pytest.raises(ConfigError, match="'ODD' is no kind of anomaly"):
        validate_slices(stats(s=["a"]), schema_pb2.Schema(), severities={"ODD": "ERROR"})


def taxi(split):
    convert = pyarrow.csv.ConvertOptions(
        column_types={name: pa.float64() for name in ("fare", "tips", "trip_miles")},
        strings_can_be_null=True,
    )
    path = shared_data("taxi_split", f"{split}.csv")
    return pyarrow.csv.read_csv(path, convert_options=convert)


def test_the_taxi_data_by_payment_type():
    train, eval_ = taxi("train"), taxi("eval")

    def of(table):
        slicers = parse_slices("payment_type", table.schema)
        return statistics_of(table.to_batches(), StatisticsOptions(slices=slicers))

    before, now = of(train), of(eval_)
    schema = infer_schema(before)
    company = next(each for each in schema.feature if each.name == "company")
    company.drift_comparator.infinity_norm.threshold = 0.02
    found = validate_slices(now, schema, previous_span=before)
    assert set(found) == {f"payment_type_{each}" for each in set(eval_["payment_type"].to_pylist())}
    told = found["payment_type_Prcard"]
    assert [each.type for each in told.dataset_anomaly_info.reason] == [NO_CONTROL]
    assert "payment_type" in told.anomaly_info
    for name, anomalies in found.items():
        assert (anomalies.dataset_anomaly_info.severity == WARNING) == name.endswith("Prcard")
    (measured,) = found["payment_type_Cash"].drift_skew_info
    exact = _l_infinity(*(_companies(table, "Cash") for table in (train, eval_)))
    assert measured.drift_measurements[0].value == pytest.approx(exact, abs=1e-12)


def _companies(table, payment):
    some = table.filter(pc.equal(table["payment_type"], payment))["company"].drop_null()
    counts = {each["values"]: each["counts"] for each in some.value_counts().to_pylist()}
    return {name: count / len(some) for name, count in counts.items()}


def _l_infinity(one, other):
    return max(abs(one.get(name, 0) - other.get(name, 0)) for name in one.keys() | other.keys())


def test_what_all_rows_have_is_left_out_and_drift_keeps_its_own_severity():
    """Of few rows drift is a warning, whatever else is wrong with the column."""
    schema = infer_schema(stats(s=["a", "b"] * 20, x=["u", "v"] * 20))
    feature = next(each for each in schema.feature if each.name == "x")
    feature.drift_comparator.infinity_norm.threshold = 0.2
    before = stats(s=["a", "b"] * 20, x=["u", "u", "v", "v"] * 10)
    now = stats(s=["a", "b"] * 20, x=["u", "u", "v", "new"] * 10)
    whole = validate_statistics(now, schema, previous_span=before)
    assert whole.anomaly_info["x"].severity == ERROR
    plain = validate_slices(now, schema, previous_span=before)["s_b"].anomaly_info["x"]
    assert plain.severity == ERROR
    assert len(plain.reason) == 2
    found = validate_slices(now, schema, previous_span=before, whole=whole)
    (reason,) = found["s_b"].anomaly_info["x"].reason
    assert (found["s_b"].anomaly_info["x"].severity, reason.type) == (
        WARNING,
        anomalies_pb2.AnomalyInfo.COMPARATOR_L_INFTY_HIGH,
    )
    assert found["s_b"].anomaly_info["x"].description == reason.description
    assert not found["s_a"].anomaly_info
    assert slices_with_errors(found) == 0
    assert slices_with_errors({"s_b": anomalies_pb2.Anomalies(anomaly_info={"x": plain})}) == 1
