import pytest

from tests.transforms.io.pubsub.server import SUBSCRIPTION, TOPIC, Server
from transforms import progress


@pytest.fixture
def server(monkeypatch):
    server = Server()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", server.address)
    progress.reset()
    yield server
    server.close()


@pytest.fixture
def subscriber(server):
    from transforms.io.pubsub.clients import Subscriber

    client = Subscriber(SUBSCRIPTION)
    yield client
    client.close()


@pytest.fixture
def publisher(server):
    from transforms.io.pubsub.clients import Publisher

    return Publisher(TOPIC)


@pytest.fixture
def pulling(subscriber):
    """Starts pullers, and closes them."""
    from transforms.io.pubsub.puller import Puller

    started = []

    def start(**settings):
        started.append(Puller(subscriber, **settings))
        return started[-1]

    yield start
    for puller in started:
        puller.acknowledge(list(puller._held))
        puller.close()
        for thread in puller._threads[1:]:
            thread.join(10)
