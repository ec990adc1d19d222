"""Where Pub/Sub's topics and subscriptions are: `pubsub://projects/P/subscriptions/S`."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from transforms.errors import ConfigError
from transforms.families import scheme_of

_PATH = re.compile(
    r"projects/[a-z][-a-z0-9.:]{2,61}/(?P<kind>topics|subscriptions)/[A-Za-z][\w.~+%-]{2,254}"
)


@dataclass(frozen=True)
class Address:
    """A parsed URI.

    Attributes:
      name: `projects/P/topics/T` or `projects/P/subscriptions/S`.
      format: The payloads' format, or None where nothing says it.
      settings: What else the query says.
    """

    name: str
    format: str | None
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def project(self) -> str:
        """`projects/P`."""
        return "/".join(self.name.split("/")[:2])

    @property
    def is_topic(self) -> bool:
        """Whether it is a topic, not a subscription."""
        return "/topics/" in self.name


def address_of(uri: str | None) -> Address | None:
    """Returns what a URI of Pub/Sub addresses; None for any other.

    Raises:
      ConfigError: It is one of Pub/Sub, and names no topic or subscription.
    """
    return address(uri) if uri and scheme_of(uri) == "pubsub" else None


def address(uri: str) -> Address:
    """Parses a URI.

    Raises:
      ConfigError: It names no topic or subscription.
    """
    path, _, query = uri.partition("?")
    name = path.removeprefix("pubsub://")
    if not _PATH.fullmatch(name):
        raise ConfigError(
            f"{uri!r} is no Pub/Sub address: pubsub://projects/PROJECT/subscriptions/NAME or "
            "pubsub://projects/PROJECT/topics/NAME, where a name has at least 3 characters"
        )
    settings = dict(parse_qsl(query, keep_blank_values=True))
    return Address(name, settings.pop("format", None), tuple(sorted(settings.items())))
