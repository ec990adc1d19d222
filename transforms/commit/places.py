"""What a commit does at an output, by the output's family."""

from collections.abc import Iterable
from typing import Any, Protocol

from transforms.commit.ledger import Entry, Target
from transforms.families import family_of


class Place(Protocol):
    """What a commit does at outputs of one family."""

    def claim(self, target: Target) -> None:
        """Keeps other runs from the output as long as this one works; mends what a kill left.

        Raises:
          ConfigError: Another run writes it, or nobody can.
        """

    def check(self, target: Target, reads: Iterable[str], overwrite: bool) -> None:
        """Checks that the output may be written.

        Args:
          target: The output.
          reads: What the run reads.
          overwrite: Whether an output that is there may be replaced.

        Raises:
          ConfigError: It must not be lost, or can't be written.
        """

    def begin(self, target: Target) -> None:
        """Makes what the run needs to stage there.

        Raises:
          ConfigError: Nobody can write there.
        """

    def put(
        self, target: Target, staged: list[Entry], manifest: dict[str, Any], overwrite: bool
    ) -> None:
        """Makes what was staged visible, with the manifest; doing it twice does no harm.

        Raises:
          Refused: Something else was put in its place meanwhile.
        """

    def taken(self, target: Target) -> bool:
        """Returns whether something is there that a run without end must not add to."""

    def put_pane(self, target: Target, draft: str, manifest: dict[str, Any]) -> int:
        """Makes the rows of a pane visible; doing it twice does no harm.

        Args:
          target: The output.
          draft: The path of its file in the staging, without the suffix.
          manifest: The pane's.

        Returns: How many rows the place refused, and keeps in `refused` among the run's records.
        """

    def settle(self, target: Target) -> None:
        """Deletes files that are of no use once the manifest was read."""

    def release(self, target: Target) -> None:
        """Lets other runs write there."""


def place_of(target: Target) -> Place:
    """Returns what the commit does at an output."""
    made: Place = family_of(target.uri).load("place", target.uri)()
    return made
