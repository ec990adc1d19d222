"""The cache of analyzers by span: what was learned of each day, so that it is not read again."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.files.filesystem import delete, exists, list_folder, read_bytes, write_bytes
from transforms.io.spans import Span

Entries = Mapping[str, Sequence[bytes]]
"""What is kept of a span: by the name of a figure or analyzer, its parts."""
SUFFIX = ".analyzers.arrow"
_KEY = b"millrace:span"
_SCHEMA = pa.schema([("name", pa.string()), ("content", pa.large_binary())])


@dataclass(frozen=True)
class SpanCache:
    """A folder with a file for each span, which appears whole or not at all.

    A file tells which files of rows it is of, and how they were chosen: where one of them is
    changed, or other rows are analyzed, it counts for nothing.

    Args:
      folder: Local or gs://.
      spans: The spans that are analyzed now, in order.
      rows: How the rows are chosen: the splits and their key, say.
    """

    folder: str
    spans: tuple[Span, ...]
    rows: str = ""

    def read(self, span: Span) -> dict[str, list[bytes]] | None:
        """Returns what is kept of a span; None if nothing is, or not of these rows."""
        path = self._path(span.name)
        if not exists(path):
            return None
        try:
            with pa.ipc.open_file(pa.py_buffer(read_bytes(path))) as reader:
                table = reader.read_all()
            whose = (table.schema.metadata or {}).get(_KEY, b"").decode()
        except (pa.ArrowException, ValueError, OSError) as error:
            raise ConfigError(
                f"--cache: {path} can't be read ({type(error).__name__}): delete it, and its span "
                "is analyzed again"
            ) from None
        if whose != self._digest(span):
            return None
        found: dict[str, list[bytes]] = {}
        columns = table["name"].to_pylist(), table["content"].to_pylist()
        for name, content in zip(*columns, strict=True):
            found.setdefault(name, []).append(content)
        return found

    def held(self, span: Span, names: Iterable[str]) -> dict[str, list[bytes]]:
        """Returns what is kept of a span, while a run counts on it.

        Args:
          span: It.
          names: What was there when the run began.

        Raises:
          ConfigError: Some of it is gone since: another run has dropped or replaced the file.
        """
        found = self.read(span) or {}
        if not found.keys() >= frozenset(names):
            raise ConfigError(
                f"--cache: {self._path(span.name)} was deleted or replaced during this run; let "
                "no two runs with other spans or rows use one cache at a time, and run again"
            )
        return found

    def write(self, span: Span, entries: Entries) -> None:
        """Keeps entries of a span, besides those that are kept of the same rows already."""
        whole = {**(self.read(span) or {}), **entries}
        rows = [(name, part) for name, parts in whole.items() for part in parts]
        columns = [
            pa.array(each, type) for each, type in zip(_columns(rows), _types(), strict=True)
        ]
        schema = _SCHEMA.with_metadata({_KEY: self._digest(span).encode()})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, schema) as writer:
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        write_bytes(self._path(span.name), sink.getvalue().to_pybytes())

    def missing(self, names: Iterable[str]) -> dict[str, frozenset[str]]:
        """Returns the names that are not kept, by span; spans that lack none are left out.

        Args:
          names: Of all that is needed.
        """
        wanted = frozenset(names)
        left = {span.name: wanted - (self.read(span) or {}).keys() for span in self.spans}
        return {name: frozenset(each) for name, each in left.items() if each}

    def news(self, names: Iterable[str]) -> str | None:
        """Returns what to say before a run that finds less in the cache than it might expect.

        Args:
          names: Of all that is needed.
        """
        wanted, told = frozenset(names), []
        there = [span for span in self.spans if exists(self._path(span.name))]
        held = {span.name: self.read(span) for span in there}
        changed = [name for name, entries in held.items() if entries is None]
        if changed:
            told.append(
                f"the files of span {', '.join(changed)} have changed, or their rows are chosen "
                "otherwise: analyzed again"
            )
        lost = {name: wanted - entries.keys() for name, entries in held.items() if entries}
        lost = {name: each for name, each in lost.items() if each}
        if lost:
            most = max(len(each) for each in lost.values())
            told.append(
                f"{most} of {len(wanted)} figures are not in the cache, since what makes them was "
                f"edited: {len(lost)} spans are analyzed again for them"
            )
        return f"--cache {self.folder}: {'; '.join(told)}" if told else None

    def drop_others(self) -> list[str]:
        """Deletes what is kept of spans that are not analyzed now, and returns their files."""
        kept = {self._path(span.name) for span in self.spans}
        files = [f"{self.folder.rstrip('/')}/{name}" for name in self._names()]
        for path in (old := [path for path in files if path not in kept]):
            delete(path)
        return old

    def _names(self) -> list[str]:
        found = list_folder(self.folder, "", SUFFIX)
        return [path.rpartition("/")[2] for path in found]

    def _path(self, name: str) -> str:
        return f"{self.folder.rstrip('/')}/{name}{SUFFIX}"

    def _digest(self, span: Span) -> str:
        told = json.dumps([span.digest, self.rows])
        return hashlib.sha256(told.encode()).hexdigest()


def _columns(rows: list[tuple[str, bytes]]) -> tuple[list[str], list[bytes]]:
    return [name for name, _ in rows], [content for _, content in rows]


def _types() -> list[pa.DataType]:
    return list(_SCHEMA.types)
