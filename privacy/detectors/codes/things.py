"""Codes of devices, vehicles, accounts and firms."""

import numpy as np

from privacy.detectors.codes.code import code
from privacy.detectors.codes.sums import Verdicts, by_luhn, by_mod_11_10, digits, number, total

_TRANSLITERATED = np.array([*range(10), *range(1, 9), 0, *range(1, 6), 0, 7, 0, 9, *range(2, 10)])
"""Values of 0 to 9 and A to Z in vehicles' numbers; those without I, O and Q."""


def _vin(codes: np.ndarray) -> Verdicts:
    """Wants the ninth character to be the remainder modulo 11, as in North America and China."""
    odd = np.isin(codes, np.frombuffer(b"IOQ", np.uint8)).any(1)
    values = _TRANSLITERATED[digits(codes)]
    rest = total(values, [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]) % 11
    given = np.where(codes[:, 8] == ord("X"), 10, digits(codes)[:, 8])
    return ~odd & (given == rest) & (codes != codes[:, :1]).any(1)


def _imei(codes: np.ndarray) -> Verdicts:
    return by_luhn(codes) & (number(codes, 0, 2) > 0)


def _iccid(codes: np.ndarray) -> Verdicts:
    return by_luhn(codes) & (number(codes, 0, 2) == 89)


def _imsi(codes: np.ndarray) -> Verdicts:
    country = number(codes, 0, 3)
    return (country >= 202) & (country <= 750)


_VAT = {
    b"AT": 11, b"BE": 12, b"BG": 12, b"CY": 11, b"CZ": 12, b"DE": 11, b"DK": 10, b"EE": 11,
    b"EL": 11, b"ES": 11, b"FI": 10, b"FR": 13, b"GB": 11, b"HR": 13, b"HU": 10, b"IE": 10,
    b"IT": 13, b"LT": 14, b"LU": 10, b"LV": 13, b"MT": 10, b"NL": 14, b"PL": 12, b"PT": 11,
    b"RO": 12, b"SE": 14, b"SI": 10, b"SK": 12,
}  # fmt: skip
"""How long a number of each country is, with its prefix."""


def _vat(codes: np.ndarray) -> Verdicts:
    """Wants the length of the country, and for Germany and Italy the checksum."""
    good = np.zeros(len(codes), bool)
    for country, size in _VAT.items():
        if size == codes.shape[1]:
            good |= (codes[:, 0] == country[0]) & (codes[:, 1] == country[1])
    for country, rule in ((b"DE", by_mod_11_10), (b"IT", by_luhn)):
        mine = good & (codes[:, 0] == country[0]) & (codes[:, 1] == country[1])
        mine &= (codes[:, 2:] < ord("A")).all(1)
        good[mine] = rule(codes[mine][:, 2:])
    return good


CODES = [
    code("VEHICLE_IDENTIFICATION_NUMBER", _vin, likely="*{17}", words="vin|vehicle|chassis"),
    code("US_VEHICLE_IDENTIFICATION_NUMBER", _vin, likely="*{17}", words="vin|vehicle|chassis"),
    code(
        "IMEI_HARDWARE_ID",
        _imei,
        likely="99-9{6}-9{6}-9|99 9{6} 9{6} 9",
        possible="9{15}",
        words="imei|device|handset",
    ),
    code("IMSI_ID", _imsi, rare="9{15}", words="imsi|subscriber"),
    code("ICCID_NUMBER", _iccid, likely="9{19}|9{20}|9{18}", words="iccid|sim"),
    code(
        "VAT_NUMBER",
        _vat,
        likely="AA~9{9}?|AA~999~999~999|AA9{8}|AA9{10}|AA9{11}|AA9{12}",
        possible="AA*{9}|AA*{11}",
        unlikely="AA*{8}",
        between="- .",
        words="vat|ust|iva|tva|btw|tax\\w*",
    ),
    code(
        "FINANCIAL_ACCOUNT_NUMBER",
        rare="9{8}|9{9}|9{10}|9{11}|9{12}|9{13}|9{14}",
        words="(?:bank|checking|savings|account|acct) ?(?:account|acct|number|no|#)?",
    ),
    code(
        "MEDICAL_RECORD_NUMBER",
        rare="9{6}|9{7}|9{8}|9{9}|9{10}|A9{6}|A9{7}|AA9{6}",
        words="mrn|medical record|patient (?:id|number|no)",
    ),
]
"""The detectors."""
