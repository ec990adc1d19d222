"""The score job with everything on Cloud Storage: input, model, output, dead letters."""

import json
import pathlib

import pyarrow as pa
import pytest

from tests.support import local_pipeline
from tests.transforms.commit.stream.outputs import END, START, WINDOW, log
from transforms.commit.commit import Commit
from transforms.commit.dead_letters import DeadLetters
from transforms.commit.stream.commit import StreamCommit
from transforms.commit.stream.panes import Pane, commit_pane, recover
from transforms.files import filesystem
from transforms.files.filesystem import change_of
from transforms.io.file_read import read_batches
from transforms.io.file_source import Source
from transforms.io.read import Read
from transforms.io.write import Write

pytestmark = pytest.mark.integration


def _upload(folder, target):
    for path in folder.rglob("*"):
        if path.is_file():
            with filesystem.open_write(f"{target}/{path.relative_to(folder)}") as stream:
                stream.write(path.read_bytes())


def _rows(uri):
    return [row for rows, _ in read_batches(Source.resolve(uri)) for row in rows.to_pylist()]


def test_a_model_is_exported_on_gcs(bucket, graph_uri, tmp_path):
    """Graph, model and rows there, and the export too: scored from there by itself."""
    import tensorflow as tf

    from beam_jobs.export import main
    from inference import score_table

    module = tf.Module()
    sparse = tf.SparseTensorSpec([None, None], tf.int64)
    module.serve = tf.function(
        lambda ids, fare: {"y": tf.cast(tf.sparse.reduce_sum(ids, 1), tf.float32) + fare},
        input_signature=[sparse, tf.TensorSpec([None], tf.float32, "fare")],
    )
    tf.saved_model.save(module, f"{tmp_path}/m", signatures={"serving_default": module.serve})
    _upload(tmp_path / "m", f"{bucket}/models/sum/1")
    _upload(pathlib.Path(graph_uri), f"{bucket}/graph")
    with filesystem.open_write(f"{bucket}/raw.csv") as stream:
        stream.write(b"fare,company,miles,tip,hour\n5,a,,0,1\n25,none such,2,1,1\n15,,2,1,1\n")
    given = [f"--model={bucket}/models/sum/1", f"--transform_graph={bucket}/graph"]
    given += [f"--rows={bucket}/raw.csv", f"--output={bucket}/served/1", "--label=tip"]
    assert main([*given, "--map=ids=company_id", "--map=fare=fare_scaled"]) == 0
    rows = pa.table({"fare": [5.0, 15.0], "company": ["b", None]})
    scored, rejects = score_table(rows, f"{bucket}/served/1")
    assert rejects.num_rows == 0
    assert scored["y"].to_pylist() == [1.0, 0.5]
    assert main([*given, "--map=ids=company_id", "--map=fare=fare_scaled"]) == 2


def test_everything_on_gcs(bucket, linear_model):
    from beam_jobs.score import main

    _upload(linear_model, f"{bucket}/models/linear/4")
    for part in range(3):
        with filesystem.open_write(f"{bucket}/in/day={part}/rows.csv") as stream:
            stream.write(f"x,y,name\n{part},1,a\noops,1,b\n".encode())
    flags = [f"--input={bucket}/in", f"--model={bucket}/models/linear/4", f"--output={bucket}/out/"]
    assert main([*flags, "--run_id=r1"]) == 0
    rows = sorted(_rows(f"{bucket}/out/*.parquet"), key=lambda row: row["day"])
    assert [(row["day"], row["score"], row["model_version"]) for row in rows] == [
        (0, 1.0, "4"),
        (1, 3.0, "4"),
        (2, 5.0, "4"),
    ]
    dead = _rows(f"{bucket}/out.dead_letters/")
    assert sorted(row["source"] for row in dead) == [
        f"{bucket}/in/day={part}/rows.csv#line=3" for part in range(3)
    ]
    manifest = json.loads(filesystem.read_bytes(f"{bucket}/out/_millrace/run.json"))
    assert manifest["counts"]["rows_in"] == 6
    assert [file["path"] for file in manifest["outputs"][1]["files"]]
    left = [file.uri for file in filesystem.list_files(f"{bucket}/**") if "millrace-" in file.uri]
    assert left == []
    assert main([*flags, "--run_id=r1"]) == 0
    assert main(flags) == 2
    assert main([*flags, "--overwrite", "--limit=1", "--shards=1"]) == 0
    assert len(_rows(f"{bucket}/out/*.parquet")) == 1


def test_one_file_on_gcs(bucket, linear_model):
    from beam_jobs.score import main

    with filesystem.open_write(f"{bucket}/one/in.jsonl.gz", "gzip") as stream:
        stream.write(b'{"x": 1, "y": 2, "name": "n"}\n')
    flags = [f"--input={bucket}/one/in.jsonl.gz", f"--model={linear_model}"]
    assert main([*flags, f"--output={bucket}/one/out.csv.gz"]) == 0
    assert _rows(f"{bucket}/one/out.csv.gz")[0]["score"] == 4.0


def test_an_object_written_again_at_the_same_size_is_told(bucket, tmp_path):
    uri = f"{bucket}/changed/in.jsonl"
    filesystem.write_bytes(uri, b'{"x": 1}\n')
    source = Source.resolve(uri)
    (file,) = source.files
    assert file.modified
    assert change_of(file) is None
    while change_of(file) is None:
        # The clock of the emulator is coarse.
        filesystem.write_bytes(uri, b'{"x": 2}\n')
    assert change_of(file) == "it was written again after the run began"
    refused = pytest.raises(Exception, match=r"1 input file\(s\) changed while they were read")
    with refused, local_pipeline() as root, Commit() as commit:
        dead = DeadLetters(f"{tmp_path}/dead/", commit)
        rows = root | Read(source, dead_letters=dead)
        _ = rows | Write(f"{bucket}/changed/out/", commit=commit)
    assert not filesystem.exists(f"{bucket}/changed/out/")


def test_windows_of_a_stream_on_gcs(bucket):
    commit = StreamCommit("job", "r1")
    target = commit.target(f"{bucket}/stream/out/")
    assert commit.prepare() is None

    def publish(staged, timing):
        return commit_pane(target, "r1", START, END, staged, timing)

    staged = [log(target, "a", "b"), log(target, "c")]
    path = f"{target.root}/window_start={WINDOW}/part-00000.parquet"
    assert publish(staged, "on_time") == Pane(3, 0, path)
    assert publish(staged, "on_time") == Pane(0, 0, ""), "the service did it again"
    late = log(target, "c", "d")
    assert recover(target) == [late], "a job that was cancelled left it"
    done = publish([late], "late")
    assert (done.rows, done.duplicates) == (1, 1)
    assert sorted(row["n"] for row in _rows(f"{target.root}/")) == ["a.0", "b.0", "c.0", "d.0"]
    assert recover(target) == []
    commit.status = "ended"
    assert commit.outcome()["rows_by_timing"] == {"late": 1, "on_time": 3}
    assert not filesystem.exists(target.staging)
