"""The outputs of a run, with or without end: where they will be, and that no other run is there."""

import datetime
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from transforms.commit.ledger import Entry, Target
from transforms.commit.places import place_of
from transforms.commit.remains import release_staging
from transforms.errors import ConfigError
from transforms.families import STDOUT, family_of
from transforms.files import filesystem
from transforms.files.uris import FORMATS, READ_ONLY, Location, parse
from transforms.lazy import load

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.coders import Batches

TARGET_BYTES = 256 << 20
_FILE = re.compile(r"\.[A-Za-z]{2,5}$")


class RunCommit(Protocol):
    """What verbs and jobs ask of the commit of a run, whether it ends or not."""

    job: str
    run_id: str
    endless: bool
    after: list[Callable[[], None]]
    manifest: dict[str, Any]
    targets: list[Target]

    def target(
        self,
        uri: str,
        dead_letters: bool = False,
        evidence: bool = False,
        in_sight: tuple[str, ...] = (),
    ) -> Target:
        """Declares an output."""

    def add(self, target: Target) -> Target:
        """Declares an output that is made already."""

    def stage(
        self,
        batches: "Batches",
        target: Target,
        step: str,
        *,
        count: str | None = None,
        shards: int | None = None,
        target_bytes: int = TARGET_BYTES,
        folder: str = "",
    ) -> "Batches | None":
        """Writes batches to what waits for the commit.

        Returns: Rejects that the commit itself makes, if any.
        """

    def take(self, entries: "beam.PCollection[Entry]") -> None:
        """Adds ledger entries of a step, where the run has a ledger."""

    def published(self, batches: "Batches", uri: str) -> None:
        """Notes rows that are at a place already, which knows no commit."""

    def prepare(self) -> dict[str, Any] | None:
        """Checks the places of the outputs before the run."""

    def close(self) -> None:
        """Adds the last step, where the run has one."""

    def outcome(self) -> dict[str, Any] | None:
        """Returns the manifest of the run, if it has ended."""


class Outputs:
    """The outputs of a run.

    Args:
      job: The job's name.
      run_id: The run's; None makes one.
      manifest: What else to put into the manifest, such as the options.
      reads: What the run reads (files, folders, patterns): no output may take its place.

    Attributes:
      endless: Whether its rows have no end.
      after: What is done at the end of a run, however it ends: it may be done twice.
    """

    endless = False

    def __init__(
        self,
        job: str,
        run_id: str | None,
        manifest: Mapping[str, Any] | None,
        reads: Iterable[str],
    ) -> None:
        self.job, self.run_id = job, run_id or new_run_id(job)
        self.manifest = dict(manifest or {})
        self.reads = tuple(parse(uri).path for uri in reads)
        self.targets: list[Target] = []
        self.after: list[Callable[[], None]] = []

    def target(
        self,
        uri: str,
        dead_letters: bool = False,
        evidence: bool = False,
        in_sight: tuple[str, ...] = (),
    ) -> Target:
        """Declares an output.

        Args:
          uri: Where it will be.
          dead_letters: Whether it takes the dead letters.
          evidence: Whether it describes the run, and is published also where a gate says no.
          in_sight: Columns that a preview on a narrow terminal shows before all others.

        Raises:
          ConfigError: It is a glob, or lies inside another output of the run, or its format is
            only read.
        """
        known = next((t for t in self.targets if t.uri == uri), None)
        if known is not None:
            return known
        made = family_of(uri).target
        if made:
            return self.add(load(made)(uri, self.run_id, self.endless, dead_letters, evidence))
        location = parse(uri)
        if any(sign in location.path for sign in "*?["):
            raise ConfigError(f"an output can't be a pattern: {uri!r}")
        default = "jsonl" if dead_letters else "parquet"
        if _FILE.search(location.path) and location.format is None:
            raise ConfigError(
                f"{uri!r} ends like a file of a format that isn't known: {', '.join(FORMATS)} are. "
                "A folder's name ends with a slash"
            )
        if location.format in READ_ONLY:
            raise ConfigError(
                f"{uri!r}: {READ_ONLY[location.format]} can be read but not written: write Parquet "
                "or tfrecord"
            )
        preview = location.family is STDOUT
        target = Target(
            filesystem.followed(location.root),
            location.folder,
            location.format or ("arrow" if preview else default),
            location.compression,
            location.settings,
            self._staging(location),
            dead_letters,
            uri,
            dead_letters or evidence,
            preview,
            in_sight,
        )
        return self.add(target)

    def add(self, target: Target) -> Target:
        """Declares an output that is made already.

        Raises:
          ConfigError: It lies inside another output of the run.
        """
        for other in self.targets:
            if f"{target.root}/".startswith(f"{other.root}/") or other.root.startswith(
                f"{target.root}/"
            ):
                raise ConfigError(
                    f"{target.root} and {other.root} lie in each other: a reader of the one would "
                    "read the other too. Give each a place of its own"
                )
        self.targets.append(target)
        return target

    def _staging(self, location: Location) -> str:
        """Returns the folder in which the files of an output wait."""
        raise NotImplementedError

    @property
    def evidence_last(self) -> list[Target]:
        """The outputs in the order in which they are checked.

        Dead letters often lie beside an output, without a name of their own from the user: so an
        error names the output.
        """
        return sorted(self.targets, key=lambda each: each.evidence)

    def _claim(self) -> None:
        """Keeps other processes from the same outputs, as long as this one works."""
        for target in self.evidence_last:
            place_of(target).claim(target)

    def unlock(self) -> None:
        """Lets other processes write where this run did."""
        for target in self.targets:
            release_staging(target)
            place_of(target).release(target)


def new_run_id(job: str) -> str:
    """Returns a new run id; ids sort by time."""
    return f"{job}-{datetime.datetime.now(datetime.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
