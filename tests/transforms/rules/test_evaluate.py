"""What expressions mean: by value, and of columns against plain Python for rows."""

import datetime
import enum
import math
import pickle
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.row_checks.schemas import columns
from tests.transforms.rules.expressions import COLUMNS, batches, conditions
from transforms.rules.evaluate import Columns, evaluate
from transforms.rules.files import parse_rules
from transforms.rules.kinds import TYPES, Kind, as_kind, kinds_of_columns
from transforms.rules.one_row import as_kind_of
from transforms.rules.parse import parse
from transforms.rules.row_rules import RowRule
from transforms.rules.typed import typed_row


def value(text, **columns):
    """The values of an expression over columns."""
    batch = pa.RecordBatch.from_pydict(columns or {"i": [1]})
    return evaluate(typed_row(parse(text), COLUMNS), Columns.of(batch)).to_pylist()


T, F, N = True, False, None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b and true", [T, F, N]),
        ("b and false", [F, F, F]),
        ("b or true", [T, T, T]),
        ("b or false", [T, F, N]),
        ("not b", [F, T, N]),
        ("b is null", [F, F, T]),
        ("b is not null", [T, T, F]),
        ("b = true", [T, F, N]),
    ],
)
def test_logic_of_three_values(text, expected):
    assert value(text, b=[T, F, N]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i > 1", [F, N, T]),
        ("i = null_free or i is null".replace("null_free", "3"), [F, T, T]),
        ("i in (1, 2)", [T, N, F]),
        ("i not in (1, 2)", [F, N, T]),
        ("i between 1 and 2", [T, N, F]),
        ("i not between 1 and 2", [F, N, T]),
        ("i + 1 > 2", [F, N, T]),
        ("abs(i - 2) = 1", [T, N, T]),
        ("i in (1.0, 2.5)", [T, N, F]),
        ("i - 1 in (-0.0)", [T, N, F]),
    ],
)
def test_what_is_said_of_a_missing_value_is_unknown(text, expected):
    assert value(text, i=[1, None, 3]) == expected


def test_between_is_false_where_one_end_is_wrong_even_if_the_other_is_unknown():
    assert value("i between j and 2", i=[3, 1], j=[None, None]) == [F, N]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f = f", F),
        ("f != f", T),
        ("f < 1", F),
        ("f between 0 and 1", F),
        ("not (f < 1)", T),
        ("f in (1.5)", F),
        ("is_nan(f)", T),
        ("f is null", F),
        ("is_nan(f + 1)", T),
    ],
)
def test_nan_is_equal_to_nothing_and_in_no_range(text, expected):
    assert value(text, f=[math.nan]) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i + 1", 2**63 - 1),
        ("-i - 2", -(2**63)),
        ("i * i", 2**63 - 1),
        ("i * -2", -(2**63)),
        ("i + 1 > i", F),
        ("i * 2 > 0", T),
        ("i - 1 + 1", 2**63 - 1),
        ("-(-i - 1)", 2**63 - 1),
        ("abs(-i - 1)", 2**63 - 1),
    ],
)
def test_integers_that_do_not_fit_become_the_nearest_that_does(text, expected):
    assert value(text, i=[2**63 - 1, None]) == [expected, None]


def test_one_overflow_does_not_touch_the_rows_beside_it():
    assert value("i * 3", i=[2**62, 5, None, -(2**62)]) == [2**63 - 1, 15, None, -(2**63)]


def test_numbers():
    assert value("i / 2", i=[1, 0]) == [0.5, 0.0]
    assert value("f / 0", f=[1.0, -1.0]) == [math.inf, -math.inf]
    assert math.isnan(value("f / 0", f=[0.0])[0])
    assert value("1 + 2 * 3 - 4 / 2") == [5.0]
    assert value("- 3 + 1") == [-2]
    assert value("(1 + 2) * 3") == [9]
    assert value("2 - 1 - 1") == [0]
    assert value("i + 0.5", i=[1]) == [1.5]
    assert value(".5 + 1e1 + 1.") == [11.5]


def test_texts():
    names = ["Ünïcode", "abc", None]
    assert value("length(s)", s=names) == [7, 3, None]
    assert value("upper(s)", s=names) == ["ÜNÏCODE", "ABC", None]
    assert value("lower(s) = 'ünïcode'", s=names) == [T, F, N]
    assert value("s matches '^a.c$'", s=names) == [F, T, N]
    assert value("s matches 'b'", s=names) == [F, T, N]
    assert value("s not matches 'b'", s=names) == [T, F, N]
    assert value("s in ('abc', 'it''s')", s=[*names, "it's"]) == [F, T, N, T]
    assert value("s < 'b'", s=names) == [F, T, N]
    # Bytes that are no UTF-8 are no text, and so unknown.
    assert value("s = 'abc'", s=[b"abc", b"\xff"]) == [T, N]


