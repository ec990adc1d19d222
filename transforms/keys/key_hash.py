"""The stable hash of keys, by columns: the same on every machine, in every release.

Each value becomes 64-bit words, and the words are mixed, in the order of the columns, into a state
that begins with the seed, by the finalizer of MurmurHash3 (Appleby, public domain):

    mix(x):  x ^= x >> 33;  x *= 0xff51afd7ed558ccd
             x ^= x >> 33;  x *= 0xc4ceb9fe1a85ec53;  x ^= x >> 33
    state = mix(state ^ word) + 0x9e3779b97f4a7c15

all modulo 2^64. A value is a word for its family, and then the words of its content:

- 0, null of any type: none.
- 1, integers of any width and booleans: the number, modulo 2^64.
- 2, floats of any width: the bits of the float64; -0.0 is 0.0, and each NaN 0x7ff8000000000000.
- 3, strings and bytes, which are alike where their bytes are: the length in bytes; then the bytes,
  8 a word, little-endian, the last filled up with zeros; of more than 256 bytes, instead, the two
  words of their BLAKE2b-128 digest.
- 4, dates and times: their count of days or of the type's unit; so units must agree.

Dictionaries and views count as what they stand for.
"""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow.types import is_text, plain_type
from transforms.arrow.views import without_views
from transforms.errors import ConfigError
from transforms.nearest import nearest_column

LONG_TEXT = 256
"""Of longer texts, in bytes, a digest is hashed."""

NULL_FAMILY, _INT, _FLOAT, _TEXT, _TIME = range(5)
_FIRST, _SECOND = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_STEP, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(33)
_NAN = np.uint64(0x7FF8000000000000)


def key_hash(batch: pa.RecordBatch, columns: Sequence[str], seed: int = 0) -> np.ndarray:
    """Returns the hash of each row's key.

    Args:
      batch: n rows.
      columns: The columns that make the key, in their order: numbers, texts, times.
      seed: Another seed makes another, independent hash.

    Returns: n unsigned 64-bit integers.

    Raises:
      ConfigError: The batch lacks a column, or it holds lists or the like.
    """
    return arrays_hash([key_column(batch, name) for name in columns], batch.num_rows, seed)


def wide_hash(batch: pa.RecordBatch, columns: Sequence[str]) -> np.ndarray:
    """Returns the 128-bit hash of each row's key, which stands for the key itself.

    Two of 10^12 keys have the same one with a probability of 10^-15.

    Returns: n by 2 unsigned 64-bit integers: the hashes of the seeds 0 and 1.
    """
    return np.stack([key_hash(batch, columns), key_hash(batch, columns, seed=1)], axis=1)


def whole_keys(batch: pa.RecordBatch, columns: Sequence[str]) -> np.ndarray:
    """Returns n booleans: whether every part of the row's key is present."""
    valid = [key_column(batch, name).is_valid() for name in columns]
    masks = [np.asarray(mask.to_numpy(zero_copy_only=False), bool) for mask in valid]
    whole: np.ndarray = np.logical_and.reduce(masks)
    return whole


