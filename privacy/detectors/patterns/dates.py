"""Dates and times, by a closed list of forms; what isn't in the calendar is none."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.detectors.codes.sums import is_date
from privacy.detectors.detector import WORD, Candidates, Detector, Verdict, judged, one_of
from privacy.likelihood import Likelihood

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = (
    r"(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?"
_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})"
_FORMS = (
    # year first, with a time of ISO 8601 behind
    (rf"(?P<y>\d{{4}})[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}})(?:[T ]{_CLOCK}{_ZONE}?)?", 4),
    # numbers, whose order is the reader's guess
    (r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<y>\d{4}|\d{2})", 4),
    (
        rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[- ,./]{{1,2}}(?P<n>{_MONTH})[-. ,]{{1,2}}"
        r"(?P<y>\d{4}|\d{2})",
        4,
    ),
    (rf"(?P<n>{_MONTH})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>\d{{4}})", 4),
    (rf"(?P<n>{_MONTH})[- ,.]{{1,2}}(?P<y>\d{{4}})", 3),
    (rf"(?P<n>{_MONTH})-(?P<y>\d{{2}})", 3),
    (rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[- ](?:of )?(?P<n>{_MONTH})", 3),
    (rf"(?P<n>{_MONTH}) (?P<d>\d{{1,2}})(?:st|nd|rd|th)?", 3),
    (r"(?P<m>\d{1,2})/(?P<y>\d{4})", 2),
    (r"(?P<a>\d{1,2})/(?P<b>\d{1,2})", 2),
)
"""Forms, the longer ones first, and how likely a day in the calendar is a date in each."""

_GLUED = WORD | one_of(b"-./")


def _check(candidates: Candidates) -> Verdict:
    """Judges each by the first form that it has."""
    texts = candidates.texts
    level, left = np.zeros(len(texts), np.int64), np.ones(len(texts), bool)
    for form, likelihood in _FORMS:
        parts = pc.extract_regex(texts, f"^(?:{form})$")
        has = np.asarray(parts.is_valid()) & left
        if has.any():
            real = _real(parts.filter(pa.array(has)))
            level[has] = np.where(real, likelihood, 0)
            left &= ~has
    good = ~_GLUED[candidates.before] & ~WORD[candidates.behind]
    behind, next_one = candidates.behind, candidates.byte(candidates.ends + 1)
    good &= ~(one_of(b"-./")[behind] & WORD[next_one])
    return judged(candidates, np.where(good, level, Likelihood.NO))


def _real(parts: pa.Array) -> np.ndarray:
    """Tells which are in the calendar."""
    names = [parts.type.field(place).name for place in range(parts.type.num_fields)]
    found = dict(zip(names, parts.flatten(), strict=True))
    year = _year(found["y"]) if "y" in found else np.full(len(parts), 2000)
    if "a" in found:
        a, b = _number(found["a"]), _number(found["b"])
        return np.asarray(is_date(year, a, b) | is_date(year, b, a))
    month = _number(found["m"]) if "m" in found else _month(found["n"])
    day = _number(found["d"]) if "d" in found else np.ones(len(parts), np.int64)
    return is_date(year, month, day) & (year >= 1000)


def _number(texts: pa.Array) -> np.ndarray:
    return np.asarray(texts.cast(pa.int64()))


def _year(texts: pa.Array) -> np.ndarray:
    year = _number(texts)
    return np.where(np.asarray(pc.binary_length(texts)) == 2, 2000 + year, year)


def _month(texts: pa.Array) -> np.ndarray:
    first = pc.utf8_slice_codeunits(pc.ascii_lower(texts), 0, 3)
    return np.asarray(pc.index_in(first, pa.array(_MONTHS))).astype(np.int64) + 1


def _check_time(candidates: Candidates) -> Verdict:
    """Wants hours, minutes and seconds of a day."""
    parts = pc.extract_regex(candidates.texts, r"^(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2}))?")
    hour, minute, second = (pc.if_else(pc.equal(x, ""), "0", x) for x in parts.flatten())
    good = (_number(hour) < 24) & (_number(minute) < 60) & (_number(second) < 61)
    inside = WORD | one_of(b":.")
    good &= ~inside[candidates.before] & ~WORD[candidates.behind]
    good &= ~((candidates.behind == ord(":")) & WORD[candidates.byte(candidates.ends + 1)])
    exact = np.asarray(pc.match_substring_regex(candidates.texts, r"(?i):\d\d:|[ap]\.?m"))
    level = np.where(exact, Likelihood.LIKELY, Likelihood.POSSIBLE)
    return judged(candidates, np.where(good, level, Likelihood.NO))


def _unnamed(pattern: str) -> str:
    """Returns a pattern whose groups have no names."""
    for name in "yabmdn":
        pattern = pattern.replace(f"(?P<{name}>", "(?:")
    return pattern


_PATTERN = "|".join(_unnamed(form) + r"\b" for form, _ in _FORMS)
_PREFILTER = (
    r"\d[-/.]\d{1,2}[-/.]\d\d|\d/\d|\d{4}[-/.]\d|(?i:(?:^|[^a-z])(?:jan|feb|mar|apr|may|jun|jul|aug"
    r"|sep|oct|nov|dec)[a-z]{0,6}[- ,.]{1,2}\d|\d(?:st|nd|rd|th)?[- ,./]{1,2}(?:of )?(?:jan|feb|mar"
    r"|apr|may|jun|jul|aug|sep|oct|nov|dec))"
)
DATE = Detector("DATE", prefilter=_PREFILTER, pattern=_PATTERN, check=_check)


DATE_OF_BIRTH = Detector(
    "DATE_OF_BIRTH",
    prefilter=_PREFILTER,
    pattern=_PATTERN,
    check=_check,
    likelihood=Likelihood.VERY_UNLIKELY,
    hotwords=r"(?i)\b(?:dob|d\.o\.b|born|birth(?:day|date|s)?|geboren|n[ée]e?|nacimiento)\b",
)
TIME = Detector(
    "TIME",
    prefilter=r"\d:\d\d",
    pattern=rf"{_CLOCK}(?: ?(?i:[ap]\.?m\b\.?))?{_ZONE}?",
    check=_check_time,
)
DETECTORS = (DATE, DATE_OF_BIRTH, TIME)
"""The detectors."""
