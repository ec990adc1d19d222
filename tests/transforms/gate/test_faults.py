"""Rows at fault: counted in any cut of batches, and shown without what is not at fault."""

import numpy as np
import pyarrow as pa
import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import schema_pb2

from transforms.batches import with_source
from transforms.gate.faults import SHOWN, Faults, faults_of
from transforms.reports.statistics.findings import PLACE
from transforms.row_checks.checks import Checks
from transforms.rules.files import parse_rules

SCHEMA = text_format.Parse(
    """
    feature { name: "fare" type: FLOAT presence { min_fraction: 1 } float_domain { min: 0 } }
    feature { name: "name" type: BYTES }
    """,
    schema_pb2.Schema(),
)
RULES = """
- row: fare < 100
  name: low
- row: fare <= 2 * length(name)
"""


@pytest.fixture(scope="module")
def checks():
    checks = Checks.of(SCHEMA)
    return checks.with_rules(parse_rules(RULES, checks.kinds))


def batch(fares, names=None):
    names = names or ["Ada"] * len(fares)
    return pa.RecordBatch.from_pydict({"fare": pa.array(fares, pa.float64()), "name": names})


def test_what_rows_violate_is_told_of_features_and_rules(checks):
    faults = faults_of(batch([1.0, -5.0, None, 250.0]), checks)
    assert faults.rows == 4
    assert {path: fault.rows for path, fault in faults.features.items()} == {"fare": 2}
    assert {name: fault.rows for name, fault in faults.rules.items()} == {
        "low": 1,
        "fare <= 2 * length(name)": 1,
    }


def test_a_row_with_two_faults_of_one_feature_counts_once(checks):
    schema = text_format.Parse(
        'feature { name: "n" type: FLOAT float_domain { min: 0 max: 1 disallow_inf: true } }',
        schema_pb2.Schema(),
    )
    rows = pa.RecordBatch.from_pydict({"n": [float("inf"), 0.5]})
    assert faults_of(rows, Checks.of(schema)).features["n"].rows == 1


def test_examples_show_what_is_at_fault_and_the_form_of_the_rest(checks):
    rows = with_source(batch([1.0, -5.25], ["Ada 36", "Bob-7"]), "in.csv", 10)
    (shown,) = faults_of(rows, checks).features["fare"].examples
    assert shown.to_pylist() == [{PLACE: "in.csv#row=11", "fare": -5.25, "name": "Aaa-9"}]


def test_examples_of_a_rule_show_its_columns(checks):
    (shown,) = faults_of(batch([50.0], ["Bo"]), checks).rules["fare <= 2 * length(name)"].examples
    assert shown.to_pylist() == [{PLACE: None, "fare": 50.0, "name": "Bo"}]


@pytest.mark.parametrize(("shows", "name"), [("full", "Ada"), ("masked", "Aaa")])
def test_what_examples_show(checks, shows, name):
    (shown,) = faults_of(batch([-1.0]), checks, shows).features["fare"].examples
    assert shown["name"].to_pylist() == [name]


def test_no_examples_where_none_are_wanted_or_the_column_is_not_there(checks):
    assert faults_of(batch([-1.0]), checks, "none").features["fare"].examples == ()
    without = pa.RecordBatch.from_pydict({"name": ["Ada"]})
    fault = faults_of(without, checks).features["fare"]
    assert (fault.rows, fault.examples) == (1, ())


@given(
    st.lists(st.floats(-10, 200), max_size=40), st.lists(st.integers(0, 40), max_size=3).map(sorted)
)
def test_parts_add_up_in_any_cut(checks_fares, cuts):
    checks = Checks.of(SCHEMA)
    fares = np.array(checks_fares, float)
    whole = faults_of(batch(fares.tolist()), checks)
    merged = Faults()
    for part in np.split(fares, cuts):
        merged = merged.merge(faults_of(batch(part.tolist()), checks))
    assert merged.rows == whole.rows
    assert {path: (fault.rows, fault.shown) for path, fault in merged.features.items()} == {
        path: (fault.rows, fault.shown) for path, fault in whole.features.items()
    }
    expected = min(SHOWN, int((fares < 0).sum()))
    assert sum(fault.shown for fault in whole.features.values()) == expected


def test_columns_with_dots_are_told_as_anomalies_tell_them():
    schema = text_format.Parse(
        """
        feature { name: "a.b" type: INT int_domain { min: 1 } }
        feature { name: "a" type: STRUCT struct_domain {
          feature { name: "b" type: INT int_domain { min: 1 } } } }
        """,
        schema_pb2.Schema(),
    )
    rows = pa.RecordBatch.from_pydict({"a.b": [0, 1, 1], "a": [{"b": 1, "pw": "x1"}] * 3})
    assert {
        path: fault.rows for path, fault in faults_of(rows, Checks.of(schema)).features.items()
    } == {"'a.b'": 1}


def test_of_a_struct_at_fault_the_other_fields_are_masked():
    schema = text_format.Parse(
        """
        feature { name: "st" type: STRUCT struct_domain {
          feature { name: "k" type: INT int_domain { min: 1 } } } }
        """,
        schema_pb2.Schema(),
    )
    rows = pa.RecordBatch.from_pydict({"st": [{"pw": "SECRET7", "k": 0}]})
    faults = faults_of(rows, Checks.of(schema)).features
    ((shown,),) = (fault.examples for fault in faults.values())
    assert set(faults) == {"st.k"}
    assert "SECRET" not in str(shown.to_pylist())
