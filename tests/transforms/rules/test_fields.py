"""Fields of structs in expressions: `address.city = 'x'`."""

import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import ConfigError
from transforms.metadata.protos import schema_pb2, text_format
from transforms.row_checks.checks import Checks
from transforms.rules.column_rules import ColumnRule, ColumnState
from transforms.rules.evaluate import Columns, evaluate
from transforms.rules.files import parse_rules
from transforms.rules.kinds import Kind, Struct, joined_kinds, kinds_of_columns
from transforms.rules.row_rules import RowRule
from transforms.statistics.slices.where import SliceWhere

PLACE = pa.struct(
    [
        ("city", pa.string()),
        ("at", pa.struct([("lat", pa.float64()), ("when", pa.timestamp("us"))])),
        ("in", pa.int64()),
        ("tags", pa.list_(pa.string())),
    ]
)
SCHEMA = pa.schema(
    [("place", PLACE), ("n", pa.int64()), ("places", pa.list_(PLACE)), ("a.b", pa.int64())]
)
KINDS = kinds_of_columns(SCHEMA)
ROWS = [
    {"city": "Rome", "at": {"lat": 41.9, "when": datetime.datetime(2026, 1, 2)}, "in": 1},
    {"city": None, "at": None, "in": 2},
    None,
    {"city": "Oslo", "at": {"lat": None}, "in": None},
]
BATCH = pa.record_batch({"place": pa.array(ROWS, PLACE), "n": [1, 2, 3, 4]})
T, F, N = True, False, None


def value(text, batch=BATCH):
    return evaluate(RowRule.of(text, KINDS).tree, Columns.of(batch)).to_pylist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("place.city = 'Rome'", [T, N, N, F]),
        ("place.city in ('Rome', 'Bonn')", [T, N, N, F]),
        ("place.city matches '^O'", [F, N, N, T]),
        ("place.at.lat > 40", [T, N, N, N]),
        ("place.at.when > '2026-01-01'", [T, N, N, N]),
        ("place.in = n", [T, T, N, N]),
        ("place.`city` is null", [F, T, T, F]),
        ("place.at is null", [F, T, T, F]),
        ("place is null", [F, F, T, F]),
        ("length(place.tags) = 0", [N, N, N, N]),
        ("`a.b` is null", [T, T, T, T]),
    ],
)
def test_fields_of_structs(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    "array",
    [
        pa.array([5, None]),
        pa.array([{"town": "Rome"}, None]),
        pa.array([{"city": 5}, None]),
        pa.array([[{"city": "Rome"}], None]),
        pa.array([[("city", "Rome")], None], pa.map_(pa.string(), pa.string())),
    ],
)
def test_what_is_no_such_struct_is_unknown(array):
    assert value("place.city = 'Rome'", pa.record_batch({"place": array})) == [N, N]


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("place.citi = 'x'", 6, "struct 'place' has no field 'citi'; did you mean 'city'?"),
        ("place.at.lon = 1", 9, "struct 'place.at' has no field 'lon'"),
        ("n.x = 1", 2, "'n' is INT, and no struct with fields"),
        ("places.city = 'x'", 7, "'places' is of lists: rules see fields of structs, not within"),
        ("`place.city` = 'x'", 0, "a field of struct 'place' is written without backquotes"),
        ("a.b = 1", 2, "write the column 'a.b' in backquotes: `a.b`"),
        ("plac.city = 'x'", 0, "there is no column 'plac'; did you mean 'place'?"),
        ("place. = 1", 7, "expected the name of a field, found '='"),
    ],
)
def test_a_wrong_field_is_told_with_its_place(text, at, message):
    with pytest.raises(ConfigError, match=rf"line 1, column {9 + at}: ") as caught:
        parse_rules(f'- row: "{text}"', KINDS)
    assert message in str(caught.value)


def test_a_field_in_an_aggregate_and_a_slice():
    rule = ColumnRule.of("mean(place.in) = 1.5 and null_share(place.city) = 0.5", KINDS)
    (verdict,) = ColumnState.of((rule,), BATCH).verdicts()
    assert verdict.holds
    assert verdict.measured == (1.5, 0.5)
    ((name, rows),) = SliceWhere.parse("place.in > 1", KINDS)(BATCH)
    assert (name, rows["n"].to_pylist()) == ("place.in > 1", [2])


def test_the_fields_that_a_schema_knows():
    schema = text_format.Parse(
        """feature { name: "place" type: STRUCT struct_domain {
             feature { name: "city" type: BYTES }
             feature { name: "at" type: STRUCT struct_domain {
               feature { name: "when" type: INT } } } } }""",
        schema_pb2.Schema(),
    )
    known = Struct({"city": Kind.TEXT, "at": Struct({"when": Kind.INT})})
    assert Checks.of(schema).kinds == {"place": known}
    joined = joined_kinds(KINDS, Checks.of(schema).kinds)["place"]
    assert joined.fields["at"].fields == {"when": Kind.TIME, "lat": Kind.FLOAT}
    checks = Checks.of(schema)
    checks = checks.with_rules(parse_rules("- row: place.city != 'Rome'", checks.kinds))
    (fault,) = checks.faults(BATCH)
    assert (fault.column, fault.mask.tolist()) == ("place", [True, False, False, False])


CITIES = st.none() | st.sampled_from(["Rome", "Oslo", "é", ""])
PLACES = st.none() | st.fixed_dictionaries(
    {"city": CITIES, "at": st.none() | st.fixed_dictionaries({"lat": st.none() | st.floats()})},
    optional={"in": st.none() | st.integers(-3, 3)},
)
TEXTS = st.sampled_from(
    [
        "place.city = 'Rome'",
        "place.city in ('Rome', 'é')",
        "place.city matches 'o'",
        "place.city is null",
        "place.at.lat >= 0 or place.in < 0",
        "place.at is null or is_nan(place.at.lat)",
        "not place.in between -1 and 1",
        "abs(place.in) * 2 = 4",
    ]
)


@given(st.lists(PLACES, max_size=4), TEXTS)
def test_one_row_is_judged_as_a_column_is(places, text):
    rules = parse_rules(f'- row: "{text}"', KINDS)
    checks = Checks.of(None, rules)
    batch = pa.record_batch({"place": pa.array(places, PLACE)})
    found = checks.faults(batch)
    broken = found[0].mask.tolist() if found else [False] * len(places)
    assert [bool(checks.check_row({"place": place})) for place in places] == broken
