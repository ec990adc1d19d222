"""What each part of a schema demands of a column, by value."""

import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.row_checks.schemas import schema
from transforms.row_checks.columns import column_faults
from transforms.row_checks.features import feature_checks
from transforms.row_checks.one_row import value_violations


def found(text, values, type=None):
    """The reasons for each value; with the row path's answer, which must be the same."""
    (check,) = feature_checks(schema(f'feature {{ name: "x" {text} }}'))
    array = values if isinstance(values, pa.Array) else pa.array(values, type)
    reasons = [[] for _ in array]
    for fault in column_faults(check, array, len(array)):
        assert fault.column.split(".")[0] == "x"
        for row in np.flatnonzero(fault.mask):
            reasons[row].append(str(fault.reason))
    return [" ".join(each) for each in reasons]


INT, FLOAT, BYTES = "type: INT", "type: FLOAT", "type: BYTES"
REQUIRED = "presence { min_fraction: 1 }"


def test_presence():
    assert found(f"{INT} {REQUIRED}", [1, None]) == ["", "missing_value"]
    assert found(f"{INT} presence {{ min_fraction: 0.9 min_count: 1 }}", [1, None]) == ["", ""]
    assert found(f"{INT} {REQUIRED}", [None, None]) == ["missing_value"] * 2
    assert found(f"{INT} {REQUIRED}", []) == []


@pytest.mark.parametrize("stage", ["PLANNED", "ALPHA", "DEPRECATED", "DEBUG_ONLY", "DISABLED"])
def test_features_out_of_production_are_not_checked(stage):
    text = f'feature {{ name: "x" {INT} {REQUIRED} lifecycle_stage: {stage} }}'
    assert feature_checks(schema(text)) == ()


@pytest.mark.parametrize(
    ("kind", "type", "values", "wrong"),
    [
        (INT, pa.int32(), [1, None], ["", ""]),
        (INT, pa.bool_(), [True, None], ["", ""]),
        (INT, pa.uint64(), [1, 2**63], ["", "wrong_type"]),
        (INT, pa.float64(), [1.0, None, 1.5, math.nan], ["", "", "wrong_type", "wrong_type"]),
        (INT, pa.float64(), [2.0**63, -(2.0**63)], ["wrong_type", ""]),
        (INT, pa.string(), ["1", None], ["wrong_type", ""]),
        (INT, pa.timestamp("s"), [1, None], ["", ""]),
        (f"{INT} int_domain {{ min: 2 }}", pa.timestamp("s"), [1, 2], ["out_of_range", ""]),
        (f"{INT} int_domain {{ max: 1 }}", pa.date32(), [1, 2], ["", "out_of_range"]),
        (FLOAT, pa.timestamp("s"), [1], ["wrong_type"]),
        (f"{INT} time_domain {{ integer_format: UNIX_SECONDS }}", pa.timestamp("s"), [1], [""]),
        (FLOAT, pa.float16(), [1.5], [""]),
        (FLOAT, pa.int8(), [1], [""]),
        (FLOAT, pa.bool_(), [True], ["wrong_type"]),
        (FLOAT, pa.decimal128(10, 2), [1, None], ["", ""]),
        (f"{FLOAT} float_domain {{ max: 2 }}", pa.decimal256(50, 2), [2, 3], ["", "out_of_range"]),
        (INT, pa.decimal128(10, 2), [1, Decimal("1.5")], ["", "wrong_type"]),
        (BYTES, pa.decimal128(10, 2), [1], ["wrong_type"]),
        (BYTES, pa.binary(2), [b"ab"], [""]),
        (BYTES, pa.list_(pa.binary(2)), [[b"ab"]], [""]),
        (FLOAT, pa.binary(2), [b"ab"], ["wrong_type"]),
        (FLOAT, pa.string(), ["1.5"], ["wrong_type"]),
        (BYTES, pa.string(), ["x"], [""]),
        (BYTES, pa.large_string(), ["x"], [""]),
        (BYTES, pa.string_view(), ["x"], [""]),
        (BYTES, pa.binary(), [b"\xff"], [""]),
        (BYTES, pa.int64(), [1], ["wrong_type"]),
        (BYTES, pa.null(), [None], [""]),
        ("type: STRUCT", pa.int64(), [1], ["wrong_type"]),
    ],
)
def test_types(kind, type, values, wrong):
    assert found(kind, values, type) == wrong


def test_whole_numbers_are_compared_exactly():
    """TFDV goes through double: 2^53 + 1 would pass."""
    text = f"{INT} int_domain {{ max: {2**53} }}"
    assert found(text, [2**53, 2**53 + 1]) == ["", "out_of_range"]
    whole = f"{FLOAT} float_domain {{ min: 0.5 max: 3.5 }}"
    assert found(whole, [0, 1, 3, 4]) == ["out_of_range", "", "", "out_of_range"]


