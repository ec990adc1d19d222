"""The hash of keys, against a slow one written from its description, and against frozen values."""

import datetime
import hashlib
import math
import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of, record_batches
from transforms.errors import ConfigError
from transforms.keys.key_hash import key_hash, whole_keys, wide_hash

MASK = 2**64 - 1


def _mix(state, word):
    x = state ^ word
    x ^= x >> 33
    x = x * 0xFF51AFD7ED558CCD & MASK
    x ^= x >> 33
    x = x * 0xC4CEB9FE1A85EC53 & MASK
    x ^= x >> 33
    return (x + 0x9E3779B97F4A7C15) & MASK


def _words(value):
    if value is None:
        return [0]
    if isinstance(value, int):
        return [1, value & MASK]
    if isinstance(value, float):
        bits = struct.unpack("<Q", struct.pack("<d", value + 0.0))[0]
        return [2, 0x7FF8000000000000 if math.isnan(value) else bits]
    content = value.encode() if isinstance(value, str) else value
    if len(content) > 256:
        digest = hashlib.blake2b(content, digest_size=16).digest()
        return [3, len(content), *struct.unpack("<QQ", digest)]
    padded = content + bytes(-len(content) % 8)
    return [3, len(content), *struct.unpack(f"<{len(padded) // 8}Q", padded)]


def slow_hash(row, seed=0):
    state = seed
    for value in row:
        for word in _words(value):
            state = _mix(state, word)
    return state


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.integers(250, 270).map(
    lambda n: "x" * n
)
KEYS = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.int8(): st.integers(-128, 127),
    pa.bool_(): st.booleans(),
    pa.float64(): st.floats(),
    pa.float32(): st.floats(width=32),
    pa.string(): TEXTS,
    pa.binary(): st.binary(max_size=40),
    pa.large_string(): TEXTS,
    pa.string_view(): TEXTS,
}


@st.composite
def keys(draw):
    rows = draw(st.integers(0, 6))
    types = draw(st.lists(st.sampled_from(list(KEYS)), min_size=1, max_size=3))
    arrays = [
        pa.array(draw(st.lists(st.none() | KEYS[t], min_size=rows + 2, max_size=rows + 2)), t)
        for t in types
    ]
    whole = pa.RecordBatch.from_arrays(arrays, [f"c{i}" for i in range(len(types))])
    return whole.slice(draw(st.integers(0, 2)), rows)


@given(keys(), st.sampled_from([0, 1, 12345]))
def test_as_it_is_described(batch, seed):
    columns = [column.to_pylist() for column in batch.columns]
    expected = [slow_hash(row, seed) for row in zip(*columns, strict=True)]
    found = key_hash(batch, batch.schema.names, seed)
    assert found.dtype == np.uint64
    assert found.tolist() == expected


def test_it_never_changes():
    """What was parted by it lies on disks: these are not to be edited."""
    texts = ["", "trip-1", "Ünïcode, and longer than a word"]
    batch = batch_of(i=[0, -1, None], f=[0.5, math.nan, -0.0], s=texts)
    assert key_hash(batch, ["i"]).tolist() == FROZEN["i"]
    assert key_hash(batch, ["f"]).tolist() == FROZEN["f"]
    assert key_hash(batch, ["s"]).tolist() == FROZEN["s"]
    assert key_hash(batch, ["s", "i", "f"], seed=7).tolist() == FROZEN["all"]


FROZEN = {
    "i": [12692594416050682180, 1772524118735055066, 11400714819323198485],
    "f": [8558193763331038801, 1759322247480598580, 17732916326009582870],
    "s": [6976259416729115779, 14773988092878689275, 12171135613735709879],
    "all": [3955061205641989302, 1510816876443301496, 8053697047146209362],
}


def _one(value, type=None):
    return int(key_hash(batch_of(x=pa.array([value], type)), ["x"])[0])


def test_values_that_are_the_same():
    assert _one(5, pa.int8()) == _one(5, pa.uint64()) == _one(5, pa.int64())
    assert _one(0.0) == _one(-0.0) == _one(0.0, pa.float32())
    nans = np.array([0x7FF8000000000000, 0xFFF8000000000001], np.uint64).view(np.float64)
    assert len(set(key_hash(batch_of(x=nans), ["x"]).tolist())) == 1
    assert _one("é") == _one("é".encode(), pa.binary()) == _one("é", pa.large_string())
    assert _one(None, pa.string()) == _one(None, pa.int64()) == _one(None, pa.null())
    coded = pa.array(["a", None, "a"]).dictionary_encode()
    plain = pa.array(["a", None, "a"])
    assert (key_hash(batch_of(x=coded), ["x"]) == key_hash(batch_of(x=plain), ["x"])).all()


def test_values_that_are_not():
    values = [_one(v) for v in (None, 0, 0.0, "", "0", 1, 1.0, "1", "\0", "\0\0")]
    assert len(set(values)) == len(values)
    pair = batch_of(a=["ab", "a"], b=["c", "bc"])
    assert len(set(key_hash(pair, ["a", "b"]).tolist())) == 2
    assert key_hash(pair, ["a", "b"]).tolist() != key_hash(pair, ["b", "a"]).tolist()


def test_times():
    noon = datetime.datetime(2026, 1, 2, 12)
    assert _one(noon, pa.timestamp("s")) != _one(noon, pa.timestamp("us"))
    naive, zoned = _one(noon, pa.timestamp("us")), _one(noon, pa.timestamp("us", "UTC"))
    assert naive == zoned
    assert _one(datetime.date(2026, 1, 2)) != _one(20455, pa.int32())


def test_hashes_spread_evenly():
    numbers = np.arange(100_000)
    for column in (numbers, numbers.astype(str), numbers / 8):
        shards = np.bincount((key_hash(batch_of(x=column), ["x"]) % 64).astype(int))
        assert len(shards) == 64
        assert shards.min() > 1562 * 0.85
        assert shards.max() < 1562 * 1.15


def test_columns_that_are_no_keys():
    with pytest.raises(ConfigError, match="key column 'idd' is not in the data; did you mean 'id'"):
        key_hash(batch_of(id=[1]), ["idd"])
    with pytest.raises(ConfigError, match=r"not of list<"):
        key_hash(batch_of(id=[[1]]), ["id"])


@given(record_batches())
def test_whole_keys(batch):
    names = batch.schema.names
    expected = [all(value is not None for value in row.values()) for row in batch.to_pylist()]
    assert whole_keys(batch, names).tolist() == expected


def test_the_wide_hash_is_two_independent_ones():
    batch = batch_of(x=np.arange(1000))
    wide = wide_hash(batch, ["x"])
    assert wide.shape == (1000, 2)
    assert (wide[:, 0] == key_hash(batch, ["x"])).all()
    assert len(np.unique(wide[:, 0] ^ wide[:, 1])) == 1000
