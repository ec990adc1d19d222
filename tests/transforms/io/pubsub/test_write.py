"""publish_batch: rows to messages at the service, by the official client."""

import io
import json
from concurrent.futures import ThreadPoolExecutor

import fastavro
import numpy as np
import pyarrow as pa
import pytest
from google.api_core.exceptions import FailedPrecondition
from google.pubsub_v1.types import ReceivedMessage
from grpc import StatusCode

from tests.support import batch_of
from tests.transforms.io.pubsub.server import TOPIC
from transforms.errors import ConfigError
from transforms.io.payloads.table import load_payload
from transforms.io.pubsub.clients import PUBLISH_BYTES, Publisher
from transforms.io.pubsub.messages import received
from transforms.io.pubsub.sink import PubSubSink
from transforms.io.pubsub.write import publish_batch

AVSC = {"type": "record", "name": "R", "fields": [{"name": "n", "type": "long"}]}


@pytest.fixture
def publish(publisher):
    with ThreadPoolExecutor(4) as pool:
        yield lambda rows, query="", to=publisher: publish_batch(
            rows, PubSubSink.resolve(f"pubsub://{TOPIC}{query}"), to, pool
        )


def published(server):
    return [message for call in server.published for message in call]


def test_json(server, publish):
    rows, rejects = publish(batch_of(n=[1, 2], s=["a", None]))
    found = [json.loads(message.data) for message in published(server)]
    assert found == [{"n": 1, "s": "a"}, {"n": 2, "s": None}]
    assert (rows.num_rows, rejects.num_rows) == (2, 0)


def test_text(server, publish):
    rows, rejects = publish(batch_of(text=["a", None, "ü"]), "?format=text")
    assert [message.data for message in published(server)] == [b"a", "ü".encode()]
    assert rows["text"].to_pylist() == ["a", "ü"]
    assert rejects["reason"].to_pylist() == ["missing_value"]


def test_avro(server, publish, tmp_path):
    (tmp_path / "r.avsc").write_text(json.dumps(AVSC))
    rows, rejects = publish(batch_of(n=[1, None, 3]), f"?format=avro&avsc={tmp_path}/r.avsc")
    payloads = [io.BytesIO(message.data) for message in published(server)]
    assert [fastavro.schemaless_reader(p, AVSC) for p in payloads] == [{"n": 1}, {"n": 3}]
    assert (rows["n"].to_pylist(), rejects.num_rows) == ([1, 3], 1)


def test_tf_example(server, publish):
    rows, rejects = publish(batch_of(n=[1, 2]), "?format=tf_example")
    pulled = [ReceivedMessage.pb(ReceivedMessage(message=m)) for m in published(server)]
    schema = pa.schema([("n", pa.int64())])
    again, _ = load_payload("tf_example").decode(received(pulled), schema, "x")
    assert again["n"].to_pylist() == [1, 2]
    assert (rows.num_rows, rejects.num_rows) == (2, 0)


def test_arrow(server, publish):
    given = batch_of(n=[1, 2, 3], message_id=["a", "b", "c"])
    rows, rejects = publish(given, "?format=arrow")
    (message,) = published(server)
    assert pa.ipc.open_stream(message.data).read_all().to_pydict() == {
        "n": [1, 2, 3],
        "source_message_id": ["a", "b", "c"],
    }
    assert dict(message.attributes) == {}, "each row has its own"
    assert (rows.num_rows, rejects.num_rows) == (3, 0)


@pytest.mark.parametrize("query", ["attributes=v", "ordered=true"])
def test_a_message_of_many_rows_has_no_attributes(query):
    with pytest.raises(ConfigError, match=r"holds many rows, and has attributes .* only once"):
        PubSubSink.resolve(f"pubsub://projects/proj-1/topics/scores?format=arrow&{query}")


def test_an_attribute_is_a_text(publish):
    rows = batch_of(n=[1], v=pa.array([{"a": 1}]))
    with pytest.raises(ConfigError, match=r"column 'v' is struct.*leave it in the payload"):
        publish(rows, "?attributes=v")


def test_attributes_and_ordering_key(server, publish):
    rows = batch_of(
        n=[1, 2],
        v=[4, None],
        message_id=["a", None],
        ordering_key=["k", "k"],
        publish_time=pa.array([0, 1], pa.timestamp("us", "UTC")),
    )
    publish(rows, "?attributes=v&ordered=true")
    first, second = published(server)
    assert [json.loads(first.data), json.loads(second.data)] == [{"n": 1}, {"n": 2}]
    assert dict(first.attributes) == {"v": "4", "source_message_id": "a"}
    assert dict(second.attributes) == {}
    assert (first.ordering_key, second.ordering_key) == ("k", "k")
    publish(rows)
    assert published(server)[2].ordering_key == "", "not asked for"


def test_an_attribute_that_is_no_column(publish):
    with pytest.raises(ConfigError, match=r"there is no column .v. for the messages"):
        publish(batch_of(n=[1]), "?attributes=v")


