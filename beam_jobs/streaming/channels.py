"""Topics and subscriptions of a local run: looked up at launch, before anything is built."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from beam_jobs.options.declare import JobOptions
from transforms.errors import MillraceError
from transforms.io.pubsub.uris import address_of

if TYPE_CHECKING:
    from transforms.io.pubsub.clients import Publisher, Subscriber


def check(options: JobOptions) -> None:
    """Looks whether the topics and subscriptions that a job names are there.

    Who may not look is not hindered: pulling and publishing will show it.

    Raises:
      ConfigError: One is not there; the text names the option and the command that creates it.
      MillraceError: The service does not answer within ten seconds.
    """
    for flag, name, client in _clients(options):
        try:
            client.check()
        except Exception as error:
            raise _named_error(flag, name, error) from None
        finally:
            client.close()


def _named_error(flag: str, name: str, error: Exception) -> Exception:
    """Returns the service's error with its option; other errors stay as they are."""
    from transforms.io.pubsub.clients import explained

    reason = explained(error, name)
    if not isinstance(reason, MillraceError):
        return reason
    return type(reason)(f"{flag}: {reason}")


def _clients(options: JobOptions) -> "Iterator[tuple[str, str, Publisher | Subscriber]]":
    """Yields the clients of inputs and outputs, each made after the last one was used."""
    source, sink = (getattr(options, name, None) for name in ("input", "output"))
    if place := address_of(source):
        from transforms.io.pubsub.clients import Publisher, Subscriber

        kind = Publisher if place.is_topic else Subscriber
        yield "--input", place.name, kind(place.name)
    if address_of(sink):
        from transforms.io.pubsub.clients import Publisher
        from transforms.io.pubsub.sink import PubSubSink

        name = PubSubSink.resolve(sink or "").address.name
        yield "--output", name, Publisher(name)
