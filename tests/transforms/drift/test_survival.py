"""Tails against values of published tables, R's pchisq and pf, and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.drift.judging.survival import chi2_quantile, chi2_tail, f_tail, log_gamma


def of(function, *arguments):
    return float(function(*(np.array([each], np.float64) for each in arguments))[0])


@pytest.mark.parametrize(
    ("x", "df", "tail"),
    [
        (3.841458820694124, 1, 0.05),
        (6.634896601021214, 1, 0.01),
        (16.918977604620448, 9, 0.05),
        (21.665994333461924, 9, 0.01),
        (124.34211340400407, 100, 0.05),
        (293.2478350807018, 255, 0.05),
    ],
)
def test_table_of_chi_square(x, df, tail):
    assert of(chi2_tail, x, df) == pytest.approx(tail, rel=1e-8)


@given(st.floats(1e-3, 1400), st.integers(1, 12))
def test_even_degrees_have_a_closed_form(x, half):
    expected = sum(math.exp(-x / 2 + k * math.log(x / 2) - math.lgamma(k + 1)) for k in range(half))
    assert of(chi2_tail, x, 2 * half) == pytest.approx(expected, rel=1e-10, abs=1e-300)


@given(st.floats(1e-6, 700))
def test_one_degree_is_the_normal_tail(x):
    assert of(chi2_tail, x, 1) == pytest.approx(math.erfc(math.sqrt(x / 2)), rel=1e-9)


@pytest.mark.parametrize(
    ("x", "df", "below", "tail"),
    [
        (4.9646027437307145, 1, 10, 0.05),
        (3.325834530413011, 4, 11, 0.05135),
        (2.7109, 5, 20, 0.05),
    ],
)
def test_table_of_f(x, df, below, tail):
    assert of(f_tail, x, df, below) == pytest.approx(tail, rel=2e-3)


@given(st.floats(0.01, 200), st.integers(1, 400))
def test_f_of_two_degrees_has_a_closed_form(x, below):
    expected = (1 + 2 * x / below) ** (-below / 2)
    assert of(f_tail, x, 2, below) == pytest.approx(expected, rel=1e-9)


def test_f_of_endless_degrees_is_chi_square():
    assert of(f_tail, 2.5, 9, math.inf) == of(chi2_tail, 22.5, 9)
    assert of(f_tail, 2.5, 9, 1e9) == pytest.approx(of(chi2_tail, 22.5, 9), rel=1e-5)


@given(st.floats(1e-3, 1e6))
def test_log_gamma(x):
    assert of(log_gamma, x) == pytest.approx(math.lgamma(x), rel=1e-11, abs=1e-11)


@given(st.floats(1e-5, 0.5), st.floats(5, 300))
def test_quantile_and_tail_agree(tail, df):
    assert of(chi2_tail, of(chi2_quantile, tail, df), df) == pytest.approx(tail, rel=0.6)


def test_nothing_and_everything():
    assert of(chi2_tail, 0, 5) == 1
    assert of(f_tail, 0, 5, 5) == 1
    assert of(chi2_tail, 1e5, 5) == 0
