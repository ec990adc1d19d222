"""Panes: each message of a window once, wherever the process is killed."""

import dataclasses
import itertools
import os
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of
from tests.transforms.commit.stream.outputs import (
    END,
    START,
    WINDOW,
    log,
    manifests,
    messages,
    rows,
    target_of,
)
from transforms.commit.stream import panes, wal
from transforms.commit.stream.panes import (
    Pane,
    clear_drafts,
    commit_pane,
    iso,
    recover,
    window_name,
)
from transforms.files import filesystem


@pytest.fixture
def target(tmp_path):
    return target_of(tmp_path)


def commit(target, staged, timing="on_time"):
    return commit_pane(target, "r1", START, END, staged, timing)


def test_a_pane(target, tmp_path):
    staged = [log(target, "a", "b"), log(target, "c")]
    path = f"{tmp_path}/out/window_start={WINDOW}/part-00000.parquet"
    assert commit(target, staged) == Pane(3, 0, path)
    assert rows(tmp_path) == ["a.0", "b.0", "c.0"]
    (manifest,) = manifests(tmp_path)
    manifest.pop("committed")
    assert manifest == {
        "run_id": "r1",
        "status": "committed",
        "window": ["2026-01-31T23:59:00+00:00", "2026-02-01T00:00:00+00:00"],
        "pane": 0,
        "timing": "on_time",
        "file": path,
        "rows": 3,
        "bytes": os.path.getsize(path),
        "duplicates": 0,
        "staged": [file.path for file in staged],
    }
    assert list(panes.manifests(target)) == manifests(tmp_path)
    assert wal.left(target.staging) == []


def test_a_late_pane_is_a_file_more(target, tmp_path):
    commit(target, [log(target, "a")])
    before = (tmp_path / f"out/window_start={WINDOW}/part-00000.parquet").read_bytes()
    late = commit(target, [log(target, "a", "b")], "late")
    assert (late.rows, late.duplicates) == (1, 1)
    assert late.path.endswith("part-00001.parquet")
    assert rows(tmp_path) == ["a.0", "b.0"]
    assert [(m["pane"], m["timing"]) for m in manifests(tmp_path)] == [(0, "on_time"), (1, "late")]
    assert (tmp_path / f"out/window_start={WINDOW}/part-00000.parquet").read_bytes() == before


def test_other_windows_have_panes_of_their_own(target, tmp_path):
    commit(target, [log(target, "a")])
    done = commit_pane(target, "r1", END, END + 1, [log(target, "a")], "on_time")
    assert done.path.endswith("/window_start=20260201T000000Z/part-00000.parquet")
    assert rows(tmp_path) == ["a.0", "a.0"]


def test_a_message_of_several_rows(target, tmp_path):
    done = commit(target, [log(target, "a", "b", "a"), log(target, "a", "a", "c")])
    assert (done.rows, done.duplicates) == (4, 2)
    assert rows(tmp_path) == ["a.0", "b.0", "a.1", "c.0"]


def test_nothing_left_is_no_file(target, tmp_path):
    commit(target, [log(target, "a")])
    assert commit(target, [log(target, "a", "a")], "late") == Pane(0, 2, "")
    assert commit(target, []) == Pane(0, 0, "")
    assert len(manifests(tmp_path)) == 1
    assert wal.left(target.staging) == []


def test_what_is_committed_already_is_gone(target, tmp_path):
    staged = [log(target, "a")]
    commit(target, staged)
    assert commit(target, staged) == Pane(0, 0, "")
    assert rows(tmp_path) == ["a.0"]


def test_rows_of_no_message_are_all_kept(target, tmp_path):
    for _ in range(2):
        staged = wal.append(target.staging, START, END, [batch_of(n=["x", "x"])])
        assert commit(target, [staged]) == Pane(2, 0, _last(tmp_path))
    assert rows(tmp_path) == ["x"] * 4


def _last(folder):
    return str(max((folder / "out").glob("window_start=*/*")))


def test_null_is_no_message_within_a_pane(target, tmp_path):
    assert commit(target, [log(target, None, "a"), log(target, None)]).rows == 3


def test_null_is_no_message_in_a_later_pane(target):
    commit(target, [log(target, None)])
    assert commit(target, [log(target, None)], "late").rows == 1


class Kill(BaseException):
    """The process ends here."""


