"""Google's Pub/Sub clients, without the wrappers that cost more than the messages."""

import os
import time
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from google.api_core import exceptions

from transforms.errors import ConfigError, MillraceError

PULL_MESSAGES = 1000
"""Most messages of a pull or a publish: the service's own limit."""
PUBLISH_BYTES = 9 << 20
"""Most bytes of a publish; the service takes 10 MB, names of fields included."""
ACK_SECONDS = 60
"""The deadline of a subscription that is made here."""
EXPIRES_SECONDS = 8 * 86_400
"""A subscription that is made here and forgotten is deleted by the service after so long: a day
more than the service keeps messages in it."""
LOOK_SECONDS = 10.0
"""For how long a call that is no pull and no publish waits for an answer."""
_IDS = 2000
_TRANSIENT = (
    exceptions.ServerError,
    exceptions.TooManyRequests,
    exceptions.Aborted,
    exceptions.Cancelled,
)


def is_transient(error: Exception) -> bool:
    """Returns whether the same call may succeed later: the service is away or overloaded."""
    return isinstance(error, _TRANSIENT) or type(error).__name__ == "RetryError"


def explained(error: Exception, name: str) -> Exception:
    """Returns the error for the user, if the service can't do what was asked."""
    if isinstance(error, exceptions.NotFound):
        return ConfigError(f"pubsub://{name} does not exist; `{gcloud('create', name)}` creates it")
    if isinstance(error, (exceptions.Forbidden, exceptions.Unauthenticated)):
        return ConfigError(f"pubsub://{name}: access is denied to these credentials")
    if is_transient(error):
        text = " ".join(str(error).split())
        return MillraceError(f"pubsub://{name}: Pub/Sub at {_place()} does not answer: {text}")
    return error


def _settled(error: Exception, name: str) -> Exception:
    """Returns the error for the user, unless the same call may succeed later."""
    return error if is_transient(error) else explained(error, name)


def gcloud(verb: str, name: str) -> str:
    """Returns the command that creates or deletes a topic or subscription, emulator or not."""
    kind = name.split("/")[2]
    topic = " --topic=TOPIC" if (verb, kind) == ("create", "subscriptions") else ""
    host = os.environ.get("PUBSUB_EMULATOR_HOST")
    prefix = f"CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB=http://{host}/ " if host else ""
    return f"{prefix}gcloud pubsub {kind} {verb} {name}{topic}"


def _place() -> str:
    host = os.environ.get("PUBSUB_EMULATOR_HOST")
    return f"{host} (PUBSUB_EMULATOR_HOST)" if host else "pubsub.googleapis.com"


def _emulator(host: str) -> Any:
    """Connects to an emulator, for answers of any size: the client's own takes only 4 MiB."""
    import grpc
    from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

    channel = grpc.insecure_channel(host, options=[("grpc.max_receive_message_length", -1)])
    return SubscriberGrpcTransport(channel=channel)


