"""Numbers as people read them."""

import math

NOTHING = "—"
"""Stands where there is no figure."""
_WHOLE = 2**53


def number(value: float) -> str:
    """Returns four significant digits or all whole ones: `12,345`, `0.01235`, `1.5e-09`.

    As exact as doubles, so that microseconds since 1970 are whole.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if isinstance(value, int) or (value.is_integer() and abs(value) < _WHOLE):
        return f"{int(value):,}"
    if not 1e-4 <= abs(value) < _WHOLE:
        return f"{value:.3g}"
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:,.0f}"


def share(part: float, whole: float) -> str:
    """Returns a part in per cent; a small part is `<0.1%`, never `0%`."""
    if not whole > 0:
        return NOTHING
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "<0.1%"
    if 99.9 < percent < 100:
        return ">99.9%"
    return f"{percent:.1f}".removesuffix(".0") + "%"


def counted(value: float, noun: str) -> str:
    """Returns a count with its noun: `1 row`, `2,000 rows`."""
    return f"{number(value)} {noun}" + ("" if value == 1 else "s")
