"""The validate job on the taxi data, beside the anomalies that TFDV 1.16.1 finds in the same files.

Those against the two schemas are in the shared data. The others TFDV told of the same CSV files and
the curated schema on 2026-11-21; they stand here.
"""

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2

from beam_jobs import validate
from tests.support import ROOT, shared_data

KINDS = anomalies_pb2.AnomalyInfo.Type.Name
NUMBERS = {"fare", "trip_miles", "trip_seconds", "tips"}


def golden(name):
    return shared_data("tfdv_goldens", "1.16.1", name)


def judged(folder, split, schema, **flags):
    """The job's exit code, and the anomalies that it writes."""
    given = {
        "input": shared_data("taxi_split", f"{split}.csv"),
        "schema": golden(f"schema_{schema}.pbtxt"),
        "output": f"{folder}/",
    }
    code = validate.main([f"--{name}={value}" for name, value in (given | flags).items()])
    return code, anomalies_pb2.Anomalies.FromString((folder / "SchemaDiff.pb").read_bytes())


def gist(anomalies):
    return {
        path: (
            list(info.path.step),
            info.severity,
            [(r.type, r.short_description) for r in info.reason],
        )
        for path, info in anomalies.anomaly_info.items()
    }


@pytest.mark.parametrize(
    ("schema", "expected", "code"),
    [("curated", "anomalies_eval_curated", 0), ("inferred", "anomalies_eval_vs_inferred", 3)],
)
def test_anomalies_of_eval(tmp_path, schema, expected, code):
    text = golden(f"{expected}.pbtxt").read_text()
    theirs = text_format.Parse(text, anomalies_pb2.Anomalies())
    exit_code, ours = judged(tmp_path / "eval", "eval", schema)
    assert exit_code == code
    assert gist(ours) == gist(theirs)
    assert len(gist(ours)) == (2 if code else 0)
    assert ours.baseline == theirs.baseline
    assert ours.data_missing == theirs.data_missing
    assert ours.HasField("dataset_anomaly_info") == theirs.HasField("dataset_anomaly_info")


def told(anomalies):
    return {
        path: (info.severity, [KINDS(reason.type) for reason in info.reason])
        for path, info in anomalies.anomaly_info.items()
    }


DROPPED = {"tips": (anomalies_pb2.AnomalyInfo.ERROR, ["SCHEMA_MISSING_COLUMN"])}


@pytest.mark.parametrize(
    ("environment", "expected"), [("SERVING", {}), ("TRAINING", DROPPED), (None, DROPPED)]
)
def test_anomalies_of_serving_rows(tmp_path, environment, expected):
    flags = {"environment": environment} if environment else {}
    code, ours = judged(tmp_path / "out", "serving", "curated", **flags)
    assert told(ours) == expected
    assert code == (3 if expected else 0)


@pytest.mark.parametrize(("split", "distance"), [("train", 0.0225), ("eval", 0.0198)])
def test_skew_between_training_and_serving(tmp_path, split, distance):
    judged(tmp_path / "serving", "serving", "curated", environment="SERVING")
    reference = {"reference": tmp_path / "serving", "reference_kind": "serving"}
    code, ours = judged(tmp_path / "out", split, "curated", **reference)
    assert code == 3
    assert told(ours) == {
        "payment_type": (anomalies_pb2.AnomalyInfo.ERROR, ["COMPARATOR_L_INFTY_HIGH"])
    }
    (info,) = ours.drift_skew_info
    assert info.skew_measurements[0].value == pytest.approx(distance, abs=1e-12)


def test_drift_since_training_is_that_of_the_companies_alone(tmp_path):
    """TFDV finds this one, and drift of fare, trip_miles, trip_seconds and tips: there is none."""
    judged(tmp_path / "train", "train", "curated")
    code, ours = judged(tmp_path / "out", "eval", "curated", reference=tmp_path / "train")
    assert code == 3
    # The values have drifted, as TFDV says, and so has the share of rows without one.
    high = "COMPARATOR_L_INFTY_HIGH"
    assert told(ours) == {"company": (anomalies_pb2.AnomalyInfo.ERROR, [high, high])}
    assert "missing" in ours.anomaly_info["company"].reason[1].description
    measured = {
        info.path.step[0]: info.drift_measurements[0].value for info in ours.drift_skew_info
    }
    assert measured.pop("company") == pytest.approx(0.008208911249736536, abs=1e-12)
    assert measured.keys() == NUMBERS
    assert max(measured.values()) < 0.003
    why = (ROOT / "docs" / "anomalies.md").read_text().split("## Where we differ from TFDV")[1]
    assert "| numeric drift |" in why
