"""Codes of Israel, Australia, New Zealand, Africa and South America."""

import numpy as np

from privacy.detectors.codes.code import code
from privacy.detectors.codes.sums import (
    Verdicts,
    at,
    by_luhn,
    by_weights,
    digits,
    is_short_date,
    number,
    one_of_letters,
    total,
)

_PASSPORTS = r"passports?|pasaporte"


def _israeli(codes: np.ndarray) -> Verdicts:
    return by_luhn(codes) & (number(codes) > 0)


def _medicare(codes: np.ndarray) -> Verdicts:
    return by_weights(codes, [1, 3, 7, 9, 1, 3, 7, 9], 10) & one_of_letters(codes[:, 0], "23456")


def _tfn(codes: np.ndarray) -> Verdicts:
    weights = [1, 4, 3, 7, 5, 8, 6, 9, 10] if codes.shape[1] == 9 else [10, 7, 8, 4, 6, 3, 5, 1]
    return (total(digits(codes), weights) % 11 == 0) & (number(codes) > 0)


def _ird(codes: np.ndarray) -> Verdicts:
    """Wants the check digit of the first weights, or of the second where the first give a 10."""
    values = digits(codes)
    values = np.concatenate([np.zeros((len(codes), 9 - values.shape[1]), np.int64), values], axis=1)
    first = -total(values, [3, 2, 7, 6, 5, 4, 3, 2]) % 11
    second = -total(values, [7, 4, 3, 2, 5, 2, 7, 6]) % 11
    inside = (number(codes) >= 10_000_000) & (number(codes) <= 150_000_000)
    return inside & (np.where(first == 10, second, first) == values[:, 8])


def _nhi(codes: np.ndarray) -> Verdicts:
    """Wants letters without I and O, and the check digit modulo 11."""
    values = digits(codes)
    letters = values[:, :3] - 9
    letters = letters - (values[:, :3] > 18) - (values[:, :3] > 24)
    rest = total(np.concatenate([letters, values[:, 3:6]], axis=1), range(7, 1, -1)) % 11
    odd = np.isin(codes[:, :3], np.frombuffer(b"IO", np.uint8)).any(1)
    return ~odd & (rest > 0) & ((11 - rest) % 10 == values[:, 6])


def _south_african(codes: np.ndarray) -> Verdicts:
    born = is_short_date(number(codes, 0, 2), number(codes, 2, 4), number(codes, 4, 6))
    return born & by_luhn(codes) & one_of_letters(codes[:, 10], "012")


def _cpf(codes: np.ndarray) -> Verdicts:
    values = digits(codes)
    good = (codes != codes[:, :1]).any(1)
    for size in (9, 10):
        rest = total(values, range(size + 1, 1, -1)) % 11
        good &= np.where(rest < 2, 0, 11 - rest) == values[:, size]
    return np.asarray(good)


def _cnpj(codes: np.ndarray) -> Verdicts:
    values = digits(codes)
    good = (codes != codes[:, :1]).any(1)
    for size in (12, 13):
        weights = [2 + (size - 1 - place) % 8 for place in range(size)]
        rest = total(values, weights) % 11
        good &= np.where(rest < 2, 0, 11 - rest) == values[:, size]
    return np.asarray(good)


def _rut(codes: np.ndarray) -> Verdicts:
    values = digits(codes)
    size = values.shape[1] - 1
    rest = total(values, [2 + (size - 1 - place) % 6 for place in range(size)]) % 11
    return np.asarray(codes[:, -1] == at("0K987654321", rest))


def _uruguayan(codes: np.ndarray) -> Verdicts:
    return by_weights(codes, [2, 9, 8, 7, 6, 3, 4], 10, negative=True)


_CEDULA = r"c[ée]dula|ci|dni|documento|identidad|id"
CODES = [
    code(
        "ISRAEL_IDENTITY_CARD_NUMBER",
        _israeli,
        unlikely="9{9}|9-9{7}-9",
        words="israeli?|teudat|zehut",
    ),
    code(
        "AUSTRALIA_MEDICARE_NUMBER",
        _medicare,
        likely="9999~99999~9",
        possible="9{10}",
        words="medicare",
    ),
    code(
        "AUSTRALIA_TAX_FILE_NUMBER",
        _tfn,
        likely="999~999~999",
        possible="9{9}",
        unlikely="9{8}|99~999~999",
        words="tfn|tax file",
    ),
    code("AUSTRALIA_PASSPORT", unlikely="A9{7}|AA9{7}", words=_PASSPORTS),
    code(
        "AUSTRALIA_DRIVERS_LICENSE_NUMBER", rare="9{8}|9{9}|9{6}|9{7}", words="driv\\w*|licen[cs]e"
    ),
    code(
        "NEW_ZEALAND_IRD_NUMBER",
        _ird,
        possible="99-999-999|999-999-999",
        unlikely="9{8}|9{9}",
        words="ird|inland revenue",
    ),
    code("NEW_ZEALAND_NHI_NUMBER", _nhi, likely="AAA9999", words="nhi|health index"),
    code(
        "SOUTH_AFRICA_ID_NUMBER",
        _south_african,
        likely="9{6}~9999~999|9{6}~9999~99~9",
        possible="9{13}",
        words="south africa\\w*|rsa|id",
    ),
    code("BRAZIL_CPF_NUMBER", _cpf, likely="999.999.999-99", possible="9{11}", words="cpf"),
    code("BRAZIL_CNPJ_NUMBER", _cnpj, likely="99.999.999/9999-99", possible="9{14}", words="cnpj"),
    code(
        "CHILE_CDI_NUMBER",
        _rut,
        likely="99.999.999-*|9.999.999-*|9{8}-*|9{7}-*",
        words="rut|run|c[ée]dula",
    ),
    code("URUGUAY_CDI_NUMBER", _uruguayan, likely="9.999.999-9", possible="9{7}-9", words=_CEDULA),
    code("ARGENTINA_DNI_NUMBER", possible="99.999.999", rare="9{8}", words=_CEDULA),
    code(
        "COLOMBIA_CDC_NUMBER", unlikely="9.999.999.999|99.999.999", rare="9{8}|9{10}", words=_CEDULA
    ),
    code("PERU_DNI_NUMBER", unlikely="9{8}-9", rare="9{8}", words=_CEDULA),
    code(
        "VENEZUELA_CDI_NUMBER",
        lambda codes: one_of_letters(codes[:, 0], "VE"),
        possible="A-9{8}|A-9{7}|A-99.999.999",
        unlikely="A9{8}|A9{7}",
        words=_CEDULA,
    ),
    code("PARAGUAY_CIC_NUMBER", unlikely="9.999.999|999.999", rare="9{7}|9{6}", words=_CEDULA),
]
"""The detectors."""
