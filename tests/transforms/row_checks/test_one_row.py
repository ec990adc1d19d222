"""A single row is judged as in a column that is as deep as its schema says."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.row_checks.schemas import schema
from transforms.row_checks.checks import Checks

DEEP = {
    2: [
        "value_counts { value_count { min: 1 } value_count { max: 2 } }",
        "value_counts { value_count {} value_count { min: 1 } }",
        "shape { dim { size: 1 } dim { size: 2 } }",
        "shape { dim {} dim {} }",
    ],
    3: ["shape { dim {} dim { size: 1 } dim {} }"],
    1: ["value_count { min: 1 max: 1 }", "value_count { max: 2 }", "shape { dim {} }"],
}
KINDS = {
    "INT": (pa.uint64(), st.sampled_from([0, 7, 2**63, 2**64 - 1])),
    "FLOAT": (pa.float64(), st.sampled_from([0.5, float("nan")])),
    "BYTES": (pa.string(), st.sampled_from(["", "a"])),
}


def nested(values, depth):
    """Lists so deep, any of which may be missing."""
    for _ in range(depth):
        values = st.none() | st.lists(values, max_size=3)
    return values


@settings(max_examples=400)
@given(st.data())
def test_a_row_is_judged_as_its_column(data):
    depth, kind = data.draw(st.sampled_from(list(DEEP))), data.draw(st.sampled_from(list(KINDS)))
    count = data.draw(st.sampled_from(DEEP[depth]))
    domain = data.draw(st.sampled_from(["", "bool_domain {}"]))
    checks = Checks.of(schema(f'feature {{ name: "x" type: {kind} {count} {domain} }}'))
    type, leaf = KINDS[kind]
    value = data.draw(nested(st.none() | leaf, depth))
    for _ in range(depth):
        type = pa.list_(type)
    batch = pa.record_batch({"x": pa.array([value], type)})
    column = [fault.violation for fault in checks.faults(batch) if fault.mask.any()]
    assert checks.check_row({"x": value}) == column


@pytest.mark.parametrize(
    ("count", "value", "reasons"),
    [
        (DEEP[2][0], [[]], []),
        (DEEP[2][0], [None], ["missing_value"]),
        (DEEP[2][0], [[None]], ["missing_value"]),
        (DEEP[2][0], [], ["wrong_shape"]),
        (DEEP[1][2], [], []),
        (DEEP[1][2], [[]], ["wrong_shape"]),
        (DEEP[1][1], [[]], ["wrong_shape"]),
        (DEEP[2][3], [None], ["missing_value"]),
        ("", [[]], []),
    ],
)
def test_lists_without_values(count, value, reasons):
    checks = Checks.of(schema(f'feature {{ name: "x" type: INT {count} }}'))
    assert [str(each.reason) for each in checks.check_row({"x": value})] == reasons
