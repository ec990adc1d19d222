"""Codes of northern, southern and eastern Europe, and of Turkey."""

import numpy as np

from privacy.detectors.codes.code import code
from privacy.detectors.codes.sums import (
    Verdicts,
    at,
    by_luhn,
    by_mod_11_10,
    by_weights,
    digits,
    is_date,
    is_short_date,
    number,
    one_of_letters,
    total,
)

_PASSPORTS = r"passports?|pasaporte|passaporto|passaporte|paszport\w*|pass(?:nummer)?"
_NIF = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def _nif(codes: np.ndarray) -> Verdicts:
    """Wants the letter of the remainder modulo 23; of foreigners X, Y and Z stand for 0 to 2."""
    plain = codes.copy()
    foreign = codes[:, 0] >= ord("A")
    plain[foreign, 0] -= ord("X") - ord("0")
    good = ~foreign | one_of_letters(codes[:, 0], "XYZ")
    plain = np.where(good[:, None], plain, ord("0"))
    return good & (codes[:, -1] == at(_NIF, number(plain, 0, codes.shape[1] - 1) % 23))


def _cif(codes: np.ndarray) -> Verdicts:
    """Wants the control digit, or the letter in its place."""
    values = digits(codes)[:, 1:8]
    odd = values[:, ::2] * 2
    control = -(values[:, 1::2].sum(1) + (odd // 10 + odd % 10).sum(1)) % 10
    given = codes[:, 8]
    right = (given == control + ord("0")) | (given == at("JABCDEFGHI", control))
    return right & one_of_letters(codes[:, 0], "ABCDEFGHJNPQRSUVW")


def _spanish_social(codes: np.ndarray) -> Verdicts:
    province, own = number(codes, 0, 2), number(codes, 2, 10)
    base = np.where(own < 10_000_000, own + province * 10_000_000, number(codes, 0, 10))
    return (base % 97 == number(codes, 10, 12)) & (province >= 1) & (province <= 66)


_ODD = np.array(
    [
        *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21),
        *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6),
        *(8, 12, 14, 16, 10, 22, 25, 24, 23),
    ]
)


def _italian(codes: np.ndarray) -> Verdicts:
    """Wants the check letter; where two would be alike, letters stand for digits."""
    values = digits(codes)
    even = values[:, 1:15:2]
    even = np.where(even >= 10, even - 10, even)
    check = (_ODD[values[:, 0:15:2]].sum(1) + even.sum(1)) % 26
    plain = one_of_letters(codes[:, 8], "ABCDEHLMPRST")
    places = [6, 7, 9, 10, 12, 13, 14]
    kind = np.frombuffer(b"0123456789LMNPQRSTUV", np.uint8)
    return plain & np.isin(codes[:, places], kind).all(1) & (codes[:, 15] == check + ord("A"))


def _portuguese_card(codes: np.ndarray) -> Verdicts:
    """Wants a sum as Luhn's, of digits and letters."""
    values = digits(codes)
    doubled = values[:, ::2] * 2
    doubled = np.where(doubled >= 10, doubled - 9, doubled)
    return np.asarray((doubled.sum(1) + values[:, 1::2].sum(1)) % 10 == 0)


def _niss(codes: np.ndarray) -> Verdicts:
    values = digits(codes)
    rest = 9 - total(values, [29, 23, 19, 17, 13, 11, 7, 5, 3, 2]) % 10
    return (rest == values[:, 10]) & one_of_letters(codes[:, 0], "12")


def _nib(codes: np.ndarray) -> Verdicts:
    rest = np.zeros(len(codes), np.int64)
    for column in digits(codes).T:
        rest = (rest * 10 + column) % 97
    return np.asarray((rest == 1) & (number(codes, 0, 4) > 0))


def _hetu(codes: np.ndarray) -> Verdicts:
    """Wants a birthday of the century of the sign, and the check of the remainder modulo 31."""
    sign = codes[:, 6] if codes.shape[1] == 11 else np.full(len(codes), ord("-"))
    tail = number(codes, codes.shape[1] - 4, codes.shape[1] - 1)
    recent = one_of_letters(sign, "ABCDEF")
    year = number(codes, 4, 6) + np.where(recent, 2000, 1900)
    born = is_date(year, number(codes, 2, 4), number(codes, 0, 2))
    known = recent | one_of_letters(sign, "-UVWXY")
    right = codes[:, -1] == at(_HETU, (number(codes, 0, 6) * 1000 + tail) % 31)
    return np.asarray(born & known & right & (tail >= 2))


def _finnish_firm(codes: np.ndarray) -> Verdicts:
    return by_weights(codes, [7, 9, 10, 5, 8, 4, 2], 11, negative=True)


def _swedish(codes: np.ndarray) -> Verdicts:
    """Wants a birthday (60 days on for coordination numbers), and Luhn's checksum of ten digits."""
    last = codes[:, -10:]
    month, day = number(last, 2, 4), number(last, 4, 6) % 60
    if codes.shape[1] == 12:
        born = is_date(number(codes, 0, 4), month, day) & np.isin(number(codes, 0, 2), [18, 19, 20])
    else:
        born = is_short_date(number(last, 0, 2), month, day)
    return born & by_luhn(last)


