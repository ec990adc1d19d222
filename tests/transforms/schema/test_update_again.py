"""What one update accepts no second one changes, and nothing that was right is wrong afterwards."""

import pyarrow as pa
import pytest

from tests.transforms.schema.builders import kinds_of, schema_of
from tests.transforms.schema.cases import x
from transforms.row_checks.checks import Checks
from transforms.schema import update_schema, validate_statistics
from transforms.statistics.collect import statistics_of

MASS = "distribution_constraints { min_domain_mass: 0.9 }"


def stats(values):
    return statistics_of([pa.record_batch({"x": values})])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (f"type: BYTES string_domain {{ value: 'a' }} {MASS}", [b"\xff", b"a"]),
        (f"type: BYTES string_domain {{ value: 'a' }} {MASS}", [str(n) for n in range(9000)]),
        ("type: INT bool_domain {}", [5, 7]),
        ("type: FLOAT bool_domain {}", [0.0] * 50 + [1.0] * 50 + [0.5] * 21),
    ],
)
def test_an_update_is_enough(text, values):
    data, schema = stats(values), schema_of(x(text))
    assert kinds_of(validate_statistics(data, schema))
    updated = update_schema(schema, data)
    assert kinds_of(validate_statistics(data, updated)) == {}
    assert update_schema(updated, data) == updated


@pytest.mark.parametrize(
    ("kind", "values"),
    [("INT", [5, 7]), ("INT", [-5, -7]), ("FLOAT", [5.5, 7.0]), ("FLOAT", [-0.5])],
)
def test_a_domain_of_zero_and_one_still_has_both(kind, values):
    updated = update_schema(schema_of(x(f"type: {kind} bool_domain {{}}")), stats(values))
    both = [0, 1] if kind == "INT" else [0.0, 1.0]
    for right in (values, both):
        assert kinds_of(validate_statistics(stats(right), updated)) == {}
        assert not Checks.of(updated).faults(pa.record_batch({"x": right}))


def test_a_new_column_is_one_of_the_environment():
    text = 'feature { name: "a" type: INT in_environment: "G" } default_environment: "F"'
    schema = schema_of(text)
    row = {"a": 1, "n": {"inner": 2}}
    data = statistics_of(pa.RecordBatch.from_pylist([row]))
    assert set(kinds_of(validate_statistics(data, schema, "G"))) >= {"n"}
    updated = update_schema(schema, data, environment="G")
    assert kinds_of(validate_statistics(data, updated, "G")) == {}
    assert update_schema(updated, data, environment="G") == updated


@pytest.mark.parametrize("most", [0, 1])
def test_rows_and_statistics_agree_on_the_most_values(most):
    schema = schema_of(x(f"type: INT value_count {{ max: {most} }}"))
    lists = pa.array([[1], [2, 3], []])
    found = kinds_of(validate_statistics(stats(lists), schema))
    assert found == {"x": ["FEATURE_TYPE_HIGH_NUMBER_VALUES"]}
    (fault,) = Checks.of(schema).faults(pa.record_batch({"x": lists}))
    assert fault.mask.tolist() == [most < 1, True, False]
