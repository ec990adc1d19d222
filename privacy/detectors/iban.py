"""International bank account numbers (ISO 13616): length by country, remainder 1 modulo 97."""

import string

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


_VALUES = {ord(letter): str(int(letter, 36)) for letter in string.ascii_uppercase}


def _check(candidates: Candidates) -> Verdict:
    """Cuts each to the length of its country and computes the remainder; there are few."""
    ends, good = candidates.ends.copy(), np.zeros(len(candidates), bool)
    free = ~WORD[candidates.before]
    for place, text in enumerate(candidates.texts.to_pylist()):
        length = _iban_length(text) if free[place] else 0
        if length:
            ends[place] = candidates.starts[place] + length
            good[place] = True
    good &= ~WORD[candidates.byte(ends)]
    return np.where(good, Likelihood.VERY_LIKELY, Likelihood.NO), candidates.starts, ends


def _iban_length(text: str) -> int:
    """Returns how many characters of a text are a number, with its spaces; 0 where none are."""
    need = LENGTHS.get(text[:2].upper())
    if need is None:
        return 0
    compact = text.replace(" ", "").replace("-", "").upper()[:need]
    if len(compact) < need:
        return 0
    if int((compact[4:] + compact[:4]).translate(_VALUES)) % 97 != 1:
        return 0
    return _spaced_length(text, need)


def _spaced_length(text: str, need: int) -> int:
    seen = 0
    for place, letter in enumerate(text):
        seen += letter not in " -"
        if seen == need:
            return place + 1
    return 0


IBAN = Detector(
    "IBAN_CODE",
    prefilter=r"[A-Za-z]{2}\d{2}[ -]?[A-Za-z0-9]{4}[ -]?[A-Za-z0-9]{4}[ -]?[A-Za-z0-9]{3}",
    pattern=r"[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}",
    check=_check,
    checksum=True,
    again=True,
)
