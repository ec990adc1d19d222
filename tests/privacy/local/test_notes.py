"""What is noted while rows are redacted: counts and forms, and no value."""

import pyarrow as pa

from privacy.local.noted import redact_noted
from privacy.local.notes import CELLS, FOUND, UNLIKELY, UNTOUCHED, Notes
from privacy.local.redact import redact_batch
from tests.privacy.policies import FPE, of_type, policy

MASKED = {"character_mask_config": {"number_to_mask": -4}}


def counted(notes):
    return {tuple(key): number for key, number in notes.counts.items()}


def test_what_is_found_by_column_kind_likelihood_and_fate():
    rows = pa.record_batch(
        {"note": ["a@x.org and b@y.org", "4111111111111111", None, "fine", "372819127"]}
    )
    rules = policy(of_type("EMAIL_ADDRESS", MASKED), min_likelihood="LIKELY")
    (good, rejects), notes = redact_noted(rows, rules)
    assert good.equals(redact_batch(rows, rules)[0])
    assert (notes.rows, notes.rejected, rejects.num_rows) == (5, 0, 0)
    found = counted(notes)
    assert found["note", "EMAIL_ADDRESS", "VERY_LIKELY", FOUND] == 2
    assert found["note", "CREDIT_CARD_NUMBER", "VERY_LIKELY", UNTOUCHED] == 1
    assert [fate for _, _, _, fate in found].count(UNLIKELY) == 1
    assert len(found) == 3
    assert notes.forms["note", "EMAIL_ADDRESS"] == ("a@a.aaa",)


def test_structured_values_count_as_often_as_they_stand_there():
    rows = pa.record_batch({"mail": ["a@x.org", "a@x.org", None, "b@y.org"]})
    _, notes = redact_noted(rows, policy(columns={"structured": ["mail"]}))
    assert sum(counted(notes).values()) == 3


def test_whole_cells_and_rows_at_fault():
    rows = pa.record_batch({"t": ["12345678", "x", None]})
    _, notes = redact_noted(rows, policy(fields=[("t", FPE)]))
    assert counted(notes) == {("t", "", "", CELLS): 2}
    assert (notes.rows, notes.rejected) == (3, 1)


def test_notes_of_parts_are_those_of_the_whole():
    texts = [f"write to user{i}@x{i % 7}.org, card 4111111111111111" for i in range(40)]
    rows = pa.record_batch({"a": texts, "b": texts[::-1]})
    rules = policy()
    whole = redact_noted(rows, rules)[1]
    merged = Notes()
    for start in range(0, 40, 9):
        merged = merged.merge(redact_noted(rows.slice(start, 9), rules)[1])
    assert counted(merged) == counted(whole)
    assert merged.rows == 40
    assert "user" not in str(whole)
