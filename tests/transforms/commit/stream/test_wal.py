"""The log: files that appear whole, and what is left of it."""

import os

import pyarrow as pa
import pytest

from tests.support import batch_of
from transforms.commit.stream.wal import Staged, append, clear_drafts, forget, left, tables
from transforms.files import filesystem


@pytest.fixture
def staging(tmp_path):
    return f"{tmp_path}/.out.stream-r1"


def test_what_is_appended_is_left(staging):
    batch = batch_of(n=[1, 2, 3]).replace_schema_metadata({"note": "x"})
    first = append(staging, -5, 5, [batch, batch.slice(1, 1)])
    second = append(staging, 5, 15, [batch])
    assert (first.start, first.end, first.rows) == (-5, 5, 4)
    assert sorted(left(staging), key=lambda file: file.start) == [first, second]
    found = [table for _, table in tables([first, second])]
    assert [table["n"].to_pylist() for table in found] == [[1, 2, 3, 2], [1, 2, 3]]
    assert found[0].schema.metadata is None


def test_nothing_is_left_of_no_log(staging):
    assert left(staging) == []


def test_drafts_are_no_part_of_it_until_they_are_cleared(staging, monkeypatch):
    whole = append(staging, 0, 1, [batch_of(n=[1])])
    with monkeypatch.context() as patch:
        patch.setattr(filesystem, "move", lambda pairs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            append(staging, 0, 1, [batch_of(n=[2])])
    assert len(os.listdir(f"{staging}/log")) == 2
    assert left(staging) == [whole]
    clear_drafts(staging)
    assert os.listdir(f"{staging}/log") == [os.path.basename(whole.path)]


def test_a_file_that_is_gone_was_committed_before(staging):
    first, second = (append(staging, 0, 1, [batch_of(n=[n])]) for n in (1, 2))
    forget([first])
    forget([first])
    assert [t["n"].to_pylist() for _, t in tables([first, second])] == [[2]]
    assert left(staging) == [second]


def test_a_broken_file_is_an_error(staging):
    whole = append(staging, 0, 1, [batch_of(n=[1])])
    with open(whole.path, "r+b") as stream:
        stream.truncate(40)
    with pytest.raises(pa.ArrowInvalid):
        list(tables([Staged(whole.path, 0, 1, 1)]))
