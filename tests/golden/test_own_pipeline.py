"""Score in a pipeline of one's own, whatever its elements are; each in fewer than ten lines."""

import apache_beam as beam
import pyarrow as pa
import pytest

from inference import Score, score_table
from tests.support import Collect, batch_of, local_pipeline
from transforms.commit.commit import Commit
from transforms.commit.dead_letters import DeadLetters
from transforms.errors import ConfigError
from transforms.io.read import Read
from transforms.io.write import Write
from transforms.rows.bridge import FromRows, ToRows

DICTS = [{"x": float(n), "y": 1.0, "name": "n"} for n in range(5)]
SCORES = [1.0, 3.0, 5.0, 7.0, 9.0]


def test_dicts(linear_model):
    collect = Collect()
    with local_pipeline() as root:
        rows = root | beam.Create(DICTS)
        _ = rows | FromRows() | Score(str(linear_model)) | ToRows() | collect
    assert sorted(row["score"] for row in collect.found) == SCORES


def test_beam_rows(linear_model):
    collect = Collect()
    with local_pipeline() as root:
        rows = root | beam.Create(DICTS) | beam.Select(x=_x, y=_y, name=_name)
        _ = rows | FromRows() | Score(str(linear_model)) | ToRows("row") | collect
    assert sorted(row.score for row in collect.found) == SCORES


def test_batches(linear_model):
    collect = Collect()
    with local_pipeline() as root:
        rows = root | beam.Create([pa.RecordBatch.from_pylist(DICTS)])
        _ = rows | Score(str(linear_model)) | collect
    assert collect.found[0]["score"].to_pylist() == SCORES


def test_files_with_a_door_and_a_commit(linear_model, tmp_path):
    (tmp_path / "in.csv").write_text("x,y,name\n1,1,a\n13,1,b\n")
    with local_pipeline() as root, Commit() as commit:
        dead = DeadLetters(f"{tmp_path}/dead/", commit)
        rows = root | Read(f"{tmp_path}/in.csv", dead_letters=dead)
        scored = rows | Score(str(linear_model), dead_letters=dead)
        _ = scored | Write(f"{tmp_path}/out/", commit=commit)
    assert commit.outcome()["counts"]["dead_by_reason"] == {"model_error": 1}
    with pytest.raises(ConfigError, match=r"out exists: pass --overwrite"), Commit() as again:
        _ = local_pipeline() | Read(f"{tmp_path}/in.csv") | Write(f"{tmp_path}/out/", commit=again)


def test_a_table_without_a_pipeline(linear_model):
    rows = pa.Table.from_batches([batch_of(x=[1.0, 13.0, None], y=[1.0] * 3, name=["a"] * 3)])
    scored, rejects = score_table(rows, str(linear_model))
    assert scored["score"].to_pylist() == [3.0]
    assert rejects["reason"].to_pylist() == ["missing_value", "model_error"]


def _x(row):
    return row["x"]


def _y(row):
    return row["y"]


def _name(row):
    return row["name"]
