"""Calls side by side: chosen where they are measured to be faster, and never for dependent rows."""

import threading

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.devices.execution import Execution
from inference.loaded import LoadedModel
from inference.model.model import Model
from inference.runs.beside import ahead_of, calls_beside
from inference.score import score_batch
from transforms.calls import Ahead, CallResult, Calls, Failed, RowLimit


class Machine:
    """A clock that calls move on: by themselves, or together with those beside them."""

    def __init__(self, seconds, beside):
        self.now, self.seconds, self.beside = 0.0, seconds, beside
        self.lock, self.main = threading.Lock(), threading.current_thread()

    def clock(self):
        return self.now

    def call(self):
        with self.lock:
            alone = threading.current_thread() is self.main
            self.now += self.seconds if alone else self.seconds / self.beside


@pytest.mark.parametrize(
    ("seconds", "beside", "cores", "calls"),
    [
        (0.1, 2.0, 2, 2),
        (0.1, 1.0, 2, 1),
        (0.1, 1.2, 2, 1),
        (0.1, 0.8, 2, 1),
        (0.1, 3.5, 4, 4),
        (0.001, 2.0, 2, 1),
        (0.1, 2.0, 1, 1),
    ],
)
def test_as_many_as_there_are_cores_where_that_is_faster(seconds, beside, cores, calls):
    machine = Machine(seconds, beside)
    assert calls_beside(machine.call, cores, machine.clock) == calls


def test_one_at_a_time_takes_no_threads():
    assert ahead_of(1) is None


@given(st.integers(0, 300), st.integers(1, 5), st.integers(1, 100), st.sets(st.integers(0, 299)))
def test_rows_are_whole_and_in_order(rows, parts, most, bad):
    def call(start, count, padded):
        if bad & set(range(start, start + count)):
            raise ValueError("no")
        return list(range(start, start + count))

    ahead, limit = ahead_of(parts) if parts > 1 else None, RowLimit(most)
    calls = Calls(call, lambda error: False, lambda error: "no")
    found = list(calls.over(rows, limit, ahead))
    good = [row for part in found if isinstance(part, CallResult) for row in part.result]
    failed = [part.row for part in found if isinstance(part, Failed)]
    assert good == [row for row in range(rows) if row not in bad]
    assert failed == sorted(row for row in bad if row < rows)
    if ahead is not None:
        ahead.pool.shutdown()


def test_the_rows_of_a_call():
    ahead = Ahead(None, 2, parts=2)
    assert [ahead.rows(rows, 8192) for rows in (8192, 5000, 20, 1)] == [4096, 2500, 16, 16]
    assert ahead.rows(20_000, 8192) == 8192
    assert ahead.rows(20, 8) == 8
    assert Ahead(None, 4).rows(100, 64) == 64


def test_a_model_that_is_called_side_by_side_gives_the_same(linear_model, monkeypatch):
    monkeypatch.setattr("inference.loaded.calls_beside", lambda call, most: most)
    numbers = pa.array(np.arange(1000), pa.float32())
    batch = pa.RecordBatch.from_pydict({"x": numbers, "y": numbers, "name": ["n"] * 1000})
    model = Model.resolve(str(linear_model), batch_rows=128)
    plain = score_batch(batch, LoadedModel(model))
    threads = set()
    beside = LoadedModel(model, Execution(calls_beside=3))
    call = beside._runs.call
    monkeypatch.setattr(
        beside._runs, "call", lambda *a: threads.add(threading.get_ident()) or call(*a)
    )
    found = score_batch(batch, beside)
    assert [part.to_pydict() for part in found] == [part.to_pydict() for part in plain]
    assert len(threads) > 1
