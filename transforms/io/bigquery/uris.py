"""Where BigQuery's tables are: `bq://project.dataset.table`."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from transforms.errors import ConfigError

_TABLE = re.compile(
    # A project may belong to a domain: `example.com:project`.
    r"(?P<project>(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9])\."
    r"(?P<dataset>\w{1,1024})\.(?P<table>[\w $-]{1,1024})",
)


@dataclass(frozen=True)
class Address:
    """A parsed URI of a table.

    Attributes:
      project: The project that the table is in.
      dataset: Its dataset.
      table: Its name.
      settings: What the query says, by name.
    """

    project: str
    dataset: str
    table: str
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """`project.dataset.table`."""
        return f"{self.project}.{self.dataset}.{self.table}"

    @property
    def uri(self) -> str:
        """The URI without settings."""
        return f"bq://{self.name}"

    @property
    def path(self) -> str:
        """The table's name in the Storage API."""
        return f"projects/{self.project}/datasets/{self.dataset}/tables/{self.table}"


def address(uri: str, known: tuple[str, ...]) -> Address:
    """Parses the URI of a table.

    Args:
      uri: `bq://project.dataset.table`, and perhaps `?setting=value`.
      known: The settings that are known here.

    Raises:
      ConfigError: It names no table, or several, or has a setting that isn't known.
    """
    path = uri.partition("?")[0]
    match = _TABLE.fullmatch(path.removeprefix("bq://"))
    if path.endswith("*"):
        raise ConfigError(
            f"{uri!r} is a wildcard for several tables: name one, or read them by a query: "
            f"'bq:?query=SELECT * FROM `{path.removeprefix('bq://')}`&temp_dataset=PROJECT.DATASET'"
        )
    if not path.startswith("bq://") or not match:
        raise ConfigError(
            f"{uri!r} names no BigQuery table: bq://PROJECT.DATASET.TABLE, where a project has 6 "
            "to 30 characters"
        )
    return Address(**match.groupdict(), settings=tuple(sorted(settings_of(uri, known).items())))


def settings_of(uri: str, known: tuple[str, ...]) -> dict[str, str]:
    """Returns what stands after the question mark of a URI, by name.

    Args:
      uri: `bq:...?setting=value&setting=value`; `%26` stands for `&`, and a plus for itself, for
        values may be SQL.
      known: The settings that are known here.

    Raises:
      ConfigError: It has another one.
    """
    parts = [part.partition("=") for part in uri.partition("?")[2].split("&") if part]
    settings = {unquote(name): unquote(value) for name, _, value in parts}
    if unknown := sorted(set(settings) - set(known)):
        raise ConfigError(f"{uri!r}: unknown setting {unknown[0]!r}; known: {', '.join(known)}")
    return settings


def dataset_of(uri: str, text: str) -> tuple[str, str]:
    """Returns project and dataset of `PROJECT.DATASET`.

    Raises:
      ConfigError: It is no such name.
    """
    match = _TABLE.fullmatch(f"{text}.t")
    if not match:
        raise ConfigError(f"{uri!r}: {text!r} names no dataset: PROJECT.DATASET")
    return match["project"], match["dataset"]