def killed_at(step, action):
    """Does something, but ends before its n-th step; tells whether it came to its end."""
    steps = itertools.count()

    def stepping(call):
        def stepped(*args):
            if next(steps) == step:
                raise Kill
            return call(*args)

        return stepped

    move = stepping(lambda pair, move=filesystem.move: move([pair]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filesystem, "move", lambda pairs: [move(pair) for pair in pairs])
        for name in ("write_bytes", "delete", "open_write"):
            patch.setattr(filesystem, name, stepping(getattr(filesystem, name)))
        patch.setattr(panes, "write_file", stepping(panes.write_file))
        try:
            action()
        except Kill:
            return False
    return True


def begin(folder):
    """A window with a pane, and a late one to be committed."""
    target = target_of(folder)
    commit(target, [log(target, "a", "b")])
    return target, [log(target, "b", "c", "c"), log(target, "d", "c", "c")]


def finish(folder, target):
    """What the next start does, where a message was delivered again besides."""
    clear_drafts(target)
    staged = recover(target)
    commit(target, [*staged, log(target, "d", "c", "c")], "late")
    assert sorted(rows(folder)) == ["a.0", "b.0", "c.0", "c.1", "d.0"]
    found = manifests(folder)
    assert sum(manifest["rows"] for manifest in found) == 5
    files_there = (folder / "out").glob("window_start=*/*")
    assert sorted(m["file"] for m in found) == sorted(map(str, files_there))
    assert recover(target) == []
    left = [path for path in (folder / ".out.stream-r1").rglob("*") if path.is_file()]
    assert left == []


def test_killed_at_every_step_of_a_commit(tmp_path):
    for step in itertools.count():
        folder = tmp_path / str(step)
        target, staged = begin(folder)
        done = killed_at(step, lambda target=target, staged=staged: commit(target, staged, "late"))
        finish(folder, target)
        if done:
            break
    assert step >= 8


@pytest.mark.parametrize("step", range(8))
def test_rows_of_no_message_where_it_is_killed(tmp_path, step):
    target = target_of(tmp_path)
    staged = [wal.append(target.staging, START, END, [batch_of(n=["x"])]) for _ in range(2)]
    killed_at(step, lambda: commit(target, staged))
    commit(target, recover(target))
    assert rows(tmp_path) == ["x", "x"]


def test_drafts_of_a_commit_that_had_not_begun_go(tmp_path):
    target, staged = begin(tmp_path)
    assert not killed_at(2, lambda: commit(target, staged, "late"))
    drafts = tmp_path / ".out.stream-r1/panes"
    assert len(list(drafts.iterdir())) == 2
    clear_drafts(target)
    assert not drafts.exists()
    assert len(recover(target)) == 2


def test_killed_at_every_step_of_the_recovery_too(tmp_path):
    for first in range(9):
        for second in itertools.count():
            folder = tmp_path / f"{first}-{second}"
            target, staged = begin(folder)
            killed_at(first, lambda target=target, staged=staged: commit(target, staged, "late"))
            done = killed_at(second, lambda target=target: recover(target))
            finish(folder, target)
            if done:
                break
        assert second > 0


@pytest.mark.parametrize("step", [5, 6])
def test_a_commit_that_failed_is_tried_again_in_the_same_process(tmp_path, step):
    """As a runner does that retries bundles; and then a later pane comes."""
    target, staged = begin(tmp_path)
    assert not killed_at(step, lambda: commit(target, staged, "late"))
    commit(target, staged, "late")
    commit(target, [log(target, "e")], "late")
    recover(target)
    assert sorted(rows(tmp_path)) == ["a.0", "b.0", "c.0", "c.1", "d.0", "e.0"]


@given(st.lists(st.lists(st.lists(st.sampled_from("abcd"), max_size=5), max_size=3), max_size=3))
def test_distinct(parts):
    """Of each message, the rows of the first file that has it."""
    known, expected, found = set(), [], []
    for files_of_pane in parts:
        tables = [pa.Table.from_batches([messages(*ids)]) for ids in files_of_pane]
        kept, ids, duplicates = panes._distinct(tables, sorted(known))
        for table in tables:
            here = set(table["message_id"].to_pylist())
            mask = pa.array([i not in known for i in table["message_id"].to_pylist()], pa.bool_())
            expected += table.filter(mask)["n"].to_pylist()
            known |= here
        if kept is not None:
            found += kept["n"].to_pylist()
            assert ids["message_id"].to_pylist() == kept["message_id"].to_pylist()
            assert duplicates == sum(t.num_rows for t in tables) - kept.num_rows
    assert found == expected


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (START, WINDOW),
        (START + 500_000, "20260131T235900.500000Z"),
        (-1, "19691231T235959.999999Z"),
    ],
)
def test_window_names(start, name):
    assert window_name(start) == name


