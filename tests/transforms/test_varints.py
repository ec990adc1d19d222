"""Whole numbers there and back, by protobuf's own too."""

import pytest
from google.protobuf.internal.decoder import _DecodeVarint
from hypothesis import given
from hypothesis import strategies as st

from transforms.varints import read_varint, varint


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_there_and_back(number, before, after):
    data = before + varint(number) + after
    assert read_varint(data, len(before)) == (number, len(data) - len(after))
    assert _DecodeVarint(data, len(before)) == (number, len(data) - len(after))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 9, b"\xff" * 1000])
def test_what_is_no_number(data):
    with pytest.raises(IndexError):
        read_varint(data, 0)
