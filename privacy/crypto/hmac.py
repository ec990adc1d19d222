"""Keyed hashes of columns: HMAC-SHA-256 (RFC 2104), as base64: the form that DLP documents."""

import hashlib
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from privacy.crypto.base64_rows import encode_rows, text_width
from privacy.crypto.texts import Texts, text_column
from transforms.errors import ConfigError

_BLOCK, _SIZE = 64, 32
_INNER, _OUTER = 0x36, 0x5C


def digest(values: pa.Array, key: bytes) -> pa.Array:
    """Returns the base64 text of the hash of each text; nulls stay null.

    Raises:
      ConfigError: The key has fewer than 16 bytes, or the column no texts.
    """
    hashes = raw_digest(text_column(values).cast(pa.binary()), key)
    joined = b"".join(hashes.drop_null().to_pylist())
    out = Texts.blank(np.full(len(values), text_width(_SIZE)), _valid(values))
    rows = np.frombuffer(joined, np.uint8).reshape(-1, _SIZE)
    return out.array(encode_rows(rows).reshape(-1), out.valid)


def raw_digest(values: pa.Array, key: bytes) -> pa.Array:
    """Returns the 32 bytes of the hash of each binary value; nulls stay null.

    Raises:
      ConfigError: The key has fewer than 16 bytes.
    """
    of = _hasher(key)
    return pa.array([None if x is None else of(x) for x in values.to_pylist()], pa.binary())


def _hasher(key: bytes) -> Callable[[bytes], bytes]:
    """Makes HMAC from copies of two hashes that have read the key, the fastest way here."""
    if len(key) < 16:
        raise ConfigError(f"a key of HMAC needs at least 16 bytes, not {len(key)}")
    padded = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ _INNER for byte in padded))
    outer = hashlib.sha256(bytes(byte ^ _OUTER for byte in padded))

    def of(value: bytes) -> bytes:
        first, second = inner.copy(), outer.copy()
        first.update(value)
        second.update(first.digest())
        return second.digest()

    return of


def _valid(values: pa.Array) -> np.ndarray:
    return np.asarray(values.is_valid().to_numpy(zero_copy_only=False), bool)
