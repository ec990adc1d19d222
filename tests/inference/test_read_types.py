"""The verb that reads takes the types that the model needs, and says at once what can't be."""

import json

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inference import Model, Score
from tests.support import Collect, local_pipeline
from transforms.commit.commit import Commit
from transforms.commit.dead_letters import DeadLetters
from transforms.errors import ConfigError
from transforms.io.read import Read
from transforms.io.write import Write


def test_one_bad_cell_is_one_dead_letter(linear_model, tmp_path):
    (tmp_path / "in.csv").write_text("x,y,name\n1,1,a\nbad,1,b\n3,1,c\n")
    model = Model.resolve(str(linear_model))
    with local_pipeline() as root, Commit() as commit:
        dead = DeadLetters(f"{tmp_path}/dead/", commit)
        rows = root | Read(f"{tmp_path}/in.csv", types=model.input_types(), dead_letters=dead)
        _ = rows | Score(model, dead_letters=dead) | Write(f"{tmp_path}/out/", commit=commit)
    counts = commit.outcome()["counts"]
    assert (counts["rows_in"], counts["rows_out"]) == (3, 2)
    assert counts["dead_by_reason"] == {"unparsable": 1}
    (dead_file,) = (tmp_path / "dead").glob("*.jsonl")
    (letter,) = map(json.loads, dead_file.read_text().splitlines())
    assert (letter["source"], letter["column"]) == (f"{tmp_path}/in.csv#line=3", "x")
    assert letter["payloadString"] == "bad,1,b"
    told = [line.split() for line in commit.summary().splitlines()]
    assert told[:4] == [
        ["rows", "in", "3"],
        ["rows", "out", "2"],
        ["rows", "dead", "1"],
        ["unparsable", "1"],
    ]
    assert told[4][:3] == ["dead", "letters", f"{tmp_path}/dead"]
    assert told[5][:2] == ["output", f"{tmp_path}/out"]
    assert ["manifest", f"{tmp_path}/out/_millrace/run.json"] in told


def test_a_summary_of_a_run_that_has_not_ended(tmp_path):
    commit = Commit()
    commit.target(f"{tmp_path}/out/")
    assert commit.summary() == "the run did not come to its end, and nothing was published"


def test_a_pattern_has_a_type_too(zoo, tmp_path):
    (tmp_path / "in.csv").write_text("f10,f2,f1\n100,20,3\n100,bad,3\n100,20,4\n")
    model = Model.resolve(zoo, "matrix", {"features": "f*"})
    assert model.input_types() == {"f*": pa.float32()}
    with local_pipeline() as root, Commit() as commit:
        dead = DeadLetters(f"{tmp_path}/dead/", commit)
        rows = root | Read(f"{tmp_path}/in.csv", types=model.input_types(), dead_letters=dead)
        scored = rows | Score(model, dead_letters=dead)
        _ = scored | Write(f"{tmp_path}/out.parquet", commit=commit)
    assert pq.read_table(tmp_path / "out.parquet")["sum"].to_pylist() == [123.0, 124.0]


def test_a_wrong_column_is_told_when_the_pipeline_is_built(linear_model, tmp_path):
    (tmp_path / "in.csv").write_text("xx,y,name\n1,1,a\n")
    rows = beam.Pipeline() | Read(f"{tmp_path}/in.csv")
    with pytest.raises(ConfigError) as error:
        _ = rows | Score(str(linear_model))
    assert 'did you mean \'xx\'?); pass mapping={"x": "COLUMN"}' in str(error.value)
    assert "--" not in str(error.value)
    with pytest.raises(ConfigError, match="belong to a URI"):
        _ = beam.Pipeline() | Read(Read, types={"x": pa.float32()})


def test_images_in_examples_are_bytes(zoo, tmp_path):
    import tensorflow as tf

    from transforms.io.file_source import Source

    image = b"\x89PNG\xff\xfe"
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[image]))
    example = tf.train.Example(features=tf.train.Features(feature={"text": feature}))
    with tf.io.TFRecordWriter(str(tmp_path / "in.tfrecord")) as out:
        out.write(example.SerializeToString())
    model = Model.resolve(zoo, "text")
    source = Source.resolve(str(tmp_path / "in.tfrecord"), types=model.input_types())
    assert source.schema.field("text").type == pa.binary()
    collect = Collect()
    with local_pipeline() as root:
        _ = root | Read(source) | Score(model) | collect
    assert collect.found[0]["size"].to_pylist() == [len(image)]
