"""Outputs in files: a folder appears by one rename, a single file beside its manifest."""

import os
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from transforms.commit.evidence import is_remnant
from transforms.commit.ledger import MANIFEST, Entry, Target, final_names, part_name
from transforms.commit.manifest import read_manifest, text_of
from transforms.commit.remains import KEPT, UNFINISHED, clear_remains, hold_staging
from transforms.commit.stage import write_file
from transforms.errors import ConfigError, Refused
from transforms.files import filesystem
from transforms.files.locks import lock, unlock


class FilePlace:
    """What a commit does at folders and files."""

    def claim(self, target: Target) -> None:
        """Locks a local output, and puts away what killed runs left beside it.

        Raises:
          ConfigError: Another run writes it, or nobody can.
        """
        if not filesystem.is_local(target.root):
            return
        try:
            if not lock(target.root):
                raise ConfigError(
                    f"another run writes {target.root} now: wait for it, or name another place"
                )
            clear_remains(target)
        except OSError as error:
            raise _unwritable(target, error) from None

    def check(self, target: Target, reads: Iterable[str], overwrite: bool) -> None:
        """Refuses to put an output in the place of what must not be lost, or among what is read.

        Raises:
          ConfigError: It is there, is of another kind, or lies in what the run reads.
        """
        _check_kind(target)
        for read in reads:
            _check_read(target, read)
        _check_taken(target, overwrite)

    def begin(self, target: Target) -> None:
        """Makes the staging.

        Raises:
          ConfigError: Nobody can write there.
        """
        try:
            hold_staging(target)
        except OSError as error:
            raise _unwritable(target, error) from None

    def put(
        self, target: Target, staged: list[Entry], manifest: dict[str, Any], overwrite: bool
    ) -> None:
        """Moves staged files into their place.

        Raises:
          Refused: Something appeared there during the run.
        """
        replaces = overwrite or is_remnant(target)
        if not replaces and filesystem.exists(target.root):
            raise Refused(f"nothing was published: {target.root} appeared during this run")
        moves = moves_of(target, staged)
        if not target.folder:
            _put_file(target, moves[0] if moves else None, manifest)
        elif filesystem.is_local(target.root):
            _put_local_folder(target, moves, text_of(manifest), replaces)
        else:
            filesystem.delete(target.root)
            filesystem.move(moves)
            filesystem.write_bytes(target.manifest, text_of(manifest))

    def taken(self, target: Target) -> bool:
        """Returns whether something is there."""
        return filesystem.exists(target.root)

    def put_pane(self, target: Target, draft: str, manifest: dict[str, Any]) -> int:
        """Moves the file of a pane into its place."""
        # An earlier start of the run may have written another format.
        number = draft.rpartition("-")[2]
        _, _, suffix = manifest["file"].rpartition(f"/part-{number}")
        filesystem.move([(f"{draft}{suffix}", manifest["file"])])
        return 0

    def settle(self, target: Target) -> None:
        """Keeps the manifest: it belongs to the output."""

    def release(self, target: Target) -> None:
        """Unlocks the output."""
        unlock(target.root)


def _unwritable(target: Target, error: OSError) -> ConfigError:
    option = "--dead_letters" if target.dead_letters else "--output"
    return ConfigError(f"{option}: {target.uri} can't be written: {error.strerror}")


def _check_kind(target: Target) -> None:
    root = target.root
    if not filesystem.is_local(root) or not os.path.lexists(root):
        return
    if os.path.islink(root) and not os.path.exists(root):
        raise ConfigError(f"{root} is a link to what isn't there: mend it, or delete it")
    kind = "folder" if target.folder else "regular file"
    regular = os.path.isfile(root) or os.path.isdir(root)
    if not regular or os.path.isdir(root) != target.folder:
        raise ConfigError(f"{root} is there, and is no {kind}: name another place")


def _check_read(target: Target, read: str) -> None:
    """Checks that an output neither holds what the run reads nor lies among it."""
    root, place = target.root, filesystem.fixed_part(read)
    if f"{place}/".startswith(f"{root}/"):
        raise ConfigError(f"{root} is or holds {place}, which this run reads")
    if filesystem.covers(read, root):
        raise ConfigError(
            f"{root} lies in {read}, which this run reads: the next run would read it too. Name a "
            "place beside it"
        )


def _check_taken(target: Target, overwrite: bool) -> None:
    root = target.root
    if not filesystem.exists(root) or is_remnant(target):
        return
    if not overwrite:
        raise ConfigError(f"{root} exists: pass --overwrite to replace it, or name another place")
    if target.folder and read_manifest(target.manifest) is None:
        raise ConfigError(
            f"{root} holds files that no run of Millrace wrote, which --overwrite does not "
            "replace: delete them yourself, or name another place"
        )


def moves_of(target: Target, staged: list[Entry]) -> list[tuple[str, str]]:
    """Returns where each staged file goes; a folder without any has an empty file with columns."""
    moves = [(entry.path, path) for entry, path in final_names(target, staged)]
    return [*moves, *_empty_outputs(target, staged)]


def _put_local_folder(
    target: Target, moves: list[tuple[str, str]], manifest: bytes, replaces: bool
) -> None:
    """Builds the folder beside its place, and puts it there by one rename."""
    whole = f"{target.staging}/whole"
    filesystem.move([(staged, whole + path[len(target.root) :]) for staged, path in moves])
    filesystem.write_bytes(f"{whole}/{MANIFEST}", manifest)
    # What is replaced is deleted with the staging, at the very end.
    filesystem.swap_in(whole, target.root, f"{target.staging}/replaced" if replaces else None)


def _put_file(target: Target, move: tuple[str, str] | None, manifest: dict[str, Any]) -> None:
    """Puts a file in its place, never without a manifest beside it.

    A kill between the steps is mended by the next run: see `remains.finish_file`.
    """
    kept = read_manifest(target.manifest)
    if kept is not None:
        filesystem.write_bytes(f"{target.staging}/{KEPT}", text_of(kept))
    unfinished = {**manifest, "status": UNFINISHED, "becomes": manifest["status"]}
    staged = move[0] if move else ""
    filesystem.write_bytes(target.manifest, text_of({**unfinished, "staged": staged}))
    if move is not None:
        filesystem.move([move])
    filesystem.write_bytes(target.manifest, text_of(manifest))


def _empty_outputs(target: Target, staged: list[Entry]) -> list[tuple[str, str]]:
    """Files without rows for folders that have no other, so that readers find the columns."""
    filled = {entry.folder for entry in staged if entry.kind == "staged"}
    schemas = {entry.folder: entry.schema for entry in staged if entry.kind == "schema"}
    moves = []
    for folder in sorted(set(schemas) - filled):
        path = f"{target.staging}/empty{folder}{target.suffix}"
        write_file(target, path, pa.ipc.read_schema(pa.py_buffer(schemas[folder])), [])
        name = f"{target.root}/{part_name(target, folder, 0, 1)}"
        moves.append((path, name if target.folder else target.root))
    return moves
