"""Codes of the United States, Canada and Mexico."""

import numpy as np

from privacy.detectors.codes.code import code
from privacy.detectors.codes.sums import (
    Verdicts,
    by_luhn,
    digits,
    is_short_date,
    number,
    one_of_letters,
    total,
)

_EIN_UNUSED = [0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97]
_ITIN_GROUPS = [*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)]


def _aba(codes: np.ndarray) -> Verdicts:
    """Wants a district of the Federal Reserve, and weights 3, 7, 1."""
    district = number(codes, 0, 2)
    known = (district <= 12) | ((district >= 21) & (district <= 32))
    known |= ((district >= 61) & (district <= 72)) | (district == 80)
    right = total(digits(codes), [3, 7, 1] * 3) % 10 == 0
    return np.asarray(known & right & (number(codes) > 0))


def _itin(codes: np.ndarray) -> Verdicts:
    return (codes[:, 0] == ord("9")) & np.isin(number(codes, 3, 5), _ITIN_GROUPS)


def _atin(codes: np.ndarray) -> Verdicts:
    return (codes[:, 0] == ord("9")) & (number(codes, 3, 5) == 93)


def _ein(codes: np.ndarray) -> Verdicts:
    return ~np.isin(number(codes, 0, 2), _EIN_UNUSED)


def _npi(codes: np.ndarray) -> Verdicts:
    """Wants Luhn's checksum with the prefix 80840, which stands before the ten digits."""
    prefix = np.tile(np.frombuffer(b"80840", np.uint8), (len(codes), 1))
    return by_luhn(np.concatenate([prefix, codes], axis=1)) & one_of_letters(codes[:, 0], "12")


def _dea(codes: np.ndarray) -> Verdicts:
    values = digits(codes)[:, 2:]
    right = total(values, [1, 2, 1, 2, 1, 2]) % 10 == values[:, 6]
    return right & one_of_letters(codes[:, 0], "ABCDEFGHJKLMPRSTUX")


def _mbi(codes: np.ndarray) -> Verdicts:
    """Refuses letters that look like digits."""
    odd = np.isin(codes, np.frombuffer(b"SLOIBZ", np.uint8)).any(1)
    return ~odd & (codes[:, 0] != ord("0"))


