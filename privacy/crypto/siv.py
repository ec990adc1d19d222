"""Tokens of texts by AES-SIV (RFC 5297): one text, key and context give one token.

A token is base64 of a version byte, the 16 bytes of the synthetic IV, and the ciphertext: the form
of Cloud DLP's tokens. Their version is 0x01; how DLP expands a key for it is not published, so
nobody else can read or write those. Ours is 0x4D, and the key is expanded by HKDF-SHA-512. A
context is bound as associated data: a token can't be moved to a row of another context.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privacy.crypto.alphabets import tweaks
from privacy.crypto.base64_rows import decode_rows, encode_rows, text_width
from privacy.crypto.blocks import BLOCK
from privacy.crypto.synthetic_iv import SyntheticIv
from privacy.crypto.texts import Texts, groups, text_column
from transforms.arrow.base64_text import decode_base64
from transforms.errors import ConfigError

VERSION, DLP_VERSION = 0x4D, 0x01
KEY_SIZES = (16, 24, 32)
EXPANDED = 64
_INFO = b"millrace aes-siv tokens, version 0x4d"
_HEAD = 1 + BLOCK
_BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"

NO_TOKEN = "is not a token: base64 of a version byte and at least 16 bytes more"
OF_DLP = (
    "is a token of Cloud DLP (version 0x01), whose key expansion is not published: "
    "re-identify it with engine: cloud, or with BigQuery's DLP_DETERMINISTIC_DECRYPT"
)
OTHER_KEY = "was made with another key or context, or was changed"


def encrypt(
    values: pa.Array, key: bytes, context: pa.Array | None = None
) -> tuple[pa.Array, np.ndarray]:
    """Encrypts a column of texts to tokens.

    Args:
      values: n strings; nulls stay null.
      key: 16, 24 or 32 bytes, which are expanded; or 64, which are used as they are.
      context: n integers or texts; where it is null, a value has no context.

    Returns: n strings, and n booleans, all false: every text has a token.

    Raises:
      ConfigError: The key is of another size, or a column of a type that has no texts.
    """
    cipher, texts = _cipher(key), Texts.of(text_column(values))
    starts = _starts(cipher, context, len(values))
    lengths = texts.lengths
    out = Texts.blank(-(-(lengths + _HEAD) // 3) * 4, texts.valid)
    for rows in groups(np.flatnonzero(texts.valid), lengths, lengths):
        sealed = cipher.seal(texts.matrix(rows), starts[rows] if len(starts) > 1 else starts)
        token = np.insert(sealed, 0, VERSION, axis=1)
        width = text_width(token.shape[1])
        out.data[out.places(rows, width)] = encode_rows(token).reshape(-1)
    return out.array(out.data, out.valid), np.zeros(len(values), bool)


def decrypt(
    tokens: pa.Array, key: bytes, context: pa.Array | None = None
) -> tuple[pa.Array, np.ndarray]:
    """Decrypts tokens that `encrypt` made with the same key and context.

    Returns: n strings, null where a token is null or at fault, and n booleans: the faults.
    `why` says what is wrong with them.

    Raises:
      ConfigError: As `encrypt`.
    """
    column = text_column(tokens)
    cipher, given = _cipher(key), Texts.of(column)
    starts = _starts(cipher, context, len(column))
    pads, good = _readable(column, given)
    lengths = given.lengths
    out = Texts.blank(lengths // 4 * 3 - pads - _HEAD, good)
    opened = np.zeros(len(column), bool)
    for rows in groups(np.flatnonzero(good), 4 * lengths + pads, lengths):
        token = decode_rows(given.matrix(rows), int(pads[rows[0]]))
        own = starts[rows] if len(starts) > 1 else starts
        texts, genuine = cipher.open(token[:, 1:], own)
        opened[rows] = genuine & (token[:, 0] == VERSION)
        texts[~opened[rows]] = 0
        out.data[out.places(rows, texts.shape[1])] = texts.reshape(-1)
    return out.array(out.data, opened), given.valid & ~opened


def why(tokens: pa.Array, faults: np.ndarray) -> list[str]:
    """Returns what is wrong with each token that `decrypt` could not read, in their order."""
    found = text_column(tokens).filter(pa.array(faults))
    raw, _ = decode_base64(found)
    return [_reason(token) for token in raw.to_pylist()]


def _reason(token: bytes | None) -> str:
    if token is None or len(token) < _HEAD or token[0] not in (VERSION, DLP_VERSION):
        return NO_TOKEN
    return OF_DLP if token[0] == DLP_VERSION else OTHER_KEY


def _readable(column: pa.Array, tokens: Texts) -> tuple[np.ndarray, np.ndarray]:
    """Returns the padding of each token, and whether it is base64 of enough bytes."""
    matches = pc.fill_null(pc.match_substring_regex(column, _BASE64), False)
    good = np.array(matches.to_numpy(zero_copy_only=False), bool) & (tokens.lengths > 0)
    ends = tokens.offsets[1:]
    pads = np.zeros(len(good), np.int64)
    for back in (1, 2):
        pads[good] += tokens.data[ends[good] - back] == ord("=")
    return pads, good & (tokens.lengths // 4 * 3 - pads >= _HEAD)


def _starts(cipher: SyntheticIv, context: pa.Array | None, rows: int) -> np.ndarray:
    """Returns what the contexts give to S2V: 1 by 16 bytes, or a line for each row."""
    if context is None:
        return cipher.starts(None)
    if len(context) != rows:
        raise ConfigError("a context for each value is needed")
    bound = Texts.of(tweaks(context))
    lengths = bound.lengths
    starts = np.tile(cipher.starts(None), (rows, 1))
    for part in groups(np.flatnonzero(lengths > 0), lengths, lengths):
        starts[part] = cipher.starts(bound.matrix(part))
    return starts


def _cipher(key: bytes) -> SyntheticIv:
    if len(key) == EXPANDED:
        return SyntheticIv(key)
    if len(key) not in KEY_SIZES:
        raise ConfigError(f"a key of AES-SIV has 16, 24, 32 or 64 bytes, not {len(key)}")
    return SyntheticIv(HKDF(SHA512(), EXPANDED, salt=None, info=_INFO).derive(key))
