"""Credit card numbers: issuers' ranges, lengths, and the checksum by Luhn."""

import numpy as np

from privacy.detectors.checksums import luhn
from privacy.detectors.detector import WORD, Candidates, Detector, Verdict, judged, one_of
from privacy.likelihood import Likelihood

_RANGES = """
    100000-199999 15        180000-180099 15        213100-213199 15
    220000-220499 16-19     222100-272099 16        300000-305999 14,16-19
    309500-309599 14,16-19  340000-349999 15        352800-358999 16-19
    360000-369999 14,16-19  370000-379999 15        380000-399999 14,16-19
    400000-499999 13,16,19  500000-509999 12-19     510000-559999 16
    560000-699999 12-19     810000-829999 16-19     979200-979289 16
"""
"""First six digits, and lengths: Visa, Mastercard, American Express, Diners, JCB, Discover,
Maestro, UnionPay, Mir, RuPay, Troy and air travel cards."""

_WIDTH = 26
_GLUED = one_of(b"-.")


def _rows() -> list[tuple[int, int, np.ndarray]]:
    words = _RANGES.split()
    return [
        (*map(int, span.split("-")), _lengths(lengths))  # type: ignore[misc]
        for span, lengths in zip(words[::2], words[1::2], strict=True)
    ]


def _lengths(text: str) -> np.ndarray:
    table = np.zeros(_WIDTH, bool)
    for part in text.split(","):
        low, _, high = part.partition("-")
        table[int(low) : int(high or low) + 1] = True
    return table


_TABLE = _rows()


def _check(candidates: Candidates) -> Verdict:
    """Wants the checksum; numbers of no known issuer need a hotword."""
    values, mask = candidates.digits(_WIDTH)
    count = mask.sum(1)
    rank = mask.cumsum(1)
    power = np.array([0, 100_000, 10_000, 1_000, 100, 10, 1])
    weights = power[np.where(mask & (rank <= 6), rank, 0)]
    first = (values * weights).sum(1)
    known = np.zeros(len(candidates), bool)
    for low, high, lengths in _TABLE:
        known |= (first >= low) & (first <= high) & lengths[count]
    good = luhn(values, mask) & (first > 0) & ~(WORD | _GLUED)[candidates.before]
    good &= ~WORD[candidates.behind]
    level = np.where(known, Likelihood.VERY_LIKELY, Likelihood.VERY_UNLIKELY)
    return judged(candidates, np.where(good, level, Likelihood.NO))


CREDIT_CARD = Detector(
    "CREDIT_CARD_NUMBER",
    prefilter=r"\d{12}|\d{4}[ -]\d{4}[ -]\d{4}[ -]\d|\d{4}[ -]\d{6}[ -]\d{4}",
    pattern=r"\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{3}\b|\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,7}\b"
    r"|\d{4}[ -]\d{6}[ -]\d{4,5}\b|\d{12,19}",
    check=_check,
    hotwords=r"(?i)\b(?:credit|debit|cards?|visa|master ?card|amex|maestro|pan)\b",
    checksum=True,
    again=True,
)
