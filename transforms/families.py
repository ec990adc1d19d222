"""The one table of inputs and outputs: a scheme tells how they are resolved, read and written."""

from dataclasses import dataclass
from typing import Any

from transforms.errors import ConfigError
from transforms.lazy import load
from transforms.nearest import nearest


@dataclass(frozen=True)
class Family:
    """What inputs and outputs of some schemes have in common; `load` imports a part of it.

    Attributes:
      name: Its name.
      bounded: Whether its inputs come to an end.
      staged: Whether rows written to it wait for the commit; else they are there at once.
      portable: Whether all workers reach all of its places, wherever these are.
      kept: Columns of its inputs that its outputs need, and that are kept in any case.
      resolve: Looks at an input: (uri, schema, types, limit, settings) -> source.
      read: Reads a source: (root, source, the verb `Read`) -> batches.
      write: Writes batches: (batches, the verb `Write`) -> None.
      place: What a commit does at an output: a `transforms.commit.places.Place`.
      append: Has dead letters without end in an output as they come: (batches, target) -> None.
      target: Makes an output as a commit knows it: (uri, run id, endless, dead letters, evidence)
        -> Target; "" where it is a file or folder.
      waits: Tells of an output whether rows without end wait there: (uri) -> bool; "" where
        `staged` says it of all.
    """

    name: str
    bounded: bool = True
    staged: bool = True
    portable: bool = True
    kept: tuple[str, ...] = ()
    resolve: str = ""
    read: str = ""
    write: str = ""
    place: str = ""
    append: str = ""
    target: str = ""
    waits: str = ""

    def holds(self, uri: str) -> bool:
        """Returns whether rows without end wait for their commit at an output."""
        return bool(load(self.waits)(uri)) if self.waits else self.staged

    def load(self, part: str, uri: str) -> Any:
        """Imports a part of the family.

        Args:
          part: "resolve", "read", "write", "place" or "append".
          uri: What it is for, named in the error.

        Raises:
          ConfigError: The family has no such part.
        """
        home = getattr(self, part)
        if not home:
            verb = {"resolve": "read from", "read": "read from"}.get(part, "written to")
            raise ConfigError(f"{uri!r} can't be {verb}")
        return load(home)


FILES = Family(
    "files",
    portable=False,
    resolve="transforms.io.file_source:resolve_files",
    read="transforms.io.file_read:read_files",
    write="transforms.io.file_write:write_files",
    place="transforms.commit.file_place:FilePlace",
)
STDOUT = Family(
    "stdout",
    portable=False,
    write="transforms.io.file_write:write_files",
    place="transforms.commit.stdout:StdoutPlace",
)
PUBSUB = Family(
    "pubsub",
    bounded=False,
    staged=False,
    kept=("message_id", "ordering_key"),
    resolve="transforms.io.pubsub.source:resolve_messages",
    read="transforms.io.pubsub.verbs:read_messages",
    write="transforms.io.pubsub.verbs:write_messages",
)
BIGQUERY = Family(
    "bigquery",
    resolve="transforms.io.bigquery.source:resolve_table",
    read="transforms.io.bigquery.verbs:read_rows",
    write="transforms.io.bigquery.verbs:write_rows",
    place="transforms.io.bigquery.place:TablePlace",
    append="transforms.io.bigquery.verbs:append_letters",
    target="transforms.io.bigquery.sink:target_of",
    waits="transforms.io.bigquery.sink:waits",
)

SCHEMES = {
    "": FILES,
    "bq": BIGQUERY,
    "file": FILES,
    "gs": FILES,
    "hdfs": FILES,
    "pubsub": PUBSUB,
    "s3": FILES,
    "stdout": STDOUT,
}


def scheme_of(uri: str) -> str:
    """Returns the scheme of a URI; "" for a path."""
    path = uri.partition("?")[0]
    return path.partition(":")[0].lower() if ":" in path.split("/")[0] else ""


def family_of(uri: str) -> Family:
    """Returns the family of a URI.

    Raises:
      ConfigError: Its scheme isn't known; the text lists those that are.
    """
    scheme = scheme_of(uri)
    if scheme not in SCHEMES:
        known = ", ".join(key for key in SCHEMES if key)
        raise ConfigError(
            f"{uri!r}: unknown scheme {scheme!r}; known: {known}{nearest(scheme, SCHEMES)}"
        )
    return SCHEMES[scheme]
