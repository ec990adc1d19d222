"""Codes of Great Britain, Ireland, Germany, France, the Low Countries and Switzerland."""

import numpy as np

from privacy.detectors.codes.code import code
from privacy.detectors.codes.sums import (
    Verdicts,
    at,
    by_icao,
    by_mod_11_10,
    by_weights,
    digits,
    is_short_date,
    number,
    one_of_letters,
    total,
)
from privacy.likelihood import Likelihood

_PASSPORTS = r"passports?|passeport|reisepass\w*|paspoort"


def _nhs(codes: np.ndarray) -> Verdicts:
    return by_weights(codes, range(10, 1, -1), 11, negative=True) & (number(codes) > 0)


def _chi(codes: np.ndarray) -> Verdicts:
    born = is_short_date(number(codes, 4, 6), number(codes, 2, 4), number(codes, 0, 2))
    return _nhs(codes) & born


def _nino(codes: np.ndarray) -> Verdicts:
    """Refuses the prefixes that are not given out, and ends in A to D."""
    first, second = codes[:, 0], codes[:, 1]
    odd = one_of_letters(first, "DFIQUV") | one_of_letters(second, "DFIQUVO")
    for prefix in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ"):
        odd |= (first == ord(prefix[0])) & (second == ord(prefix[1]))
    return ~odd & one_of_letters(codes[:, 8], "ABCD")