@pytest.mark.parametrize("type", [pa.float64(), pa.float32()])
def test_a_bound_of_32_bits_lets_pass_what_it_was_written_as(type):
    """The proto keeps bounds as float32, in which 0.1 is greater and 0.7 less than in float64."""
    text = f"{FLOAT} float_domain {{ min: 0.1 max: 0.7 }}"
    assert found(text, [0.1, 0.7], type) == ["", ""]
    assert found(text, [0.0999, 0.7001], type) == ["out_of_range"] * 2


def test_nan_and_infinity():
    values = [math.nan, math.inf, -math.inf, 1.0, None]
    assert found(FLOAT, values) == [""] * 5
    # In a range is NaN neither below nor above; infinity is.
    assert found(f"{FLOAT} float_domain {{ min: 0 }}", values) == ["", "", "out_of_range", "", ""]
    nan = f"{FLOAT} float_domain {{ disallow_nan: true }}"
    assert found(nan, values) == ["not_finite", "", "", "", ""]
    inf = f"{FLOAT} float_domain {{ disallow_inf: true max: 5 }}"
    assert found(inf, values) == ["", "out_of_range not_finite", "not_finite", "", ""]


def test_what_stands_under_a_null_is_not_checked():
    values = pa.array(np.array([1, 99, 2]), mask=np.array([False, True, False]))
    assert found(f"{INT} int_domain {{ max: 5 }}", values) == ["", "", ""]
    assert found(f"{INT} int_domain {{ max: 1 }}", values) == ["", "", "out_of_range"]
    floats = pa.array(np.array([1, np.nan, 2]), mask=np.array([False, True, False]))
    assert found(f"{FLOAT} float_domain {{ disallow_nan: true }}", floats) == ["", "", ""]


def test_domains_of_texts():
    domain = f'{BYTES} string_domain {{ value: "a" value: "é" }}'
    assert found(domain, ["a", "é", "b", None]) == ["", "", "not_in_domain", ""]
    assert found(domain, ["é".encode(), b"\xff"]) == ["", "not_in_domain"]
    lenient = f"{domain} distribution_constraints {{ min_domain_mass: 0.5 }}"
    assert found(lenient, ["b"]) == [""]
    truth = f'{BYTES} bool_domain {{ true_value: "yes" false_value: "no" }}'
    assert found(truth, ["yes", "no", "true"]) == ["", "", "not_in_domain"]


def test_texts_that_spell_numbers():
    ints = f"{BYTES} int_domain {{ min: 0 max: 9 }}"
    assert found(ints, ["5", "12", "x", None]) == ["", "out_of_range", "unparsable", ""]
    floats = f"{BYTES} float_domain {{ max: 0.5 }}"
    assert found(floats, [b"0.25", b"1e3", b"\xff"]) == ["", "out_of_range", "unparsable"]


def test_truth_values_of_numbers():
    assert found(f"{INT} bool_domain {{}}", [0, 1, 2]) == ["", "", "not_in_domain"]
    assert found(f"{FLOAT} bool_domain {{}}", [0.0, 0.5, None]) == ["", "not_in_domain", ""]


@pytest.mark.parametrize(
    ("valency", "values", "wrong"),
    [
        ("shape { dim { size: 2 } }", [[1, 2], [1], None, []], ["", "x", "", "x"]),
        ("shape { dim { size: 1 } }", [[1], [], [1, 2]], ["", "x", "x"]),
        ("shape {}", [1, None], ["", ""]),
        ("shape { dim { size: 2 } dim { size: 2 } }", [[1, 2, 3, 4], [1, 2]], ["", "x"]),
        (
            "shape { dim { size: 2 } dim { size: 2 } }",
            [[[1, 2], [3, 4]], [[1, 2], [3]], [[1, 2]]],
            ["", "x", "x"],
        ),
        ("shape { dim { } dim { size: 2 } }", [[[1, 2]], [[1]], []], ["", "x", ""]),
        ("shape { dim { size: 2 } }", [1, None], ["x", ""]),
        ("value_count { min: 1 max: 2 }", [[1], [1, 2], [], [1, 2, 3]], ["", "", "x", "x"]),
        ("value_count { min: 1 }", [[1] * 50, []], ["", "x"]),
        ("value_count { min: 1 max: 1 }", [1, None], ["", ""]),
        ("value_count { min: 2 }", [1, None], ["x", ""]),
        ("", [[1], [], [1, 2]], ["", "", ""]),
        (
            "value_counts { value_count { min: 1 } value_count { max: 2 } }",
            [[[1], [1, 2]], [], [[1, 2, 3]], None],
            ["", "x", "x", ""],
        ),
        ("value_counts { value_count {} value_count {} }", [[1], None], ["x", ""]),
    ],
)
def test_valency(valency, values, wrong):
    expected = ["wrong_shape" if each else "" for each in wrong]
    assert found(f"{INT} {valency}", values) == expected
    if any(isinstance(value, list) for value in values):
        array = pa.array([None, *values])
        plain = found(f"{INT} {valency}", array.slice(1))
        assert plain == expected
        if array.type.value_type == pa.int64():
            assert (
                found(f"{INT} {valency}", array.cast(pa.large_list(pa.int64())).slice(1)) == plain
            )