def test_times():
    when = [datetime.datetime(2026, 2, 3, 4, 5), None]
    assert value("year(t) * 10000 + month(t) * 100 + day(t)", t=when) == [20260203, None]
    assert value("hour(t)", t=when) == [4, None]
    assert value("weekday(t)", t=when) == [1, None]
    assert value("t >= '2026-02-03' and '2026-02-04' > t", t=when) == [T, N]
    assert value("t between '2026-02-03' and '2026-02-03 04:05'", t=when) == [T, N]
    assert value("t in ('2026-02-03 04:05:00')", t=when) == [T, N]
    assert value("hour(from_unix(i))", i=[3600 * 5, None, 2**62]) == [5, None, None]
    zoned = pa.array([when[0]], pa.timestamp("s", "+02:00"))
    assert value("hour(t)", t=zoned) == [4]
    assert value("year(t)", t=pa.array([datetime.date(1969, 1, 2)])) == [1969]


def test_lists():
    assert value("length(tags) <= 1", tags=[["a"], ["a", "b"], [], None]) == [T, F, T, N]
    assert value("tags is null", tags=[["a"], None]) == [F, T]


@pytest.mark.parametrize(
    ("name", "array", "expected"),
    [
        ("i", pa.array([1, 2**63], pa.uint64()), [1, None]),
        ("i", pa.array([1.0, 1.5, math.nan]), [1, None, None]),
        ("i", pa.array([True, None]), [1, None]),
        ("i", pa.array(["1"]), [None]),
        ("i", pa.array([[1], [], [1, 2]]), [1, None, None]),
        ("i", pa.array([["1"]]), [None]),
        ("f", pa.array([1, 2]), [1.0, 2.0]),
        ("f", pa.array([True]), [None]),
        ("f", pa.array([1.5], pa.float32()), [1.5]),
        ("f", pa.array([Decimal("1.5"), None], pa.decimal128(10, 2)), [1.5, None]),
        ("f", pa.array([Decimal("1.5")], pa.decimal256(50, 2)).dictionary_encode(), [1.5]),
        ("f", pa.array([Decimal("0.407")], pa.decimal128(20, 3)), [0.407]),
        ("f", pa.array([5], pa.duration("s")), [None]),
        ("i", pa.array([Decimal(2), Decimal("2.5")], pa.decimal128(10, 1)), [2, None]),
        ("i", pa.array([2.0, 2.5], pa.float16()), [2, None]),
        ("i", pa.array([5, None], pa.duration("s")), [5, None]),
        ("i", pa.array([5], pa.time32("s")), [5]),
        ("i", pa.array([5], pa.timestamp("ns")), [5]),
        ("s", pa.array([b"ab", b"\xff."], pa.binary(2)), ["ab", None]),
        ("s", pa.array(["a"]).dictionary_encode(), ["a"]),
        ("s", pa.array(["a"], pa.string_view()), ["a"]),
        ("s", pa.array([1]), [None]),
        ("b", pa.array([1]), [None]),
        ("t", pa.array([1]), [None]),
        ("tags", pa.array([1]), [None]),
    ],
)
def test_columns_of_other_types(name, array, expected):
    batch = pa.RecordBatch.from_arrays([array], [name])
    assert Columns.of(batch).get(name, COLUMNS[name]).to_pylist() == expected


FAR_MS = 1_600_000_000_000_000
"""In the year 52671."""


