"""The codecs by which the blocks of Avro files are compressed."""

import bz2
import contextlib
import lzma
import struct
import zlib
from collections.abc import Callable

import pyarrow as pa

_CORRUPT = (EOFError, MemoryError, OSError, ValueError, lzma.LZMAError, struct.error, zlib.error)
"""What the codecs raise on bytes that are not theirs."""


def decompressed(codec: str, data: bytes) -> bytes | None:
    """The content of a block, or None where it is corrupt."""
    with contextlib.suppress(*_CORRUPT):
        return CODECS[codec](data)
    return None


def beginning(codec: str, data: bytes) -> bytes:
    """What can be had of a block that is cut off."""
    if codec == "deflate":
        with contextlib.suppress(zlib.error):
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data)
    return data if codec == "null" else b""


def _inflate(data: bytes) -> bytes:
    return zlib.decompress(data, -zlib.MAX_WBITS)


def _unsnap(data: bytes) -> bytes:
    size, shift = 0, 0
    for byte in data[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    found: bytes = pa.Codec("snappy").decompress(data[:-4], size, asbytes=True)
    if struct.unpack(">I", data[-4:])[0] != zlib.crc32(found):
        raise ValueError("checksum")
    return found


def _unzstd(data: bytes) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return bytes(stream.read())


CODECS: dict[str, Callable[[bytes], bytes]] = {
    "null": bytes,
    "deflate": _inflate,
    "bzip2": bz2.decompress,
    "xz": lzma.decompress,
    "snappy": _unsnap,
    "zstandard": _unzstd,
}
"""By the names that Avro gives them; pyarrow knows those for which fastavro needs a package."""
