"""Files of a model or transform graph on this machine: where they are, or a copy made once."""

import functools
import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from transforms.errors import ConfigError
from transforms.files.filesystem import matched

_COPIES_AT_ONCE = 8


def is_remote(uri: str) -> bool:
    """Returns whether a URI is on another file system, such as gs://."""
    return "://" in uri and not uri.startswith("file://")


def local_path(uri: str, only: Collection[str] = ()) -> Path:
    """Returns a local path of a file or folder; a remote one is copied to a cache first.

    Copies are kept for other processes, under a name that changes with the files' sizes and times.
    Each is written under a temporary name and its size compared, so that no half is ever taken
    for the whole.

    Args:
      uri: A file or directory.
      only: Names of files within the directory, if not all are needed.

    Raises:
      ConfigError: The URI can't be listed or read.
    """
    if not is_remote(uri):
        return Path(uri.removeprefix("file://"))
    files = _listed(uri)
    target = _cache() / _fingerprint(files) / os.path.basename(uri)
    wanted = [file for file in files if not only or _within(file, uri) in only]
    copy = functools.partial(_copied, uri=uri, target=target)
    with ThreadPoolExecutor(_COPIES_AT_ONCE) as pool:
        list(pool.map(copy, wanted))
    return target


def file_sizes(uri: str, folder: str) -> dict[str, int]:
    """Returns the sizes in bytes of the files in a folder of a model, by their names."""
    if not is_remote(uri):
        found = Path(uri.removeprefix("file://")) / folder
        return {file.name: file.stat().st_size for file in found.iterdir() if file.is_file()}
    inside = {_within(file, uri): int(file.size_in_bytes) for file in _listed(uri)}
    return {Path(name).name: size for name, size in inside.items() if _folder(name) == folder}


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _listed(uri: str) -> list[Any]:
    """Returns metadata of the files at a URI: itself, or all within it."""
    from apache_beam.io.filesystem import BeamIOError

    try:
        patterns = [uri, f"{uri}/**"]
        found = matched(patterns)
    except (BeamIOError, OSError, ValueError) as error:
        raise ConfigError(f"{uri} can't be listed: {error}") from error
    listed = [metadata for result in found for metadata in result.metadata_list]
    files = [file for file in listed if not file.path.endswith("/")]
    return sorted(files, key=lambda file: str(file.path))


def _fingerprint(files: list[Any]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(
            f"{file.path}\0{file.size_in_bytes}\0{file.last_updated_in_seconds}\n".encode()
        )
    return digest.hexdigest()[:16]


def _cache() -> Path:
    cache = Path(tempfile.gettempdir()) / f"millrace-models-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    if cache.stat().st_uid != os.getuid():
        raise ConfigError(f"{cache} belongs to another user; point TMPDIR elsewhere")
    return cache


def _within(file: Any, uri: str) -> str:
    """Returns a file's path within the model's directory; empty for the model itself."""
    return str(file.path).removeprefix(uri).lstrip("/")


def _copied(file: Any, uri: str, target: Path) -> None:
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    inside = _within(file, uri)
    path = target / inside if inside else target
    if path.exists() and path.stat().st_size == file.size_in_bytes:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    raw = CompressionTypes.UNCOMPRESSED
    with FileSystems.open(file.path, compression_type=raw) as source, waiting.open("wb") as sink:
        shutil.copyfileobj(source, sink, 8 << 20)
    if waiting.stat().st_size != file.size_in_bytes:
        waiting.unlink()
        raise ConfigError(f"{file.path} changed or broke off while it was copied")
    waiting.replace(path)
