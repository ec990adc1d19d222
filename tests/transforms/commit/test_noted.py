"""A refusal told by a file, for runners that would run the job again."""

import pytest

from transforms.commit.commit import Commit
from transforms.commit.ledger import Entry, Gate
from transforms.commit.noted import noting, raise_noted
from transforms.commit.publish import Plan, _publish
from transforms.errors import MillraceError, Refused


@pytest.mark.parametrize("kind", [Refused, MillraceError])
def test_an_error_is_raised_where_it_is_looked_for(tmp_path, kind):
    note = str(tmp_path / "note.json")
    with noting(note):
        raise kind("7 rows were rejected")
    with pytest.raises(kind, match="7 rows were rejected") as raised:
        raise_noted(note)
    assert type(raised.value) is kind
    raise_noted(note)  # Once only.
    assert not list(tmp_path.iterdir())


def test_without_a_file_errors_pass():
    with pytest.raises(Refused), noting(""):
        raise Refused("no")
    raise_noted("")


def test_other_errors_pass(tmp_path):
    with pytest.raises(OSError, match="gone"), noting(str(tmp_path / "note.json")):
        raise OSError("gone")
    assert not list(tmp_path.iterdir())


def test_a_run_that_is_refused_and_retried(tmp_path):
    """What another attempt would find is found by the first one, and told once."""
    commit = Commit("copy", "one", gate=Gate(0.0), retried=True)
    target = commit.target(str(tmp_path / "out") + "/")
    assert commit.prepare() is None
    dead = Entry("read", "Read", rows=3)
    plan = Plan("copy", "one", (target,), commit.gate, "{}", "now", note=commit._note)
    assert _publish(b"", [dead], plan) == ""
    with pytest.raises(MillraceError, match="3 rows came in, but 0 came out"):
        commit.raise_noted()
    commit.abandon()
    assert not list(tmp_path.iterdir())
