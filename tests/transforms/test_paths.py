"""A `pathlib.Path` is taken wherever a verb takes a URI."""

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from inference import score_table
from transforms import Commit, DeadLetters, Read, Validate, Write

SCHEMA = 'feature { name: "x" type: FLOAT presence { min_fraction: 1 } shape {} }'


def test_from_files_to_files(tmp_path):
    pq.write_table(pa.table({"x": [1.0, None]}), tmp_path / "in.parquet")
    (tmp_path / "schema.pbtxt").write_text(SCHEMA)
    with beam.Pipeline() as root, Commit() as commit:
        dead = DeadLetters(tmp_path / "dead", commit)
        rows = root | Read(tmp_path / "in.parquet", dead_letters=dead)
        fine = rows | Validate(tmp_path / "schema.pbtxt", dead_letters=dead)
        _ = fine | Write(tmp_path / "out.parquet", commit)
    assert pq.read_table(tmp_path / "out.parquet")["x"].to_pylist() == [1.0]
    assert len([*(tmp_path / "dead").glob("*.jsonl")]) == 1


def test_a_model(linear_model):
    rows = pa.table({"x": [1.0], "y": [2.0], "name": ["a"]})
    scored, _ = score_table(rows, linear_model)
    assert scored["score"].to_pylist() == [4.0]
