"""Codes of Asia."""

import numpy as np

from privacy.detectors.codes.code import code
from privacy.detectors.codes.sums import (
    Verdicts,
    at,
    by_verhoeff,
    digits,
    is_date,
    is_short_date,
    number,
    one_of_letters,
    total,
)
from privacy.likelihood import Likelihood

_PASSPORTS = r"passports?|旅券|护照|여권"


def _aadhaar(codes: np.ndarray) -> Verdicts:
    return (
        by_verhoeff(codes) & ~one_of_letters(codes[:, 0], "01") & (codes != codes[:, ::-1]).any(1)
    )


def _gst(codes: np.ndarray) -> Verdicts:
    state = number(codes, 0, 2)
    return (state >= 1) & (state <= 37) & (codes[:, 13] == ord("Z"))


def _pan(codes: np.ndarray) -> Verdicts:
    """Knows the kinds of holders by the fourth letter."""
    known = one_of_letters(codes[:, 3], "ABCFGHJLPTE")
    return np.where(known, Likelihood.VERY_LIKELY, Likelihood.UNLIKELY)


def _indian_passport(codes: np.ndarray) -> Verdicts:
    return ~one_of_letters(codes[:, 0], "QXZ") & (codes[:, 1] > ord("0"))


def _resident(codes: np.ndarray) -> Verdicts:
    """Wants a birthday, and the check of weights modulo 11, whose tenth is an X."""
    right = at(
        "10X98765432",
        total(digits(codes), [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11,
    )
    born = is_date(number(codes, 6, 10), number(codes, 10, 12), number(codes, 12, 14))
    return born & (codes[:, 17] == right) & (codes[:, 0] > ord("0"))


def _hong_kong(codes: np.ndarray) -> Verdicts:
    values = digits(codes)
    given = np.where(codes[:, 7] == ord("A"), 10, values[:, 7])
    return (36 * 9 + total(values, range(8, 1, -1)) + given) % 11 == 0


_TAIWAN = np.array([*range(10, 18), 34, *range(18, 23), 35, *range(23, 30), 32, 30, 31, 33])


def _taiwanese(codes: np.ndarray) -> Verdicts:
    values = digits(codes)
    first = _TAIWAN[values[:, 0] - 10]
    rest = first // 10 + first % 10 * 9 + total(values[:, 1:], [8, 7, 6, 5, 4, 3, 2, 1, 1])
    return (rest % 10 == 0) & one_of_letters(codes[:, 1], "1289")


def _my_number(codes: np.ndarray) -> Verdicts:
    values = digits(codes)
    rest = total(values, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
    return np.where(rest <= 1, 0, 11 - rest) == values[:, 11]


def _japanese_firm(codes: np.ndarray) -> Verdicts:
    values = digits(codes)
    return (9 - total(values[:, 1:], [2, 1] * 6) % 9 == values[:, 0]) & (values[:, 0] > 0)


def _korean(codes: np.ndarray, centuries: str) -> Verdicts:
    """Wants a birthday in the century of the seventh digit; numbers since 2020 have no sum."""
    century = np.where(one_of_letters(codes[:, 6], "1256"), 1900, 2000)
    born = is_date(century + number(codes, 0, 2), number(codes, 2, 4), number(codes, 4, 6))
    return born & one_of_letters(codes[:, 6], centuries)


def _rrn(codes: np.ndarray) -> Verdicts:
    return _korean(codes, "1234")


def _arn(codes: np.ndarray) -> Verdicts:
    return _korean(codes, "5678")


def _korean_passport(codes: np.ndarray) -> Verdicts:
    return one_of_letters(codes[:, 0], "MSRODG")


def _korean_licence(codes: np.ndarray) -> Verdicts:
    region = number(codes, 0, 2)
    return (region >= 11) & (region <= 28)


_NRIC = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK"}
_NRIC["M"] = "XWUTRQPNJLK"


def _nric(codes: np.ndarray) -> Verdicts:
    """Wants a kind that is given out; with the right check letter it is likelier."""
    rest = total(digits(codes)[:, 1:], [2, 7, 6, 5, 4, 3, 2])
    level = np.zeros(len(codes), np.int64)
    for kind, letters in _NRIC.items():
        moved = rest + {"T": 4, "G": 4, "M": 3}.get(kind, 0)
        right = codes[:, 8] == at(letters, moved % 11)
        mine = codes[:, 0] == ord(kind)
        level[mine] = np.where(right[mine], Likelihood.VERY_LIKELY, Likelihood.POSSIBLE)
    return level


_PROVINCES = [
    *range(10, 28), *range(30, 50), *range(50, 59), *range(60, 68), *range(70, 78),
    *range(80, 87), *range(90, 97),
]  # fmt: skip


def _thai(codes: np.ndarray) -> Verdicts:
    """Wants a kind of person, a province, and 11 less the remainder."""
    values = digits(codes)
    rest = (11 - total(values, range(13, 1, -1)) % 11) % 10
    known = np.isin(number(codes, 1, 3), _PROVINCES)
    return (rest == values[:, 12]) & known & one_of_letters(codes[:, 0], "12345678")


def _nik(codes: np.ndarray) -> Verdicts:
    day = number(codes, 6, 8)
    born = is_short_date(
        number(codes, 10, 12), number(codes, 8, 10), np.where(day > 40, day - 40, day)
    )
    province = number(codes, 0, 2)
    return born & (province >= 11) & (province <= 97)


CODES = [
    code(
        "INDIA_AADHAAR_INDIVIDUAL",
        _aadhaar,
        likely="9999~9999~9999",
        possible="9{12}",
        between="- :",
        words="aadhaar|aadhar|uidai",
    ),
    code("INDIA_GST_INDIVIDUAL", _gst, likely="99AAAAA9999A*A*", words="gst(?:in)?"),
    code("INDIA_PAN_INDIVIDUAL", _pan, likely="AAAAA9999A", words="pan|permanent account"),
    code(
        "INDIA_PASSPORT",
        _indian_passport,
        unlikely="A9{7}",
        words=_PASSPORTS,
        lifts_to=Likelihood.LIKELY,
    ),
    code(
        "CHINA_RESIDENT_ID_NUMBER", _resident, likely="9{17}*", words="身份证|resident id|identity"
    ),
    code("CHINA_PASSPORT", unlikely="A9{8}|AA9{7}", words=_PASSPORTS),
    code(
        "HONG_KONG_ID_NUMBER",
        _hong_kong,
        likely="A9{6}(9|A9{6}(A",
        possible="A9{7}",
        words="hkid|hong kong",
    ),
    code("TAIWAN_ID_NUMBER", _taiwanese, likely="A9{9}", words="taiwan\\w*|身分證|national id"),
    code(
        "JAPAN_INDIVIDUAL_NUMBER",
        _my_number,
        likely="9999~9999~9999",
        possible="9{12}",
        words="my ?number|マイナンバー|個人番号",
    ),
    code(
        "JAPAN_CORPORATE_NUMBER",
        _japanese_firm,
        possible="9{13}",
        words="corporate number|法人番号",
    ),
    code("JAPAN_PASSPORT", unlikely="AA9{7}", words=_PASSPORTS),
    code("JAPAN_DRIVERS_LICENSE_NUMBER", rare="9{12}", words="driv\\w*|licen[cs]e|免許"),
    code(
        "KOREA_RRN", _rrn, likely="9{6}-9{7}", possible="9{13}", words="rrn|resident|주민등록번호"
    ),
    code(
        "KOREA_ARN",
        _arn,
        likely="9{6}-9{7}",
        possible="9{13}",
        words="arn|frn|alien|foreign\\w*|외국인",
    ),
    code(
        "KOREA_PASSPORT",
        _korean_passport,
        unlikely="A999A9999|A9{8}",
        words=_PASSPORTS,
        lifts_to=Likelihood.LIKELY,
    ),
    code(
        "KOREA_DRIVERS_LICENSE_NUMBER",
        _korean_licence,
        likely="99-99-9{6}-99",
        unlikely="9{12}",
        words="driv\\w*|licen[cs]e|면허",
    ),
    code(
        "SINGAPORE_NATIONAL_REGISTRATION_ID_NUMBER",
        _nric,
        likely="A9{7}A",
        words="nric|fin|singapore",
    ),
    code("SINGAPORE_PASSPORT", unlikely="A9{7}A", words=_PASSPORTS),
    code(
        "THAILAND_NATIONAL_ID_NUMBER",
        _thai,
        likely="9~9999~99999~99~9",
        possible="9{13}",
        words="thai|tnin",
    ),
    code(
        "INDONESIA_NIK_NUMBER", _nik, unlikely="9{16}|99.99.99.9{6}.9999", words="nik|ktp|penduduk"
    ),
]
"""The detectors."""
