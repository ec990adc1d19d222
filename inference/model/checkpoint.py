"""The sizes of the files of a model's variables, from their index.

The index is a table in the format of LevelDB: blocks of keys with values, perhaps compressed by
Snappy, an index of the blocks, and a footer. Each value is a BundleEntryProto: in which shard a
variable lies, from which byte on and of how many bytes. See tensorflow/core/util/tensor_bundle.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from transforms.errors import ConfigError
from transforms.files.local_copy import file_sizes
from transforms.varints import read_varint

_FOOTER, _MAGIC = 48, 0xDB4775248B80FB57
_SNAPPY = 1


def check_whole(uri: str, index: str, path: Path) -> None:
    """Checks that a model's variables are all there, before they are read.

    Args:
      uri: The model.
      index: The file that tells how large they are; empty, or not there, for a model without.
      path: Where the model's describing files are on this machine.

    Raises:
      ConfigError: A file of variables is missing or too short, or the index is damaged.
    """
    if not index or not (path / index).exists():
        return
    there = file_sizes(uri, str(Path(index).parent))
    for name, least in shard_sizes(path / index).items():
        size = there.get(name)
        if size is None or size < least:
            has = "is missing" if size is None else f"has {size:,} bytes instead of {least:,}"
            raise ConfigError(
                f"--model: {uri} is damaged: {name} of its variables {has}; copy the model anew"
            )


def shard_sizes(index: Path) -> dict[str, int]:
    """Returns the least number of bytes of each file of variables, by its name.

    Args:
      index: A local `variables.index`.

    Raises:
      ConfigError: It is damaged or cut short.
    """
    from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto, BundleHeaderProto

    shards, ends = 1, dict[int, int]()
    try:
        for key, value in _entries(index.read_bytes()):
            if not key:
                shards = BundleHeaderProto.FromString(value).num_shards
                continue
            entry = BundleEntryProto.FromString(value)
            end = entry.offset + entry.size
            ends[entry.shard_id] = max(ends.get(entry.shard_id, 0), end)
    except Exception as error:
        # Protobuf's parser raises its own errors, the parser of tables Python's.
        raise ConfigError(
            f"--model: {index} is damaged or cut short; copy the model anew"
        ) from error
    return {f"{index.stem}.data-{n:05}-of-{shards:05}": end for n, end in sorted(ends.items())}


def _entries(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = table[-_FOOTER:]
    if len(footer) < _FOOTER or int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise ValueError("no footer")
    # The footer holds the places of a block of meta data, and of the index.
    _, at = read_varint(footer, 0)
    _, at = read_varint(footer, at)
    for _, handle in _block(table, *_handle(footer, at)):
        yield from _block(table, *_handle(handle, 0))


def _handle(data: bytes, at: int) -> tuple[int, int]:
    """Returns a block's first byte and size."""
    start, at = read_varint(data, at)
    size, _ = read_varint(data, at)
    return start, size


def _block(table: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yields the keys of a block with their values; a key omits what it shares with the last."""
    block, kind = table[start : start + size], table[start + size]
    if kind == _SNAPPY:
        whole, _ = read_varint(block, 0)
        block = pa.decompress(block, whole, "snappy", asbytes=True)
    elif kind != 0:
        raise ValueError("a block of unknown kind")
    end = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")
    at, key = 0, b""
    while at < end:
        shared, at = read_varint(block, at)
        own, at = read_varint(block, at)
        length, at = read_varint(block, at)
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length