def test_iso():
    assert iso(START + 1) == "2026-01-31T23:59:00.000001+00:00"


def anonymous(target, *numbers):
    """A file of rows that bear no message id, as dead letters."""
    batch = batch_of(n=pa.array(numbers, pa.string()))
    return wal.append(target.staging, START, END, [batch])


def test_a_commit_that_is_done_again_publishes_nothing(target, tmp_path, monkeypatch):
    """A worker that is gone before it deleted what it committed: the service tries again."""
    staged = [anonymous(target, "a"), anonymous(target, "b")]
    with monkeypatch.context() as patch:
        patch.setattr(filesystem, "delete", lambda path: None)
        commit(target, staged)
    assert commit(target, staged) == Pane(0, 0, "")
    assert rows(tmp_path) == ["a", "b"]
    assert wal.left(target.staging) == []


def test_a_file_that_is_named_twice_is_read_once(target, tmp_path):
    staged = anonymous(target, "a")
    assert commit(target, [staged, staged]).rows == 1
    assert rows(tmp_path) == ["a"]


@pytest.mark.parametrize("make", [anonymous, log])
def test_two_workers_at_the_same_pane(target, tmp_path, monkeypatch, make):
    """Of another process: it is done while this one has read half of the files."""
    staged = [make(target, "a"), make(target, "b")]
    read, others = wal.tables, []

    def interrupted(files):
        files = list(files)
        yield from read(files[:1])
        if not others:
            others.append(None)
            others.append(panes._commit_pane(target, "r1", START, END, staged, "on_time"))
        yield from read(files[1:])

    monkeypatch.setattr(wal, "tables", interrupted)
    assert commit(target, staged) == Pane(0, 0, "")
    assert others[1].rows == 2
    assert len(rows(tmp_path)) == 2


def test_two_panes_of_a_window_at_once(target, tmp_path):
    """Prism has panes of one key committed by several threads."""
    staged = [log(target, f"m{number}") for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda file: commit(target, [file], "late"), staged))
    assert sorted(rows(tmp_path)) == sorted(f"m{number}.0" for number in range(40))
    assert len({pane.path for pane in done}) == 40


def test_rows_are_logged_while_the_run_recovers(target):
    """The step that recovers runs beside those that log."""
    with ThreadPoolExecutor(2) as pool:
        logged = pool.submit(lambda: [log(target, f"m{number}") for number in range(200)])
        while not logged.done():
            recover(target)
    assert set(recover(target)) == set(logged.result())


def test_rows_of_several_schemas_are_files_of_their_own(target, tmp_path):
    """The run goes on with another model, whose outputs have other types."""
    batch = batch_of(message_id=["b"], n=[1.5])
    other = wal.append(target.staging, START, END, [batch])
    staged = [log(target, "a"), other, log(target, "c", "a")]
    assert commit(target, staged).rows == 3
    assert sorted(map(str, rows(tmp_path))) == ["1.5", "a.0", "c.0"]
    assert [manifest["rows"] for manifest in manifests(tmp_path)] == [2, 1]
    assert wal.left(target.staging) == []


def test_a_commit_cut_short_is_finished_in_the_format_in_which_it_began(target, tmp_path):
    """The run goes on with another --output format."""
    staged = [log(target, "a"), log(target, "b")]
    done = killed_at(5, lambda: commit(target, staged))
    assert not done
    assert list((tmp_path / ".out.stream-r1/panes").glob("*.json")), "killed behind the journal"
    recover(dataclasses.replace(target, format="jsonl"))
    assert rows(tmp_path) == ["a.0", "b.0"]


@pytest.mark.parametrize(
    ("start", "name"),
    [(-62_135_596_800_000_000, "00010101T000000Z"), (253_402_214_400_000_000, "99991231T000000Z")],
)
def test_windows_of_the_first_and_last_years(start, name):
    assert window_name(start) == name
