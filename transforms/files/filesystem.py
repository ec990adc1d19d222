"""Files through Beam's FileSystems: local paths, gs:// and whatever else Beam reaches."""

import errno
import fnmatch
import os
import posixpath
import re
import shutil
import uuid
from typing import Any, BinaryIO, cast

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.files.compression import compressing, decompressing
from transforms.files.format import File

_GLOB = re.compile(r"[*?\[]")
_PARTITION = re.compile(r"^([^=/]+)=(.*)$")
BUFFER_BYTES = 1 << 20
_DENIED = {
    401: "nobody is signed in: run `gcloud auth application-default login`",
    403: "this account may not look there: it needs roles/storage.objectViewer on the bucket, or "
    "roles/storage.objectUser where it writes",
    404: "there is no such bucket",
}
"""What an object store answers, by HTTP status."""


def is_local(uri: str) -> bool:
    """Returns whether it is a path of this machine's file system."""
    return "://" not in uri


def list_files(pattern: str, hidden: bool = False) -> list[File]:
    """Returns the files of a path, folder or glob, in the order of their names.

    Files and folders whose names begin with `_` or `.` below the fixed part of the pattern are
    left out, as Spark, pyarrow and BigQuery do: manifests and staging folders are no data.

    Args:
      pattern: The path, folder or glob.
      hidden: Whether such files are listed too.

    Raises:
      ConfigError: A folder may not be read; its bucket isn't there, or is closed to this account.
    """
    if is_local(pattern) and os.path.isfile(pattern):
        # A name may hold what would be a wildcard elsewhere.
        state = os.stat(pattern)
        return [File(pattern, state.st_size, (), state.st_mtime)]
    if pattern.endswith("/") or (is_local(pattern) and os.path.isdir(pattern)):
        _check_folders(pattern)
        found = matched([pattern.rstrip("/") + "/**"])[0].metadata_list
        base = pattern.rstrip("/") + "/"
    else:
        found, base = matched([pattern])[0].metadata_list, _fixed_part(pattern)
        if not found and not is_local(pattern) and not _GLOB.search(pattern):
            return list_files(pattern + "/", hidden)
    files = {meta.path: meta for meta in found if hidden or not _hidden(meta.path[len(base) :])}
    return [
        File(path, files[path].size_in_bytes, _partition(path[len(base) :]), _modified(files[path]))
        for path in sorted(files)
        if not path.endswith("/")
    ]


def matched(patterns: list[str], limits: list[int] | None = None) -> list[Any]:
    """Returns what Beam finds of some patterns, a result for each.

    Raises:
      ConfigError: An object store has no such bucket, or keeps it closed to this account.
    """
    from apache_beam.io.filesystem import BeamIOError
    from apache_beam.io.filesystems import FileSystems

    try:
        return list(FileSystems.match(patterns, limits))
    except BeamIOError as error:
        why = _DENIED.get(getattr(_root(error), "code", None) or 0)
        if why is None:
            raise
        raise ConfigError(f"{patterns[0].removesuffix('/**')}: {why}") from None


def _root(error: Any) -> Any:
    """Returns the error that Beam's errors hold, one in another."""
    while details := getattr(error, "exception_details", None):
        error = next(iter(details.values()))
    return error


def _modified(metadata: Any) -> float:
    return float(metadata.last_updated_in_seconds or 0)


def change_of(file: File) -> str | None:
    """Tells how a file differs from what it was at launch; None where it is the same.

    Args:
      file: As `list_files` gave it.
    """
    try:
        if is_local(file.uri):
            state = os.stat(file.uri)
            size, modified = state.st_size, state.st_mtime
        else:
            from apache_beam.io.filesystems import FileSystems

            found = FileSystems.get_filesystem(file.uri).metadata(file.uri)
            size, modified = found.size_in_bytes, _modified(found)
    except FileNotFoundError:
        return "it is gone"
    if size != file.size:
        return f"it had {file.size:,} bytes when the run began, and has {size:,} now"
    if file.modified and modified and modified != file.modified:
        return "it was written again after the run began"
    return None


