"""Record transformations: conditions, suppressions, fields within structs, contexts in texts."""

import datetime

import pyarrow as pa
import pytest

from privacy.local.columns.conditions import compile_condition
from privacy.local.columns.roles import redacted_schema
from privacy.local.inspect import inspect_batch
from privacy.local.plan import compile_plan
from privacy.local.redact import redact_batch
from privacy.local.reidentify import reidentify_batch
from privacy.policy.read import policy_of
from tests.privacy.policies import KEY, REPLACE
from transforms.errors import ConfigError

HASH = {"character_mask_config": {"masking_character": "#"}}


def condition(field, operator, **value):
    given = {"field": {"name": field}, "operator": operator}
    return {"expressions": {"conditions": {"conditions": [{**given, "value": value}]}}}


def records(*fields, suppress=(), names=("EMAIL_ADDRESS",), **more):
    return policy_of(
        {
            "inspect_config": {"info_types": [{"name": name} for name in names]},
            "deidentify_config": {
                "record_transformations": {
                    "field_transformations": list(fields),
                    "record_suppressions": [{"condition": each} for each in suppress],
                }
            },
            **more,
        }
    )


def whole(*names, primitive=HASH, **more):
    fields = [{"name": name} for name in names]
    return {"fields": fields, "primitive_transformation": primitive, **more}


def within(*names, **more):
    fields = [{"name": name} for name in names]
    return {"fields": fields, "info_type_transformations": {"transformations": [REPLACE]}, **more}


OLD = condition("age", "GREATER_THAN", integer_value=89)


def test_conditions_decide_row_by_row():
    batch = pa.record_batch({"age": ["101", "22", None, "x"], "score": [95, 21, 75, 5]})
    rows, rejects = redact_batch(batch, records(whole("score", condition=OLD)))
    assert rejects.num_rows == 0
    assert rows.column("score").to_pylist() == ["##", "21", "75", "5"]


def test_suppressed_rows_are_in_neither():
    batch = pa.record_batch({"age": [101, 22, None, 90], "mail": ["a@b.com"] * 4})
    rows, rejects = redact_batch(batch, records(within("mail"), suppress=[OLD]))
    assert rows.to_pylist() == [
        {"age": 22, "mail": "[EMAIL_ADDRESS]"},
        {"age": None, "mail": "[EMAIL_ADDRESS]"},
    ]
    assert rejects.num_rows == 0


def test_what_is_found_in_some_fields_and_rows():
    batch = pa.record_batch(
        {"age": [95, 5], "note": ["a@b.com x", "c@d.org"], "other": ["e@f.net", "g@h.com"]}
    )
    rows, _ = redact_batch(batch, records(within("note", condition=OLD)))
    assert rows.column("note").to_pylist() == ["[EMAIL_ADDRESS] x", "c@d.org"]
    assert rows.column("other").to_pylist() == ["e@f.net", "g@h.com"], "no field of the policy"


@pytest.mark.parametrize(
    ("column", "operator", "value", "wanted"),
    [
        ([1, 2, None], "EQUAL_TO", {"integer_value": 2}, [0, 1, 0]),
        ([1.5, 2, None], "LESS_THAN", {"float_value": 1.6}, [1, 0, 0]),
        (["1", "2.0", "b"], "GREATER_THAN_OR_EQUALS", {"integer_value": 2}, [0, 1, 0]),
        (["1", "2", "b"], "NOT_EQUAL_TO", {"integer_value": 2}, [1, 0, 1]),
        (["a", "b", None], "LESS_THAN_OR_EQUALS", {"string_value": "a"}, [1, 0, 0]),
        ([1, 2, 3], "EQUAL_TO", {"string_value": "2"}, [0, 1, 0]),
        ([True, False, None], "EQUAL_TO", {"boolean_value": True}, [1, 0, 0]),
        ([1, 2, 3], "EQUAL_TO", {"boolean_value": True}, [0, 0, 0]),
        (["", None, "x"], "EXISTS", {}, [1, 0, 1]),
        (
            [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1), None],
            "GREATER_THAN",
            {"date_value": {"year": 2020, "month": 6, "day": 1}},
            [0, 1, 0],
        ),
        (
            ["2020-01-01", "2021-01-01T00:00:00Z", "x"],
            "GREATER_THAN",
            {"timestamp_value": "2020-06-01T00:00:00Z"},
            [0, 1, 0],
        ),
    ],
)
def test_comparisons(column, operator, value, wanted):
    rules = records(suppress=[condition("v", operator, **value)])
    given = rules.deidentify_config.record_transformations.record_suppressions[0].condition
    made = compile_condition(given, [])
    batch = pa.record_batch({"v": pa.array(column)})
    assert made.holds(batch).astype(int).tolist() == wanted


