"""Read, Write and the commit together: what is published, when, and what never is."""

import csv
import json
import os
import subprocess
import sys
from collections import Counter

import apache_beam as beam
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tests.support import ROOT, local_pipeline
from transforms.batches import select_rows
from transforms.commit import publish as publish_module
from transforms.commit.commit import Commit
from transforms.commit.dead_letters import DeadLetters, split_rejects
from transforms.commit.ledger import Entry, Gate
from transforms.commit.publish import Plan, publish
from transforms.errors import ConfigError, MillraceError, Refused
from transforms.files import filesystem, locks
from transforms.io import file_read as read_module
from transforms.io.file_source import Source
from transforms.io.read import Read
from transforms.io.write import Write
from transforms.reasons import Reason
from transforms.rejects import reject_rows


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for part in range(3):
        numbers = list(range(part * 100, part * 100 + 100))
        pq.write_table(pa.table({"n": numbers}), folder / f"{part}.parquet", row_group_size=30)
    return folder


def odd_rows_out(rows):
    odd = rows["n"].to_numpy() % 2 == 1
    return select_rows(rows, ~odd), reject_rows(select_rows(rows, odd), Reason.MODEL_ERROR, "odd")


def run(
    data,
    output,
    *,
    schema=None,
    shards=None,
    workers=1,
    limit=None,
    dead=None,
    odd=False,
    **settings,
):
    commit = Commit("copy", **settings)
    dead = DeadLetters(dead or f"{str(output).rstrip('/')}.dead_letters", commit)
    mode = "multi_threading" if workers > 1 else "in_memory"
    root = local_pipeline(direct_num_workers=workers, direct_running_mode=mode)
    source = Source.resolve(str(data), schema=schema, limit=limit)
    rows = root | Read(source, dead_letters=dead)
    if odd:
        rows = split_rejects(rows | beam.Map(odd_rows_out), dead, "Odd")
    _ = rows | Write(str(output), commit=commit, shards=shards)
    if (done := commit.prepare()) is not None:
        return done
    commit.close()
    root.run().wait_until_finish()
    return commit.outcome()


def numbers(path):
    return ds.dataset(str(path), format="parquet").to_table()["n"].to_pylist()


def test_a_folder(data, tmp_path):
    manifest = run(data, tmp_path / "out/")
    assert numbers(tmp_path / "out") == list(range(300))
    assert manifest["counts"]["rows_in"] == manifest["counts"]["rows_out"] == 300
    assert manifest["status"] == "committed"
    assert sorted(os.listdir(tmp_path)) == ["in", "out"], "staging folders are gone"
    listed = [file["path"] for out in manifest["outputs"] for file in out["files"]]
    assert listed == [f"{tmp_path}/out/part-00000-of-00001.parquet"]
    assert json.loads((tmp_path / "out/_millrace/run.json").read_text()) == manifest


def test_two_workers(data, tmp_path):
    run(data, tmp_path / "out", workers=2)
    assert sorted(numbers(tmp_path / "out")) == list(range(300))


def test_one_file(data, tmp_path):
    run(data, tmp_path / "out.parquet", workers=2)
    assert pq.read_table(tmp_path / "out.parquet")["n"].to_pylist() == list(range(300))
    assert sorted(os.listdir(tmp_path)) == ["in", "out.parquet", "out.parquet.run.json"]


@pytest.mark.parametrize("shards", [1, 4, 7])
def test_so_many_shards_in_order(data, tmp_path, shards):
    run(data, tmp_path / "out", shards=shards, workers=2)
    parts = sorted((tmp_path / "out").glob("*.parquet"))
    assert [part.name for part in parts] == [
        f"part-{i:05d}-of-{shards:05d}.parquet" for i in range(shards)
    ]
    tables = [pq.read_table(part)["n"].to_pylist() for part in parts]
    assert [n for table in tables for n in table] == list(range(300))
    assert max(map(len, tables)) - min(map(len, tables)) <= 1


def test_shards_in_order_of_many_files(tmp_path):
    """A bundle has several of them, and none that follow each other."""
    (tmp_path / "in").mkdir()
    for index in range(12):
        rows = pa.table({"n": range(1000 * index, 1000 * (index + 1))})
        pq.write_table(rows, tmp_path / "in" / f"{index:02d}.parquet", row_group_size=300)
    run(tmp_path / "in", tmp_path / "out", shards=2, workers=2)
    assert numbers(tmp_path / "out") == list(range(12_000))


