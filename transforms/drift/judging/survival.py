"""How likely a statistic is to be at least so large: the tails of chi-square and F.

By the regularised incomplete gamma and beta functions, as series and continued fractions (Lentz's
method; W. Gautschi, ACM TOMS 5, 1979), on whole arrays at once. SciPy is not needed for it.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TINY = 1e-300
_CLOSE = 1e-15
_ROUNDS = 10_000
_EACH = 8
"""After so many rounds it is looked whether there were enough: that costs as much as a round."""
_LANCZOS = (
    676.5203681218851,
    -1259.1392167224028,
    771.32342877765313,
    -176.61502916214059,
    12.507343278686905,
    -0.13857109526572012,
    9.9843695780195716e-6,
    1.5056327351493116e-7,
)


def chi2_tail(x: Floats, df: Floats) -> Floats:
    """Returns the probability that a chi-square variable is at least x.

    Args:
      x: n values of 0 or more.
      df: n degrees of freedom, more than 0; no integers need they be.

    Returns: n probabilities, right to some 12 digits, also where they are tiny.
    """
    return gamma_tail(np.asarray(df, np.float64) / 2, np.asarray(x, np.float64) / 2)


def gamma_tail(a: Floats, x: Floats) -> Floats:
    """Returns the regularised upper incomplete gamma function Q(a, x), for n pairs."""
    tail = np.ones(len(x))
    below = (x > 0) & (x < a + 1)
    above = (x > 0) & ~below
    tail[below] = 1 - _gamma_series(a[below], x[below])
    tail[above] = _gamma_fraction(a[above], x[above])
    return np.clip(tail, 0.0, 1.0)


def f_tail(x: Floats, df: Floats, df_below: Floats) -> Floats:
    """Returns the probability that an F variable is at least x.

    Args:
      x: n values of 0 or more.
      df: Degrees of freedom above the line; more than 0.
      df_below: Those below the line; where they are infinite, it is chi-square over `df`.
    """
    x, df, df_below = (np.asarray(each, np.float64) for each in (x, df, df_below))
    tail, some = np.ones(len(x)), np.isfinite(df_below) & (x > 0)
    rest = ~some
    tail[rest] = chi2_tail(x[rest] * df[rest], df[rest])
    part = df_below[some] / (df_below[some] + df[some] * x[some])
    tail[some] = beta_below(df_below[some] / 2, df[some] / 2, part)
    return tail


def beta_below(a: Floats, b: Floats, x: Floats) -> Floats:
    """Returns the regularised incomplete beta function I_x(a, b), for n triples; x from 0 to 1."""
    swap = x > (a + 1) / (a + b + 2)
    a, b, x = np.where(swap, b, a), np.where(swap, a, b), np.where(swap, 1 - x, x)
    safe = np.clip(x, _TINY, 1.0)
    front = np.exp(
        log_gamma(a + b)
        - log_gamma(a)
        - log_gamma(b)
        + a * np.log(safe)
        + b * np.log1p(-np.minimum(x, 1 - 1e-16))
    )
    found = np.where(x <= 0, 0.0, front * _beta_fraction(a, b, safe) / a)
    return np.clip(np.where(swap, 1 - found, found), 0.0, 1.0)


def log_gamma(x: Floats) -> Floats:
    """Returns the logarithm of the gamma function of positive numbers (C. Lanczos, 1964)."""
    small = x < 0.5
    z = np.where(small, x + 1, x) - 1
    total = np.full(len(z), 0.99999999999980993)
    for place, weight in enumerate(_LANCZOS):
        total += weight / (z + place + 1)
    t = z + len(_LANCZOS) - 0.5
    found = 0.5 * math.log(2 * math.pi) + (z + 0.5) * np.log(t) - t + np.log(total)
    whole: Floats = np.where(small, found - np.log(np.where(small, x, 1.0)), found)
    return whole


def normal_quantile(tail: Floats) -> Floats:
    """Returns the standard normal quantile with so much probability above it."""
    inverse = NormalDist().inv_cdf
    return np.array([-inverse(min(max(float(each), 1e-300), 0.5)) for each in tail])


def chi2_quantile(tail: Floats, df: Floats) -> Floats:
    """Returns about the chi-square value with a probability above it (Wilson, Hilferty 1931)."""
    step = 2 / (9 * df)
    found: Floats = df * np.maximum(1 - step + normal_quantile(tail) * np.sqrt(step), 0.0) ** 3
    return found


def _gamma_series(a: Floats, x: Floats) -> Floats:
    term = total = 1 / a
    for round_ in range(1, _ROUNDS):
        term = term * x / (a + round_)
        total = total + term
        if round_ % _EACH == 0 and not (np.abs(term) > _CLOSE * np.abs(total)).any():
            break
    return total * np.exp(a * np.log(x) - x - log_gamma(a))


def _gamma_fraction(a: Floats, x: Floats) -> Floats:
    b = x + 1 - a
    c = np.full(len(x), 1 / _TINY)
    d = 1 / _kept(b)
    h = d
    for round_ in range(1, _ROUNDS):
        step = -round_ * (round_ - a)
        b = b + 2
        d = 1 / _kept(step * d + b)
        c = _kept(b + step / c)
        h = h * d * c
        if round_ % _EACH == 0 and not (np.abs(d * c - 1) > _CLOSE).any():
            break
    return h * np.exp(a * np.log(x) - x - log_gamma(a))


def _beta_fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    c = np.ones(len(x))
    d = 1 / _kept(1 - (a + b) * x / (a + 1))
    h = d
    for round_ in range(1, _ROUNDS):
        even = round_ * (b - round_) * x / ((a + 2 * round_ - 1) * (a + 2 * round_))
        d, c = 1 / _kept(1 + even * d), _kept(1 + even / c)
        h = h * d * c
        odd = -(a + round_) * (a + b + round_) * x / ((a + 2 * round_) * (a + 2 * round_ + 1))
        d, c = 1 / _kept(1 + odd * d), _kept(1 + odd / c)
        h = h * d * c
        if round_ % _EACH == 0 and not (np.abs(d * c - 1) > 3 * _CLOSE).any():
            break
    return h


def _kept(values: Floats) -> Floats:
    """Keeps a divisor away from zero."""
    return np.where(np.abs(values) < _TINY, _TINY, values)
