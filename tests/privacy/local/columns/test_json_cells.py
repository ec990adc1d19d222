"""JSON in texts, maps and lists of one size."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.local.columns.json_cells import visit_json
from privacy.local.columns.roles import redacted_schema
from privacy.local.inspect import inspect_batch
from privacy.local.plan import compile_plan
from privacy.local.redact import redact_batch
from privacy.policy.read import policy_of
from tests.privacy.local.columns.test_records import HASH, records, whole, within
from tests.privacy.policies import policy
from transforms.errors import ConfigError

JSON = {"columns": {"json": ["doc"]}}


def redacted(texts, rules):
    batch = pa.record_batch({"doc": pa.array(texts, pa.string())})
    rows, rejects = redact_batch(batch, rules)
    assert rejects.num_rows == 0
    return rows.column("doc").to_pylist()


def test_values_and_keys_within_json():
    texts = [
        '{"user": {"phone": 4155550132, "tags": ["a@b.com", "x"], "n": 7, "ok": true, "é": null}}',
        '{ "plain" : 1.0 }',
        "not json, c@d.org",
        None,
        '{"a@b.com": 1, "c@d.org": 2}',
        '["e@f.org", [4111111111111111]]',
    ]
    made = redacted(texts, policy(**JSON))
    assert json.loads(made[0]) == {
        "user": {
            "phone": "[PHONE_NUMBER]",
            "tags": ["[EMAIL_ADDRESS]", "x"],
            "n": 7,
            "ok": True,
            "é": None,
        }
    }
    assert made[1:4] == [texts[1], "not json, [EMAIL_ADDRESS]", None]
    assert json.loads(made[4]) == {"[EMAIL_ADDRESS]": 1, "[EMAIL_ADDRESS] 2": 2}
    assert json.loads(made[5]) == ["[EMAIL_ADDRESS]", ["[CREDIT_CARD_NUMBER]"]]


def test_findings_within_json_have_paths():
    batch = pa.record_batch({"doc": ['{"a": "x"}', '{"a": {"b": ["c@d.org"]}}']})
    (found,) = inspect_batch(batch, policy(include_quote=True, **JSON)).to_pylist()
    assert (found["row"], found["column"], found["quote"]) == (1, "doc.a.b", "c@d.org")
    assert found["byte_start"] == 0


def test_fields_within_json():
    rules = records(
        whole("doc.pin"), within("doc.note"), columns={"json": ["doc"], "leave": ["doc.id"]}
    )
    texts = ['{"pin":12,"note":"a@b.com","id":"e@f.org","other":"g@h.org"}']
    assert [json.loads(each) for each in redacted(texts, rules)] == [
        {"pin": "##", "note": "[EMAIL_ADDRESS]", "id": "e@f.org", "other": "g@h.org"}
    ]


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(DOCUMENTS, max_size=5))
def test_all_texts_and_numbers_are_visited_and_put_back(documents):
    seen = []

    def visit(values, path, rows):
        seen.extend(values.to_pylist())
        return pa.array([f"<{each}>" for each in values.to_pylist()], pa.string()), rows < 0

    texts = pa.array([json.dumps(each) for each in documents], pa.string())
    made, faults = visit_json(texts, "d", visit)
    assert not faults.any()

    def marked(value):
        if isinstance(value, dict):
            return {f"<{key}>": marked(each) for key, each in value.items()}
        if isinstance(value, list):
            return [marked(each) for each in value]
        return value if value is None or isinstance(value, bool) else f"<{value}>"

    for old, new in zip(documents, made.to_pylist(), strict=True):
        if isinstance(old, dict | list):
            assert json.loads(new) == marked(old)
        else:
            assert new == f"<{json.dumps(old)}>"
    same, _ = visit_json(texts, "d", lambda values, path, rows: (values, rows < 0))
    assert same is texts


def test_json_is_for_the_local_engine():
    with pytest.raises(ConfigError, match=r"columns\.json: only engine: local"):
        policy_of({"engine": "cloud", **JSON})


def test_maps_and_lists_of_one_size():
    batch = pa.record_batch(
        {
            "m": pa.array(
                [[("a@b.com", "x")], None, [], [("k", "c@d.org"), ("l", None)]],
                pa.map_(pa.string(), pa.string()),
            ),
            "f": pa.array(
                [["a", "e@f.org"], None, ["b", None], ["c", "d@e.org"]], pa.list_(pa.string(), 2)
            ),
        }
    ).slice(1)
    rules = policy()
    rows, _ = redact_batch(batch, rules)
    assert rows.to_pylist() == [
        {"m": None, "f": None},
        {"m": [], "f": ["b", None]},
        {"m": [("k", "[EMAIL_ADDRESS]"), ("l", None)], "f": ["c", "[EMAIL_ADDRESS]"]},
    ]
    assert rows.schema.equals(batch.schema)
    found = inspect_batch(batch, rules).to_pylist()
    assert [(each["column"], each["row"]) for each in found] == [
        ("m.value", 2),
        ("f", 2),
    ]
    numbers = pa.record_batch({"m": pa.array([[("k", 12)]], pa.map_(pa.string(), pa.int64()))})
    rules = records(whole("m.value", primitive=HASH))
    rows, _ = redact_batch(numbers, rules)
    assert rows.to_pylist() == [{"m": [("k", "##")]}]
    assert rows.schema.equals(redacted_schema(compile_plan(rules), numbers.schema))