def test_dead_letters_of_several_steps_in_one_file(data, tmp_path):
    schema = pa.schema([("n", pa.int8())])
    uri = f"{tmp_path}/dead.csv"
    manifest = run(data, tmp_path / "out", schema=schema, workers=2, dead=uri, odd=True)
    with open(uri) as stream:
        letters = list(csv.DictReader(stream))
    assert Counter(row["step"] for row in letters) == {"Read": 172, "Odd": 64}
    assert manifest["counts"]["dead_by_step"] == {"Read": 172, "Odd": 64}
    (found,) = [o["files"] for o in manifest["outputs"] if o["dead_letters"]]
    assert found == [{"path": uri, "rows": 236, "bytes": os.path.getsize(uri)}]


def test_more_shards_than_rows(data, tmp_path):
    run(data, tmp_path / "out", shards=3, limit=2)
    assert numbers(tmp_path / "out") == [0, 1]
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 3


def test_rejected_rows_go_to_the_dead_letters(data, tmp_path):
    manifest = run(data, tmp_path / "out", schema=pa.schema([("n", pa.int8())]))
    assert numbers(tmp_path / "out") == list(range(128))
    assert manifest["counts"]["rows_dead"] == 172
    assert manifest["counts"]["dead_by_reason"] == {"overflow": 172}
    lines = [
        json.loads(line)
        for path in (tmp_path / "out.dead_letters").glob("part-*")
        for line in path.read_text().splitlines()
    ]
    assert sorted(json.loads(line["payloadString"])["n"] for line in lines) == list(range(128, 300))
    assert lines[0]["run_id"] == manifest["run_id"]


def test_every_row_rejected_still_tells_the_columns(data, tmp_path):
    (data / "0.parquet").unlink()
    (data / "1.parquet").unlink()
    schema = pa.schema([("n", pa.int8())])
    with pytest.raises(Refused, match="every row was rejected, 100 of them"):
        run(data, tmp_path / "out", schema=schema)
    assert not (tmp_path / "out").exists()
    run(data, tmp_path / "out", schema=schema, gate=Gate(max_rejected_fraction=1))
    table = pq.read_table(tmp_path / "out" / "part-00000-of-00001.parquet")
    assert table.schema == pa.schema([("n", pa.int8())])
    assert table.num_rows == 0


def test_too_many_rejected(data, tmp_path):
    gate = Gate(max_rejected_fraction=0.5)
    with pytest.raises(Refused, match=r"nothing was published: 172 of 300 rows") as error:
        run(data, tmp_path / "out", schema=pa.schema([("n", pa.int8())]), gate=gate)
    assert "out.dead_letters" in str(error.value)
    assert sorted(os.listdir(tmp_path)) == ["in", "out.dead_letters"]
    manifest = json.loads((tmp_path / "out.dead_letters/_millrace/run.json").read_text())
    assert manifest["status"] == "refused"
    run(data, tmp_path / "out")
    assert sorted(numbers(tmp_path / "out")) == list(range(300)), "a refused run is no obstacle"


def test_a_link_to_nothing_is_not_replaced(data, tmp_path):
    (tmp_path / "out").symlink_to(tmp_path / "gone")
    with pytest.raises(ConfigError, match="is a link to what isn't there"):
        run(data, tmp_path / "out")


def test_letters_of_a_refused_run_take_no_others_place(data, tmp_path):
    """Those of the output that stays are still there."""
    some, none = pa.schema([("n", pa.int8())]), Gate(max_rejected_fraction=0)
    run(data, tmp_path / "out", schema=some, run_id="r1")
    with pytest.raises(Refused, match=r"out.dead_letters.r2"):
        run(data, tmp_path / "out", schema=some, run_id="r2", gate=none, overwrite=True)
    for place, run_id in (("out.dead_letters", "r1"), ("out.dead_letters.r2", "r2")):
        manifest = json.loads((tmp_path / place / "_millrace/run.json").read_text())
        assert (manifest["run_id"], manifest["counts"]["rows_dead"]) == (run_id, 172)
    assert len(numbers(tmp_path / "out")) == 128