def test_values_in_lists_are_checked_each():
    text = f"{INT} int_domain {{ max: 5 }} value_count {{ min: 1 }}"
    values = [[1, 9], [1], None, [9, 9], [1, None]]
    assert found(text, values) == ["out_of_range", "", "", "out_of_range", "missing_value"]


def test_fields_of_structs():
    text = f"""type: STRUCT struct_domain {{
        feature {{ name: "a" {INT} {REQUIRED} int_domain {{ max: 5 }} }}
        feature {{ name: "b" {BYTES} }} }}"""
    values = [{"a": 1, "b": "x"}, {"a": None, "b": None}, None, {"a": 9, "b": "x"}]
    assert found(text, values) == ["", "missing_value", "", "out_of_range"]
    assert found(text, [[{"a": 1}, {"a": 9}], [], None]) == ["out_of_range", "", ""]
    assert found(text, [{"b": "x"}]) == ["missing_value"]


def test_a_dictionary_is_judged_by_what_is_used_of_it():
    domain = f'{BYTES} {REQUIRED} string_domain {{ value: "a" }}'
    codes = pa.array([0, None, 1, 0], pa.int32())
    array = pa.DictionaryArray.from_arrays(codes, ["a", "b", "c"])
    assert found(domain, array) == ["", "missing_value", "not_in_domain", ""]
    assert found(domain, array.slice(3)) == [""]


@given(
    st.lists(st.none() | st.floats() | st.integers(-5, 5).map(float), max_size=8),
    st.floats(-4, 4, width=32),
    st.floats(-4, 4, width=32),
)
def test_ranges_against_plain_python(values, low, high):
    low, high = sorted([low, high])
    text = f"{FLOAT} float_domain {{ min: {low!r} max: {high!r} }}"
    (check,) = feature_checks(schema(f'feature {{ name: "x" {text} }}'))
    (domain,) = check.domains
    assert domain.low <= low
    assert domain.high >= high
    expected = [
        "out_of_range" if v is not None and (v < domain.low or v > domain.high) else ""
        for v in values
    ]
    assert found(text, values, pa.float64()) == expected


@pytest.mark.parametrize("text", [f"{INT} int_domain {{ min: 0 max: 4 }}", INT])
def test_floats_of_16_bits(text):
    wrong = ["", "out_of_range" if "max" in text else "", "wrong_type", "wrong_type", "wrong_type"]
    values = pa.array(np.array([3, 5, 0.5, np.nan, np.inf], "f2"))
    assert found(text, values) == wrong


@pytest.mark.parametrize(
    ("domain", "values", "wrong"),
    [
        ("bool_domain {}", ["true", ""], ["not_in_domain"] * 2),
        ('bool_domain { true_value: "" }', ["true", ""], ["not_in_domain", ""]),
        ('bool_domain { true_value: "" false_value: "0" }', ["0", ""], ["", ""]),
        (
            "int_domain {}",
            ["1", " -1\n", "1.", "1.0", "1e3", "\uff11"],
            ["", ""] + ["unparsable"] * 4,
        ),
        ("float_domain {}", ["1.", ".5", "1e-400", "-inf", "+nan", "2E1"], [""] * 6),
        ("float_domain {}", ["\uff11", "1e400", "1_0", "0x1", "", "\u00a01"], ["unparsable"] * 6),
    ],
)
@pytest.mark.parametrize("type", [pa.string(), pa.binary()])
def test_texts_are_read_as_in_statistics(domain, values, wrong, type):
    assert found(f"{BYTES} {domain}", pa.array(values).cast(type)) == wrong


MAP = """type: STRUCT value_count { min: 1 } struct_domain {
  feature { name: "key" type: BYTES string_domain { value: "a" value: "b" } }
  feature { name: "value" type: INT presence { min_fraction: 1 } int_domain { max: 5 } } }"""


@pytest.mark.parametrize("inner", [False, True])
def test_maps_are_lists_of_structs(inner):
    rows = [[("a", 1)], [("c", 1)], [("a", 1), ("b", 6)], [("b", None)], [], None]
    maps = pa.array(rows, pa.map_(pa.string(), pa.int64()))
    text = MAP
    if inner:
        maps = pa.StructArray.from_arrays([maps], ["x"])
        text = f'type: STRUCT struct_domain {{ feature {{ name: "x" {MAP} }} }}'
    (check,) = feature_checks(schema(f'feature {{ name: "x" {text} }}'))
    told = column_faults(check, maps, len(maps))
    reasons = ["not_in_domain", "out_of_range", "missing_value", "wrong_shape"]
    assert {str(each.reason): np.flatnonzero(each.mask).tolist() for each in told} == dict(
        zip(reasons, ([1], [2], [3], [4]), strict=True)
    )
    keyed = [{"key": "c", "value": 1}]
    (violation,) = value_violations(check, {"x": keyed} if inner else keyed)
    assert violation.reason == "not_in_domain"