def _norwegian(codes: np.ndarray) -> Verdicts:
    first = by_weights(codes, [3, 7, 6, 1, 8, 9, 4, 5, 2], 11, negative=True)
    second = by_weights(codes, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 11, negative=True)
    return first & second & (number(codes, 2, 4) % 40 <= 12) & (number(codes, 0, 2) % 40 <= 31)


def _danish(codes: np.ndarray) -> Verdicts:
    return is_short_date(number(codes, 4, 6), number(codes, 2, 4), number(codes, 0, 2))


def _pesel(codes: np.ndarray) -> Verdicts:
    """Wants a birthday, whose month says the century, and weights 1, 3, 7, 9."""
    month = number(codes, 2, 4)
    century = np.array([1900, 2000, 2100, 2200, 1800])[month // 20]
    born = is_date(century + number(codes, 0, 2), month % 20, number(codes, 4, 6))
    return born & by_weights(codes, [1, 3, 7, 9] * 2 + [1, 3], 10, negative=True)


def _polish_card(codes: np.ndarray) -> Verdicts:
    return total(digits(codes), [7, 3, 1, 9, 7, 3, 1, 7, 3]) % 10 == 0


def _polish_passport(codes: np.ndarray) -> Verdicts:
    return total(digits(codes), [7, 3, 9, 1, 7, 3, 1, 7, 3]) % 10 == 0


def _turkish(codes: np.ndarray) -> Verdicts:
    values = digits(codes)
    tenth = (values[:, 0:9:2].sum(1) * 7 - values[:, 1:8:2].sum(1)) % 10
    last = values[:, :10].sum(1) % 10
    return (values[:, 0] > 0) & (tenth == values[:, 9]) & (last == values[:, 10])


CODES = [
    code("SPAIN_NIF_NUMBER", _nif, likely="9{8}~A?|9{7}~A?", words="nif|fiscal|tax\\w*"),
    code("SPAIN_DNI_NUMBER", _nif, likely="9{8}~A?", words="dni|identidad|identity"),
    code("SPAIN_NIE_NUMBER", _nif, likely="A9{7}~A?|A~9{7}~A", words="nie|extranjer\\w*"),
    code("SPAIN_CIF_NUMBER", _cif, likely="A9{7}*|A-9{8}", words="cif"),
    code(
        "SPAIN_SOCIAL_SECURITY_NUMBER",
        _spanish_social,
        likely="99~9{8}~99|99~9{10}",
        possible="9{12}",
        between="- /",
        words="seguridad social|social security|nuss|naf",
    ),
    code("SPAIN_DRIVERS_LICENSE_NUMBER", _nif, unlikely="9{8}~A?", words="conducir|driv\\w*"),
    code("SPAIN_PASSPORT", unlikely="AAA9{6}|AA9{6}", words=_PASSPORTS),
    code(
        "ITALY_FISCAL_CODE",
        _italian,
        likely="A{6}**A**A***A",
        words="codice fiscale|fiscal code|tax code|cf",
    ),
    code(
        "PORTUGAL_CDC_NUMBER",
        _portuguese_card,
        likely="9{8}~9~AA9|9{8}~9AA9",
        possible="9{9}AA9",
        words=r"cart[ãa]o|cidad[ãa]o|citizen",
    ),
    code("PORTUGAL_SOCIAL_SECURITY_NUMBER", _niss, possible="9{11}", words="niss|social"),
    code("PORTUGAL_NIB_NUMBER", _nib, likely="9{21}|9999~9999~9{11}~99", words="nib"),
    code(
        "FINLAND_NATIONAL_ID_NUMBER",
        _hetu,
        likely="9{6}A999*|9{6}-999*",
        words=r"hetu|henkil[öo]tunnus|personal identity",
    ),
    code("FINLAND_BUSINESS_ID", _finnish_firm, likely="9{7}-9", words="y-?tunnus|business id"),
    code(
        "SWEDEN_NATIONAL_ID_NUMBER",
        _swedish,
        likely="9{6}~9999|9{8}~9999|9{12}",
        possible="9{10}",
        between="-+",
        words="personnummer|pnr|personal number|samordningsnummer",
    ),
    code("SWEDEN_PASSPORT", unlikely="9{8}|AA9{6}", words=_PASSPORTS),
    code(
        "NORWAY_NI_NUMBER",
        _norwegian,
        likely="9{6}~9{5}",
        possible="9{11}",
        words=r"f[øo]dselsnummer|personnummer|national id\w*|ni number",
    ),
    code(
        "DENMARK_CPR_NUMBER",
        _danish,
        likely="9{6}-9999",
        unlikely="9{10}|9{6} 9999",
        words="cpr|personnummer",
    ),
    code("POLAND_PESEL_NUMBER", _pesel, possible="9{11}", words="pesel"),
    code(
        "POLAND_NATIONAL_ID_NUMBER",
        _polish_card,
        likely="AAA~9{6}?",
        words="dow[óo]d|identity|id card",
    ),
    code("POLAND_PASSPORT", _polish_passport, possible="AA~9{7}?", words=_PASSPORTS),
    code("CROATIA_PERSONAL_ID_NUMBER", by_mod_11_10, possible="9{11}", words="oib|osobni"),
    code("TURKEY_ID_NUMBER", _turkish, possible="9{11}", words="tc|tckn|kimlik|turkish id"),
]
"""The detectors."""
