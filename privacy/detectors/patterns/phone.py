"""Phone numbers: international ones by their country's plan, others by how they are written."""

import functools
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.detectors.detector import WORD, Candidates, Detector, Verdict, one_of
from privacy.detectors.patterns.phone_plans import bare, domestic, international
from privacy.likelihood import Likelihood
from privacy.spans import text_bytes, text_offsets

_GLUED = WORD | one_of(b"-/$#.")
_DATE = r"^(?:(?:19|20)\d\d[-./ ]\d\d?[-./ ]\d\d?|\d\d?[-./ ]\d\d?[-./ ](?:19|20)\d\d)"
_NANP = r"^(?:\(?\+?0{0,2}1\)?[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])[2-9]\d\d[-. ]\d{4}$"
_LOOSE_NANP = r"^(?:1[ .-])?(?:\(\d{3}\) ?\d{3}|\d{3}[-.]\d{3})[-.]\d{4}$"
_GROUPED = r"^\(?0\d{1,4}[)]?[ .\-/]*\d{2,8}(?:[ .-]\d{2,4}){0,4}$"
_EXTENSION = r" ?(?:x|ext\.?) ?\d{1,6}$"
_FEWEST, _MOST, _FEWEST_BARE, _TEN = 6, 15, 7, 10


def _check(candidates: Candidates) -> Verdict:
    """Judges by layout and plan; what only might be one needs a hotword."""
    starts, ends = _without_brackets(candidates)
    candidates = candidates.within(starts, ends)
    free = ~_GLUED[candidates.before] & ~WORD[candidates.behind] & (ends - starts >= _FEWEST)
    level = np.zeros(len(candidates), np.int64)
    places = np.flatnonzero(free)
    level[places] = _levels(candidates.texts.take(pa.array(places)))
    return level, starts, ends


def _levels(whole: pa.Array) -> np.ndarray:
    """Returns how likely n texts are phone numbers."""
    texts = _without_extensions(whole)
    digits = _digits(texts)
    count = np.asarray(pc.binary_length(digits))
    usable = (count >= _FEWEST) & (count <= _MOST)
    plain = count == np.asarray(pc.binary_length(texts))
    usable &= ~_among(usable & ~plain, texts, _DATE)
    level = np.where(usable, Likelihood.VERY_UNLIKELY, Likelihood.NO)
    alone = _among(usable & plain & (count >= _FEWEST_BARE), digits, bare())
    _raise(level, alone, Likelihood.UNLIKELY)
    ten = usable & ~plain & (count >= _TEN)
    _raise(level, _among(ten & (count <= _TEN + 1), texts, _LOOSE_NANP), Likelihood.POSSIBLE)
    grouped = np.flatnonzero(_among(usable & ~plain & _begins(texts, b"(0"), texts, _GROUPED))
    dialled = grouped[_fits(digits.take(pa.array(grouped)), domestic())]
    level[dialled] = np.maximum(level[dialled], Likelihood.POSSIBLE)
    _raise(level, _among(ten & (count <= _TEN + 3), texts, _NANP), Likelihood.LIKELY)
    _judge_international(texts, digits, usable, level)
    return level


def _without_extensions(texts: pa.Array) -> pa.Array:
    """Returns texts without `x 12` behind them; only these hold an x."""
    written = np.flatnonzero(_like(texts, "x"))
    if not len(written):
        return texts
    mask = np.zeros(len(texts), bool)
    mask[written] = True
    cut = pc.replace_substring_regex(texts.take(pa.array(written)), _EXTENSION, "")
    return pc.replace_with_mask(texts, pa.array(mask), cut)


def _digits(texts: pa.Array) -> pa.Array:
    """Returns the digits of n texts without nulls, as texts."""
    offsets = text_offsets(texts)
    data = text_bytes(texts)[offsets[0] : offsets[-1]]
    kept = (data >= ord("0")) & (data <= ord("9"))
    before = np.concatenate([np.zeros(1, np.int32), np.cumsum(kept, dtype=np.int32)])
    places = pa.py_buffer(before[offsets - offsets[0]])
    return pa.Array.from_buffers(pa.string(), len(texts), [None, places, pa.py_buffer(data[kept])])


