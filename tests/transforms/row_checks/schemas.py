"""Schemas and batches for the tests of rows."""

import pyarrow as pa
from google.protobuf import text_format
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import schema_pb2

from tests.support import TEXT


def schema(text):
    return text_format.Parse(text, schema_pb2.Schema())


TAXI = """
feature { name: "fare" type: FLOAT presence { min_fraction: 1 } shape { dim { size: 1 } }
          float_domain { min: 0 max: 100 disallow_nan: true } }
feature { name: "hour" type: INT int_domain { min: 0 max: 23 } }
feature { name: "payment" type: BYTES presence { min_fraction: 1 } domain: "payment" }
feature { name: "tips" type: FLOAT presence { min_fraction: 1 } not_in_environment: "SERVING" }
feature { name: "tags" type: BYTES value_count { min: 1 max: 2 } }
string_domain { name: "payment" value: "Cash" value: "Card" }
default_environment: "TRAINING"
default_environment: "SERVING"
"""

DOMAINS = {
    "INT": ["", "int_domain { min: -2 max: 3 }", "int_domain { max: 1 }", "bool_domain {}"],
    "FLOAT": [
        "",
        "float_domain { min: -0.5 max: 1.5 }",
        "float_domain { disallow_nan: true disallow_inf: true }",
        "float_domain { min: 0.1 }",
        "bool_domain {}",
    ],
    "BYTES": [
        "",
        'string_domain { value: "a" value: "b" value: "é" }',
        "int_domain { min: 0 max: 9 }",
        "float_domain { max: 0.5 }",
        "bool_domain {}",
    ],
}
VALENCY = [
    "",
    "shape { dim { size: 1 } }",
    "shape {}",
    "shape { dim { size: 2 } }",
    "value_count { min: 1 max: 1 }",
    "value_count { min: 0 max: 2 }",
    "value_count { min: 2 }",
]
VALUES = {
    pa.int64(): st.integers(-3, 4) | st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 4) | st.integers(2**63 - 2, 2**64 - 1),
    pa.int8(): st.integers(-3, 4),
    pa.float64(): st.sampled_from([0.1, -0.5, 1.5, 1.0, 2.0]) | st.floats(),
    pa.float32(): st.floats(width=32),
    pa.string(): st.sampled_from(["a", "b", "é", "true", "5", " 7", "0.25", "12", ""]) | TEXT,
    pa.binary(): st.sampled_from([b"a", b"\xc3\xa9", b"3", b"\xff"]) | st.binary(max_size=4),
    pa.bool_(): st.booleans(),
}


@st.composite
def features(draw, name):
    kind = draw(st.sampled_from(list(DOMAINS)))
    presence = draw(
        st.sampled_from(["", "presence { min_fraction: 1 }", "presence { min_count: 1 }"])
    )
    domain, valency = draw(st.sampled_from(DOMAINS[kind])), draw(st.sampled_from(VALENCY))
    return f'feature {{ name: "{name}" type: {kind} {presence} {domain} {valency} }}'


@st.composite
def columns(draw, rows):
    """n + 2 values of any type, or of lists of it."""
    type = draw(st.sampled_from(list(VALUES)))
    values = st.none() | VALUES[type]
    if draw(st.booleans()) and draw(st.booleans()):
        type, values = pa.list_(type), st.none() | st.lists(values, max_size=3)
    return pa.array(draw(st.lists(values, min_size=rows, max_size=rows)), type)


@st.composite
def checked_batches(draw, max_rows=6):
    """A schema, and a batch that has something of what it wants; often a slice of a larger one."""
    names = [f"c{i}" for i in range(draw(st.integers(1, 3)))]
    text = "\n".join(draw(features(name)) for name in names)
    there = [name for name in names if draw(st.integers(0, 9))] + ["other"]
    rows = draw(st.integers(0, max_rows))
    whole = pa.RecordBatch.from_arrays([draw(columns(rows + 2)) for _ in there], there)
    return schema(text), whole.slice(draw(st.integers(0, 2)), rows)
