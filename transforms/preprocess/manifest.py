"""The manifest of a transform graph: sizes and digests of its files, so that none is cut short.

A vocabulary is a text file, and one that lost its end is still one: what it lost would be unknown
values, in each row that is scored, and nobody would be told.
"""

import hashlib
import json
from pathlib import Path

from transforms.errors import ConfigError
from transforms.files.filesystem import write_bytes
from transforms.files.local_copy import local_path

NAME = "manifest.json"
_BLOCK = 1 << 24


def write_manifest(folder: str, saved: str) -> None:
    """Writes the manifest of a transform graph, once all of it is there.

    Args:
      folder: The transform graph, local or gs://.
      saved: The name of its SavedModel.
    """
    path = local_path(f"{folder}/{saved}")
    told = {name: _of_file(path / name) for name in _files(path)}
    text = json.dumps({"folder": saved, "files": told}, indent=1)
    write_bytes(f"{folder}/{NAME}", text.encode())


def check_manifest(path: Path, uri: str) -> None:
    """Checks that the files of a transform graph are those that were written.

    Args:
      path: Its SavedModel on this machine. Graphs of others have no manifest.
      uri: How the user named it.

    Raises:
      ConfigError: One is missing, cut short or changed, or the manifest can't be read.
    """
    manifest = path.parent / NAME
    if not manifest.is_file():
        return
    try:
        told = json.loads(manifest.read_bytes())
        if told["folder"] != path.name:
            return
        files = {name: (int(size), str(digest)) for name, (size, digest) in told["files"].items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ConfigError(f"transform graph {uri}: {NAME} can't be read: {_way_out()}") from None
    for name, (size, digest) in sorted(files.items()):
        file = path / name
        if not file.is_file():
            raise ConfigError(f"transform graph {uri}: {name} is missing: {_way_out()}")
        if (length := file.stat().st_size) != size:
            told = f"{name} has {length:,} bytes, and {size:,} were written"
            raise ConfigError(f"transform graph {uri}: {told}: {_way_out()}")
        if _of_file(file)[1] != digest:
            raise ConfigError(
                f"transform graph {uri}: {name} was changed since it was written: {_way_out()}, or "
                f"delete {NAME} if you changed it yourself"
            )


def _way_out() -> str:
    return "copy the graph once more, or analyze again"


def _files(path: Path) -> list[str]:
    return sorted(str(each.relative_to(path)) for each in path.rglob("*") if each.is_file())


def _of_file(file: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as stream:
        for block in iter(lambda: stream.read(_BLOCK), b""):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()
