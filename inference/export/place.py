"""The place of an export: staged beside it, and put there at once."""

import os
import shutil
import socket
import tempfile
from pathlib import Path

from transforms.files.filesystem import is_local, move_folder, write_bytes
from transforms.saved_models.read import GRAPH
from transforms.wording import setting


def staging(output: str) -> str:
    """Returns a new folder: beside a local output, so that a rename puts it in its place.

    What exports to the same place have left, which were killed on this machine, is deleted.
    """
    if not is_local(output):
        return tempfile.mkdtemp(prefix="millrace-export-")
    place = Path(output).absolute()
    place.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".millrace-{place.name}-{socket.gethostname()}-"
    for folder in place.parent.iterdir():
        owner = folder.name.removeprefix(prefix).partition("-")[0]
        if folder.name.startswith(prefix) and owner.isdigit() and not _runs(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=place.parent)


def _runs(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def publish(staged: str, output: str) -> None:
    """Puts a folder in its place; on an object store its graph comes last."""
    if is_local(output):
        move_folder(staged, os.path.abspath(output))
        return
    files = [path for path in Path(staged).rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == GRAPH):
        write_bytes(f"{output.rstrip('/')}/{path.relative_to(staged)}", path.read_bytes())


def unwritable(output: str, error: OSError) -> str:
    """Returns what to say of a place that can't be written."""
    why = error.strerror or type(error).__name__
    return f"{setting('output')} {output} can't be written: {why}"
