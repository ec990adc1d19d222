"""Wallets, track data of cards, SWIFT codes, toll-free numbers, ages: what is known by its form."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.detectors.checksums import luhn
from privacy.detectors.detector import WORD, Candidates, Detector, Verdict, judged, one_of
from privacy.detectors.patterns.iban import LENGTHS
from privacy.likelihood import Likelihood

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CONSTANTS = (1, 0x2BC830A3)
_ADDRESS = 25


def _wallet(candidates: Candidates) -> Verdict:
    """Wants the checksum of base58check or bech32; an Ethereum address has none that must be."""
    good = ~WORD[candidates.before] & ~WORD[candidates.behind]
    right = [_right(text) for text in candidates.texts.to_pylist()]
    return judged(candidates, np.where(good, np.array(right, np.int64), Likelihood.NO))


def _right(text: str) -> int:
    if text.startswith("0x"):
        return Likelihood.LIKELY
    good = _bech32(text.lower()) if text[:3].lower() == "bc1" else _base58(text)
    return Likelihood.VERY_LIKELY if good else Likelihood.NO


def _base58(text: str) -> bool:
    """Checks version, hash and four bytes of a double SHA-256 (Bitcoin's base58check)."""
    number = 0
    for letter in text:
        number = number * 58 + _BASE58.index(letter)
    if number >= 1 << (8 * _ADDRESS):
        return False
    content = number.to_bytes(_ADDRESS, "big")
    once = hashlib.sha256(content[:-4]).digest()
    return hashlib.sha256(once).digest()[:4] == content[-4:]


def _bech32(text: str) -> bool:
    """Checks the polynomial of BIP 173, or the constant of BIP 350."""
    head, _, tail = text.rpartition("1")
    if any(letter not in _BECH32 for letter in tail):
        return False
    values = [ord(x) >> 5 for x in head] + [0] + [ord(x) & 31 for x in head]
    state = 1
    for value in values + [_BECH32.index(letter) for letter in tail]:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            state ^= generator if top >> place & 1 else 0
    return state in _CONSTANTS


def _track(candidates: Candidates) -> Verdict:
    """Wants a card's number with its checksum behind the sentinel."""
    numbers = pc.extract_regex(candidates.texts, r"^(?:%B|;)?(?P<n>\d{12,19})").flatten()[0]
    width = 19
    padded = pc.binary_join_element_wise(numbers, pa.scalar(" " * width), "")
    cells = pc.utf8_slice_codeunits(padded, 0, width).fill_null(" " * width)
    data = np.frombuffer("".join(cells.to_pylist()).encode(), np.uint8).reshape(-1, width)
    values = data - np.uint8(48)
    good = luhn(values, values < 10) & (values[:, 0] < 10)
    return judged(candidates, np.where(good, Likelihood.VERY_LIKELY, Likelihood.NO))


_COUNTRIES = pa.array(
    [*LENGTHS, *"US CA AU NZ JP CN HK SG IN KR TW TH MY ID PH VN ZA MX AR CL CO".split()]
)


def _swift(candidates: Candidates) -> Verdict:
    """Wants a country in the fifth and sixth place; without a hotword it is but a word."""
    country = pc.utf8_slice_codeunits(candidates.texts, 4, 6)
    good = np.asarray(pc.is_in(country, _COUNTRIES))
    good &= ~(WORD | one_of(b"-"))[candidates.before] & ~(WORD | one_of(b"-"))[candidates.behind]
    numbered = np.asarray(pc.match_substring_regex(candidates.texts, r"\d"))
    level = np.where(numbered, Likelihood.UNLIKELY, Likelihood.VERY_UNLIKELY)
    return judged(candidates, np.where(good, level, Likelihood.NO))


def _free(candidates: Candidates) -> Verdict:
    glued = WORD | one_of(b"-.$/")
    good = ~glued[candidates.before] & ~WORD[candidates.behind]
    return judged(candidates, np.where(good, Likelihood.LIKELY, Likelihood.NO))


DETECTORS = (
    Detector(
        "CRYPTOCURRENCY_ADDRESS",
        prefilter=r"\b(?:[13][1-9A-HJ-NP-Za-km-z]{25}|(?i:bc1)[0-9A-Za-z]{20}|0x[0-9A-Fa-f]{40})",
        pattern=r"[13][1-9A-HJ-NP-Za-km-z]{25,34}|(?i:bc1)[0-9A-Za-z]{8,87}|0x[0-9A-Fa-f]{40}",
        check=_wallet,
        checksum=True,
        again=True,
    ),
    Detector(
        "CREDIT_CARD_TRACK_NUMBER",
        prefilter=r"%B\d{12}|\d{12}=\d{4}",
        pattern=r"%B\d{12,19}\^[^\^\n]{2,26}\^\d{4}[^?\n]*\??|;?\d{12,19}=\d{4}\d*\??",
        check=_track,
        checksum=True,
    ),
    Detector(
        "SWIFT_CODE",
        prefilter=r"\b[A-Z]{6}[A-Z0-9]{2}",
        pattern=r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?",
        check=_swift,
        hotwords=r"(?i)\b(?:swift|bic)\b",
        lifts_to=Likelihood.VERY_LIKELY,
    ),
    Detector(
        "US_TOLLFREE_PHONE_NUMBER",
        prefilter=r"8(?:00|88|77|66|55|44|33)\)?[-. ]?\d{3}[-. ]?\d{4}",
        pattern=r"(?:\+?1[-. ]?)?(?:\(8(?:00|88|77|66|55|44|33)\) ?|8(?:00|88|77|66|55|44|33)[-. ])"
        r"\d{3}[-. ]\d{4}",
        check=_free,
    ),
    Detector(
        "AGE",
        prefilter=r"(?i)\d (?:years?|months?|yrs?)[ -]|\d-years?-old|\d ?y/?o\b|aged? \d|years old",
        pattern=r"(?i:aged? )?\d{1,3}"
        r"(?i: ?(?:years?|months?|yrs?)[ -](?:old|of age)|-years?-old| ?y/?o\b)",
        check=_free,
    ),
)
"""The detectors."""
