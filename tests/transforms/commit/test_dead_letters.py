import json

import numpy as np
import pyarrow as pa
import pytest

from tests.support import batch_of, run_on
from transforms.batches import with_source
from transforms.commit.commit import Commit
from transforms.commit.dead_letters import DEAD_LETTERS, DeadLetters, split_rejects, stamp_rejects
from transforms.conform import conform
from transforms.errors import RejectedRows
from transforms.reasons import Reason
from transforms.rejects import NO_REJECTS, join_rejects, reject_payloads, reject_rows, rejected_rows

ROWS = batch_of(name=["ann", None], age=[3, 4])


def test_rejected_rows_keep_the_row_and_where_it_was():
    rejects = reject_rows(
        with_source(ROWS, "in.csv", 7, "line"), Reason.OVERFLOW, "why", column="age"
    )
    rows = rejects.to_pylist()
    assert [json.loads(row["payloadString"]) for row in rows] == ROWS.to_pylist()
    assert [row["source"] for row in rows] == ["in.csv#line=7", "in.csv#line=8"]
    assert {(row["reason"], row["column"], row["errorMessage"]) for row in rows} == {
        ("overflow", "age", "why")
    }


def test_raw_payloads_keep_their_kind():
    text = reject_payloads(pa.array(["a,b"]), Reason.RAGGED_LINE, "why")
    raw = reject_payloads(pa.array([b"\xff"]), Reason.INVALID_UTF8, "why")
    both = join_rejects([text, NO_REJECTS, raw]).to_pylist()
    assert [(row["payloadString"], row["payloadBytes"]) for row in both] == [
        ("a,b", None),
        (None, b"\xff"),
    ]
    assert join_rejects([]) is NO_REJECTS


def test_a_file_is_no_row():
    one = reject_payloads(pa.nulls(1, pa.string()), Reason.TRUNCATED_FILE, "why")
    two = reject_payloads(pa.array(["x"]), Reason.UNPARSABLE, "why")
    assert rejected_rows(join_rejects([one, two])) == 1


@pytest.mark.parametrize("payload", [True, False])
def test_stamped_letters(payload):
    rejects = reject_payloads(pa.array(["secret"]), Reason.UNPARSABLE, "why")
    letters = stamp_rejects(rejects, "Read", "score", "run-1", payload)
    assert letters.schema.equals(DEAD_LETTERS)
    row = letters.to_pylist()[0]
    assert (row["step"], row["pipeline"], row["run_id"]) == ("Read", "score", "run-1")
    assert row["payloadString"] == ("secret" if payload else None)
    assert row["timestamp"].tzinfo is not None


def test_conform_parts_rows_and_names_the_column():
    schema = pa.schema([("age", pa.int8()), ("extra", pa.string())])
    batch = with_source(batch_of(age=[1, 300, 2], name=["a", "b", "c"]), "f.parquet", 1)
    rows, rejects = conform(batch, schema)
    assert rows.to_pydict() == {"age": [1, 2], "extra": [None, None]}
    row = rejects.to_pylist()[0]
    assert json.loads(row["payloadString"]) == {"age": 300, "name": "b"}
    assert (row["column"], row["reason"], row["source"]) == ("age", "overflow", "f.parquet#row=2")
    assert "300" not in row["errorMessage"]


def test_conform_gives_a_row_with_two_faults_one_letter():
    schema = pa.schema([("a", pa.int8()), ("b", pa.int8())])
    rows, rejects = conform(batch_of(a=[300, 1], b=[300, 300]), schema)
    assert rows.num_rows == 0
    assert rejects["column"].to_pylist() == ["a", "b"]


def _outcome(batch):
    bad = np.array([n % 2 == 1 for n in batch["n"].to_pylist()])
    rejects = (
        reject_rows(batch.filter(pa.array(bad)), Reason.MODEL_ERROR, "odd")
        if bad.any()
        else NO_REJECTS
    )
    return batch.filter(pa.array(~bad)), rejects


def _verb(dead_letters):
    import apache_beam as beam

    return lambda rows: split_rejects(rows | beam.Map(_outcome), dead_letters, "Odd")


def test_without_a_door_a_reject_fails_and_shows_no_value():
    with pytest.raises(RejectedRows, match="Odd rejected 2 row") as error:
        run_on([batch_of(n=[1337, 1339])], _verb(None))
    assert "1337" not in str(error.value)


def test_through_the_door(tmp_path):
    commit = Commit("test", "run-1")
    dead = DeadLetters(str(tmp_path / "dead"), commit)

    def build(rows):
        good = _verb(dead)(rows)
        commit.close()
        return good

    out = run_on([batch_of(n=[1, 2, 3]), batch_of(n=[4])], build)
    assert sorted(n for batch in out for n in batch["n"].to_pylist()) == [2, 4]
    letters = [
        json.loads(line)
        for path in (tmp_path / "dead").glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert [(json.loads(row["payloadString"]), row["step"]) for row in letters] == [
        ({"n": 1}, "Odd"),
        ({"n": 3}, "Odd"),
    ]
    manifest = json.loads((tmp_path / "dead" / "_millrace" / "run.json").read_text())
    assert manifest["counts"]["dead_by_reason"] == {"model_error": 2}
    assert manifest["counts"]["dead_by_step"] == {"Odd": 2}
