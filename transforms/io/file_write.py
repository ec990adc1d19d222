"""Batches to files that appear at once, when the run is committed; and to stdout."""

from typing import TYPE_CHECKING

from transforms.coders import Batches
from transforms.commit.commit import Commit
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from transforms.io.write import Write


def write_files(batches: Batches, verb: "Write") -> None:
    """Stages batches for the commit of their run; a write without a run commits itself."""
    commit = verb.commit or Commit("write")
    target = commit.target(verb.uri, in_sight=verb.in_sight)
    if verb.shards not in (None, 1) and not target.folder:
        raise ConfigError(f"--shards: {verb.uri} is one file; a folder's name ends with a slash")
    shards = verb.shards if target.folder else 1
    if verb.folder and shards is not None:
        raise ConfigError(f"{verb.uri}: folders within an output can't have a number of shards")
    commit.stage(
        batches,
        target,
        "Write",
        shards=shards,
        target_bytes=verb.target_bytes,
        folder=verb.folder,
    )
    if verb.commit is None:
        commit.prepare()
        commit.close()