def _cusip(codes: np.ndarray) -> Verdicts:
    values = digits(codes)
    doubled = values[:, :8] * np.array([1, 2] * 4)
    right = (doubled // 10 + doubled % 10).sum(1) % 10
    lettered = (values[:, :8] >= 10).any(1)
    return (-right % 10 == values[:, 8]) & lettered


def _sin(codes: np.ndarray) -> Verdicts:
    return by_luhn(codes) & ~one_of_letters(codes[:, 0], "08")


def _bc_phn(codes: np.ndarray) -> Verdicts:
    values = digits(codes)
    rest = 11 - total(values[:, 1:], [2, 4, 8, 5, 10, 9, 7, 3]) % 11
    return (values[:, 0] == 9) & (rest == values[:, 9])


def _ohip(codes: np.ndarray) -> Verdicts:
    return by_luhn(codes[:, :10]) & (codes[:, 0] != ord("0"))


def _hin(codes: np.ndarray) -> Verdicts:
    """Wants a birthday: women's months are 50 higher."""
    return is_short_date(number(codes, 4, 6), number(codes, 6, 8) % 50, number(codes, 8, 10))


_CURP = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ"


def _curp(codes: np.ndarray) -> Verdicts:
    """Wants a birthday, a sex, and the checksum, in whose alphabet a letter follows N."""
    values = digits(codes)
    values = values + (values >= _CURP.index("O") - 1)
    right = -total(values, range(18, 1, -1)) % 10 == values[:, 17]
    born = is_short_date(number(codes, 4, 6), number(codes, 6, 8), number(codes, 8, 10))
    return right & born & one_of_letters(codes[:, 10], "HMX")


_LICENCE = r"driv\w*|licen[cs]es?|dl|cdl|permit|operator"
CODES = [
    code(
        "US_BANK_ROUTING_MICR",
        _aba,
        likely="9999-9999-9",
        possible="9{9}",
        words="routing|aba|rtn|micr|bank|transit",
    ),
    code(
        "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER",
        _itin,
        likely="999~99~9999",
        unlikely="9{9}",
        words="itin|tax(?:payer)?|tin|individual taxpayer",
    ),
    code(
        "US_ADOPTION_TAXPAYER_IDENTIFICATION_NUMBER",
        _atin,
        likely="999~99~9999",
        unlikely="9{9}",
        words="atin|adoption",
    ),
    code(
        "US_EMPLOYER_IDENTIFICATION_NUMBER",
        _ein,
        possible="99-9999999",
        rare="9{9}",
        words="ein|employer|fein|federal tax|tax id|irs",
    ),
    code(
        "US_PREPARER_TAXPAYER_IDENTIFICATION_NUMBER",
        lambda codes: codes[:, 0] == ord("P"),
        unlikely="A9{8}",
        words="ptin|preparer",
    ),
    code(
        "US_HEALTHCARE_NPI",
        _npi,
        likely="9999~999~999",
        possible="9{10}",
        words="npi|provider|national provider",
    ),
    code(
        "US_DEA_NUMBER",
        _dea,
        likely="AA9{7}|A9{8}",
        words=r"dea|certificate|prescri\w+|registration",
    ),
    code(
        "US_MEDICARE_BENEFICIARY_ID_NUMBER",
        _mbi,
        likely="9A*9-A*9-AA99",
        unlikely="9A*9A*9AA99|9A*9 A*9 AA99",
        words="mbi|medicare|beneficiary",
    ),
    code(
        "AMERICAN_BANKERS_CUSIP_ID",
        _cusip,
        possible="999*****9",
        words="cusip|security|securities|bond",
    ),
    code("US_PASSPORT", unlikely="A9{8}", rare="9{9}", words="passports?|travel document"),
    code(
        "US_DRIVERS_LICENSE_NUMBER",
        rare="A9{3}|A9{6}|A9{7}|A9{8}|A9{9}|A9{12}|A9{13}|A9{14}|AA9{4}|AA9{6}|AA9{7}|9{7}|9{8}"
        "|9{9}|9{10}|9{12}|AA9{6}A|99AAA9{5}|999AA9{4}|A999-9999-9999|A9{4}-9{5}-9{5}",
        words=_LICENCE,
    ),
    code(
        "CANADA_SOCIAL_INSURANCE_NUMBER",
        _sin,
        likely="999~999~999",
        unlikely="9{9}",
        words=r"sin|nas|social insurance|assurance sociale|insurance",
    ),
    code(
        "CANADA_BC_PHN",
        _bc_phn,
        likely="9999~999~999",
        possible="9{10}",
        words="phn|personal health|health number|bc",
    ),
    code(
        "CANADA_OHIP",
        _ohip,
        likely="9999~999~999~AA",
        possible="9{10}AA",
        unlikely="9999~999~999|9{10}",
        words="ohip|health (?:card|number|insurance)|ontario",
    ),
    code(
        "CANADA_QUEBEC_HIN",
        _hin,
        likely="AAAA~9999~9999",
        possible="AAAA9{8}",
        words="ramq|quebec|hin|health|assurance maladie",
    ),
    code("CANADA_PASSPORT", unlikely="AA9{6}|A9{6}AA", words="passports?|passeport"),
    code(
        "CANADA_DRIVERS_LICENSE_NUMBER",
        possible="A9999-99999-99999",
        rare="A9{14}|9{7}|9{6}-999|9{9}|AAAAA9{9}|A9{12}",
        words=_LICENCE,
    ),
    code("CANADA_BANK_ACCOUNT", unlikely="99999-999-9{7}", rare="9{7}", words="account|transit"),
    code(
        "MEXICO_CURP_NUMBER",
        _curp,
        likely="AAAA9{6}AAAAAA*9",
        words="curp|clave",
    ),
    code("MEXICO_PASSPORT", unlikely="A9{8}", words="passports?|pasaporte"),
]
"""The detectors."""
