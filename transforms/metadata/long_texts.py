"""Long texts: statistics hold them in a short form, which a schema's texts are compared by."""

import hashlib
import re

LONG = 1024
"""Bytes of a text; of a longer one statistics hold how it begins, its length and a digest."""
_SHOWN = 64
_SHORTENED = re.compile(r"\.\.\. \((?P<size>\d{4,}) bytes, [0-9a-f]{24}\)\Z")


def digest(value: bytes) -> bytes:
    """Returns the short form of a value: how it begins, its length, and a digest of it all."""
    begins = value[:_SHOWN].decode(errors="ignore").encode()
    hashed = hashlib.blake2b(value, digest_size=12).hexdigest()
    return begins + f"... ({len(value)} bytes, {hashed})".encode()


def as_counted(text: str) -> str:
    """Returns a text as statistics hold it: as it is, or its short form if it is long."""
    if len(text) * 4 <= LONG:
        return text
    value = text.encode(errors="surrogatepass")
    return digest(value).decode() if len(value) > LONG else text


def is_shortened(text: str) -> bool:
    """Returns whether a text of statistics is the short form of a long one."""
    found = _SHORTENED.search(text)
    return found is not None and int(found["size"]) > LONG
