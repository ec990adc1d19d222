"""Text files that are not in UTF-8, read as if they were."""

import codecs
from typing import BinaryIO

from transforms.errors import ConfigError

_PIECE = 1 << 20


def check_encoding(name: str, format: str) -> str:
    """Returns the usual name of an encoding, such as "iso8859-1" for latin-1.

    Args:
      name: As the user wrote it.
      format: The format's name, for the error.

    Raises:
      ConfigError: Python knows no encoding of text by this name.
    """
    try:
        found = codecs.lookup(name)
        "a".encode(name)
    except LookupError:
        raise ConfigError(
            f"format {format}: encoding={name!r} is not known; latin-1, cp1252, utf-16 and the "
            "others that Python names are"
        ) from None
    return found.name


def as_utf8(stream: BinaryIO, encoding: str) -> BinaryIO:
    """Returns a stream of text as UTF-8.

    Bytes that are no text in the encoding become bytes that are none in UTF-8, so that their
    rows are rejected and no others.

    Args:
      stream: The file, read forward.
      encoding: As `check_encoding` gives it.
    """
    return stream if encoding == "utf-8" else _Recoded(stream, encoding)  # type: ignore[return-value]


class _Recoded:
    """Decodes and encodes again, piece by piece."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._read = getattr(stream, "read1", stream.read)
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
        self._held = b""

    def read(self, size: int) -> bytes:
        """Returns at most so many bytes, and none at the end."""
        while not self._held:
            piece = self._read(_PIECE)
            text = self._decoder.decode(piece, final=not piece)
            self._held = text.encode("utf-8", "surrogateescape")
            if not piece:
                break
        found, self._held = self._held[:size], self._held[size:]
        return found