def key_column(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Returns a column of a key.

    Raises:
      ConfigError: The batch has no such column.
    """
    index = batch.schema.get_field_index(name)
    if index < 0:
        near = nearest_column(name, batch.schema.names)
        raise ConfigError(f"key column {name!r} is not in the data{near}")
    return batch.column(index)


def arrays_hash(arrays: Sequence[pa.Array], rows: int, seed: int = 0) -> np.ndarray:
    """Returns the hash of each row of some columns, of n rows."""
    state = np.full(rows, seed, np.uint64)
    for array in arrays:
        _add_column(state, _plain(array))
    return state


def _plain(array: pa.Array) -> pa.Array:
    array = without_views(array.storage if isinstance(array, pa.ExtensionArray) else array)
    if pa.types.is_run_end_encoded(array.type):
        array = pc.run_end_decode(array)
    plain = plain_type(array.type)
    return array if array.type.equals(plain) else array.cast(plain)


def _add_column(state: np.ndarray, array: pa.Array) -> None:
    family = key_family(array.type)
    valid = np.asarray(array.is_valid().to_numpy(zero_copy_only=False), bool)
    _mix(state, np.where(valid, np.uint64(family), np.uint64(NULL_FAMILY)))
    rows = np.flatnonzero(valid)
    present = array if len(rows) == len(array) else array.drop_null()
    for where, words in _words(present, family):
        if where is None and len(rows) == len(array):
            _mix(state, words)
            continue
        places = rows if where is None else rows[where]
        part = state[places]
        _mix(part, words)
        state[places] = part


def key_family(type: pa.DataType) -> int:
    """Returns the family of a type; keys of two families are never equal.

    Raises:
      ConfigError: Values of the type can't be part of a key.
    """
    kinds = pa.types
    if kinds.is_null(type):
        return NULL_FAMILY
    if kinds.is_integer(type) or kinds.is_boolean(type):
        return _INT
    if kinds.is_floating(type):
        return _FLOAT
    if is_text(type):
        return _TEXT
    if kinds.is_timestamp(type) or kinds.is_date(type) or kinds.is_time(type):
        return _TIME
    raise ConfigError(f"a key is made of numbers, texts and times, not of {type}")


def _mix(state: np.ndarray, words: np.ndarray) -> None:
    """Mixes a word into each state, in place."""
    state ^= words
    state ^= state >> _SHIFT
    state *= _FIRST
    state ^= state >> _SHIFT
    state *= _SECOND
    state ^= state >> _SHIFT
    state += _STEP


def _words(array: pa.Array, family: int) -> Iterator[tuple[np.ndarray | None, np.ndarray]]:
    """Returns the words of values without nulls, and the numbers of their rows; None is all."""
    if family == _INT:
        yield None, _integers(array)
    elif family == _FLOAT:
        yield None, _floats(array)
    elif family == _TEXT:
        yield from _texts(array)
    elif family == _TIME:
        width = pa.int32() if array.type.bit_width == 32 else pa.int64()
        yield None, _integers(array.cast(width))


def _integers(array: pa.Array) -> np.ndarray:
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    numbers = array.to_numpy(zero_copy_only=False)
    wide = numbers.astype(np.int64 if numbers.dtype.kind == "i" else np.uint64)
    words: np.ndarray = wide.view(np.uint64)
    return words


def _floats(array: pa.Array) -> np.ndarray:
    # Adding zero makes -0.0 the other one.
    numbers = array.to_numpy(zero_copy_only=False).astype(np.float64) + 0.0
    words: np.ndarray = numbers.view(np.uint64)
    words[np.isnan(numbers)] = _NAN
    return words


def _texts(array: pa.Array) -> Iterator[tuple[np.ndarray | None, np.ndarray]]:
    _, offsets, content = array.buffers()
    if offsets is None or not len(array):
        return
    ends = np.frombuffer(offsets, np.int32, len(array) + 1, array.offset * 4).astype(np.int64)
    starts, lengths = ends[:-1], np.diff(ends)
    yield None, lengths.astype(np.uint64)
    yield from _short_texts(content, starts, lengths)
    far = np.flatnonzero(lengths > LONG_TEXT)
    if len(far):
        # By value, in C: a digest of hundreds of bytes costs more than the loop.
        digests = [
            hashlib.blake2b(content[starts[i] : starts[i] + lengths[i]], digest_size=16).digest()
            for i in far.tolist()
        ]
        words = np.frombuffer(b"".join(digests), "<u8").reshape(-1, 2)
        yield far, words[:, 0]
        yield far, words[:, 1]


def _short_texts(
    content: pa.Buffer, starts: np.ndarray, lengths: np.ndarray
) -> Iterator[tuple[np.ndarray | None, np.ndarray]]:
    """Hashes texts of up to `LONG_TEXT` bytes, a word at a time, up to the longest."""
    rows = np.flatnonzero((lengths > 0) & (lengths <= LONG_TEXT))
    if not len(rows):
        return
    first, last = int(starts[rows[0]]), int(starts[rows[-1]] + lengths[rows[-1]])
    # Copied with room behind, so that the last word can be read in full.
    padded = np.frombuffer(content, np.uint8, last - first, first).tobytes() + bytes(8)
    # Each byte is the beginning of a word.
    view = np.ndarray(last - first + 1, "<u8", padded, strides=(1,))
    at = 0
    while len(rows):
        left = lengths[rows] - at
        words = view[starts[rows] + (at - first)]
        unused = ((8 - np.minimum(left, 8)) * 8).astype(np.uint64)
        yield rows, (words << unused) >> unused
        at += 8
        rows = rows[left > 8]
