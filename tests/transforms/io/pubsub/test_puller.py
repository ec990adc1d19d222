"""The puller, and the official clients under it, against a server in this process."""

import time

import pytest
from grpc import StatusCode

from tests.transforms.io.pubsub.server import SUBSCRIPTION
from transforms.errors import ConfigError
from transforms.io.pubsub.clients import PULL_MESSAGES
from transforms.io.pubsub.puller import IN_FLIGHT, LEASE_SECONDS


def take(puller, number=1000, size=1 << 20, wait=10.0, linger=0.0):
    return puller.take(number, size, wait, linger)


def names(taken):
    return [message.message.message_id for message in taken]


def wait_until(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_takes_what_is_there(server, pulling):
    server.put(b"a", b"b", attributes={"k": "v"}, ordering_key="o")
    (first, second) = take(pulling())
    assert [first.message.data, second.message.data] == [b"a", b"b"]
    assert dict(first.message.attributes) == {"k": "v"}
    assert first.message.ordering_key == "o"


def test_none_in_time_is_none(server, pulling):
    start = time.monotonic()
    assert take(pulling(), wait=0.3) == []
    assert time.monotonic() - start >= 0.3


def test_takes_no_more_than_asked_and_the_rest_later(server, pulling):
    server.put(*[b"x"] * 10)
    puller = pulling()
    assert [names(take(puller, 4)) for _ in range(3)] == [
        ["m1", "m2", "m3", "m4"],
        ["m5", "m6", "m7", "m8"],
        ["m9", "m10"],
    ]


def test_takes_about_so_many_bytes(server, pulling):
    server.put(*[b"x" * 100] * 10)
    assert len(take(pulling(), size=250)) == 3


def test_lingers_for_more_but_not_once_it_has_enough(server, pulling):
    puller = pulling()
    server.put(b"a")
    wait_until(lambda: puller.held == 1)
    start = time.monotonic()
    assert len(take(puller, linger=0.5)) == 1
    assert time.monotonic() - start >= 0.5
    server.put(b"b")
    wait_until(lambda: puller.held == 2)
    server.put(b"c")
    assert len(take(puller, 2, linger=30.0)) == 2
    assert time.monotonic() - start < 20


def test_stops_pulling_while_it_holds_much(server, pulling):
    server.put(*[b"x"] * 8000)
    puller = pulling(max_held=1500)
    wait_until(lambda: puller.held >= 1500)
    time.sleep(1.5)
    held, calls = puller.held, server.calls.count("Pull")
    assert held < 1500 + IN_FLIGHT * PULL_MESSAGES
    time.sleep(1.5)
    assert (puller.held, server.calls.count("Pull")) == (held, calls)
    taken = take(puller, 10_000)
    assert len(taken) == held
    assert server.calls.count("Pull") == calls, "what is taken is held still"
    puller.acknowledge([message.ack_id for message in taken])
    wait_until(lambda: len(server.waiting) < 8000 - held)


def test_stops_pulling_while_it_holds_many_bytes(server, pulling):
    server.put(*[b"x" * 1000] * 5000)
    puller = pulling(max_held_bytes=10_000)
    wait_until(lambda: puller.held >= 1000)
    time.sleep(1.5)
    calls = server.calls.count("Pull")
    assert calls <= IN_FLIGHT
    time.sleep(1.2)
    assert server.calls.count("Pull") == calls


def test_leases_are_extended_until_they_are_acknowledged(server, pulling):
    server.lease = 8.0
    server.put(b"a", b"b", b"c")
    puller = pulling()
    taken = take(puller, 2)
    puller.acknowledge([taken[0].ack_id])
    time.sleep(10)
    assert set(server.leases) == {("m2", LEASE_SECONDS), ("m3", LEASE_SECONDS)}
    assert server.acked == ["m1"]
    assert names(take(puller, wait=0.2)) == ["m3"], "nothing came again"


def test_what_is_not_extended_comes_again(server, pulling):
    server.lease = 0.5
    server.put(b"a")
    puller = pulling()
    first, again = take(puller, 1), take(puller, 1)
    assert names(first) == names(again) == ["m1"]
    assert first[0].ack_id != again[0].ack_id


def test_a_service_that_is_away_for_a_while(server, pulling, caplog):
    puller = pulling()
    time.sleep(0.5)
    server.fail(StatusCode.UNAVAILABLE, "Pull", seconds=2)
    server.put(b"a")
    assert names(take(puller)) == ["m1"]
    time.sleep(0.5)
    away, back = [record.getMessage() for record in caplog.records]
    assert away == "Pub/Sub can't be reached; trying again until it can"
    assert back.startswith("Pub/Sub is back after ")


def test_silence_of_a_service_that_is_there_is_not_that_of_one_that_is_away(server, pulling):
    server.fail(StatusCode.DEADLINE_EXCEEDED, "Pull", "GetSubscription", seconds=3)
    reach = pulling().reach
    time.sleep(2)
    assert reach.since() is None
    wait_until(lambda: reach.since() is not None)
    assert server.calls.count("GetSubscription") > 1


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (StatusCode.NOT_FOUND, "does not exist"),
        (StatusCode.PERMISSION_DENIED, "access is denied"),
        (StatusCode.UNAUTHENTICATED, "access is denied"),
    ],
)
def test_what_can_not_be_pulled_from(server, pulling, code, told):
    server.fail(code, "Pull")
    with pytest.raises(ConfigError, match=f"pubsub://{SUBSCRIPTION}.*{told}"):
        take(pulling())


def test_close_gives_back_what_was_not_taken(server, pulling):
    server.put(b"a", b"b", b"c")
    puller = pulling()
    taken = take(puller, 1)
    puller.close()
    puller.close()
    # Once each, or again by a call that was in flight.
    assert set(server.leases) == {("m2", 0), ("m3", 0)}
    assert puller.held == 1
    puller.acknowledge([taken[0].ack_id])
    assert (puller.held, server.acked) == (0, ["m1"])


def test_what_comes_after_the_end_is_given_back(server, pulling):
    server.patience = 3.0  # Longer than a busy machine takes to put the message.
    puller = pulling()
    wait_until(lambda: "Pull" in server.calls)
    puller.close()
    server.put(b"a")
    wait_until(lambda: server.leases)
    # What is given back is due at once, and the other calls in flight may get it and do the same.
    assert set(server.leases) == {("m1", 0)}
    assert take(puller) == []


@pytest.mark.parametrize("code", [StatusCode.UNAVAILABLE, StatusCode.INTERNAL])
def test_acknowledging_is_tried_again(server, pulling, caplog, code):
    server.put(b"a")
    puller = pulling()
    (message,) = take(puller)
    server.fail(code, "Acknowledge", seconds=1)
    puller.acknowledge([message.ack_id])
    assert server.acked == ["m1"]
    assert server.calls.count("Acknowledge") > 1
    assert not caplog.records


def test_acknowledging_what_is_refused_is_told(server, pulling, caplog):
    server.put(b"a", b"b")
    puller = pulling()
    server.fail(StatusCode.PERMISSION_DENIED, "Acknowledge")
    puller.acknowledge([message.ack_id for message in take(puller)])
    assert [r.getMessage() for r in caplog.records] == ["2 messages could not be acknowledged"]
    assert server.calls.count("Acknowledge") == 1
    assert puller.held == 0


def test_many_acknowledgements_are_cut_in_calls(server, subscriber):
    subscriber.acknowledge([f"m{n}/1" for n in range(4001)])
    assert server.calls == ["Acknowledge"] * 3
    assert server.acked == [f"m{n}" for n in range(4001)]
