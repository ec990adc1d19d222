"""Write: batches to any output."""

from dataclasses import dataclass

from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters
from transforms.commit.outputs import TARGET_BYTES, RunCommit
from transforms.errors import ConfigError
from transforms.families import family_of
from transforms.verb import Verb


@dataclass
class Write(Verb):
    """Writes batches to a folder of shards, or to one file; nothing is visible before the commit.

    Args:
      uri: A folder (`out/`, `gs://b/out/?format=csv`) or a file (`out/scores.parquet`), or
        `stdout:`; or a topic, `pubsub://projects/P/topics/T`.
      commit: The run it belongs to; without one the write commits itself.
      shards: How many files a folder gets; None lets bundles and sizes decide, which is fastest.
      target_bytes: A file is ended at about this size, where `shards` doesn't decide.
      folder: The folder within `uri` in which the shards will be, such as `Split-train`.
      dead_letters: Takes the rows that a topic or table refuses; without it they fail.
      in_sight: Columns that a preview (`stdout:`) on a narrow terminal shows before all others.
    """

    uri: str
    commit: RunCommit | None = None
    shards: int | None = None
    target_bytes: int = TARGET_BYTES
    folder: str = ""
    dead_letters: DeadLetters | None = None
    in_sight: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shards is not None and self.shards < 1:
            raise ConfigError("--shards is at least 1")

    def expand(self, batches: Batches) -> None:
        """Writes as the family of the URI does."""
        family_of(self.uri).load("write", self.uri)(batches, self)
