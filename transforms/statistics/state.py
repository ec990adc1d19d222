"""State: what is known of the rows as a table, from which statistics of several days are merged.

`FeatureStats.pb` holds results, of which the quantiles of two days can't be told together. The
state lies beside it, as an Arrow file of one row for each array or number in it; nothing in such a
file is code, so one from elsewhere may be read.
"""

import base64
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.errors import ConfigError
from transforms.statistics.composite import Together
from transforms.statistics.dataset import Dataset
from transforms.statistics.feature import Feature
from transforms.statistics.images import Images
from transforms.statistics.language import Language, Occurrences
from transforms.statistics.moments import Moments
from transforms.statistics.numbers import Numbers, Weights
from transforms.statistics.pairs import Pairs
from transforms.statistics.presence import Presence
from transforms.statistics.semantics import Sample
from transforms.statistics.summary import QuantileSummary
from transforms.statistics.texts import Texts
from transforms.statistics.value_counts import ValueCounts

VERSION = 2
_VERSION_KEY = b"millrace:statistics"
SCHEMA = pa.schema(
    [("key", pa.list_(pa.string())), ("kind", pa.string()), ("content", pa.large_binary())],
    {_VERSION_KEY: str(VERSION).encode()},
)
_CLASSES = {
    made.__name__: made
    for made in (
        Dataset,
        Feature,
        Images,
        Language,
        Moments,
        Numbers,
        Occurrences,
        Pairs,
        Presence,
        QuantileSummary,
        Sample,
        Texts,
        Together,
        ValueCounts,
        Weights,
    )
}
_Key = tuple[str, ...]
_Entry = tuple[_Key, str, bytes]


def to_batch(slices: dict[str, Dataset]) -> pa.RecordBatch:
    """What is known of slices, as rows."""
    keys, kinds, contents = zip(*_entries(slices, ()), strict=True)
    arrays = [pa.array(keys, SCHEMA[0].type), pa.array(kinds), pa.array(contents, SCHEMA[2].type)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _entries(value: Any, key: _Key) -> Iterator[_Entry]:
    """The entry of a value, and those of what it holds; its key leads to it."""
    if dataclasses.is_dataclass(value):
        yield key, type(value).__name__, b""
        for each in dataclasses.fields(value):
            yield from _entries(getattr(value, each.name), (*key, each.name))
    elif isinstance(value, dict):
        yield key, "dict", json.dumps([type(name).__name__ for name in value]).encode()
        for name, inner in value.items():
            yield from _entries(inner, (*key, str(name)))
    elif isinstance(value, (list, tuple)):
        yield key, type(value).__name__, b""
        for place, inner in enumerate(value):
            yield from _entries(inner, (*key, str(place)))
    elif isinstance(value, np.ndarray):
        yield key, f"{value.dtype.str}{json.dumps(value.shape)}", value.tobytes()
    elif isinstance(value, pa.Array):
        yield key, "arrow", _ipc(value)
    elif isinstance(value, bytes):
        yield key, "bytes", base64.b64encode(value)
    else:
        yield key, "json", json.dumps(value).encode()


def _ipc(array: pa.Array) -> bytes:
    batch = pa.RecordBatch.from_arrays([array], ["values"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def from_batch(batch: pa.RecordBatch) -> dict[str, Dataset]:
    """What is known of slices, from rows of `to_batch`.

    Raises:
      ConfigError: They are none, or of another version.
    """
    version = (batch.schema.metadata or {}).get(_VERSION_KEY)
    if version != str(VERSION).encode():
        raise ConfigError(
            "it is no state of statistics, or that of another version: make the statistics anew"
        )
    rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
    entries = [(tuple(key), kind, content) for key, kind, content in rows]
    try:
        slices, end = _value(entries, 0)
    except (IndexError, KeyError, TypeError, ValueError, pa.ArrowException):
        raise ConfigError("its state of statistics is broken: make the statistics anew") from None
    if end != len(entries) or not isinstance(slices, dict):
        raise ConfigError("its state of statistics is broken: make the statistics anew")
    return slices


def _value(entries: list[_Entry], at: int) -> tuple[Any, int]:
    """The value of an entry, and where what it holds ends."""
    key, kind, content = entries[at]
    if kind == "json":
        return json.loads(content), at + 1
    if kind == "bytes":
        return base64.b64decode(content), at + 1
    if kind == "arrow":
        with pa.ipc.open_stream(content) as stream:
            return stream.read_all()["values"].combine_chunks(), at + 1
    if "[" in kind:
        dtype, _, shape = kind.partition("[")
        array = np.frombuffer(content, np.dtype(dtype)).reshape(json.loads(f"[{shape}"))
        return array.copy(), at + 1
    parts, at = _parts(entries, at + 1, key)
    if kind == "dict":
        types = {"int": int, "str": str}
        names = [types[name](each) for name, each in zip(json.loads(content), parts, strict=True)]
        return dict(zip(names, parts.values(), strict=True)), at
    if kind in ("list", "tuple"):
        return (list if kind == "list" else tuple)(parts.values()), at
    return _CLASSES[kind](**parts), at


def _parts(entries: list[_Entry], at: int, key: _Key) -> tuple[dict[str, Any], int]:
    """What the entry of a key holds, by the last of their keys."""
    parts = {}
    while at < len(entries) and entries[at][0][: len(key)] == key:
        name = entries[at][0][len(key)]
        parts[name], at = _value(entries, at)
    return parts, at
