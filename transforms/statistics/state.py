"""The state of statistics as a table, from which the statistics of several days are merged.

`FeatureStats.pb` holds results, and the quantiles of two days can't be merged from results. The
state lies beside it, as an Arrow file of one row for each array or number in it. Nothing in such a
file is code, and all of it is checked before it is used, so a file from elsewhere may be read.
"""

import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.errors import ConfigError
from transforms.statistics.dataset import Dataset
from transforms.statistics.state_checks import check, check_slices

VERSION = 5
_VERSION_KEY = b"millrace:statistics"
SCHEMA = pa.schema(
    [
        ("depth", pa.int32()),
        ("name", pa.large_string()),
        ("kind", pa.large_string()),
        ("content", pa.large_binary()),
    ],
    {_VERSION_KEY: str(VERSION).encode()},
)
_MOST_DEPTH = 200
"""The greatest depth of nested entries: two levels for each struct in a struct."""
_SEAL = "seal"
_BATCH_BYTES = 4 << 20
_ARRAYS = ("<i8", "<u8", "<f8")
_Entry = tuple[int, str, str, bytes]
_BROKEN = (
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    RecursionError,
    pa.ArrowException,
)
"""What reading a state raises that is none."""
_STORED_NAMES = {"CompositeCounts": "Together"}
"""The names that stored states keep for classes that were renamed since."""


def to_batches(slices: dict[str, Dataset]) -> Iterator[pa.RecordBatch]:
    """Yields the state of slices as rows; thousands of columns come in parts."""
    held: list[_Entry] = []
    size = 0
    for entry in sealed(_entries(slices, 0, "")):
        held.append(entry)
        size += len(entry[-1])
        if size > _BATCH_BYTES:
            yield _batch(held)
            held, size = [], 0
    if held:
        yield _batch(held)


def sealed(entries: Iterable[_Entry]) -> Iterator[_Entry]:
    """Yields entries, and a last one by which a reader checks that all are unchanged."""
    digest = _Digest()
    for entry in entries:
        digest.add(entry)
        yield entry
    yield digest.entry()


def _unsealed(entries: Iterator[_Entry]) -> Iterator[_Entry]:
    """Yields the entries that were sealed.

    Raises:
      ValueError: One is missing, or is another.
    """
    digest = _Digest()
    for entry in entries:
        if entry[2] == _SEAL:
            if entry != digest.entry() or next(entries, None) is not None:
                raise ValueError
            return
        digest.add(entry)
        yield entry
    raise ValueError


class _Digest:
    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)

    def add(self, entry: _Entry) -> None:
        *begin, content = entry
        self._hash.update(json.dumps([*begin, len(content)]).encode())
        self._hash.update(content)

    def entry(self) -> _Entry:
        return 0, "", _SEAL, self._hash.digest()


