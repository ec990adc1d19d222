"""The score job as a user meets it: what goes in, what comes out, and what they are told."""

import gzip
import json
import os
import re
import resource

import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from beam_jobs.score import main

CSV = '''id,x,y,name,note
1,1.5,2,ann,"two
lines"
2,oops,2,bob,
3,3,4
4,13,1,dee,raises
5,,1,eve,null
6,0.25,1,"f, g","say ""hi"""
'''


@pytest.fixture
def trips(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(CSV)
    return path


def score(*argv, **options):
    flags = [f"--{name}={value}" for name, value in options.items()]
    return main([*argv, *flags])


def letters(folder):
    paths = sorted(folder.glob("part-*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def test_rows_out_and_rows_dead(trips, linear_model, tmp_path, capfd):
    assert score(input=trips, model=linear_model, output=tmp_path / "out/", run_id="r1") == 0
    rows = ds.dataset(tmp_path / "out").to_table().to_pylist()
    assert rows == [
        {"id": 1, "x": 1.5, "y": 2.0, "name": "ann", "note": "two\nlines", "score": 5.0,
         "shout": "ANN", "model_version": "4"},
        {"id": 6, "x": 0.25, "y": 1.0, "name": "f, g", "note": 'say "hi"', "score": 1.5,
         "shout": "F, G", "model_version": "4"},
    ]  # fmt: skip
    dead = {row["source"].rpartition("#")[2]: row for row in letters(tmp_path / "out.dead_letters")}
    assert {line: (row["step"], row["reason"], row["column"]) for line, row in dead.items()} == {
        "line=4": ("Read", "unparsable", "x"),
        "line=5": ("Read", "ragged_line", None),
        "line=6": ("Score", "model_error", None),
        "line=7": ("Score", "missing_value", "x"),
    }
    assert dead["line=4"]["payloadString"] == "2,oops,2,bob,"
    assert json.loads(dead["line=6"]["payloadString"])["note"] == "raises"
    assert dead["line=6"]["version"] == "4"
    assert {row["run_id"] for row in dead.values()} == {"r1"}
    told = capfd.readouterr().err
    for text in ("rows in", "6", "model_error", "out.dead_letters", "_millrace/run.json"):
        assert text in told


def test_no_value_of_a_row_is_logged(trips, linear_model, tmp_path, capfd, caplog):
    score(input=trips, model=linear_model, output=tmp_path / "out/")
    seen = capfd.readouterr()
    for value in ("oops", "bob", "raises", "13,1"):
        assert value not in seen.out + seen.err + caplog.text


def test_payload_none_keeps_only_why_and_where(trips, linear_model, tmp_path):
    score(input=trips, model=linear_model, output=tmp_path / "out/", dead_letter_payload="none")
    dead = letters(tmp_path / "out.dead_letters")
    assert len(dead) == 4
    assert all(row["payloadString"] is None for row in dead)
    assert "oops" not in json.dumps(dead)


def test_a_preview(trips, linear_model, capfd):
    assert score(input=trips, model=linear_model, output="stdout:", limit=2) == 0
    out = capfd.readouterr().out.splitlines()
    assert out[0].split() == [
        "id", "x", "y", "name", "note", "score", "shout", "model_version",
    ]  # fmt: skip
    assert out[2].split()[:3] == ["1", "1.5", "2"]
    assert len(out) == 3


def test_rows_to_a_pipe(trips, linear_model, capfd):
    assert score(input=trips, model=linear_model, output="stdout:?format=jsonl") == 0
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [row["score"] for row in rows] == [5.0, 1.5]


@pytest.mark.parametrize("name", ["o.parquet", "o.csv", "o.jsonl", "o.csv.gz", "o.avro", "o.arrow"])
def test_one_file_of_each_format(trips, linear_model, tmp_path, name):
    keep = "id,note"
    assert score(input=trips, model=linear_model, output=tmp_path / name, keep_columns=keep) == 0
    assert score(input=tmp_path / name, model=linear_model, output=tmp_path / "x/", map="x=score;y=score;name=shout", output_prefix="again_") == 0  # fmt: skip  # noqa: E501
    rows = ds.dataset(tmp_path / "x").to_table().to_pylist()
    assert [(row["id"], row["note"], row["again_score"]) for row in rows] == [
        (1, "two\nlines", 15.0),
        (6, 'say "hi"', 4.5),
    ]


@pytest.mark.parametrize(
    ("change", "texts"),
    [
        ({"model": "nowhere/model"}, ["nowhere/model", "--model"]),
        ({"signature": "predictt"}, ["predictt", "serving_default"]),
        ({"map": "x=fare"}, ["fare", "id, x, y, name, note"]),
        ({"map": "z=x"}, ["z", "x, y, name"]),
        ({"keep_columns": "idd"}, ["idd", "id"]),
        ({"input": "nowhere/*.csv"}, ["no files match", "nowhere/*.csv"]),
        ({"modle": "x"}, ["--modle", "--model"]),
        ({"batch_rows": "0"}, ["--batch_rows", "1"]),
        ({"output": "ftp://x/y"}, ["ftp", "gs"]),
    ],
)
def test_wrong_usage_is_told_in_one_line(trips, linear_model, tmp_path, capfd, change, texts):
    options = {"input": trips, "model": linear_model, "output": tmp_path / "out/", **change}
    assert score(**options) == 2
    told = capfd.readouterr().err
    for text in texts:
        assert text in told
    assert "Traceback" not in told
    assert len(told.strip().splitlines()) <= 3
    assert not (tmp_path / "out").exists()


def test_text_where_the_model_wants_numbers(linear_model, tmp_path, capfd):
    pq.write_table(pa.table({"x": ["a"], "y": [1.0], "name": ["n"]}), tmp_path / "in.parquet")
    assert score(input=tmp_path / "in.parquet", model=linear_model, output=tmp_path / "out/") == 2
    told = capfd.readouterr().err
    assert re.search(r"'x'.*string.*float", told)


def test_an_unreadable_file_among_good_ones(linear_model, tmp_path, capfd):
    (tmp_path / "in").mkdir()
    for name in "abc":
        pq.write_table(
            pa.table({"x": [1.0], "y": [1.0], "name": [name]}), tmp_path / f"in/{name}.parquet"
        )
    (tmp_path / "in/b.parquet").write_bytes(b"garbage")
    options = {"input": tmp_path / "in", "model": linear_model, "output": tmp_path / "out/"}
    assert score(**options) == 3
    assert "nothing was published: 1 input file" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
    (letter,) = letters(tmp_path / "out.dead_letters")
    assert (letter["reason"], letter["source"]) == ("unreadable_file", f"{tmp_path}/in/b.parquet")
    assert score(**options, allow_unreadable_files="true") == 0
    assert ds.dataset(tmp_path / "out").count_rows() == 2


def test_a_truncated_gzip(linear_model, tmp_path, capfd):
    body = "x,y,name\n" + "".join(f"{i},1,n{i}\n" for i in range(20_000))
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(body.encode())[:-4000])
    options = {"input": tmp_path / "in.csv.gz", "model": linear_model, "output": tmp_path / "out/"}
    assert score(**options) == 3
    assert "could not be read to the end" in capfd.readouterr().err
    assert score(**options, allow_unreadable_files="true") == 0
    rows = ds.dataset(tmp_path / "out").to_table()["x"].to_pylist()
    assert rows == [float(i) for i in range(len(rows) + 1) if i != 13]
    assert len(rows) > 5_000


def test_an_output_that_can_not_be_written(trips, linear_model, tmp_path, capfd):
    (tmp_path / "file").write_text("x")
    assert score(input=trips, model=linear_model, output=tmp_path / "file" / "out/") in (1, 2)
    told = capfd.readouterr().err
    assert str(tmp_path / "file") in told
    assert "Traceback" not in told


def test_a_full_disk(linear_model, tmp_path, capfd):
    """No file may grow beyond 100 kB: to the writer it is as if the disk were full."""
    rows = 200_000
    table = pa.table({"x": pa.array(range(rows), pa.float32()), "y": [1.0] * rows})
    table = table.append_column("name", pa.array([f"n{i}" for i in range(rows)]))
    pq.write_table(table, tmp_path / "in.parquet")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        code = score(input=tmp_path / "in.parquet", model=linear_model, output=tmp_path / "out/")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    told = capfd.readouterr().err
    assert code == 1
    assert "a file may not be that large" in told
    assert "Traceback" not in told
    assert os.listdir(tmp_path) == ["in.parquet"]


def test_an_output_never_takes_the_place_of_what_is_no_output(trips, linear_model, tmp_path, capfd):
    options = {"input": trips, "model": linear_model, "overwrite": "true"}
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    for place, text in [
        (tmp_path, "which this run reads"),
        (trips, "which this run reads"),
        (linear_model, "which this run reads"),
        (linear_model.parent, "which this run reads"),
        ("/dev/null", "is no folder"),
        (tmp_path / "home", "no run of Millrace wrote"),
    ]:
        assert score(**options, output=place) == 2
        assert text in capfd.readouterr().err
    assert (tmp_path / "home" / "thesis.txt").read_text() == "years of work"
    assert score(**options, output=tmp_path / "out/", dead_letters=tmp_path / "home") == 2


def test_the_first_rows_are_the_first_lines(trips, linear_model, tmp_path):
    options = {"input": trips, "model": linear_model, "overwrite": "true"}
    for limit, lines in ((6, [4, 5, 6, 7]), (5, [4, 5, 6, 7]), (3, [4, 5]), (2, [4]), (1, [])):
        assert score(**options, output=tmp_path / "out/", limit=limit) == 0
        dead = letters(tmp_path / "out.dead_letters")
        places = [int(row["source"].rpartition("=")[2]) for row in dead]
        assert sorted(places) == lines


def test_a_run_id_stands_for_one_set_of_options(trips, linear_model, tmp_path, capfd):
    options = {"input": trips, "model": linear_model, "output": tmp_path / "out/", "run_id": "r1"}
    assert score(**options) == 0
    assert score(**options, keep_columns="id") == 2
    assert "committed with another keep_columns" in capfd.readouterr().err


def test_no_rows_still_make_a_table(linear_model, tmp_path):
    (tmp_path / "in.csv").write_text("id,x,y,name\n")
    assert score(input=tmp_path / "in.csv", model=linear_model, output=tmp_path / "out/") == 0
    table = pq.read_table(tmp_path / "out")
    assert table.num_rows == 0
    assert table.column_names == ["id", "x", "y", "name", "score", "shout", "model_version"]


def test_too_many_rejected(trips, linear_model, tmp_path, capfd):
    options = {"input": trips, "model": linear_model, "output": tmp_path / "out/"}
    assert score(**options, max_rejected_fraction=0.5) == 3
    assert "4 of 6 rows were rejected" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
    assert len(letters(tmp_path / "out.dead_letters")) == 4


def test_a_run_is_done_once(trips, linear_model, tmp_path, capfd):
    options = {"input": trips, "model": linear_model, "output": tmp_path / "out/"}
    assert score(**options, run_id="r1") == 0
    before = sorted(os.stat(path).st_mtime_ns for path in (tmp_path / "out").iterdir())
    assert score(**options, run_id="r1") == 0
    assert sorted(os.stat(path).st_mtime_ns for path in (tmp_path / "out").iterdir()) == before
    assert score(**options) == 2
    assert "--overwrite" in capfd.readouterr().err
    assert score(**options, overwrite="true") == 0


def test_help_teaches(capfd):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    told = capfd.readouterr().out
    for text in ("--input", "--model", "--limit 10 --output stdout:", "serving_default"):
        assert text in told