def _utr(codes: np.ndarray) -> Verdicts:
    values = digits(codes)
    rest = total(values[:, 1:], [6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11
    return np.asarray(codes[:, 0] == at("21987654321", rest))


def _licence(codes: np.ndarray) -> Verdicts:
    """Wants a name filled up with 9, a birthday (women's months are 50 higher), and initials."""
    name = codes[:, :5]
    filled = (name == ord("9")) | ((name >= ord("A")) & (name <= ord("Z")))
    backwards = ((name[:, 1:] != ord("9")) & (name[:, :-1] == ord("9"))).any(1)
    month = number(codes, 6, 8)
    year = number(codes, 5, 6) * 10 + number(codes, 10, 11)
    born = is_short_date(year, np.where(month > 50, month - 50, month), number(codes, 8, 10))
    initial = (codes[:, 11] >= ord("A")) & ((codes[:, 12] >= ord("A")) | (codes[:, 12] == ord("9")))
    return filled.all(1) & ~backwards & born & initial & (name[:, 0] != ord("9"))


_PPSN = "WABCDEFGHIJKLMNOPQRSTUV"


def _ppsn(codes: np.ndarray) -> Verdicts:
    """Wants the letter of the remainder modulo 23; a second letter counts nine times."""
    values = digits(codes)
    rest = total(values, range(8, 1, -1))
    known = np.ones(len(codes), bool)
    if codes.shape[1] == 9:
        known = one_of_letters(codes[:, 8], "ABHW")
        second = values[:, 8] - 9
        rest = rest + 9 * np.where(codes[:, 8] == ord("W"), 0, second)
    return known & (codes[:, 7] == at(_PPSN, rest % 23))


_EIRCODE = "ACDEFHKNPRTVWXY"


def _eircode(codes: np.ndarray) -> Verdicts:
    return one_of_letters(codes[:, 0], _EIRCODE) & np.isin(
        codes[:, 3:], np.frombuffer((_EIRCODE + "0123456789").encode(), np.uint8)
    ).all(1)


_GERMAN = np.frombuffer(b"0123456789CFGHJKLMNPRTVWXYZ", np.uint8)


def _german_document(codes: np.ndarray) -> Verdicts:
    """Wants the letters that German documents have, and ICAO's check digit."""
    return np.isin(codes, _GERMAN).all(1) & by_icao(codes)


def _german_tax(codes: np.ndarray) -> Verdicts:
    """Wants the check digit, no leading zero, and no digit more than three times in ten."""
    values = digits(codes)[:, :10]
    often = np.max([(values == each).sum(1) for each in range(10)], axis=0)
    return by_mod_11_10(codes) & (values[:, 0] > 0) & (often <= 3)


def _nir(codes: np.ndarray) -> Verdicts:
    """Wants a sex, a month, and the key 97 - n % 97; Corsica's letters stand for 19 and 18."""
    plain = codes.copy()
    for letter, lower in ((ord("A"), 19), (ord("B"), 18)):
        corsican = (codes[:, 5] == ord("2")) & (codes[:, 6] == letter)
        plain[corsican, 5] = ord("0") + lower // 10
        plain[corsican, 6] = ord("0") + lower % 10
    good = (plain < ord("A")).all(1) & one_of_letters(codes[:, 0], "123478")
    plain = np.where(good[:, None], plain, ord("0"))
    month = number(plain, 3, 5)
    good &= ((month >= 1) & (month <= 12)) | (month >= 20)
    return np.asarray(good & (97 - number(plain, 0, 13) % 97 == number(plain, 13, 15)))


def _french_tax(codes: np.ndarray) -> Verdicts:
    return one_of_letters(codes[:, 0], "0123") & (number(codes, 0, 10) % 511 == number(codes, 10))


def _belgian(codes: np.ndarray) -> Verdicts:
    """Wants a birthday, and 97 less the remainder; a 2 stands before who was born after 1999."""
    first, key = number(codes, 0, 9), number(codes, 9)
    month, day = number(codes, 2, 4), number(codes, 4, 6)
    born = (month % 20 <= 12) & (day <= 31)
    return born & ((97 - first % 97 == key) | (97 - (2_000_000_000 + first) % 97 == key))


def _bsn(codes: np.ndarray) -> Verdicts:
    rest = total(digits(codes), [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11
    return (rest == 0) & (number(codes) > 10_000_000)


def _ahv(codes: np.ndarray) -> Verdicts:
    country = number(codes, 0, 3) == 756
    return country & by_weights(codes, [1, 3] * 6, 10, negative=True)


CODES = [
    code(
        "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
        _nhs,
        likely="999~999~9999",
        possible="9{10}",
        words="nhs|national health|health service",
    ),
    code(
        "SCOTLAND_COMMUNITY_HEALTH_INDEX_NUMBER",
        _chi,
        possible="9{6}~9999?",
        words="chi|community health",
    ),
    code(
        "UK_NATIONAL_INSURANCE_NUMBER",
        _nino,
        likely="AA9{6}A|AA~99~99~99~A|AA~9{6}A|AA~9{6}~A",
        words="nino|national insurance|ni (?:number|no)",
        lifts_to=Likelihood.VERY_LIKELY,
    ),
    code("UK_TAXPAYER_REFERENCE", _utr, unlikely="9{10}|9{5}~9{5}", words="utr|tax\\w*"),
    code(
        "UK_DRIVERS_LICENSE_NUMBER",
        _licence,
        unlikely="*{5}9{6}**9AA|*{5}9{6}***AA",
        words=r"driv\w*|licen[cs]e",
    ),
    code("UK_PASSPORT", unlikely="AA9{7}", rare="9{9}", words=_PASSPORTS),
    code("IRELAND_PPSN", _ppsn, likely="9{7}A|9{7}AA", words="pps[n]?|personal public service"),
    code("IRELAND_EIRCODE", _eircode, unlikely="A99~****?", words="eircode|post\\s?code|address"),
    code("IRELAND_PASSPORT", unlikely="AA9{7}|A9{8}", words=_PASSPORTS),
    code("IRELAND_DRIVING_LICENSE_NUMBER", rare="9{9}", words=r"driv\w*|licen[cs]e"),
    code(
        "GERMANY_IDENTITY_CARD_NUMBER",
        _german_document,
        likely="A*{7}9",
        words=r"(?:personal)?ausweis\w*|identity card|id card",
    ),
    code("GERMANY_PASSPORT", _german_document, likely="A*{7}9", words=_PASSPORTS),
    code(
        "GERMANY_TAXPAYER_IDENTIFICATION_NUMBER",
        _german_tax,
        likely="99~999~999~999",
        possible="9{11}",
        words=r"steuer\w*|idnr|tin|tax\w*",
    ),
    code(
        "GERMANY_DRIVERS_LICENSE_NUMBER",
        unlikely="*99*{6}9*",
        words=r"f(?:ü|ue)hrerschein\w*|driv\w*|licen[cs]e",
    ),
    code(
        "FRANCE_NIR",
        _nir,
        likely="9~99~99~99~999~999~99|9~99~99~9A~999~999~99|9{13}~99|9{6}A9{6}~99",
        possible="9{15}|9{6}A9{8}",
        words=r"nir|insee|s[ée]curit[ée] sociale|social security",
    ),
    code(
        "FRANCE_TAX_IDENTIFICATION_NUMBER",
        _french_tax,
        likely="99~99~999~999~999",
        possible="9{13}",
        words=r"fiscal\w*|spi|imp[ôo]ts?|tax\w*",
    ),
    code("FRANCE_CNI", unlikely="9{12}", words=r"cni|carte nationale|identit[ée]"),
    code("FRANCE_PASSPORT", unlikely="99AA9{5}", words=_PASSPORTS),
    code(
        "BELGIUM_NATIONAL_ID_CARD_NUMBER",
        _belgian,
        likely="99.99.99-999.99|9{6}-999-99|9{6}-999.99",
        possible="9{11}",
        words=r"rijksregister\w*|registre national|national (?:number|register|id)|insz|niss",
    ),
    code(
        "NETHERLANDS_BSN_NUMBER",
        _bsn,
        possible="9{9}|9999.99.999",
        words=r"bsn|burgerservicenummer|sofi\w*",
    ),
    code("NETHERLANDS_PASSPORT", unlikely="AA*{6}9", words=_PASSPORTS),
    code(
        "SWITZERLAND_SOCIAL_SECURITY_NUMBER",
        _ahv,
        likely="999.9999.9999.99|9{13}",
        words="ahv|avs|oasi|social security",
    ),
]
"""The detectors."""
