"""Long texts with many matches: found in one sweep, the same as in rounds."""

import random

import pyarrow as pa
import pytest

from privacy.detectors.table import DETECTORS
from privacy.local.finding import matches
from privacy.local.finding.find import find
from privacy.local.plan import compile_plan
from privacy.local.texts import Texts
from tests.privacy.policies import policy

PIECES = [
    *("4111 1111 1111 1111", "4111 1111 1111 1112", "123-45-6789", "a@b.com", "+1 650 253 0000"),
    *(
        "http://a.com/x)",
        "(415) 555-0132)",
        "1.2.3.4/24",
        "fe80::1:",
        "DE44 5001 0517 5407 3249 31",
    ),
    *("DE44 5001", "12/31/2020", "10:20", " ", " ", "\n", ",", "é", "x", "1234", "12 34 56", "::1"),
]


def spans(text):
    plan = compile_plan(policy(names=sorted(DETECTORS), min_likelihood="VERY_UNLIKELY"))
    found = find(Texts(pa.array(["before", text, "a@b.com"])), plan)
    return [each.tolist() for each in (found.rows, found.starts, found.ends, found.kinds)]


@pytest.mark.parametrize("seed", range(12))
def test_a_row_by_itself_gives_what_rounds_give(seed, monkeypatch):
    dice = random.Random(seed)
    text = "".join(dice.choices(PIECES, k=150))
    monkeypatch.setattr(matches, "_ROUNDS", 10**9)
    rounds = spans(text)
    monkeypatch.setattr(matches, "_ROUNDS", dice.choice([0, 1, 3]))
    monkeypatch.setattr(matches, "_AHEAD", dice.choice([1, 3, 64]))
    assert spans(text) == rounds
    assert len(rounds[0]) > 20


def test_ten_thousand_findings_in_one_cell():
    rows, starts, _, _ = spans("a@b.com " * 10_000)
    assert rows.count(1) == 10_000
    assert starts[:2] == [6, 14]
