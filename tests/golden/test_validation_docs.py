"""docs/validation.md: every block runs, one after the other, on real trips."""

import json
import re

import pytest

from tests.support import ROOT, shared_data
from transforms.errors import Refused
from transforms.faults import Violation
from transforms.rules.column_rules import Verdict
from transforms.schema import read_metadata, validate_statistics
from transforms.statistics.collect import statistics_of
from transforms.statistics.options import StatisticsOptions

TEXT = (ROOT / "docs" / "validation.md").read_text()
TRIPS = 2000
PRINTED = []


def shown(*words):
    """Stands for print; of a module, so that steps of a pipeline may use it too."""
    PRINTED.append(words)


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What the blocks define and print, and the folder that they work in."""
    folder = tmp_path_factory.mktemp("docs")
    for name in ("train", "eval", "serving"):
        lines = shared_data("taxi_split", f"{name}.csv").read_text().splitlines(keepends=True)
        (folder / f"{name}.csv").write_text("".join(lines[: TRIPS + 1]))
    PRINTED.clear()
    names = {"print": shown}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for number, block in enumerate(blocks("python")):
            exec(compile(block, f"docs/validation.md, block {number}", "exec"), names)
    return names, PRINTED, folder


def test_what_they_find(ran):
    names, printed, _ = ran
    assert set(names["anomalies"].anomaly_info) == {"company", "payment_type"}
    found = [words[:2] for words in printed if words[0] == "ERROR"]
    assert found == [("ERROR", "company"), ("ERROR", "payment_type")]
    drift = {words[0]: words[1:] for words in printed if words[-2:-1] == ("allowed:",)}
    assert set(drift) == {"fare", "trip_miles", "payment_type"}
    assert drift["payment_type"][0] > drift["payment_type"][2] == 0.02
    assert ("payment_type_Cash", ["company"]) in printed


def test_the_schema_that_they_write(ran):
    names, _, folder = ran
    written = read_metadata(str(folder / "schema.pbtxt"))
    assert written == names["schema"]
    (fare,) = (feature for feature in written.feature if feature.name == "fare")
    assert fare.drift_comparator.jensen_shannon_divergence.threshold == 0.05


def test_rows_and_the_gate(ran):
    names, printed, folder = ran
    assert any(isinstance(words[0], Refused) for words in printed)
    assert not (folder / "checked").exists()
    told = json.loads((folder / "validation" / "_millrace" / "run.json").read_text())
    assert told["status"] == "refused"
    assert "<title>Trips of today" in (folder / "validation" / "report.html").read_text()
    assert "<title>Trips" in (folder / "report.html").read_text()
    counts = json.loads((folder / "good" / "_millrace" / "run.json").read_text())["counts"]
    assert counts["rows_in"] == TRIPS
    reasons = counts["dead_by_reason"]
    assert set(reasons) == {"not_in_domain", "rule_violated"}
    assert sum(reasons.values()) == TRIPS - counts["rows_out"]
    (verdict,) = (words[0] for words in printed if isinstance(words[0], Verdict))
    assert verdict.holds
    assert (names["good"].num_rows, names["rejects"].num_rows) == (TRIPS, 0)
    lists = [words[0] for words in printed if isinstance(words[0], list)]
    ((violation,),) = (found for found in lists if isinstance(found[0], Violation))
    assert (violation.column, violation.reason) == ("payment_type", "not_in_domain")


def test_windows_and_skew(ran):
    _, printed, _ = ran
    windows = [words[0] for words in printed if type(words[0]) is int and len(words) == 1]
    assert len(windows) > 2
    assert sum(windows) == TRIPS
    assert len([words for words in printed if words[0] == "of the window:"]) == len(windows)
    ((joined, features),) = (
        words for words in printed if len(words) == 2 and isinstance(words[1], dict)
    )
    assert joined == TRIPS
    assert features["fare"].mismatch > TRIPS / 2
    assert features["trip_miles"].skewed == 0


def test_the_schema_by_hand(ran, tmp_path):
    names, _, folder = ran
    (text,) = blocks("textproto")
    (tmp_path / "schema.pbtxt").write_text(text)
    schema = read_metadata(str(tmp_path / "schema.pbtxt"))
    wanted = StatisticsOptions(columns=("fare", "payment_type", "tips"))
    now = statistics_of(names["trips"](folder / "eval.csv"), wanted)
    found = validate_statistics(now, schema, "TRAINING", previous_span=names["before"])
    assert set(found.anomaly_info) == {"payment_type"}
    measured = {column.path.step[0] for column in found.drift_skew_info}
    assert measured == {"fare", "payment_type"}
    serving = validate_statistics(names["serving"], schema, "SERVING").anomaly_info
    assert "tips" not in serving
    assert "tips" in validate_statistics(names["serving"], schema, "TRAINING").anomaly_info
