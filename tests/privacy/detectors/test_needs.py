"""What patterns need: no text with a match is ever ruled out."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.detectors.needs import needs_of
from privacy.detectors.table import DETECTORS
from privacy.local.finding.marks import Marked, codes_of
from privacy.local.finding.matches import matching
from tests.privacy.detectors.codes.test_codes import EXAMPLES, FORMS

PATTERNS = sorted({p for d in DETECTORS.values() for p in (d.prefilter, d.pattern) if p})
OF_USERS = [
    r"[[:digit:]]{3}@x",
    r"(?i)k\d",
    r"x|(?i)k\d",
    r"(?:a1|\.b)+\b.{0,3}[-+]?\d{2,}",
    r"[^\d@]\d{2}",
    r"\x{e9}\d",
    r"(?P<a>[A-Z])(\d)?:",
    r"\pN{3}",
    r"(?:|@)a",
    r"(ab\d|c){2,3}\.",
    r"(?i:[A-F]\d@)|x{0}:",
]
PIECES = st.sampled_from(
    [
        *"0123456789@:.-+/ ()abKk\u017f\u212a漢éxX_=%\n",
        "12",
        "4444",
        "http",
        "jan",
        "GB",
        "DE44",
        "%B",
        "eyJ",
    ]
)


def fitting(texts, pattern):
    return set(Marked.of(pa.array(range(len(texts))).to_numpy(), texts).fitting(needs_of(pattern)))


@pytest.mark.parametrize("patterns", [PATTERNS, OF_USERS], ids=["detectors", "users"])
@settings(max_examples=25)
@given(st.lists(st.lists(PIECES, max_size=30).map("".join), min_size=1, max_size=20))
def test_texts_with_a_match_hold_what_it_needs(patterns, texts):
    column = pa.array(texts, pa.string())
    for pattern in patterns:
        assert set(matching(column, pattern)) <= fitting(column, pattern), pattern


def test_published_codes_and_other_matches_fit_their_detectors():
    texts = [line.partition(":")[2] for line in EXAMPLES + FORMS.split()]
    texts += [
        "a.b@example.com",
        "4111 1111 1111 1111",
        "+1 650 253 0000",
        "2001:db8::1",
        "1/2/2020",
    ]
    column = pa.array(texts)
    matched = 0
    for pattern in PATTERNS:
        found = set(matching(column, pattern))
        matched += len(found)
        assert found <= fitting(column, pattern)
    assert matched > 100


@pytest.mark.parametrize(
    ("pattern", "fits", "not_fits"),
    [
        (r"\d{12}", ["x 1234 5678 90 12"], ["12345678901", ""]),
        (r"[^\s@]@[^\s@]+\.[^\s@.]", ["@ ."], ["a@b", "a.b"]),
        (r"[A-Za-z]{2}\d{2}", ["ab12", "a1 2"], ["ab 12", "AB", "a1"]),
        (r"\d:\d|@", ["1:1", "@"], ["11", "1:"]),
        (r"(?i)[a-z]{3}", ["", "1"], []),
        (r"[[:alpha:]]@", ["", "1"], []),
        (r"[A-Z]\+", ["A+"], ["a+", "A"]),
    ],
)
def test_what_patterns_need(pattern, fits, not_fits):
    texts = pa.array(fits + not_fits)
    assert fitting(texts, pattern) == set(range(len(fits)))


@given(st.lists(st.text("aB1@:.-+é \n", max_size=40), max_size=20), st.integers(0, 3))
def test_codes_of_texts(texts, skipped):
    column = pa.array(["Z9", "@", "", *texts], pa.string()).slice(skipped)
    want = []
    for text in column.to_pylist():
        digits = sum(letter.isdigit() for letter in text)
        held = digits > 0
        held += sum(2 << place for place, sign in enumerate("@:.-+") if sign in text)
        held += 64 * ("B" in text or "Z" in text)
        joined = any(a + b in text for a in "aBZ" for b in "19")
        want.append((held, joined, min(digits, 15)))
    got = [(int(x) & 127, bool(x & 128), int(x) >> 8) for x in codes_of(column)]
    for (held, joined, digits), (marks, mark, count) in zip(want, got, strict=True):
        # Where a text begins with a digit, the letter at the end of the one before may count.
        assert (held, digits) == (marks, count)
        assert mark or not joined
    assert not codes_of(pa.array([""] * 3)).any()
