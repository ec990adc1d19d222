"""What TFDV 1.16.1 made of the taxi data, kept in the shared data, against what we make of it."""

import csv

import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from tests.support import shared_data
from tests.transforms.schema.builders import stats_of, with_fine_histograms
from transforms.distances.divergences import jensen_shannon
from transforms.schema import (
    diff_schemas,
    infer_schema,
    read_metadata,
    update_schema,
    validate_statistics,
    write_metadata,
)
from transforms.schema.files import edited_schema

EXACT = {"fare": 0.00087, "trip_miles": 0.00139, "trip_seconds": 0.00138, "tips": 0.00054}


def golden(name, message):
    text = shared_data("tfdv_goldens", "1.16.1", name).read_text()
    return text_format.Parse(text, message)


def stats(name):
    return golden(name, statistics_pb2.DatasetFeatureStatisticsList())


def schema(name):
    return golden(name, schema_pb2.Schema())


def gist(anomalies):
    return {
        key: (
            list(info.path.step),
            info.severity,
            info.short_description,
            [(reason.type, reason.short_description) for reason in info.reason],
        )
        for key, info in anomalies.anomaly_info.items()
    }


def test_the_inferred_schema_is_equal():
    assert infer_schema(stats("stats_train.pbtxt")) == schema("schema_inferred.pbtxt")


def test_the_schema_that_tfx_inferred_of_another_sample():
    path = shared_data("tfx_artifacts", "statistics_gen", "Split-train", "FeatureStats.pb")
    told = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())
    theirs = read_metadata(str(shared_data("tfx_artifacts", "schema_gen", "schema.pbtxt")))
    # TFX infers no shapes. Its run saw other rows: other companies, in another order.
    lines = diff_schemas(theirs, infer_schema(told, infer_shape=False))
    assert all("string" in line or line == "feature in another order" for line in lines)


def test_hand_written_schemas_are_written_back_as_they_are():
    files = sorted(shared_data().rglob("*schema*.pbtxt"))
    assert len(files) > 5
    for path in files:
        text = path.read_text()
        assert edited_schema(text, read_metadata(str(path))) == text


@pytest.mark.parametrize(
    ("against", "expected"),
    [
        ("schema_inferred.pbtxt", "anomalies_eval_vs_inferred.pbtxt"),
        ("schema_curated.pbtxt", "anomalies_eval_curated.pbtxt"),
    ],
)
def test_the_anomalies_are_equal(against, expected):
    theirs = golden(expected, anomalies_pb2.Anomalies())
    ours = validate_statistics(stats("stats_eval.pbtxt"), schema(against))
    assert gist(ours) == gist(theirs)
    assert ours.baseline == theirs.baseline
    assert ours.anomaly_name_format == theirs.anomaly_name_format
    assert ours.data_missing == theirs.data_missing
    assert ours.HasField("dataset_anomaly_info") == theirs.HasField("dataset_anomaly_info")


def test_the_unknown_companies_are_a_handful_in_words():
    found = validate_statistics(stats("stats_eval.pbtxt"), schema("schema_inferred.pbtxt"))
    text = found.anomaly_info["company"].description
    assert text.endswith("and 10 more.")
    assert len(text) < 300


def test_drift_of_the_companies_is_what_tfdv_documents():
    found = validate_statistics(
        stats("stats_eval.pbtxt"),
        schema("schema_curated.pbtxt"),
        environment="TRAINING",
        previous_span=stats("stats_train.pbtxt"),
    )
    assert list(found.anomaly_info) == ["company"]
    drift = {info.path.step[0]: info.drift_measurements[0].value for info in found.drift_skew_info}
    assert drift["company"] == pytest.approx(0.00820891, abs=1e-8)
    assert drift.keys() == {"company", *EXACT}


def numbers(split, column):
    with shared_data("taxi_split", f"{split}.csv").open() as rows:
        return np.array([float(row[column]) for row in csv.DictReader(rows) if row[column]])


