"""Keyed hashes equal to the standard library's, and date shifts from them."""

import base64
import hashlib
import hmac as standard

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.crypto import date_shift, hmac
from transforms.errors import ConfigError

KEY = bytes(range(32))


@given(st.lists(st.none() | st.text(max_size=80), max_size=8), st.integers(16, 100))
def test_equals_the_standard_library(values, size):
    key = bytes(range(size))
    expected = [
        None
        if x is None
        else base64.b64encode(standard.digest(key, x.encode(), hashlib.sha256)).decode()
        for x in values
    ]
    assert hmac.digest(pa.array(values, pa.string()), key).to_pylist() == expected


def test_a_known_answer():
    """RFC 4231, test case 1: a key of 20 bytes 0x0b."""
    (made,) = hmac.digest(pa.array(["Hi There"]), b"\x0b" * 20).to_pylist()
    expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    assert base64.b64decode(made).hex() == expected


def test_short_keys_are_refused():
    with pytest.raises(ConfigError, match="at least 16 bytes"):
        hmac.digest(pa.array(["a"]), b"short")


@given(st.lists(st.integers(-9, 9), min_size=1), st.integers(-400, 0), st.integers(0, 400))
def test_one_context_one_shift_within_bounds(ids, lower, upper):
    days = date_shift.offsets(pa.array(ids), KEY, lower, upper).to_pylist()
    assert all(lower <= day <= upper for day in days)
    alone = {x: date_shift.offsets(pa.array([x]), KEY, lower, upper)[0].as_py() for x in ids}
    assert days == [alone[x] for x in ids]


def test_shifts_spread_and_depend_on_the_key():
    contexts = pa.array([f"patient {i}" for i in range(2_000)])
    days = date_shift.offsets(contexts, KEY, -3, 3)
    counts = {x["values"].as_py(): x["counts"].as_py() for x in days.value_counts()}
    assert set(counts) == set(range(-3, 4))
    assert min(counts.values()) > 200
    assert not days.equals(date_shift.offsets(contexts, bytes(32), -3, 3))


def test_no_context_no_shift():
    assert date_shift.offsets(pa.array(["a", None]), KEY, 5, 5).to_pylist() == [5, None]
    for lower, upper in ((2, 1), (0, 365_251)):
        with pytest.raises(ConfigError, match=r"bound|at most"):
            date_shift.offsets(pa.array(["a"]), KEY, lower, upper)