def test_times_beyond_those_of_python():
    assert value("year(from_unix(i))", i=[FAR_MS // 1000]) == [52671]
    assert value("year(t)", t=pa.array([2**63 - 1, -(2**63)], pa.timestamp("us"))) == [
        294247,
        -290308,
    ]
    years = [1, 1569, 1570, 1969, 1970, 2369, 2370, 9999]
    days = [datetime.datetime(year, *day) for year in years for day in ((1, 1), (12, 31))]
    assert value("year(t)", t=days) == [day.year for day in days]
    for unit in ("s", "ms"):
        far = pa.array([2**62, 0], pa.timestamp(unit))
        assert value("t < '2030-01-01'", t=far) == [N, T]
    assert value("t < '2030-01-01'", t=pa.array([2**31 - 1, 0], pa.int32()).cast(pa.date32())) == [
        N,
        T,
    ]


def test_a_missing_column_is_unknown():
    assert value("f > 1 or i = 1", i=[1, 2]) == [T, N]


def test_a_row_violates_what_is_false_not_what_is_unknown():
    rule = RowRule.of("f >= 0 and i < 5", COLUMNS)
    batch = pa.RecordBatch.from_pydict({"f": [1.0, -1.0, None, None], "i": [1, 1, 1, 9]})
    assert rule.broken(Columns.of(batch)).tolist() == [F, T, F, T]
    assert rule.broken(Columns.of(batch.slice(0, 1))) is None
    assert (rule.name, rule.columns) == ("f >= 0 and i < 5", ("f", "i"))


@given(st.deferred(conditions), batches())
def test_one_row_gets_the_answer_of_columns(text, batch):
    rule = RowRule.of(text, COLUMNS)
    assert rule.scalar is not None
    whole = evaluate(rule.tree, Columns.of(batch))
    assert whole.type == pa.bool_()
    assert len(whole) == batch.num_rows
    assert [rule.scalar(row) for row in batch.to_pylist()] == whole.to_pylist()
    for start in range(batch.num_rows):
        (alone,) = evaluate(rule.tree, Columns.of(batch.slice(start, 1))).to_pylist()
        assert alone == whole[start].as_py()
    again = pickle.loads(pickle.dumps(rule))
    assert again == rule


@given(columns(4), st.sampled_from([Kind.INT, Kind.FLOAT, Kind.TEXT, Kind.BOOL]))
def test_a_value_is_of_a_kind_as_a_column_is(array, kind):
    whole = as_kind(array, kind)
    assert whole.type == TYPES[kind]
    alone = [as_kind_of(value, kind) for value in array.to_pylist()]
    assert repr(alone) == repr(whole.to_pylist())


class Level(enum.IntEnum):
    LOW = 1


class Name(str):
    """A text with a type of its own."""


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (np.datetime64("2026-01-01", "ns"), Kind.INT, 1_767_225_600_000_000_000),
        (np.datetime64("2026-01-01", "ns"), Kind.FLOAT, None),
        (np.array([np.timedelta64(5, "s")]), Kind.INT, 5),
        (datetime.datetime(1970, 1, 1, 0, 0, 1), Kind.INT, 1_000_000),
        (Level.LOW, Kind.INT, 1),
        (Name("a"), Kind.TEXT, "a"),
        (bytearray(b"a"), Kind.TEXT, "a"),
        (Decimal("1.5"), Kind.FLOAT, 1.5),
        (np.float16(1.5), Kind.FLOAT, 1.5),
        (object(), Kind.INT, None),
        ({"a": 1}, Kind.INT, None),
    ],
)
def test_values_of_types_of_their_own(value, kind, expected):
    assert as_kind_of(value, kind) == expected


@pytest.mark.parametrize("text", ["s matches 'a'", "upper(s) = 'A'", "t > '2026-01-01'"])
def test_what_only_arrow_can_tell(text):
    assert RowRule.of(text, COLUMNS).scalar is None


def test_kinds():
    assert typed_row(parse("i + 1"), COLUMNS).kind is Kind.INT
    assert typed_row(parse("i / 1"), COLUMNS).kind is Kind.FLOAT
    assert typed_row(parse("`two words` + f"), COLUMNS).kind is Kind.FLOAT


def test_kinds_of_columns_are_those_of_features():
    types = {
        "price": pa.decimal128(10, 2),
        "took": pa.duration("s"),
        "at": pa.time64("us"),
        "code": pa.binary(2),
        "day": pa.date32(),
        "none": pa.null(),
    }
    found = kinds_of_columns(pa.schema(list(types.items())))
    assert found == {
        "price": Kind.FLOAT,
        "took": Kind.INT,
        "at": Kind.INT,
        "code": Kind.TEXT,
        "day": Kind.TIME,
    }


def test_a_map_is_a_list():
    maps = pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int64()))
    batch = pa.RecordBatch.from_pydict({"m": maps})
    assert kinds_of_columns(batch.schema) == {"m": Kind.LIST}
    (rule,) = parse_rules("- row: m is not null", kinds_of_columns(batch.schema)).row
    assert rule.broken(Columns.of(batch)).tolist() == [False, True, False]
