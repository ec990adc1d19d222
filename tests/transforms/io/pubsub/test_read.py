"""Session.next: messages as they are pulled to rows and rejects, each once."""

import json
import time
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from tests.transforms.io.pubsub.server import SUBSCRIPTION
from transforms.errors import ConfigError
from transforms.io.pubsub.read import AHEAD, Session
from transforms.io.pubsub.source import PubSubSource
from transforms.progress import Count, gauges, snapshot
from transforms.windows.assign import watermark_of

URI = f"pubsub://{SUBSCRIPTION}"
SCHEMA = pa.schema([("n", pa.int64())])
TIME = datetime(2026, 1, 31, 23, 59, 1, 250_000, UTC)
MICROS = 1_769_903_941_250_000


@pytest.fixture
def open_session(server, pulling):
    def start(query="", schema=SCHEMA, **settings):
        source = PubSubSource.resolve(URI + query, schema, **settings)
        return Session(source, pulling())

    return start


def batch_of(session, seconds=10):
    until = time.monotonic() + seconds
    while (found := session.next()) is None:
        assert time.monotonic() < until
    return found


def n(*numbers):
    return [json.dumps({"n": number}).encode() for number in numbers]


def test_rows_with_the_columns_of_their_messages(server, open_session):
    server.put(*n(1, 2), publish_time=TIME, ordering_key="o")
    session = open_session()
    (rows, rejects), ack_ids = batch_of(session)
    assert rows.to_pylist() == [
        {"n": i, "message_id": f"m{i}", "publish_time": TIME, "ordering_key": "o"} for i in (1, 2)
    ]
    assert rejects.num_rows == 0
    assert session.puller.held == 2
    session.puller.acknowledge(ack_ids)
    assert (session.puller.held, server.acked) == (0, ["m1", "m2"])


def test_none_came(open_session):
    assert open_session().next() is None


def test_no_more_than_a_batch(server, open_session):
    server.put(*n(*range(5)), publish_time=TIME)
    session = open_session(max_rows=3)
    assert [batch_of(session)[0][0].num_rows for _ in range(2)] == [3, 2]


def test_a_message_that_comes_twice(server, open_session):
    session = open_session()
    server.put(*n(1, 2, 1), ids=["m1", "m2", "m1"], publish_time=TIME)
    (rows, _), ack_ids = batch_of(session)
    assert rows["n"].to_pylist() == [1, 2]
    assert len(ack_ids) == 3, "duplicates are acknowledged too"
    server.put(*n(2, 3), ids=["m2", "m3"], publish_time=TIME)
    (rows, _), _ = batch_of(session)
    assert rows["n"].to_pylist() == [3]
    assert snapshot() == {"read": Count(5), "duplicate": Count(2)}


def test_a_key_that_comes_twice(server, open_session):
    session = open_session("?attributes=key", dedup_key="key")
    server.put(*n(1, 2), publish_time=TIME, attributes={"key": "a"})
    server.put(*n(3), publish_time=TIME, attributes={"key": "b"})
    server.put(*n(4, 5), publish_time=TIME)
    found = []
    while len(found) < 4:
        found += batch_of(session)[0][0]["n"].to_pylist()
    assert found == [1, 3, 4, 5], "rows without a key are no duplicates"
    assert snapshot()["duplicate"] == Count(1)


def test_what_can_not_be_decoded(server, open_session):
    server.put(b"{broken", b'{"n": 7}', b"\xff", attributes={"k": "v"}, publish_time=TIME)
    session = open_session()
    (rows, rejects), ack_ids = batch_of(session)
    assert rows["n"].to_pylist() == [7]
    kept = ("payloadBytes", "attributes", "source")
    pairs = [{"key": "k", "value": "v"}]
    assert [{name: row[name] for name in kept} for row in rejects.to_pylist()] == [
        {"payloadBytes": b"{broken", "attributes": pairs, "source": f"{URI}#message=m1"},
        {"payloadBytes": b"\xff", "attributes": pairs, "source": f"{URI}#message=m3"},
    ]
    assert set(rejects["reason"].to_pylist()) <= {"unparsable", "invalid_utf8"}
    assert len(ack_ids) == 3


@pytest.mark.parametrize("text", ["2026-01-31T23:59:01.250Z", "1769903941250"])
def test_event_times_of_an_attribute(server, open_session, text):
    server.put(*n(1), attributes={"at": text}, publish_time=TIME.replace(year=2027))
    session = open_session("?attributes=at", event_time="at")
    (rows, _), _ = batch_of(session)
    assert rows["at"].to_pylist() == [TIME]
    assert session.watermark.value == MICROS - 10_000_000


