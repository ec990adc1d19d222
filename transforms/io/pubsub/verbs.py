"""How `Read` and `Write` work with messages."""

from typing import TYPE_CHECKING, Any

from transforms.coders import Batches
from transforms.io.pubsub.native import ReadNative
from transforms.io.pubsub.read import ReadPubSub
from transforms.io.pubsub.sink import PubSubSink
from transforms.io.pubsub.source import PubSubSource
from transforms.io.pubsub.write import WritePubSub

if TYPE_CHECKING:
    from transforms.io.read import Read
    from transforms.io.write import Write


def read_messages(root: Any, source: PubSubSource, verb: "Read") -> Batches:
    """Reads the messages of a subscription, by our own source or by the runner's."""
    read = ReadNative if verb.native else ReadPubSub
    batches: Batches = root | "PubSub" >> read(source, verb.dead_letters)
    return batches


def write_messages(batches: Batches, verb: "Write") -> None:
    """Publishes rows to a topic, where they are at once; the run's commit counts them."""
    sink = PubSubSink.resolve(verb.uri)
    sent = batches | "PubSub" >> WritePubSub(sink, verb.dead_letters)
    if verb.commit is not None:
        verb.commit.published(sent, verb.uri)
