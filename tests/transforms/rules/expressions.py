"""Expressions and batches for the tests of rules."""

import pyarrow as pa
from hypothesis import strategies as st

from tests.support import TEXT
from transforms.rules.kinds import Kind

COLUMNS = {
    "i": Kind.INT,
    "j": Kind.INT,
    "f": Kind.FLOAT,
    "g": Kind.FLOAT,
    "s": Kind.TEXT,
    "b": Kind.BOOL,
    "t": Kind.TIME,
    "tags": Kind.LIST,
    "two words": Kind.INT,
}
INTS = st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1)
FLOATS = st.sampled_from([0.0, -0.0, 1.5, 2.0]) | st.floats()
LETTERS = st.sampled_from(["", "a", "b", "ab", "é"]) | TEXT
TYPES = {
    "i": (pa.int64(), INTS),
    "j": (pa.int64(), INTS),
    "f": (pa.float64(), FLOATS),
    "g": (pa.float64(), FLOATS),
    "s": (pa.string(), LETTERS),
    "b": (pa.bool_(), st.booleans()),
}


@st.composite
def batches(draw, max_rows=5):
    rows = draw(st.integers(0, max_rows))
    columns = {
        name: pa.array(draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), type)
        for name, (type, values) in TYPES.items()
    }
    return pa.RecordBatch.from_pydict(columns)


def _literal(value):
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value).lower() if isinstance(value, bool) else repr(value)


INT_LITERALS = st.integers(-(2**63) + 1, 2**63 - 1).map(_literal) | st.integers(-3, 3).map(_literal)
FLOAT_LITERALS = st.floats(-1e300, 1e300).map(_literal)
TEXT_LITERALS = LETTERS.map(_literal)
COMPARE = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


def _numbers(depth):
    leaves = st.sampled_from(["i", "j", "f", "g"]) | INT_LITERALS | FLOAT_LITERALS
    if not depth:
        return leaves
    inner = _numbers(depth - 1)
    pairs = st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda p: f"({' '.join(p)})")
    calls = inner.map("abs({})".format) | inner.map("- {}".format)
    return leaves | pairs | calls | _texts().map("length({})".format)


def _texts():
    return st.just("s") | TEXT_LITERALS


def conditions(depth=2):
    """Texts of conditions of numbers, texts and truth values."""
    numbers = _numbers(depth)
    listed = st.lists(INT_LITERALS | FLOAT_LITERALS, min_size=1, max_size=3).map(", ".join)
    letters = st.lists(TEXT_LITERALS, min_size=1, max_size=3).map(", ".join)
    maybe = st.sampled_from(["", "not "])
    tests = (
        st.tuples(numbers, COMPARE, numbers).map(" ".join)
        | st.tuples(_texts(), COMPARE, _texts()).map(" ".join)
        | st.tuples(numbers, maybe, listed).map(lambda p: f"{p[0]} {p[1]}in ({p[2]})")
        | st.tuples(_texts(), maybe, letters).map(lambda p: f"{p[0]} {p[1]}in ({p[2]})")
        | st.tuples(numbers, maybe, numbers, numbers).map(
            lambda p: f"{p[0]} {p[1]}between {p[2]} and {p[3]}"
        )
        | st.tuples(numbers | _texts() | st.just("b"), maybe).map(lambda p: f"{p[0]} is {p[1]}null")
        | numbers.map("is_nan({})".format)
        | st.sampled_from(["b", "true", "false"])
    )
    if not depth:
        return tests
    inner = conditions(depth - 1)
    joined = st.tuples(inner, st.sampled_from(["and", "or"]), inner)
    return tests | joined.map(lambda p: f"({' '.join(p)})") | inner.map("not ({})".format)