def test_letters_come_back_where_the_output_can_not_be_put(data, tmp_path, monkeypatch):
    some = pa.schema([("n", pa.int8())])
    run(data, tmp_path / "out", schema=some, run_id="r1")
    swap = filesystem.swap_in

    def fails(staged, target, replaced):
        if target.endswith("out"):
            raise PermissionError(13, "denied")
        swap(staged, target, replaced)

    monkeypatch.setattr(filesystem, "swap_in", fails)
    with pytest.raises(RuntimeError, match="denied"):
        run(data, tmp_path / "out", schema=some, run_id="r2", overwrite=True)
    for place in ("out", "out.dead_letters"):
        manifest = json.loads((tmp_path / place / "_millrace/run.json").read_text())
        assert (manifest["run_id"], manifest["status"]) == ("r1", "committed")


def test_one_run_at_a_time(data, tmp_path):
    """Another process that writes there is not disturbed, under whatever name."""
    place = str(tmp_path / "out")
    script = f"from transforms.files.locks import lock; print(lock({place!r}), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "True\n"
        with pytest.raises(ConfigError, match=r"another run writes .*/out now"):
            run(data, tmp_path / "out", overwrite=True)
        other.kill()
    run(data, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["in", "out"], "a lock ends with its process"


def test_an_unreadable_file(data, tmp_path):
    (data / "1.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(Refused, match=r"1 input file.* could not be read"):
        run(data, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    letters = (tmp_path / "out.dead_letters/part-00000-of-00001.jsonl").read_text()
    assert json.loads(letters)["source"] == f"{data}/1.parquet"
    manifest = run(data, tmp_path / "out", gate=Gate(allow_unreadable_files=True))
    assert len(numbers(tmp_path / "out")) == 200
    assert manifest["counts"]["rows_in"] == 200
    assert manifest["counts"]["unreadable_files"] == 1


def test_an_output_that_exists(data, tmp_path):
    first = run(data, tmp_path / "out", run_id="run-1", limit=5)
    with pytest.raises(ConfigError, match=r"out exists: pass --overwrite"):
        run(data, tmp_path / "out")
    assert run(data, tmp_path / "out", run_id="run-1") == first, "the same run again does nothing"
    run(data, tmp_path / "out", overwrite=True)
    assert len(numbers(tmp_path / "out")) == 300


def test_a_file_that_exists(data, tmp_path):
    run(data, tmp_path / "out.parquet", limit=5)
    with pytest.raises(ConfigError, match="exists"):
        run(data, tmp_path / "out.parquet")
    run(data, tmp_path / "out.parquet", overwrite=True)
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 300


def test_publishing_twice_is_once(tmp_path):
    commit = Commit("job", "run-1")
    target = commit.target(str(tmp_path / "out"))
    os.makedirs(target.staging)
    pq.write_table(pa.table({"n": [1]}), f"{target.staging}/a.parquet")
    ledger = [
        Entry("read", "Read", rows=1),
        Entry("staged", "Write", target.root, f"{target.staging}/a.parquet", 1, 10),
    ]
    plan = Plan("job", "run-1", (target,), Gate(), "{}", "now")
    publish(ledger, plan)
    publish(ledger, plan)
    assert numbers(tmp_path / "out") == [1]


def test_rows_that_do_not_add_up_are_never_published(tmp_path):
    commit = Commit("job", "run-1")
    target = commit.target(str(tmp_path / "out"))
    plan = Plan("job", "run-1", (target,), Gate(), "{}", "now")
    with pytest.raises(MillraceError, match="3 rows came in, but 0 came out"):
        publish([Entry("read", "Read", rows=3)], plan)
    assert not (tmp_path / "out").exists()


def test_outputs_may_not_lie_in_each_other(tmp_path):
    commit = Commit("job")
    commit.target(str(tmp_path / "out"))
    with pytest.raises(ConfigError, match="lie in each other"):
        commit.target(str(tmp_path / "out" / "dead"))
    with pytest.raises(ConfigError, match=r"x.xlsx' ends like a file of a format"):
        commit.target("x.xlsx")
    with pytest.raises(ConfigError, match="can't be a pattern"):
        commit.target("x/*.csv")


def test_remains_of_a_killed_run_are_cleared(data, tmp_path):
    staging = tmp_path / ".out.millrace-dead-run"
    staging.mkdir()
    (staging / "owner").write_text("")
    run(data, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["in", "out"]


def test_a_run_beside_another_is_left_alone(data, tmp_path):
    staging = tmp_path / ".out.millrace-live-run"
    staging.mkdir()
    held = (
        "import sys; from transforms.files.locks import hold; hold(sys.argv[1]); print(flush=True)"
    )
    command = [sys.executable, "-c", f"{held}; sys.stdin.read()", str(staging / "owner")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as other:
        other.stdout.readline()
        run(data, tmp_path / "out")
        assert staging.exists()
        other.stdin.close()
    run(data, tmp_path / "out2")
    run(data, tmp_path / "out", overwrite=True)
    assert not staging.exists(), "its process is gone"


@pytest.mark.parametrize("moment", ["between the two renames", "before the output"])
def test_dead_letters_of_before_come_back_after_a_kill(data, tmp_path, monkeypatch, moment):
    letters = tmp_path / "out.dead_letters"
    first = run(data, tmp_path / "out", odd=True, run_id="first")
    kept = {path.name: path.read_bytes() for path in letters.rglob("part*")}
    ends = os.rename if moment == "between the two renames" else filesystem.swap_in
    commit = Commit("copy", run_id="second", overwrite=True)
    dead = DeadLetters(str(letters), commit)
    root = local_pipeline()
    rows = root | Read(Source.resolve(str(data)), dead_letters=dead)
    rows = split_rejects(rows | beam.Map(odd_rows_out), dead, "Odd")
    _ = rows | Write(str(tmp_path / "out"), commit=commit)
    commit.prepare()
    _end_at(monkeypatch, ends, commit, root)
    refused = Gate(max_rejected_fraction=0.1)
    with pytest.raises(Refused):
        run(data, tmp_path / "out", odd=True, run_id="third", overwrite=True, gate=refused)
    assert {path.name: path.read_bytes() for path in letters.rglob("part*")} == kept
    manifest = json.loads((letters / "_millrace" / "run.json").read_text())
    assert manifest["run_id"] == first["run_id"] == "first"


class Killed(BaseException):
    """As good as the end of the process: nothing after it is done."""


def _end_at(monkeypatch, function, commit, root):
    """Runs a pipeline whose process is as good as killed where it would call a function."""
    real, calls, of_dead_letters = function, [], function is os.rename

    def ends(*args):
        calls.append(args)
        if "millrace-second/whole" in str(args[0]) and (of_dead_letters or len(calls) == 2):
            raise Killed
        return real(*args)

    with monkeypatch.context() as patch:
        owner = os if of_dead_letters else filesystem
        patch.setattr(owner, real.__name__, ends)
        # A killed process puts nothing back.
        patch.setattr(publish_module, "restore", lambda *_: None)
        commit.close()
        with pytest.raises(RuntimeError, match="Killed"):
            root.run().wait_until_finish()
    locks._unlock_all()


def test_a_single_file_is_never_without_its_manifest(data, tmp_path, monkeypatch):
    out, told = tmp_path / "out.parquet", tmp_path / "out.parquet.run.json"
    run(data, out, run_id="first")
    seen, real = [], filesystem.move

    def watched(pairs):
        seen.append((out.exists(), json.loads(told.read_text())["status"]))
        real(pairs)
        seen.append((out.exists(), json.loads(told.read_text())["status"]))

    with monkeypatch.context() as patch:
        patch.setattr(filesystem, "move", watched)
        run(data, out, run_id="second", overwrite=True)
    assert seen[-2:] == [(True, "unfinished")] * 2
    assert json.loads(told.read_text())["status"] == "committed"


@pytest.mark.parametrize("moved", [False, True])
def test_a_single_file_is_mended_after_a_kill(data, tmp_path, monkeypatch, moved):
    out, told = tmp_path / "out.parquet", tmp_path / "out.parquet.run.json"
    run(data, out, run_id="first")
    real = filesystem.move

    def killed(pairs):
        if moved:
            real(pairs)
        raise Killed

    commit = Commit("copy", run_id="second", overwrite=True)
    root = local_pipeline()
    _ = root | Read(Source.resolve(str(data))) | Write(str(out), commit=commit)
    commit.prepare()
    commit.close()
    with monkeypatch.context() as patch:
        patch.setattr(filesystem, "move", killed)
        with pytest.raises(RuntimeError, match="Killed"):
            root.run().wait_until_finish()
    locks._unlock_all()
    assert json.loads(told.read_text())["status"] == "unfinished"
    with pytest.raises(ConfigError, match="exists: pass --overwrite"):
        run(data, out, run_id="third")
    manifest = json.loads(told.read_text())
    assert (manifest["run_id"], manifest["status"]) == ("second" if moved else "first", "committed")
    assert sorted(os.listdir(tmp_path)) == ["in", "out.parquet", "out.parquet.run.json"]


def test_a_link_is_followed(data, tmp_path):
    (tmp_path / "real").mkdir()
    run(data, tmp_path / "real" / "out")
    (tmp_path / "out").symlink_to(tmp_path / "real" / "out")
    run(data, tmp_path / "out", overwrite=True, run_id="again")
    assert (tmp_path / "out").is_symlink()
    assert len(numbers(tmp_path / "real" / "out")) == 300


@pytest.mark.parametrize("output", ["in/out", "in/out.parquet", "in"])
def test_an_output_among_its_input_is_refused(data, tmp_path, output):
    with pytest.raises(ConfigError, match="which this run reads"):
        run(data, tmp_path / output, reads=[str(data)])
    with pytest.raises(ConfigError, match="which this run reads"):
        run(data, tmp_path / "in" / "9.parquet", reads=[f"{data}/*.parquet"])
    left = [name for name in os.listdir(data) if not name.endswith(".lock")]
    assert sorted(left) == ["0.parquet", "1.parquet", "2.parquet"]


def test_a_place_that_nobody_can_write_names_the_option(data, tmp_path):
    with pytest.raises(ConfigError, match="can't be written: File name too long"):
        run(data, tmp_path / ("x" * 250))
    with pytest.raises(ConfigError, match=r"--output: /proc/out can't be written"):
        run(data, "/proc/out")


def test_write_commits_itself(tmp_path, data):
    with local_pipeline() as root:
        _ = root | Read(str(data)) | Write(str(tmp_path / "out"))
    assert len(numbers(tmp_path / "out")) == 300


def test_stdout_is_a_table(data, capfd):
    commit = Commit("copy")
    with local_pipeline() as root:
        source = Source.resolve(str(data), limit=2)
        _ = root | Read(source) | Write("stdout:", commit=commit)
        commit.prepare()
        commit.close()
    assert capfd.readouterr().out.split() == ["n", "-", "0", "1"]


def rewritten(path):
    """Replaces a file by another of the same size, but for its time."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(10)
        byte = file.read(1)
        file.seek(10)
        file.write(bytes([byte[0] ^ 1]))
    assert path.stat().st_size == size
    os.utime(path, (1, 1))


@pytest.mark.parametrize("while_read", [True, False])
def test_an_input_that_changed_is_never_published(tmp_path, monkeypatch, while_read):
    path = tmp_path / "x.csv"
    path.write_text("n\n" + "1\n" * 100)
    source = Source.resolve(str(path))
    if while_read:
        rewritten(path)
    else:
        # After the last split, and before the commit.
        monkeypatch.setattr(read_module, "change_of", lambda file: rewritten(path))
    output = tmp_path / "out"
    commit = Commit("copy", gate=Gate(1, allow_unreadable_files=True))
    dead = DeadLetters(f"{output}.dead_letters", commit)
    refused = pytest.raises(Exception, match=r"input file\(s\) changed while they were read")
    with refused, local_pipeline() as root, commit:
        _ = root | Read(source, dead_letters=dead) | Write(f"{output}/", commit)
    assert not output.exists()


def test_a_change_is_told_by_size_time_or_absence(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("n\n1\n")
    (file,) = filesystem.list_files(str(path))
    assert filesystem.list_files(str(tmp_path)) == [file]
    assert filesystem.change_of(file) is None
    os.utime(path, (1, 1))
    assert filesystem.change_of(file) == "it was written again after the run began"
    path.write_text("n\n")
    assert filesystem.change_of(file) == "it had 4 bytes when the run began, and has 2 now"
    path.unlink()
    assert filesystem.change_of(file) == "it is gone"
