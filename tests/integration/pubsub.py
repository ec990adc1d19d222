"""A Pub/Sub emulator's topics and subscriptions, by the official clients."""

import time
from collections import Counter
from dataclasses import dataclass

from google.api_core.exceptions import DeadlineExceeded
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient as Api

PROJECT = "projects/local-test"


@dataclass
class Channel:
    """A topic with one subscription."""

    name: str

    def __post_init__(self):
        self.topic = f"{PROJECT}/topics/{self.name}"
        self.subscription = f"{PROJECT}/subscriptions/{self.name}"
        self._publisher = pubsub_v1.PublisherClient()
        self._subscriber = pubsub_v1.SubscriberClient()
        self._publisher.create_topic(name=self.topic)
        self._subscriber.create_subscription(
            name=self.subscription, topic=self.topic, ack_deadline_seconds=10
        )

    @property
    def source(self):
        return f"pubsub://{self.subscription}"

    @property
    def sink(self):
        return f"pubsub://{self.topic}"

    def publish(self, payloads, attributes=None):
        """Publishes payloads in their order, with the attributes of each."""
        attributes = attributes or [{}] * len(payloads)
        messages = [
            {"data": data, "attributes": given}
            for data, given in zip(payloads, attributes, strict=True)
        ]
        for start in range(0, len(messages), 1000):
            Api.publish(self._publisher, topic=self.topic, messages=messages[start : start + 1000])

    def drain(self, seconds=3.0):
        """All messages that are there, acknowledged."""
        found, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                response = self._subscriber.pull(
                    subscription=self.subscription, max_messages=1000, timeout=1.0, retry=None
                )
            except DeadlineExceeded:
                continue
            if response.received_messages:
                ids = [message.ack_id for message in response.received_messages]
                self._subscriber.acknowledge(subscription=self.subscription, ack_ids=ids)
                found += [message.message for message in response.received_messages]
                until = time.monotonic() + seconds
        return found


def times(values):
    """How often each value occurs, of those that occur more than once."""
    return {value: number for value, number in Counter(values).items() if number > 1}