@pytest.mark.parametrize("bad", [[0], [6], [2, 3], [0, 5, 6], list(range(7))])
def test_refused_rows_are_found(server, publish, bad):
    server.max_bytes = 50
    texts = ["x" * 60 if index in bad else f"{index}" for index in range(7)]
    rows, rejects = publish(batch_of(text=texts), "?format=text")
    good = [text for text in texts if len(text) < 50]
    assert sorted(message.data.decode() for message in published(server)) == sorted(good)
    assert rows["text"].to_pylist() == good
    assert [json.loads(text)["text"] for text in rejects["payloadString"].to_pylist()] == [
        text for text in texts if len(text) > 50
    ]
    assert set(rejects["reason"].to_pylist()) == {"publish_error"}
    assert len(server.calls) <= 13


def test_one_refused_row_of_many_is_found_in_few_calls(server, publish):
    server.max_bytes = 50
    rows, rejects = publish(
        batch_of(text=["x" * 60 if index == 700 else "a" for index in range(1000)]),
        "?format=text",
    )
    assert (rows.num_rows, rejects.num_rows, len(published(server))) == (999, 1, 999)
    assert len(server.calls) <= 21


def test_refused_and_not_encoded_rows_together(server, publish):
    server.max_bytes = 50
    rows, rejects = publish(batch_of(text=["a", None, "x" * 60, "b"]), "?format=text")
    assert rows["text"].to_pylist() == ["a", "b"]
    assert rejects["reason"].to_pylist() == ["missing_value", "publish_error"]


def test_a_refused_payload_of_several_rows(server, publish):
    server.max_bytes = 5
    rows, rejects = publish(batch_of(n=[1, 2, 3]), "?format=arrow")
    assert (rows.num_rows, rejects.num_rows, published(server)) == (0, 3, [])


def test_many_messages_are_cut_in_calls(server, publish):
    rows, _ = publish(batch_of(n=np.arange(2500)))
    assert sorted(len(call) for call in server.published) == [500, 1000, 1000]
    found = sorted(json.loads(message.data)["n"] for message in published(server))
    assert found == rows["n"].to_pylist() == list(range(2500))


def test_large_messages_are_cut_in_calls(server, publish):
    texts = [f"{index}".rjust(3_000_000) for index in range(7)]
    rows, rejects = publish(batch_of(text=texts), "?format=text")
    assert sorted(len(call) for call in server.published) == [1, 3, 3]
    assert PUBLISH_BYTES < 10_000_000
    assert sorted(int(message.data) for message in published(server)) == list(range(7))
    assert (rows.num_rows, rejects.num_rows) == (7, 0)


def test_no_rows(server, publish):
    rows, rejects = publish(batch_of(n=pa.array([], pa.int64())))
    assert (rows.num_rows, rejects.num_rows, server.calls) == (0, 0, [])


def test_no_such_topic(publish):
    with pytest.raises(ConfigError, match=f"pubsub://{TOPIC}s does not exist"):
        publish(batch_of(n=[1, 2]), to=Publisher(f"{TOPIC}s"))


def test_access_is_denied(server, publish):
    server.fail(StatusCode.PERMISSION_DENIED, "Publish")
    with pytest.raises(ConfigError, match=f"pubsub://{TOPIC}: access is denied"):
        publish(batch_of(n=[1, 2]))
    assert server.calls == ["Publish"]


def test_credentials_that_are_none_reject_no_row(server, publish):
    server.fail(StatusCode.UNAUTHENTICATED, "Publish")
    with pytest.raises(ConfigError, match="access is denied"):
        publish(batch_of(n=[1, 2]))


def test_a_topic_that_can_not_take_anything_rejects_no_row(server, publish):
    """As where its encryption key is disabled."""
    server.fail(StatusCode.FAILED_PRECONDITION, "Publish")
    with pytest.raises((FailedPrecondition, ConfigError)):
        publish(batch_of(n=[1, 2]))


def test_a_call_has_one_ordering_key(server, publish):
    """So the service asks; the messages are published even so, halved until they are of one key."""
    publish(batch_of(n=[1, 2, 3, 4], ordering_key=["a", "b", "b", "a"]), "?ordered=true")
    assert sorted(json.loads(message.data)["n"] for message in published(server)) == [1, 2, 3, 4]
    assert len(server.calls) <= 3


def test_messages_of_one_key_are_published_in_their_order(server, publish):
    server.delays = {1000: 0.5}
    publish(batch_of(n=np.arange(1500), ordering_key=["k"] * 1500), "?ordered=true")
    assert [json.loads(message.data)["n"] for message in published(server)] == list(range(1500))


def test_ordered_needs_its_column(publish):
    with pytest.raises(ConfigError, match="ordering_key"):
        publish(batch_of(n=[1]), "?ordered=true")


def test_a_service_that_is_away_for_a_while(server, publish):
    server.fail(StatusCode.UNAVAILABLE, "Publish", seconds=1)
    rows, rejects = publish(batch_of(n=[1]))
    assert (rows.num_rows, rejects.num_rows, len(published(server))) == (1, 0, 1)
    assert len(server.calls) > 1
