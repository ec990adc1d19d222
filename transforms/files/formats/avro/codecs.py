"""The codecs by which the blocks of Avro files are compressed."""

import bz2
import contextlib
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa

_CORRUPT = (EOFError, MemoryError, OSError, ValueError, lzma.LZMAError, struct.error, zlib.error)
"""What the codecs raise on bytes that are not theirs."""


MOST_BYTES = 128 << 20
"""A block of more bytes than this is not decompressed: writers make blocks of kilobytes."""


class TooLarge(ValueError):
    """A block that is larger than any writer makes one, once it is decompressed."""


def decompressed(codec: str, data: bytes) -> bytes | None:
    """Returns the content of a block, or None if it is corrupt or larger than `MOST_BYTES`."""
    with contextlib.suppress(*_CORRUPT):
        return CODECS[codec](data)
    return None


def beginning(codec: str, data: bytes) -> bytes:
    """Returns the readable content of a block that is cut off."""
    if codec == "deflate":
        with contextlib.suppress(zlib.error):
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, MOST_BYTES)
    return data if codec == "null" else b""


def _inflate(data: bytes) -> bytes:
    return _bounded(zlib.decompressobj(-zlib.MAX_WBITS), data)


def _bunzip(data: bytes) -> bytes:
    return _bounded(bz2.BZ2Decompressor(), data)


def _unxz(data: bytes) -> bytes:
    return _bounded(lzma.LZMADecompressor(), data)


def _bounded(decompressor: Any, data: bytes) -> bytes:
    """Returns decompressed data, up to `MOST_BYTES`.

    Raises:
      TooLarge: It would be more.
      EOFError: The data breaks off.
    """
    found: bytes = decompressor.decompress(data, MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise TooLarge
    if not decompressor.eof:
        raise EOFError
    return found


def _unsnap(data: bytes) -> bytes:
    size, shift = 0, 0
    for byte in data[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if size > MOST_BYTES:
        raise TooLarge
    found: bytes = pa.Codec("snappy").decompress(data[:-4], size, asbytes=True)
    if struct.unpack(">I", data[-4:])[0] != zlib.crc32(found):
        raise ValueError("checksum")
    return found


def _unzstd(data: bytes) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        found = bytes(stream.read(MOST_BYTES + 1))
    if len(found) > MOST_BYTES:
        raise TooLarge
    return found


CODECS: dict[str, Callable[[bytes], bytes]] = {
    "null": bytes,
    "deflate": _inflate,
    "bzip2": _bunzip,
    "xz": _unxz,
    "snappy": _unsnap,
    "zstandard": _unzstd,
}
"""By the names that Avro gives them; pyarrow knows those for which fastavro needs a package."""
