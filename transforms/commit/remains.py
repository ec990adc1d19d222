"""What killed runs leave beside a local output: staging that nobody works in any more."""

import glob
import os

from transforms.commit.evidence import restore
from transforms.commit.ledger import STAGING, Target
from transforms.commit.manifest import read_manifest, write_manifest
from transforms.files import filesystem
from transforms.files.locks import hold, is_held, release

UNFINISHED = "unfinished"
"""The status in the manifest of a single file that is about to be put in its place."""
KEPT = "kept.run.json"
"""In the staging: the manifest of the file that is being replaced."""


def beside(root: str) -> str:
    """Returns the hidden name beside an output."""
    folder, _, name = root.rpartition("/")
    return f"{folder}/.{name}" if folder else f".{name}"


def clear_remains(target: Target) -> None:
    """Deletes staging beside a local output whose run is gone, and mends what it left half done.

    A run holds a lock on its staging, which ends with its process, however that ends: numbers of
    processes say nothing where every container begins to count at 1.
    """
    stem = glob.escape(f"{beside(target.root)}{STAGING}")
    for folder in glob.glob(f"{stem}*"):
        if folder == target.staging or not is_held(f"{folder}/owner"):
            restore(target, folder)
            finish_file(target, folder)
            filesystem.delete(folder)


def hold_staging(target: Target) -> None:
    """Makes the staging of this run; a local one is held until the process ends."""
    if filesystem.is_local(target.staging):
        os.makedirs(target.staging, exist_ok=True)
        hold(f"{target.staging}/owner")
    else:
        filesystem.delete(target.staging)


def release_staging(target: Target) -> None:
    """Lets go of the staging of this run."""
    release(f"{target.staging}/owner")


def finish_file(target: Target, staging: str) -> None:
    """Mends a single file whose run was killed while it was put in its place.

    Where the file was moved, only the manifest's last word is missing. Where it was not, the
    manifest of the file that is still there comes back.
    """
    manifest = None if target.folder else read_manifest(target.manifest)
    if manifest is None or manifest["status"] != UNFINISHED:
        return
    staged = manifest.pop("staged")
    if not staged.startswith(f"{staging}/"):
        return
    if not filesystem.exists(staged):
        write_manifest(target.manifest, {**manifest, "status": manifest.pop("becomes")})
        return
    kept = read_manifest(f"{staging}/{KEPT}")
    if kept is not None:
        write_manifest(target.manifest, kept)
    else:
        filesystem.delete(target.manifest)
