"""Streams that compress what is written, and decompress what is read: gzip, zstd, bzip2, xz."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import pyarrow as pa

SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"}
"""The ending of a file's name, by compression."""

ENDINGS = {compression: suffix for suffix, compression in SUFFIXES.items()}


def compression_of(uri: str) -> str:
    """Returns the compression that a file's name ends with, or "" for none."""
    return SUFFIXES.get(f".{uri.lower().rpartition('.')[2]}", "")


def decompressing(raw: BinaryIO, compression: str) -> BinaryIO:
    """Returns what a stream holds, decompressed; it is read forward.

    Args:
      raw: The compressed stream, which is closed with it.
      compression: One of `ENDINGS`.

    Raises:
      EOFError: While it is read: the data breaks off or is corrupt.
    """
    if compression == "gzip":
        # A buffer around it would drop what it holds when the stream breaks off.
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    return cast(BinaryIO, _Decompressed(raw, _OPENERS[compression]))


def compressing(raw: BinaryIO, compression: str) -> BinaryIO:
    """Returns a stream that compresses what is written to it; closing it closes the one below.

    Args:
      raw: The stream below.
      compression: One of `ENDINGS`.
    """
    return cast(BinaryIO, _Compressed(raw, _MAKERS[compression]))


_OPENERS: dict[str, Callable[[Any], Any]] = {
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
    "zstd": lambda raw: pa.CompressedInputStream(raw, "zstd"),
}
_MAKERS: dict[str, Callable[[Any], Any]] = {
    # Without name and time, so that equal rows are equal bytes.
    "gzip": lambda raw: gzip.GzipFile("", "wb", 6, raw, mtime=0),
    "bzip2": lambda raw: bz2.BZ2File(raw, "wb"),
    "xz": lambda raw: lzma.LZMAFile(raw, "wb"),  # noqa: SIM115
    "zstd": lambda raw: pa.CompressedOutputStream(raw, "zstd"),
}


class _Source:
    """The stream below, which remembers what went wrong in it: that is no corrupt data."""

    def __init__(self, raw: BinaryIO) -> None:
        self.raw, self.closed = raw, False
        self.error: OSError | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self.raw.read(size)
        except OSError as error:
            self.error = error
            raise

    def seek(self, *place: int) -> int:
        return self.raw.seek(*place)

    def seekable(self) -> bool:
        return False

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def tell(self) -> int:
        return self.raw.tell()

    def close(self) -> None:
        self.closed = True


class _Decompressed(io.RawIOBase):
    """Decompresses, and raises one error for broken data, whatever the compression."""

    def __init__(self, raw: BinaryIO, opener: Callable[[Any], Any]) -> None:
        self._raw, self._source = raw, _Source(raw)
        self._stream = opener(pa.PythonFile(self._source, "r") if opener is _ZSTD else self._source)

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes: fewer than asked for only at the end."""
        return self._read(self._stream.read, size)

    def read1(self, size: int = -1) -> bytes:
        """Returns the next bytes that are available."""
        return self._read(getattr(self._stream, "read1", self._stream.read), size)

    def _read(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            return read(size) if size >= 0 else self._stream.read()
        except (lzma.LZMAError, pa.ArrowInvalid) as error:
            raise EOFError(str(error)) from None
        except OSError as error:
            if self._source.error is not None:
                raise self._source.error from None
            raise EOFError(str(error)) from None

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._raw.close()
        super().close()


_ZSTD = _OPENERS["zstd"]


class _Compressed(io.RawIOBase):
    """Compresses, and counts what was written."""

    def __init__(self, raw: BinaryIO, maker: Callable[[Any], Any]) -> None:
        self._raw, self._stream, self._size = raw, maker(raw), 0

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self._stream.write(data)
        self._size += size
        return size

    def tell(self) -> int:
        """Returns how many bytes were written, before compression."""
        return self._size

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            if not self._raw.closed:
                self._raw.close()
        super().close()
