"""Broken rules as anomalies: how many rows, what the results of columns, and how bad it is."""

import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2

from transforms.gate.faults import Faults, FaultyRows
from transforms.gate.findings import findings
from transforms.gate.rule_anomalies import rule_anomalies, rule_keys
from transforms.rules.column_rules import Verdict

Info = anomalies_pb2.AnomalyInfo


def made(faults=None, verdicts=(), repeats=None, taken=(), **settings):
    faults, repeats = faults or Faults(8), repeats or {}
    names = [*faults.rules, *(each.rule for each in verdicts), *repeats]
    keys = rule_keys(names, taken)
    return dict(rule_anomalies(faults, verdicts, repeats, keys, **settings))


def test_a_rule_about_rows():
    (info,) = made(Faults(8, {}, {"low": FaultyRows(2)})).values()
    assert (info.severity, info.reason[0].type) == (Info.ERROR, Info.CUSTOM_VALIDATION)
    assert info.short_description == "Broken by 2 of 8 rows"
    assert info.description == "The rule 'low' is broken by 2 of 8 rows (25.000%)."


@pytest.mark.parametrize(
    ("holds", "measured", "exact", "severity", "text"),
    [
        (False, (57.25,), True, Info.ERROR, "does not hold: the result is 57.25."),
        (False, (5000,), False, Info.ERROR, "does not hold: the result is about 5000."),
        (None, (None, 3), True, Info.WARNING, "is unknown: the result is nothing, 3."),
    ],
)
def test_a_rule_about_columns(holds, measured, exact, severity, text):
    found = made(verdicts=[Verdict("r", holds, measured, exact, 8)])
    info = found["rule r"]
    assert info.severity == severity
    assert info.description.endswith(text)


def test_what_holds_is_no_anomaly():
    assert not made(Faults(8), [Verdict("r", True, (1,), True, 8)], {"unique(id)": 0})


def test_a_rule_about_keys():
    info = made(repeats={"unique(id)": 3})["rule unique(id)"]
    assert info.short_description == "Key repeated in 3 of 8 rows"


def test_no_two_anomalies_have_one_key():
    """Columns and other rules may be called as a rule's anomaly would be."""
    names = ("a", "a (rule)", "b")
    keys = rule_keys(names, {"rule a", "x"})
    assert keys == {"a": "rule a (rule)", "a (rule)": "rule a (rule) (rule)", "b": "rule b"}
    found = made(Faults(8, {}, {"a": FaultyRows(2), "a (rule)": FaultyRows(1)}), taken={"rule a"})
    assert len(found) == 2


def test_rules_that_only_warn():
    verdicts = [Verdict("a", False, (1,), True, 8), Verdict("b", False, (1,), True, 8)]
    faults = Faults(8, {}, {"low": FaultyRows(2), "high": FaultyRows(1)})
    found = made(faults, verdicts, {"id": 3, "name": 3}, warnings={"low", "a", "id"})
    warned = {key for key, info in found.items() if info.severity == Info.WARNING}
    assert warned == {"rule low", "rule a", "rule id"}
    assert len(found) == 6


def test_errors_come_first_in_the_list():
    anomalies = anomalies_pb2.Anomalies()
    verdicts = [Verdict("a", None, (None,), True, 8), Verdict("z", False, (1,), True, 8)]
    for key, info in made(verdicts=verdicts).items():
        anomalies.anomaly_info[key].CopyFrom(info)
    assert [row.feature for row in findings(anomalies)] == ["rule z", "rule a"]
