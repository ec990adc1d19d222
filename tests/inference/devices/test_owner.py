"""A device's owner: one call at a time, in the order in which they came, and what it tells."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.devices.ceiling import fitting_rows
from inference.devices.execution import Execution
from inference.devices.owner import DeviceOwner, Usage
from inference.time_limit import ModelTimeoutError
from transforms.errors import ConfigError


@pytest.fixture
def owner():
    made = DeviceOwner("CPU:0", ahead=2)
    yield made
    made.close()


def test_it_works_on_one_thread_for_all(owner):
    threads = {owner.call(threading.get_ident, 1) for _ in range(3)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_an_error_goes_to_the_one_who_asked(owner):
    def fails():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        owner.call(fails, 1)
    assert owner.call(lambda: 7, 1) == 7


def test_no_more_calls_wait_than_there_is_room_for():
    owner, begun, go = DeviceOwner("GPU:0", ahead=2), threading.Event(), threading.Event()
    done, order = [], []

    def first():
        begun.set()
        go.wait()

    def ask(function):
        owner.call(function, 1)
        done.append(function)

    askers = [threading.Thread(target=ask, args=(first,))]
    askers[0].start()
    begun.wait()
    for number in range(5):
        askers.append(threading.Thread(target=ask, args=(lambda n=number: order.append(n),)))
        askers[-1].start()
    while not owner._queue.full():
        pass
    assert (owner._queue.qsize(), done) == (2, [])
    go.set()
    for asker in askers:
        asker.join()
    owner.close()
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert owner.taken().calls == 6


def test_usage_by_the_clock():
    now = [0.0]
    owner = DeviceOwner("GPU:0", ahead=1, clock=lambda: now[0])

    def three_seconds():
        now[0] += 3.0

    owner.call(three_seconds, 1)
    now[0] += 1.0
    assert owner.taken() == Usage(calls=1, busy=3.0, waited=0.0, seconds=4.0)
    assert owner.taken() == Usage()
    owner.close()


def test_occupancy():
    assert Usage(2, busy=3.0, seconds=4.0).occupancy == 0.75
    assert (Usage(1, 4.0, 0.0, 4.0) + Usage(1, 0.0, 0.0, 4.0)).occupancy == 0.5
    assert Usage().occupancy == 0.0


def test_a_call_that_never_returns_ends_the_device():
    owner, go = DeviceOwner("GPU:0", ahead=1, timeout=0.01), threading.Event()
    with pytest.raises(ModelTimeoutError, match=r"from a call with 5 rows within 0\.01 s"):
        owner.call(go.wait, 5)
    with pytest.raises(ModelTimeoutError):
        owner.call(lambda: 1, 1)
    go.set()


def test_who_waits_for_the_device_is_not_late():
    """The time of a call counts from when the device takes it."""
    owner = DeviceOwner("GPU:0", ahead=4, timeout=30.0)
    results = []
    askers = [
        threading.Thread(target=lambda n=n: results.append(owner.call(lambda: n, 1)))
        for n in range(16)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    owner.close()
    assert sorted(results) == list(range(16))


@given(
    st.integers(1, 4096),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(1, 65536),
)
def test_rows_that_fit_into_memory(tried, used, for_rows, free, wanted):
    rows = fitting_rows(tried, used, used + for_rows, used + free, wanted)
    assert 1 <= rows <= wanted
    assert rows == 1 or rows / tried * for_rows <= max(free, for_rows * rows / tried * 1e-9 + free)


def test_rows_by_example():
    mega = 1 << 20
    assert fitting_rows(1024, 100 * mega, 300 * mega, 24_000 * mega, 8192) == 8192
    assert fitting_rows(1024, 100 * mega, 900 * mega, 4_000 * mega, 8192) == 4096
    assert fitting_rows(1024, 100 * mega, 900 * mega, 200 * mega, 8192) == 64


def test_what_an_execution_must_be():
    with pytest.raises(ConfigError, match="precision= is one of float32, bfloat16, float16, not"):
        Execution(precision="int8")
    with pytest.raises(ConfigError, match="calls_ahead= is at least 1, not 0"):
        Execution(calls_ahead=0)
