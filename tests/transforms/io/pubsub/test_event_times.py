"""Event times of rows: texts, timestamps, and rows that have none."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of
from transforms.batches import with_source
from transforms.io.pubsub.event_times import event_times
from transforms.rejects import NO_REJECTS, reject_payloads

TIME = datetime(2026, 1, 31, 23, 59, 1, 250_000, UTC)
MICROS = 1_769_903_941_250_000


def read(values, type=None, rejects=NO_REJECTS):
    array = pa.array(values, type)
    return event_times(batch_of(n=list(range(len(array))), at=array), rejects, "at")


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T23:59:01.250Z",
        "2026-01-31T23:59:01.25+00:00",
        "2026-02-01T00:59:01.250+01:00",
        "1769903941250",
    ],
)
def test_texts(text):
    rows, rejects, times = read([text])
    assert times.tolist() == [MICROS]
    assert rows["at"].to_pylist() == [TIME]
    assert rejects.num_rows == 0


def test_both_kinds_of_text_together():
    _, rejects, times = read(["1769903941250", "2026-01-31T23:59:01.250Z", "-1", "0"])
    assert times.tolist() == [MICROS, MICROS, -1000, 0]
    assert rejects.num_rows == 0


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps(unit):
    rows, _, times = read([TIME.replace(microsecond=0)], pa.timestamp(unit, "UTC"))
    assert times.tolist() == [MICROS - 250_000]
    assert rows.schema.field("at").type == pa.timestamp("us", "UTC")


def test_those_without_one_are_rejected():
    before = reject_payloads(pa.array([b"before"]), "unparsable", "it was before")
    given = ["1769903941250", None, "soon", "1769903941251", "", "9" * 16]
    rows, rejects, times = read(given, rejects=before)
    assert rows["n"].to_pylist() == [0, 3]
    assert times.tolist() == [MICROS, MICROS + 1000]
    found = rejects.to_pylist()
    assert [(r["reason"], r["column"]) for r in found] == [
        ("unparsable", None),
        ("missing_value", "at"),
        *[("unparsable", "at")] * 3,
    ]
    assert [json.loads(r["payloadString"])["n"] for r in found[1:]] == [1, 2, 4, 5]
    assert "soon" not in "".join(r["errorMessage"] for r in found)


def test_notes_stay():
    batch = with_source(batch_of(at=["0", "x", "1"]), "file", 10)
    rows, rejects, _ = event_times(batch, NO_REJECTS, "at")
    assert rows.schema.metadata[b"millrace:source"] == b"file"
    assert rejects["source"].to_pylist() == ["file#row=11"]


def test_none():
    rows, rejects, times = read([], pa.string())
    assert (rows.num_rows, rejects.num_rows, len(times)) == (0, 0, 0)
    assert rows.schema.field("at").type == pa.timestamp("us", "UTC")


@given(st.lists(st.none() | st.text(max_size=5) | st.integers(-(10**15), 10**15).map(str)))
def test_every_row_goes_one_way(texts):
    rows, rejects, times = read(texts, pa.string())
    assert rows.num_rows + rejects.num_rows == len(texts)
    assert rows.num_rows == len(times)
    rejected = [json.loads(text)["n"] for text in rejects["payloadString"].to_pylist()]
    assert sorted(rows["n"].to_pylist() + rejected) == list(range(len(texts)))