def test_missing_and_unreadable_event_times(server, open_session):
    server.put(*n(1), publish_time=TIME)
    server.put(*n(2), publish_time=TIME, attributes={"at": "soon"})
    server.put(*n(3), publish_time=TIME, attributes={"at": "0"})
    session = open_session("?attributes=at", event_time="at", linger=0.5)
    (rows, rejects), _ = batch_of(session)
    assert rows["n"].to_pylist() == [3]
    assert rejects["reason"].to_pylist() == ["missing_value", "unparsable"]
    assert rejects["column"].to_pylist() == ["at", "at"]
    assert rejects["source"].to_pylist() == [f"{URI}#message=m{i}" for i in (1, 2)]


def test_batches_note_the_watermark_from_before_them(server, open_session):
    session = open_session(disorder=5.0)
    server.put(*n(1), publish_time=TIME)
    (rows, _), _ = batch_of(session)
    assert watermark_of(rows) is None
    server.put(*n(2), publish_time=TIME.replace(second=31))
    time.sleep(2.1)
    (rows, _), _ = batch_of(session)
    assert watermark_of(rows) == MICROS - 5_000_000
    assert rows.schema.metadata[b"millrace:source"] == URI.encode()
    time.sleep(2.1)
    assert session.next() is None
    server.put(*n(3), publish_time=TIME.replace(second=32))
    (rows, _), _ = batch_of(session)
    assert watermark_of(rows) == MICROS + 25_000_000
    assert gauges()["in_flight"] >= 2
    assert gauges()["lag"] > 0


def test_event_time_goes_on_while_nothing_comes(server, open_session):
    session = open_session(idle=0.0)
    server.put(*n(1), publish_time=TIME)
    batch_of(session)
    time.sleep(2.1)
    assert session.next() is None
    assert session.watermark.value >= MICROS - 10_000_000 + 2_100_000


def test_one_from_far_ahead_leaves_old_messages_in_time(server, open_session):
    """They are read again long after they happened: now would be too late for them."""
    session = open_session("?attributes=at", event_time="at")
    server.put(*n(1), attributes={"at": "2027-01-31T23:59:01.250Z"}, publish_time=TIME)
    server.put(*n(2), attributes={"at": "2020-01-31T23:59:01.250Z"}, publish_time=TIME)
    found = []
    while len(found) < 2:
        found += batch_of(session)[0][0]["n"].to_pylist()
    assert session.watermark.value <= MICROS - 5 * 365 * 86_400 * 10**6


def test_an_event_time_from_the_future_does_not_move_the_others(server, open_session, caplog):
    session = open_session("?attributes=at", event_time="at")
    server.put(*n(1), attributes={"at": "2026-02-01T05:59:01.250Z"}, publish_time=TIME)
    server.put(*n(2), attributes={"at": TIME.isoformat()}, publish_time=TIME)
    found = []
    while len(found) < 2:
        found += batch_of(session)[0][0]["n"].to_pylist()
    assert sorted(found) == [1, 2]
    assert session.watermark.value <= MICROS + AHEAD
    assert caplog.text.count("more than a minute ahead") == 1


@pytest.mark.parametrize("text", ["253402300800000", "-999999999999999"])
def test_event_times_beyond_dates_do_not_move_the_watermark(server, open_session, text):
    server.put(*n(1), attributes={"at": text}, publish_time=TIME)
    session = open_session("?attributes=at", event_time="at")
    batch_of(session)
    assert session.watermark.value is None


def test_keys_of_bytes(server, open_session):
    schema = pa.schema([("n", pa.int64()), ("k", pa.binary())])
    stream = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_pydict({"n": [1, 2, 3], "k": [b"\xff", b"\xfe", b"\xff"]})
    with pa.ipc.new_stream(stream, batch.schema) as writer:
        writer.write_batch(batch)
    server.put(stream.getvalue().to_pybytes(), publish_time=TIME)
    session = open_session("?format=arrow", schema, dedup_key="k")
    (rows, _), _ = batch_of(session)
    assert rows["n"].to_pylist() == [1, 2]


def test_keys_of_lists_are_refused():
    schema = pa.schema([("n", pa.list_(pa.int64()))])
    with pytest.raises(ConfigError, match="--dedup_key: column 'n' is list"):
        PubSubSource.resolve(URI, schema, dedup_key="n")


def test_a_column_that_nobody_named(open_session):
    with pytest.raises(ConfigError, match="and fields of the payloads by --schema"):
        PubSubSource.resolve(URI, types={"n": pa.int64()}, dedup_key="id")
