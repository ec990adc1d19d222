"""Raw messages: their attributes, and their rejects."""

import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.io.payloads.messages import MESSAGES, attribute, reject_messages
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, REJECTS

AT = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


def messages_of(*attributes, ids=None):
    """Messages with these attributes: dicts, lists of pairs, or None."""
    rows = [
        {
            "data": b"\xff%d" % i,
            "attributes": list(pairs.items()) if isinstance(pairs, dict) else pairs,
            "message_id": f"m{i}" if ids is None else ids[i],
            "publish_time": AT,
        }
        for i, pairs in enumerate(attributes)
    ]
    for row in rows:
        if row["attributes"] is not None:
            row["attributes"] = [{"key": k, "value": v} for k, v in row["attributes"]]
    return pa.RecordBatch.from_pylist(rows, schema=MESSAGES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a", ["1", None, None, "", None]), ("b", ["2", None, None, "4", None]), ("c", [None] * 5)],
)
def test_attribute(name, expected):
    messages = messages_of({"a": "1", "b": "2"}, {}, None, {"b": "4", "a": ""}, {"A": "5"})
    found = attribute(messages, name)
    assert found.type == pa.string()
    assert found.to_pylist() == expected


def test_of_a_key_that_occurs_twice_the_last_counts():
    messages = messages_of([("a", "1"), ("b", "x"), ("a", None)], [("a", "1"), ("a", "2")])
    assert attribute(messages, "a").to_pylist() == [None, "2"]


PAIRS = st.none() | st.dictionaries(st.sampled_from("abc"), st.none() | st.text("xy", max_size=2))


@given(st.lists(PAIRS, max_size=8), st.integers(0, 8), st.integers(0, 8))
def test_attributes_of_slices(pairs, start, length):
    found = attribute(messages_of(*pairs).slice(start, length), "b")
    expected = [(some or {}).get("b") for some in pairs[start : start + length]]
    assert found.to_pylist() == expected


def test_rejects_keep_bytes_and_attributes():
    messages = messages_of({"x": "y"}, {"k": "v"}, None, ids=["a", "b", None]).slice(1)
    rejects = reject_messages(messages, Reason.OVERFLOW, "too much", "c", uri="pubsub://s")
    rejects.validate(full=True)
    assert rejects.schema.equals(REJECTS)
    rest = {"errorMessage": "too much", "reason": "overflow", "column": "c"}
    rest |= dict.fromkeys(["payloadString", "stacktrace", "version"])
    assert rejects.to_pylist() == [
        {
            "payloadBytes": b"\xff1",
            "attributes": [{"key": "k", "value": "v"}],
            "source": "pubsub://s#message=b",
            **rest,
        },
        {"payloadBytes": b"\xff2", "attributes": None, "source": "pubsub://s", **rest},
    ]


def test_rejects_of_no_messages():
    messages = messages_of({}).slice(0, 0)
    assert reject_messages(messages, Reason.OVERFLOW, "", uri="u").equals(NO_REJECTS)
