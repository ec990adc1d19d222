"""Parts that come in any order become columns in order."""

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from privacy.cloud.engine import _joined
from privacy.cloud.gathering import Gathering, merged
from privacy.cloud.joining import Joined, Part


def part(start, size, kind):
    """A part: sound, lost as a whole, with a row left out, or with a fault."""
    if kind == "lost":
        return Part(start, start + size, why="refused")
    rows = np.arange(size - 1 if kind == "short" else size)
    faults = np.zeros(len(rows), bool)
    faults[:1] = kind == "fault"
    texts = pa.array([f"t{start + row}" for row in rows], pa.string())
    tally = Counter({("a", "X", False): size})
    return Part(start, start + size, Joined(rows, [texts], [faults]), transformed=tally)


kinds = st.sampled_from(["sound"] * 8 + ["lost", "short", "fault"])


@given(st.lists(st.tuples(st.integers(1, 4), kinds), min_size=1, max_size=60), st.randoms())
def test_the_order_in_which_parts_come_changes_nothing(given_parts, dice):
    starts = np.cumsum([0, *(size for size, _ in given_parts)])
    parts = [part(int(at), *each) for at, each in zip(starts[:-1], given_parts, strict=True)]
    column = pa.array([""] * int(starts[-1]))
    want = _joined([column], [pa.string()], parts)
    gathering = Gathering()
    for each in dice.sample(parts, len(parts)):
        gathering.add([each])
    got = _joined([column], [pa.string()], gathering.parts())
    assert got.columns[0].to_pylist() == want.columns[0].to_pylist()
    assert got.lost.tolist() == want.lost.tolist()
    assert got.suppressed.tolist() == want.suppressed.tolist()
    assert got.faults[0].tolist() == want.faults[0].tolist()
    whys = [[x.reasons[at] for at in x.whys[x.lost]] for x in (got, want)]
    assert whys[0] == whys[1]
    assert got.transformed == want.transformed


def test_sound_neighbours_become_one():
    parts = [part(0, 2, "sound"), part(2, 3, "sound"), part(5, 1, "lost"), part(6, 2, "sound")]
    assert [(each.start, each.stop) for each in merged(parts)] == [(0, 5), (5, 6), (6, 8)]
    assert merged(parts)[0].joined.columns[0].to_pylist() == ["t0", "t1", "t2", "t3", "t4"]


def test_many_parts_are_few_pieces():
    gathering = Gathering()
    for at in range(64):
        gathering.add([part(at, 1, "sound")])
    assert len(gathering.parts()) == 4