def _batch(entries: list[_Entry]) -> pa.RecordBatch:
    columns = zip(*entries, strict=True)
    arrays = [pa.array(values, each.type) for values, each in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _entries(value: Any, depth: int, name: str) -> Iterator[_Entry]:
    """Yields the entry of a value, then those of its items, one level deeper."""
    inner: list[tuple[str, Any]] = []
    if dataclasses.is_dataclass(value):
        kind, content = _name(type(value)), b""
        inner = [(each.name, getattr(value, each.name)) for each in dataclasses.fields(value)]
    elif isinstance(value, dict):
        kind, content = "dict", b""
        inner = [(str(key), held) for key, held in value.items()]
    elif isinstance(value, (list, tuple)):
        kind, content = type(value).__name__, b""
        inner = [("", held) for held in value]
    elif isinstance(value, np.ndarray):
        kind, content = f"{value.dtype.str}{json.dumps(value.shape)}", value.tobytes()
    elif isinstance(value, pa.Array):
        kind, content = f"binary[{len(value)}]", _binary(value)
    elif isinstance(value, bytes):
        kind, content = "bytes", value
    else:
        kind, content = "json", json.dumps(value).encode()
    yield depth, name, kind, content
    for each, held in inner:
        yield from _entries(held, depth + 1, each)


def _binary(values: pa.LargeBinaryArray) -> bytes:
    """Returns byte strings as one: where each begins and the last one ends, then all of them."""
    parts = values.to_pylist()
    ends = np.cumsum([0, *map(len, parts)], dtype="<i8")
    return b"".join((ends.tobytes(), *parts))


def value_bytes(value: Any) -> bytes:
    """Returns one object of statistics as bytes, which `value_of` reads."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA) as writer:
        writer.write_batch(_batch(list(sealed(_entries(value, 0, "")))))
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def value_of(content: bytes, wanted: Any) -> Any:
    """Returns an object of `value_bytes`.

    Args:
      content: May be anything.
      wanted: Its type.

    Raises:
      ConfigError: It is no such object, or of another version.
    """
    try:
        with pa.ipc.open_stream(pa.py_buffer(content)) as stream:
            found = [entry for batch in stream for entry in _entries_of(batch)]
        reader = _Reader(_unsealed(iter(found)))
        value = reader.value(wanted, 0)
        reader.check_end()
        return value
    except (*_BROKEN, OSError):
        raise ConfigError(f"a stored {wanted.__name__} is broken: delete its file") from None


def from_batches(batches: Iterable[pa.RecordBatch]) -> dict[str, Dataset]:
    """Returns the state of slices, from rows of `to_batches`.

    Args:
      batches: May be anything: also one whose buffers do not fit together.

    Raises:
      ConfigError: They are none, or of another version, or no rows give what these tell.
    """
    try:
        found = (entry for batch in batches for entry in _entries_of(batch))
        reader = _Reader(_unsealed(found))
        slices: dict[str, Dataset] = reader.value(dict[str, Dataset], 0)
        reader.check_end()
        check_slices(slices)
        return slices
    except _BROKEN:
        raise ConfigError("its state of statistics is broken: make the statistics anew") from None


def _entries_of(batch: pa.RecordBatch) -> Iterator[_Entry]:
    version = (batch.schema.metadata or {}).get(_VERSION_KEY)
    if version != str(VERSION).encode():
        raise ConfigError(
            "it is no state of statistics, or that of another version: make the statistics anew"
        )
    batch.validate(full=True)
    if not batch.schema.equals(SCHEMA) or any(column.null_count for column in batch.columns):
        raise ValueError
    yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


class _Reader:
    """Reads entries; each must have the type that is wanted in its place."""

    def __init__(self, entries: Iterator[_Entry]) -> None:
        self._entries = entries
        self._next = next(entries, None)

    def value(self, wanted: Any, depth: int) -> Any:
        """Returns the value of the next entry, with its items.

        Raises:
          ValueError: It is another.
        """
        if self._next is None:
            raise ValueError
        at, _, kind, content = self._next
        self._next = next(self._entries, None)
        if at != depth or depth > _MOST_DEPTH:
            raise ValueError
        options = _options(wanted)
        if kind == "json":
            return _plain(json.loads(content), options)
        if kind == "bytes" and bytes in options:
            return content
        if kind.startswith("binary[") and pa.LargeBinaryArray in options:
            return _byte_strings(json.loads(kind[len("binary") :]), content)
        if kind[:3] in _ARRAYS and np.ndarray in options:
            return _array(kind[:3], json.loads(kind[3:]), content)
        (type_,) = (each for each in options if _name(each) == kind)
        made = self._holder(type_, depth + 1)
        check(made)
        return made

    def _holder(self, wanted: Any, depth: int) -> Any:
        held = typing.get_args(wanted)
        if dataclasses.is_dataclass(wanted):
            fields = _fields(typing.cast(type, wanted))
            parts = [self._field(name, each, depth) for name, each in fields.items()]
            return typing.cast(type, wanted)(*parts)
        if _name(wanted) == "dict":
            pairs = [(held[0](name), self.value(held[1], depth)) for name in self._names(depth)]
            if len(dict(pairs)) < len(pairs):
                raise ValueError
            return dict(pairs)
        if _name(wanted) == "list" or held[-1] is Ellipsis:
            values = [self.value(held[0], depth) for _ in self._names(depth)]
            return values if _name(wanted) == "list" else tuple(values)
        return tuple(self.value(each, depth) for each in held)

    def _field(self, name: str, wanted: Any, depth: int) -> Any:
        if self._next is None or self._next[1] != name:
            raise ValueError
        return self.value(wanted, depth)

    def _names(self, depth: int) -> Iterator[str]:
        """Yields the names of the entries of a depth, each before it is read."""
        while self._next is not None and self._next[0] == depth:
            yield self._next[1]

    def check_end(self) -> None:
        """Looks whether all was read."""
        if self._next is not None:
            raise ValueError


@cache
def _fields(made: type) -> dict[str, Any]:
    """Returns the types of the fields of a dataclass."""
    hints = typing.get_type_hints(made)
    return {each.name: hints[each.name] for each in dataclasses.fields(made)}


@cache
def _options(wanted: Any) -> tuple[Any, ...]:
    """Returns the types that a type stands for."""
    is_union = typing.get_origin(wanted) in (types.UnionType, typing.Union)
    return typing.get_args(wanted) if is_union else (wanted,)


def _name(wanted: Any) -> str:
    name = str((typing.get_origin(wanted) or wanted).__name__)
    return _STORED_NAMES.get(name, name)


def _plain(value: Any, options: tuple[Any, ...]) -> Any:
    if type(value) is int and int not in options:
        value = float(value)
    if type(value) not in options:
        raise ValueError
    if isinstance(value, str):
        # One that is no Unicode text could not be written.
        value.encode()
    return value


def _array(dtype: str, shape: list[int], content: bytes) -> np.ndarray:
    if len(content) != 8 * math.prod(shape) or not all(size >= 0 for size in shape):
        raise ValueError
    return np.frombuffer(content, dtype).reshape(shape).copy()


def _byte_strings(shape: list[int], content: bytes) -> pa.LargeBinaryArray:
    (number,) = shape
    start = 8 * (number + 1)
    if not 0 <= number < len(content) // 8:
        raise ValueError
    buffers = [None, pa.py_buffer(content[:start]), pa.py_buffer(content[start:])]
    made = pa.Array.from_buffers(pa.large_binary(), number, buffers)
    made.validate(full=True)
    return made
