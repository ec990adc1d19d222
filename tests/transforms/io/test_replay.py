"""Replay: what was rejected, as dead letters of every format keep it, is read again."""

import datetime
import json

import pyarrow as pa
import pytest

from beam_jobs import ingest
from tests.support import batch_of
from transforms.batches import MESSAGE, with_source
from transforms.commit.dead_letters import stamp_rejects
from transforms.io.payloads.json import Json
from transforms.io.payloads.messages import MESSAGES, reject_messages
from transforms.io.replay import messages_of, replayed
from transforms.reasons import Reason
from transforms.rejects import join_rejects, reject_rows


def _letters():
    rows = with_source(pa.record_batch({"n": [1, 2], "s": ["a", None]}), "in.csv", 2, "line")
    rejected = reject_rows(rows, Reason.MODEL_ERROR, "the model failed")
    message = [b'{"n": 3, "s": "c"}', [("k", "v")], "m7", None, None]
    message = pa.RecordBatch.from_arrays(
        [pa.array([value], field.type) for value, field in zip(message, MESSAGES, strict=True)],
        schema=MESSAGES,
    )
    undecoded = reject_messages(message, Reason.UNPARSABLE, "no JSON", uri="pubsub://s")
    return stamp_rejects(join_rejects([rejected, undecoded]), "Score", "job", "run", True)


def test_letters_are_messages_again():
    messages = messages_of(_letters())
    assert [json.loads(data) for data in messages["data"].to_pylist()] == [
        {"n": 1, "s": "a"},
        {"n": 2, "s": None},
        {"n": 3, "s": "c"},
    ]
    assert messages["message_id"].to_pylist() == [
        "in.csv#line=2",
        "in.csv#line=3",
        "pubsub://s#message=m7",
    ]
    assert messages["attributes"].to_pylist()[2] == [{"key": "k", "value": "v"}]


def test_a_row_keeps_the_time_and_key_of_its_message():
    """A verb rejects a row with the columns of its message; the letter's own time is another."""
    published = datetime.datetime(2026, 1, 31, 23, 59, tzinfo=datetime.UTC)
    rows = batch_of(
        n=[1, 2],
        message_id=["m1", "m2"],
        publish_time=pa.array([published, None], pa.timestamp("us", "UTC")),
        ordering_key=["k", None],
    )
    rows = with_source(rows, "pubsub://s", None, MESSAGE)
    rejected = reject_rows(rows, Reason.MODEL_ERROR, "the model failed")
    letters = stamp_rejects(rejected, "Score", "job", "run", True)
    schema = pa.schema([("n", pa.int64())])
    found, rejects = replayed(letters, Json(), schema)
    assert rejects.num_rows == 0
    assert found["n"].to_pylist() == [1, 2]
    assert found["message_id"].to_pylist() == ["m1", "m2"]
    assert found["publish_time"].to_pylist() == [published, letters["timestamp"][1].as_py()]
    assert found["ordering_key"].to_pylist() == ["k", None]


def test_a_second_rejection_names_the_first_place():
    rows, rejects = replayed(_letters(), Json(), pa.schema([("n", pa.string()), ("s", pa.int64())]))
    assert rows["message_id"].to_pylist() == ["in.csv#line=3"]
    assert rejects["source"].to_pylist() == ["in.csv#line=2", "pubsub://s#message=m7"]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "avro", "csv"])
def test_the_job_replays_letters_of_every_format(tmp_path, suffix):
    from transforms.files.uris import load_format

    letters = _letters()
    if suffix == "csv":
        letters = letters.set_column(3, "attributes", pa.nulls(3, letters.schema.field(3).type))
    with (tmp_path / f"x.{suffix}").open("wb") as stream:
        writer = load_format(suffix).writer(stream, letters.schema)
        writer.write(letters)
        writer.close()
    fields = [{"name": "n", "type": "INTEGER"}, {"name": "s", "type": "STRING"}]
    (tmp_path / "schema.json").write_text(json.dumps(fields))
    flags = {"input": f"x.{suffix}", "output": "out.jsonl", "schema": "schema.json"}
    argv = [f"--{name}={tmp_path}/{value}" for name, value in flags.items()]
    assert ingest.main([*argv, "--replay=true"]) == 0
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["n"], row["s"]) for row in found] == [(1, "a"), (2, None), (3, "c")]


def test_replay_needs_a_schema(tmp_path, capfd):
    argv = [f"--input={tmp_path}/x.jsonl", f"--output={tmp_path}/out/", "--replay=true"]
    assert ingest.main(argv) == 2
    assert "--replay needs --schema" in capfd.readouterr().err


def test_lines_of_csv_and_rows_that_a_verb_rejected(tmp_path):
    """After a fix: here the column is text from now on, and the order of cells is the file's."""
    (tmp_path / "in.csv").write_text("n,s\n1,a\nx,b\n3,c\n")
    first = [f"--input={tmp_path}/in.csv", f"--output={tmp_path}/rows/", "--shards=1"]
    fields = [{"name": "s", "type": "STRING"}, {"name": "n", "type": "INTEGER"}]
    (tmp_path / "schema.json").write_text(json.dumps(fields))
    assert ingest.main([*first, f"--schema={tmp_path}/schema.json"]) == 0
    letters = tmp_path / "rows.dead_letters"
    with (letters / "part-more.jsonl").open("w") as file:
        row = {
            "payloadString": '{"n": "9", "s": "z"}',
            "reason": "model_error",
            "source": "f#line=7",
        }
        file.write(json.dumps(row) + "\n")
    argv = [f"--input={letters}/", f"--output={tmp_path}/again.jsonl", "--replay", "--payload=csv"]
    (tmp_path / "like.csv").write_text("n,s\ntext,text\n")
    assert ingest.main([*argv, f"--schema={tmp_path}/like.csv"]) == 0
    found = [json.loads(line) for line in (tmp_path / "again.jsonl").read_text().splitlines()]
    assert sorted((row["n"], row["s"]) for row in found) == [("9", "z"), ("x", "b")]
    assert {row["message_id"] for row in found} == {f"{tmp_path}/in.csv#line=3", "f#line=7"}