def list_folder(folder: str, prefix: str = "", suffix: str = "") -> list[str]:
    """Returns the files in a folder itself whose names begin and end so, sorted; there may be none.

    Of an object store only these are listed. A local folder may be named as one likes: its name
    is no pattern.
    """
    if is_local(folder):
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        return [
            f"{folder}/{name}"
            for name in names
            if name.startswith(prefix) and name.endswith(suffix) and not _hidden(name)
        ]
    return [file.uri for file in list_files(f"{folder}/{prefix}*{suffix}")]


def _check_folders(folder: str) -> None:
    """Checks that a folder may be read: Beam would list nothing, without an error.

    Raises:
      ConfigError: One may not be read.
    """
    if is_local(folder):
        for _ in os.walk(folder, onerror=_refuse):
            pass


def _refuse(error: OSError) -> None:
    if isinstance(error, PermissionError):
        raise ConfigError(f"{error.filename}: {(error.strerror or 'denied').lower()}") from None


def fixed_part(pattern: str) -> str:
    """Returns the folder before a pattern's first wildcard, or the whole path."""
    return (_fixed_part(pattern) if _GLOB.search(pattern) else pattern).rstrip("/")


def followed(path: str) -> str:
    """Returns a local path with the link at its end followed; one that leads nowhere stays."""
    follows = is_local(path) and os.path.islink(path) and os.path.exists(path)
    return os.path.realpath(path) if follows else path


def covers(pattern: str, path: str) -> bool:
    """Returns whether listing a pattern or folder would find a file, or the files of a folder."""
    if f"{path}/".startswith(f"{pattern.rstrip('/')}/"):
        return True
    return any(fnmatch.fnmatchcase(path + end, pattern) for end in ("", "/part"))


def _fixed_part(pattern: str) -> str:
    """Returns the folders of a pattern before its first wildcard; of a plain path, its folder."""
    wild = _GLOB.search(pattern)
    return pattern[: pattern.rfind("/", 0, wild.start() if wild else len(pattern)) + 1]


def _hidden(path: str) -> bool:
    return any(part.startswith(("_", ".")) for part in path.split("/"))


def _partition(path: str) -> tuple[tuple[str, str], ...]:
    from urllib.parse import unquote

    parts = [_PARTITION.match(part) for part in posixpath.dirname(path).split("/")]
    return tuple((part[1], unquote(part[2])) for part in parts if part)


def open_read(uri: str, compression: str = "") -> BinaryIO:
    """Opens a file for reading; what it gives is decompressed.

    Args:
      uri: The file.
      compression: "" (seekable) or one of `compression.ENDINGS` (forward only).

    Raises:
      OSError: It isn't there, or can't be opened.
    """
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    if is_local(uri):
        raw = cast(BinaryIO, pa.OSFile(uri, "rb"))
    else:
        raw = FileSystems.open(uri, compression_type=CompressionTypes.UNCOMPRESSED)
    return decompressing(raw, compression) if compression else raw


def open_write(uri: str, compression: str = "") -> BinaryIO:
    """Opens a new file for writing, and makes its folder; what is written is compressed."""
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    if is_local(uri):
        os.makedirs(os.path.dirname(uri) or ".", exist_ok=True)
        raw: BinaryIO = open(uri, "wb", buffering=BUFFER_BYTES)  # noqa: SIM115
    else:
        raw = FileSystems.create(uri, compression_type=CompressionTypes.UNCOMPRESSED)
    return compressing(raw, compression) if compression else raw


def exists(uri: str) -> bool:
    """Returns whether there is a file, or a folder with something in it."""
    if is_local(uri):
        return os.path.isfile(uri) or (os.path.isdir(uri) and bool(os.listdir(uri)))
    patterns = [uri.rstrip("/"), uri.rstrip("/") + "/**"]
    return any(found.metadata_list for found in matched(patterns, [1, 1]))


