"""International bank account numbers (ISO 13616): length by country, remainder 1 modulo 97."""

import numpy as np

from privacy.detectors.detector import WORD, Candidates, Detector, Verdict
from privacy.likelihood import Likelihood

_LENGTHS = """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18
    DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23
    IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27
    MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19
    SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
"""
LENGTHS = {word[:2]: int(word[2:]) for word in _LENGTHS.split()}
"""How many characters the numbers of a country have, without spaces."""


_WIDTH = 46
_COUNTRIES = np.zeros(1 << 16, np.int64)
for _country, _length in LENGTHS.items():
    _COUNTRIES[ord(_country[0]) << 8 | ord(_country[1])] = _length


def _check(candidates: Candidates) -> Verdict:
    """Cuts each to the length of its country, and computes the remainder of all at once."""
    codes, places = _compact(candidates)
    need = _COUNTRIES[codes[:, 0].astype(np.int64) << 8 | codes[:, 1]]
    rows = np.arange(len(codes))
    complete = (need > 0) & (places[rows, np.maximum(need - 1, 0)] < _WIDTH)
    good = complete & (_remainder(codes, need) == 1) & ~WORD[candidates.before]
    last = candidates.starts + places[rows, np.maximum(need - 1, 0)] + 1
    ends = np.where(good, last, candidates.ends)
    good &= ~WORD[candidates.byte(ends)]
    return np.where(good, Likelihood.VERY_LIKELY, Likelihood.NO), candidates.starts, ends


def _compact(candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """Returns the capital letters and digits of each, and where each stands in its text."""
    at = candidates.starts[:, None] + np.arange(_WIDTH)
    inside = at < candidates.ends[:, None]
    found = candidates.data[np.minimum(at, len(candidates.data) - 1)]
    kept = inside & (found != ord(" ")) & (found != ord("-"))
    order = np.argsort(~kept, axis=1, kind="stable")
    codes = np.take_along_axis(np.where(found >= ord("a"), found - 32, found), order, axis=1)
    return codes, np.where(np.take_along_axis(kept, order, axis=1), order, _WIDTH)


def _remainder(codes: np.ndarray, need: np.ndarray) -> np.ndarray:
    """Returns the remainder modulo 97, the first four characters behind the others."""
    values = codes.astype(np.int64)
    values = np.where(values >= ord("A"), values - ord("A") + 10, values - ord("0"))
    rest = np.zeros(len(codes), np.int64)
    for place in [*range(4, max(LENGTHS.values())), *range(4)]:
        column = values[:, place]
        grown = (rest * np.where(column >= 10, 100, 10) + column) % 97
        rest = np.where(place < need, grown, rest)
    return rest


IBAN = Detector(
    "IBAN_CODE",
    prefilter=r"[A-Za-z]{2}\d{2}[ -]?[A-Za-z0-9]{4}[ -]?[A-Za-z0-9]{4}[ -]?[A-Za-z0-9]{3}",
    pattern=r"[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}",
    check=_check,
    checksum=True,
    again=True,
)
