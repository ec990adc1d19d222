"""What clients find at launch, and subscriptions they make, against a server in this process."""

import time

import pytest
from google.api_core.exceptions import ServiceUnavailable
from grpc import StatusCode

from tests.transforms.io.pubsub.server import SUBSCRIPTION, TOPIC
from transforms.errors import ConfigError, MillraceError
from transforms.io.pubsub.clients import Publisher, Subscriber, explained, gcloud
from transforms.io.pubsub.read import session
from transforms.io.pubsub.source import PubSubSource

OWN = "projects/local/subscriptions/millrace-r1"


@pytest.mark.parametrize(
    ("kind", "method"), [(Subscriber, "GetSubscription"), (Publisher, "GetTopic")]
)
def test_check(server, kind, method):
    name = TOPIC if kind is Publisher else SUBSCRIPTION
    client = kind(name)
    client.check()
    with pytest.raises(ConfigError, match=f"pubsub://{name}s does not exist; .* create {name}s"):
        kind(f"{name}s").check()
    server.fail(StatusCode.UNAUTHENTICATED, method)
    with pytest.raises(ConfigError, match="access is denied"):
        client.check()
    server.fail(StatusCode.PERMISSION_DENIED, method)
    client.check()
    server.fail(StatusCode.UNAVAILABLE, method)
    with pytest.raises(ServiceUnavailable):
        client.check()
    client.close()


@pytest.mark.parametrize(("kind", "name"), [(Subscriber, SUBSCRIPTION), (Publisher, TOPIC)])
def test_a_service_that_is_not_there_is_told_at_once(monkeypatch, kind, name):
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:9")
    start = time.monotonic()
    with pytest.raises(ServiceUnavailable) as found:
        kind(name).check()
    assert time.monotonic() - start < 15
    told = explained(found.value, name)
    assert isinstance(told, MillraceError)
    assert "Pub/Sub at 127.0.0.1:9 (PUBSUB_EMULATOR_HOST) does not answer" in str(told)
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST")
    assert "Pub/Sub at pubsub.googleapis.com does not" in str(explained(found.value, name))


def test_closing_a_client_that_was_not_used_makes_none():
    for client in (Subscriber(SUBSCRIPTION), Publisher(TOPIC)):
        client.close()
        assert vars(client).keys() & {"_client"} == set()


@pytest.mark.parametrize(
    ("verb", "name", "command"),
    [
        ("create", TOPIC, f"gcloud pubsub topics create {TOPIC}"),
        ("create", OWN, f"gcloud pubsub subscriptions create {OWN} --topic=TOPIC"),
        ("delete", OWN, f"gcloud pubsub subscriptions delete {OWN}"),
    ],
)
def test_the_command_that_creates_or_deletes(monkeypatch, verb, name, command):
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    assert gcloud(verb, name) == command
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "[::1]:8085")
    where = "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB=http://[::1]:8085/"
    assert gcloud(verb, name) == f"{where} {command}"


def test_a_subscription_is_made_once(server):
    own = Subscriber(OWN)
    assert own.subscribe(TOPIC) is True
    made = server.subscriptions[OWN]
    assert (made.topic, made.ack_deadline_seconds) == (TOPIC, 60)
    assert made.expiration_policy.ttl.days == 8
    assert own.subscribe(TOPIC) is False
    own.delete()
    assert OWN not in server.subscriptions
    own.delete()
    own.close()


def test_a_subscription_of_another_topic(server):
    other = f"{TOPIC}-other"
    Subscriber(OWN).subscribe(TOPIC)
    server.subscriptions[OWN].topic = other
    with pytest.raises(ConfigError, match=f"{OWN} is there already, on {other} and not on {TOPIC}"):
        Subscriber(OWN).subscribe(TOPIC)
    server.fail(StatusCode.PERMISSION_DENIED, "GetSubscription")
    with pytest.raises(ConfigError, match="access is denied"):
        Subscriber(OWN).subscribe(TOPIC)


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        (StatusCode.NOT_FOUND, ConfigError, f"pubsub://{TOPIC} does not exist; .*{TOPIC}"),
        (StatusCode.PERMISSION_DENIED, ConfigError, f"may not subscribe.*create {OWN} --topic"),
        (StatusCode.UNAVAILABLE, MillraceError, "does not answer"),
    ],
)
def test_a_topic_that_can_not_be_subscribed_to(server, code, kind, told):
    server.fail(code, "CreateSubscription")
    with pytest.raises(kind, match=told):
        Subscriber(OWN).subscribe(TOPIC)


def test_whether_messages_wait(server, subscriber):
    start = time.monotonic()
    assert subscriber.is_empty(1.0) is True
    assert time.monotonic() - start >= 1.0
    server.put(b"a")
    assert subscriber.is_empty(30.0) is False
    assert server.leases == [("m1", 0)], "it was given back"
    assert server.acked == []


def test_a_topic_is_not_pulled_from():
    source = PubSubSource.resolve(f"pubsub://{TOPIC}?format=text")
    with pytest.raises(ConfigError, match=f"pubsub://{TOPIC}.format=text is a topic"):
        session(source)