def drift_of(current, previous, column):
    text = f"""feature {{ name: "{column}" type: FLOAT
        drift_comparator {{ jensen_shannon_divergence {{ threshold: 1 }} }} }}"""
    wanted = text_format.Parse(text, schema_pb2.Schema())
    for data in (current, previous):
        only_of(data, column)
    found = validate_statistics(current, wanted, previous_span=previous)
    return found.drift_skew_info[0].drift_measurements[0].value


def only_of(data, column):
    for at in reversed(range(len(data.datasets[0].features))):
        feature = data.datasets[0].features[at]
        if list(feature.path.step) != [column]:
            del data.datasets[0].features[at]
        feature.type = statistics_pb2.FeatureNameStatistics.FLOAT


@pytest.mark.parametrize("column", EXACT)
def test_numeric_drift_of_like_data_is_small(column):
    """TFDV says 0.326, 0.707, 0.454 and 0.128 of the same statistics."""
    told = drift_of(stats("stats_eval.pbtxt"), stats("stats_train.pbtxt"), column)
    assert told < 0.002


@pytest.mark.parametrize("column", EXACT)
def test_with_fine_histograms_numeric_drift_is_exact(column):
    train, eval_ = numbers("train", column), numbers("eval", column)
    statistics = []
    for name, values in (("eval", eval_), ("train", train)):
        data = stats(f"stats_{name}.pbtxt")
        only_of(data, column)
        statistics.append(with_fine_histograms(data, **{column: values}))
    told = drift_of(*statistics, column)
    edges = {
        edge
        for histogram in statistics[1].datasets[0].features[0].num_stats.histograms
        for bucket in histogram.buckets
        for edge in (bucket.low_value, bucket.high_value)
    }
    known = set(np.unique(train)) | set(np.unique(eval_))
    assert told == pytest.approx(by_hand(train, eval_, edges, known), abs=1e-12)
    assert told == pytest.approx(EXACT[column], abs=5e-6)


def test_a_rise_by_a_third_is_seen():
    """Of ten bins of equal width, the first holds nearly all: TFDV's cells would say 0.0002."""
    seconds = numbers("train", "trip_seconds")
    statistics = []
    for values in (seconds * 1.3, seconds):
        data = stats_of(trip_seconds=list(values))
        statistics.append(with_fine_histograms(data, trip_seconds=values))
    assert drift_of(*statistics, "trip_seconds") > 0.2


def by_hand(train, eval_, edges, known):
    """The divergence over cells cut one value at a time; an edge that is a value has its own."""
    cell = {}
    for value in known:
        cell[value] = value if value in edges else sum(value > edge for edge in edges) - 0.5
    counts = []
    names = sorted({("at", v) if v in edges else ("in", c) for v, c in cell.items()})
    for values in (eval_, train):
        found = dict.fromkeys(names, 0)
        for value in values:
            found[("at", value) if value in edges else ("in", cell[value])] += 1
        counts.append(np.array([found[name] for name in names], float))
    return jensen_shannon(*counts)


def test_what_is_accepted_is_no_anomaly_any_more():
    eval_, before = stats("stats_eval.pbtxt"), schema("schema_inferred.pbtxt")
    after = update_schema(before, eval_)
    assert not validate_statistics(eval_, after).anomaly_info
    assert [line.split(":")[0] for line in diff_schemas(before, after)] == [
        'string domain "payment_type"',
        'string domain "company"',
    ]


def test_the_file_changes_where_the_schema_does(tmp_path):
    path = tmp_path / "schema.pbtxt"
    text = shared_data("tfdv_goldens", "1.16.1", "schema_inferred.pbtxt").read_text()
    path.write_text(text)
    schema_ = read_metadata(str(path))
    write_metadata(schema_, str(path))
    assert path.read_text() == text
    write_metadata(update_schema(schema_, stats("stats_eval.pbtxt")), str(path))
    before, after = text.splitlines(), path.read_text().splitlines()
    added = [line for line in after if line not in before]
    assert len(added) == 16
    assert all(line.startswith('  value: "') for line in added)
    assert [line for line in after if line not in added] == before