def _begins(texts: pa.Array, signs: bytes) -> np.ndarray:
    """Tells which texts begin with one of some bytes; each has a first one."""
    return np.asarray(one_of(signs)[text_bytes(texts)[text_offsets(texts)[:-1]]])


def _among(where: np.ndarray, texts: pa.Array, pattern: str) -> np.ndarray:
    """Tells which of some texts have a pattern."""
    places = np.flatnonzero(where)
    found = np.zeros(len(where), bool)
    if len(places):
        found[places] = _like(texts.take(pa.array(places)), pattern)
    return found


def _like(texts: pa.Array, pattern: str) -> np.ndarray:
    return np.asarray(pc.match_substring_regex(texts, pattern))


def _fits(texts: pa.Array, pattern: str) -> np.ndarray:
    """Tells which few texts of digits have a pattern so long that Arrow would compile it longer."""
    match = _compiled(pattern).match
    return np.array([match(text) is not None for text in texts.to_pylist()], bool)


_compiled = functools.cache(re.compile)


def _raise(level: np.ndarray, where: np.ndarray, to: Likelihood) -> None:
    np.maximum(level, to, out=level, where=where)


def _without_brackets(candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """Drops a bracket at either end that has no fellow within."""
    data, starts, ends = candidates.data, candidates.starts.copy(), candidates.ends.copy()
    opened = np.asarray(pc.count_substring(candidates.texts, "("))
    closed = np.asarray(pc.count_substring(candidates.texts, ")"))
    ends -= (data[ends - 1] == ord(")")) & (closed > opened)
    starts += (data[starts] == ord("(")) & (opened > closed)
    return starts, ends


def _judge_international(
    texts: pa.Array, digits: pa.Array, usable: np.ndarray, level: np.ndarray
) -> None:
    """Raises those with a country's code: by the country's plan, or at least by the length."""
    plus = _among(usable & _begins(texts, b"(+0"), texts, r"^\(?(?:\+|00)")
    places = np.flatnonzero(plus)
    if not len(places):
        return
    numbers = pc.replace_substring_regex(digits.take(pa.array(places)), "^00", "")
    long_enough = np.asarray(pc.binary_length(numbers)) >= 8
    level[places] = np.where(long_enough, Likelihood.POSSIBLE, level[places])
    for width in (1, 2, 3):
        codes = pc.utf8_slice_codeunits(numbers, 0, width)
        for code in pc.unique(codes).to_pylist():
            plan = international().get(code)
            if plan is not None:
                mine = np.flatnonzero(np.asarray(pc.equal(codes, code)))
                fits = _fits(numbers.take(pa.array(mine)), f"^{code}0?(?:{plan})$")
                level[places[mine[fits]]] = Likelihood.VERY_LIKELY


PHONE = Detector(
    "PHONE_NUMBER",
    prefilter=r"\+\(?\d[\d ().-]{6}|\d{7}|\d\)? ?[ .\-/]?\(?\d{2,4}\)?[ .\-/]?\d{2}",
    pattern=r"\(?\+?\(?\d{1,5}\)?(?:[ .\-/]{0,2}\(?\d{1,5}\)?){1,6}(?: ?(?:x|ext\.?) ?\d{1,6})?",
    check=_check,
    hotwords=r"(?i)\b(?:(?:tele|cell|mobile)?phones?|mobile|cell|fax|tel|telephone|desk|office|call"
    r"|(?:call|reach|answering|text)\b[\w ]{0,12}\bat|whatsapp|sms|my (?:\w+ )?number is)\b",
    behind=r"(?i)^[- ,]*(?:mobile?|office|fax|desk|cell)\b",
)
