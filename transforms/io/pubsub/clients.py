"""Google's Pub/Sub clients, without the wrappers that cost more than the messages."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from google.api_core import exceptions

from transforms.errors import ConfigError

PULL_MESSAGES = 1000
"""Most messages of a pull or a publish: the service's own limit."""
PUBLISH_BYTES = 9 << 20
"""Most bytes of a publish; the service takes 10 MB, names of fields included."""
_IDS = 2000
_TRANSIENT = (
    exceptions.ServerError,
    exceptions.TooManyRequests,
    exceptions.Aborted,
    exceptions.Cancelled,
)


def is_transient(error: Exception) -> bool:
    """Whether the same call may succeed later: the service is away or overloaded."""
    return isinstance(error, _TRANSIENT) or type(error).__name__ == "RetryError"


def explained(error: Exception, name: str) -> Exception:
    """The error for the user, where what he asked for can't be."""
    if isinstance(error, exceptions.NotFound):
        return ConfigError(f"pubsub://{name} does not exist")
    if isinstance(error, (exceptions.Forbidden, exceptions.Unauthenticated)):
        return ConfigError(f"pubsub://{name}: access is denied to these credentials")
    return error


class Subscriber:
    """Pulls from a subscription, and tells it what becomes of the messages.

    Args:
      subscription: `projects/P/subscriptions/S`.
    """

    def __init__(self, subscription: str) -> None:
        self.subscription = subscription

    @cached_property
    def _client(self) -> Any:
        from google.cloud.pubsub_v1 import SubscriberClient

        return SubscriberClient()

    def pull(self, number: int, seconds: float) -> list[Any]:
        """Messages as the service sends them (protobuf `ReceivedMessage`); none in time is none."""
        request = {"subscription": self.subscription, "max_messages": min(number, PULL_MESSAGES)}
        try:
            response = self._client.pull(request=request, timeout=seconds, retry=None)
        except exceptions.DeadlineExceeded:
            return []
        return list(type(response).pb(response).received_messages)

    def acknowledge(self, ack_ids: list[str]) -> None:
        """Tells that messages are dealt with."""
        for some in _chunks(ack_ids):
            self._client.acknowledge(subscription=self.subscription, ack_ids=some)

    def lease(self, ack_ids: list[str], seconds: int) -> None:
        """Keeps messages for so long; 0 gives them back."""
        for some in _chunks(ack_ids):
            self._client.modify_ack_deadline(
                subscription=self.subscription, ack_ids=some, ack_deadline_seconds=seconds
            )

    def check(self, seconds: float = 20.0) -> None:
        """Looks whether the subscription is there.

        Args:
          seconds: For how long it waits for an answer.

        Raises:
          ConfigError: It is not, or access is denied.
          GoogleAPICallError: The service is away.
        """
        request = {"subscription": self.subscription}
        try:
            self._client.get_subscription(request=request, timeout=seconds, retry=None)
        except exceptions.PermissionDenied:
            # The role to pull does not include the right to look.
            return
        except exceptions.GoogleAPICallError as error:
            raise explained(error, self.subscription) from None

    def close(self) -> None:
        """Closes its connections."""
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
        """
        try:
            self._client.get_topic(topic=self.topic, timeout=20, retry=None)
        except exceptions.PermissionDenied:
            return
        except exceptions.GoogleAPICallError as error:
            raise explained(error, self.topic) from None


def _chunks(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + _IDS] for start in range(0, len(ids), _IDS))