class Subscriber:
    """Pulls from a subscription, and acknowledges messages or gives them back.

    Args:
      subscription: `projects/P/subscriptions/S`.
    """

    def __init__(self, subscription: str) -> None:
        self.subscription = subscription

    @cached_property
    def _client(self) -> Any:
        from google.cloud.pubsub_v1 import SubscriberClient

        host = os.environ.get("PUBSUB_EMULATOR_HOST")
        return SubscriberClient(transport=_emulator(host)) if host else SubscriberClient()

    def pull(self, number: int, seconds: float) -> list[Any]:
        """Messages as the service sends them (protobuf `ReceivedMessage`); none in time is none."""
        request = {"subscription": self.subscription, "max_messages": min(number, PULL_MESSAGES)}
        try:
            response = self._client.pull(request=request, timeout=seconds, retry=None)
        except exceptions.DeadlineExceeded:
            return []
        return list(type(response).pb(response).received_messages)

    def acknowledge(self, ack_ids: list[str]) -> None:
        """Acknowledges messages."""
        for some in _chunks(ack_ids):
            self._client.acknowledge(subscription=self.subscription, ack_ids=some)

    def lease(self, ack_ids: list[str], seconds: int) -> None:
        """Keeps messages for so long; 0 gives them back."""
        for some in _chunks(ack_ids):
            self._client.modify_ack_deadline(
                subscription=self.subscription, ack_ids=some, ack_deadline_seconds=seconds
            )

    def check(self, seconds: float = LOOK_SECONDS) -> None:
        """Looks whether the subscription is there.

        Args:
          seconds: For how long it waits for an answer.

        Raises:
          ConfigError: It is not, or access is denied.
          GoogleAPICallError: The service is away; see `explained`.
        """
        try:
            self._found(seconds)
        except exceptions.PermissionDenied:
            # The role to pull does not include the right to look.
            return
        except exceptions.GoogleAPICallError as error:
            raise _settled(error, self.subscription) from None

    def deadline(self) -> int:
        """Returns how many seconds an acknowledgement may take; 0 if we may not read it."""
        try:
            return int(self._found().ack_deadline_seconds)
        except exceptions.GoogleAPICallError:
            return 0

    def subscribe(self, topic: str) -> bool:
        """Makes the subscription, unless it is there.

        Args:
          topic: `projects/P/topics/T`.

        Returns: Whether it was made, so that only what is published from now on is in it.

        Raises:
          ConfigError: It is there on another topic, there is no such topic, or access is denied.
          MillraceError: The service does not answer.
        """
        request = {
            "name": self.subscription,
            "topic": topic,
            "ack_deadline_seconds": ACK_SECONDS,
            "expiration_policy": {"ttl": {"seconds": EXPIRES_SECONDS}},
        }
        try:
            self._client.create_subscription(request=request, timeout=LOOK_SECONDS, retry=None)
        except exceptions.AlreadyExists:
            self._check_topic(topic)
            return False
        except exceptions.PermissionDenied:
            raise ConfigError(
                f"pubsub://{topic}: these credentials may not subscribe to it; have a subscription "
                f"made by `{gcloud('create', self.subscription)}`, and name that one"
            ) from None
        except exceptions.GoogleAPICallError as error:
            raise explained(error, topic) from None
        return True

    def _check_topic(self, topic: str) -> None:
        try:
            found = self._found().topic
        except exceptions.GoogleAPICallError as error:
            raise explained(error, self.subscription) from None
        if found != topic:
            raise ConfigError(
                f"pubsub://{self.subscription} is there already, on {found} and not on {topic}: "
                "pass another --run_id"
            )

    def _found(self, seconds: float = LOOK_SECONDS) -> Any:
        request = {"subscription": self.subscription}
        return self._client.get_subscription(request=request, timeout=seconds, retry=None)

    def is_empty(self, seconds: float) -> bool:
        """Returns whether no message comes for a while; one that comes is given back."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if found := self.pull(1, left):
                self.lease([message.ack_id for message in found], 0)
                return False
            # An answer without messages may come at once.
            time.sleep(min(0.2, left))
        return True

    def delete(self) -> None:
        """Deletes the subscription, with what waits in it; one that is gone is no error.

        Raises:
          GoogleAPICallError: The service refuses, or does not answer.
        """
        try:
            self._client.delete_subscription(
                subscription=self.subscription, timeout=LOOK_SECONDS, retry=None
            )
        except exceptions.NotFound:
            return

    def close(self) -> None:
        """Closes its connections, if it has any."""
        if "_client" in self.__dict__:
            self._client.close()


class Publisher:
    """Publishes to a topic.

    Args:
      topic: `projects/P/topics/T`.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic

    @cached_property
    def _client(self) -> Any:
        from google.cloud.pubsub_v1 import PublisherClient

        return PublisherClient()

    def publish(self, messages: list[Any]) -> None:
        """Publishes protobuf `PubsubMessage`s in one call, again while the service is away.

        Raises:
          GoogleAPICallError: The service refuses them, or is away for longer than a minute.
        """
        from google.pubsub_v1 import PublisherClient
        from google.pubsub_v1.types import PublishRequest

        request = PublishRequest.meta.pb(topic=self.topic, messages=messages)
        # The client's own `publish` takes one message, and holds it for a while.
        PublisherClient.publish(self._client, request=PublishRequest.wrap(request))

    def check(self) -> None:
        """Looks whether the topic is there.

        Raises:
          ConfigError: It is not, or access is denied.
          GoogleAPICallError: The service is away; see `explained`.
        """
        try:
            self._client.get_topic(topic=self.topic, timeout=LOOK_SECONDS, retry=None)
        except exceptions.PermissionDenied:
            # The role to publish does not include the right to look.
            return
        except exceptions.GoogleAPICallError as error:
            raise _settled(error, self.topic) from None

    def close(self) -> None:
        """Closes its connections, if it has any."""
        if "_client" in self.__dict__:
            self._client.transport.close()


def _chunks(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + _IDS] for start in range(0, len(ids), _IDS))
