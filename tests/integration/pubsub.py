"""A Pub/Sub emulator, its topics and subscriptions, by the official clients."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.api_core.exceptions import DeadlineExceeded
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient as Api

from beam_jobs.rehearsal.storage import free_port, wait_for

PROJECT = "projects/local-test"
JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"


def command() -> list[str] | None:
    """How the emulator is started; None where it, or Prism, isn't here."""
    jars = [*Path("/usr/lib").glob(f"google-cloud-sdk/{JAR}")]
    jars += Path.home().glob(f"google-cloud-sdk/{JAR}")
    java, prism = shutil.which("java"), shutil.which("prism", path=os.path.dirname(sys.executable))
    if not (jars and java and prism):
        return None
    return [java, "-Xmx3g", "-jar", str(max(jars))]


@contextlib.contextmanager
def running(
    start: list[str], port: int | None = None
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Runs the emulator; yields its address and its process."""
    port = port or free_port()
    flags = ["--host=127.0.0.1", f"--port={port}"]
    server = subprocess.Popen(
        [*start, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        yield f"127.0.0.1:{port}", server
    finally:
        server.kill()
        server.wait()


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
        """Publishes payloads in their order, with the attributes of each; returns their ids."""
        attributes = attributes or [{}] * len(payloads)
        messages = [
            {"data": data, "attributes": given}
            for data, given in zip(payloads, attributes, strict=True)
        ]
        ids = []
        for start in range(0, len(messages), 1000):
            some = messages[start : start + 1000]
            ids += Api.publish(self._publisher, topic=self.topic, messages=some).message_ids
        return ids

    def pull(self, seconds=1.0):
        """Messages that are there, not acknowledged."""
        try:
            response = self._subscriber.pull(
                subscription=self.subscription, max_messages=1000, timeout=seconds, retry=None
            )
        except DeadlineExceeded:
            return []
        return list(type(response).pb(response).received_messages)

    def acknowledge(self, ack_ids):
        if ack_ids:
            self._subscriber.acknowledge(subscription=self.subscription, ack_ids=ack_ids)

    def taken(self):
        """Tells whether another has all messages; those that are pulled here are given back."""
        pulled = self.pull()
        if pulled:
            self._subscriber.modify_ack_deadline(
                subscription=self.subscription,
                ack_ids=[message.ack_id for message in pulled],
                ack_deadline_seconds=0,
            )
        return not pulled

    def drain(self, seconds=3.0):
        """All messages that are there, acknowledged."""
        found, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            pulled = self.pull()
            if pulled:
                self.acknowledge([message.ack_id for message in pulled])
                found += [message.message for message in pulled]
                until = time.monotonic() + seconds
        return found


def times(values):
    """How often each value occurs, of those that occur more than once."""
    return {value: number for value, number in Counter(values).items() if number > 1}