def test_several_steps_on_one_field():
    fields = [
        whole("v", primitive={"replace_config": {"new_value": {"string_value": "abc"}}}),
        whole("v", primitive=HASH, condition=OLD),
    ]
    batch = pa.record_batch({"v": ["x", "y"], "age": [90, 1]})
    rows, _ = redact_batch(batch, records(*fields))
    assert rows.column("v").to_pylist() == ["###", "abc"]


PEOPLE = [
    {"id": 1, "who": {"mail": "a@b.com", "tel": [4155550132, 5], "raw": b"x"}},
    {"id": 2, "who": {"mail": None, "tel": None, "raw": None}},
    {"id": 3, "who": None},
]


def test_fields_within_structs_and_lists():
    batch = pa.RecordBatch.from_pylist(PEOPLE)
    rules = records(whole("who.tel"), within("who.mail"), columns={"leave": ["who.raw"]})
    rows, rejects = redact_batch(batch, rules)
    assert rejects.num_rows == 0
    assert rows.to_pylist() == [
        {"id": 1, "who": {"mail": "[EMAIL_ADDRESS]", "tel": ["##########", "#"], "raw": b"x"}},
        *PEOPLE[1:],
    ]
    assert rows.schema.equals(redacted_schema(compile_plan(rules), batch.schema))


def test_conditions_on_fields_within_structs():
    batch = pa.RecordBatch.from_pylist(PEOPLE)
    given = condition("who.mail", "EXISTS")
    rules = records(whole("who.tel", condition=given), columns={"leave": ["who.raw"]})
    rows, _ = redact_batch(batch, rules)
    assert rows.to_pylist()[0]["who"]["tel"] == ["##########", "#"]


def test_contexts_of_what_is_found_in_texts():
    """A token is bound to another field of its row; in another row it can't be read."""
    token = {
        "crypto_deterministic_config": {
            "crypto_key": {"unwrapped": {"key": KEY}},
            "surrogate_info_type": {"name": "MAIL_TOKEN"},
            "context": {"name": "id"},
        }
    }
    inner = {"transformations": [{"primitive_transformation": token}]}
    rules = policy_of(
        {
            "inspect_config": {"info_types": [{"name": "EMAIL_ADDRESS"}]},
            "deidentify_config": {"info_type_transformations": inner},
        }
    )
    batch = pa.record_batch({"id": [1, 2, 1], "t": ["to a@b.com", "a@b.com, c@d.org", "a@b.com!"]})
    hidden, _ = redact_batch(batch, rules)
    texts = hidden.column("t").to_pylist()
    assert texts[0][3:] == texts[2][:-1]
    assert texts[1].split(",")[0] != texts[0][3:]
    assert inspect_batch(hidden, rules).num_rows == 0
    assert reidentify_batch(hidden, rules)[0].equals(batch)
    moved = hidden.set_column(0, "id", pa.array([2, 1, 1]))
    assert reidentify_batch(moved, rules)[1].num_rows == 2


def test_what_does_not_fit_is_told_together():
    batch = pa.RecordBatch.from_pylist(PEOPLE)
    batch = batch.append_column("what", pa.array([b"x", b"y", None]))
    rules = records(
        whole("who.tell"), within("note", condition=condition("when", "EXISTS")), whole("who")
    )
    with pytest.raises(ConfigError) as told:
        redact_batch(batch, rules)
    for part in ("'who.tell'", "'note'", "'when'", "'who' is struct", "'what' is binary"):
        assert part in str(told.value)