def read_bytes(uri: str) -> bytes:
    """Returns the whole content of a small file."""
    with open_read(uri) as stream:
        return stream.read()


def read_text(uri: str, name: str, wanted: str = "UTF-8 text") -> str:
    """Reads a whole file of text.

    Args:
      uri: The file.
      name: What names it in errors: the option, say.
      wanted: What it must be, for the error where it is no UTF-8.

    Raises:
      ConfigError: It can't be read, or is no UTF-8.
    """
    what = f"{name} {uri}".strip()
    try:
        return read_bytes(uri).decode()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        raise ConfigError(f"{what}: can't be read: {why}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{what}: is not {wanted}") from None


def write_bytes(uri: str, content: bytes) -> None:
    """Writes a small file; a local one appears whole or not at all, of two writers either's."""
    whole = f"{uri}.{uuid.uuid4().hex}.tmp" if is_local(uri) else uri
    with open_write(whole) as stream:
        stream.write(content)
    if whole != uri:
        sync(whole)
        os.replace(whole, uri)


def sync(uri: str) -> None:
    """Has the disk hold a local file, or the names in a folder, even if the machine goes down."""
    if is_local(uri):
        descriptor = os.open(uri, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def delete(uri: str) -> None:
    """Deletes a file or a folder with all it holds; nothing there is no error."""
    from apache_beam.io.filesystems import FileSystems

    root = uri.rstrip("/")
    if is_local(root):
        if os.path.isdir(root) and not os.path.islink(root):
            shutil.rmtree(root)
        elif os.path.lexists(root):
            os.remove(root)
        return
    found = [m.path for r in matched([root, f"{root}/**"]) for m in r.metadata_list]
    if found:
        FileSystems.delete(found)


def move(pairs: list[tuple[str, str]]) -> None:
    """Moves files; a source that is gone while its target is there was moved before."""
    from apache_beam.io.filesystems import FileSystems

    for source, target in pairs:
        if is_local(source) and is_local(target):
            os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
            if os.path.exists(source) or not os.path.exists(target):
                os.replace(source, target)
    remote = [(s, t) for s, t in pairs if not (is_local(s) and is_local(t))]
    waiting = [(s, t) for s, t in remote if FileSystems.exists(s) or not FileSystems.exists(t)]
    if waiting:
        FileSystems.rename([s for s, _ in waiting], [t for _, t in waiting])


def swap_in(staged: str, target: str, replaced: str | None) -> None:
    """Puts a local folder in its place in one step.

    Linux can exchange two paths atomically; a reader sees the old output or the new one, whole.

    Args:
      staged: The folder.
      target: Its place.
      replaced: Where a folder goes that is there; None takes no place but an empty one.

    Raises:
      FileExistsError: Something is there, and may not be replaced.
    """
    target = target.rstrip("/")
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    if replaced is not None and os.path.lexists(target):
        _exchange(staged, target)
        os.rename(staged, replaced)
    else:
        move_folder(staged, target)


def move_folder(source: str, target: str) -> None:
    """Renames a local folder; at most an empty one may be in its place.

    Raises:
      FileExistsError: Something is there.
    """
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise FileExistsError(error.errno, "it appeared meanwhile", target) from None
        raise


def _exchange(first: str, second: str) -> None:
    import ctypes

    at_cwd, exchange = -100, 2
    libc: Any = ctypes.CDLL(None, use_errno=True)
    paths = os.fsencode(first), os.fsencode(second)
    if hasattr(libc, "renameat2") and not libc.renameat2(
        at_cwd, paths[0], at_cwd, paths[1], exchange
    ):
        return
    # A file system without exchange: two renames, between which the target is away.
    aside = f"{first}.old"
    os.rename(second, aside)
    os.rename(first, second)
    os.rename(aside, first)
