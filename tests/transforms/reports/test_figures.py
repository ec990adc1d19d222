import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.reports.figures import NOTHING, counted, number, share


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "0"),
        (-0.0, "0"),
        (12345, "12,345"),
        (1_769_022_003_123_456, "1,769,022,003,123,456"),
        (1_769_022_003_123_456.0, "1,769,022,003,123,456"),
        (2**63, "9,223,372,036,854,775,808"),
        (12345.678, "12,346"),
        (123.456, "123.5"),
        (-1.5, "-1.5"),
        (0.0123456, "0.01235"),
        (0.00001234, "1.23e-05"),
        (1.5e20, "1.5e+20"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
    ],
)
def test_numbers(value, told):
    assert number(value) == told


@given(st.floats(-1e300, 1e300))
def test_a_number_is_told_to_three_digits(value):
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=6e-3)


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (0, 5, "0%"),
        (1, 10**6, "<0.1%"),
        (1, 3, "33.3%"),
        (1, 2, "50%"),
        (10**6 - 1, 10**6, ">99.9%"),
        (5, 5, "100%"),
        (0, 0, NOTHING),
    ],
)
def test_shares(part, whole, told):
    assert share(part, whole) == told


def test_counts():
    assert [counted(each, "row") for each in (0, 1, 2000)] == ["0 rows", "1 row", "2,000 rows"]
