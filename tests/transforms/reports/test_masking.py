"""Masked rows: the form of a value, never a letter or digit of it."""

import datetime

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.reports.masking import masked


def one(value, **but):
    return masked(pa.RecordBatch.from_pydict({"a": [value]}), **but)["a"].to_pylist()[0]


def test_forms():
    assert one("Ada.L@x-1.org") == "Aaa.A@a-9.aaa"
    assert one(-12.5) == "-99.9"
    assert one(None) is None
    assert one([1, 23]) == "[9, 99]"
    assert one({"id": "x7"}) == "{'aa': 'a9'}"
    assert one(datetime.date(2026, 1, 31)) == "9999-99-99"
    assert one("Ärzte 東京 ٣") == "Aaaaa aa 9"


def test_columns_that_stay():
    rows = pa.RecordBatch.from_pydict({"a": ["Ada"], "b": [7]})
    assert masked(rows, but=("b",)).to_pylist() == [{"a": "Aaa", "b": 7}]


@given(st.text())
def test_no_letter_or_digit_is_left(text):
    shown = one(text)
    assert len(shown) == len(text)
    assert all(sign in "Aa9" or not (sign.isalpha() or sign.isdecimal()) for sign in shown)
