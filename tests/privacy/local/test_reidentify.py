"""What a policy did is taken back, where it can be; nothing else changes."""

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import given, settings

from privacy import Redact, Reidentify, redact_batch, reidentify_batch
from privacy.local.notes import CELLS, FOUND
from privacy.local.reidentify import reidentify_noted
from tests.privacy.policies import FPE, KEY, of_type, policy
from tests.support import run_on
from transforms.errors import ConfigError, RejectedRows
from transforms.reasons import Reason

PHONES = policy(of_type("PHONE_NUMBER", FPE))
CELL = {"crypto_replace_ffx_fpe_config": {**FPE["crypto_replace_ffx_fpe_config"]}}
BARE = {
    "crypto_replace_ffx_fpe_config": {
        "crypto_key": {"unwrapped": {"key": KEY}},
        "common_alphabet": "ALPHA_NUMERIC",
    }
}
NUMBERS = st.integers(2_000_000_000, 9_999_999_999).map(str)
TEXTS = st.none() | st.text(max_size=8) | NUMBERS.map("My phone number is {}.".format)


@settings(max_examples=40)
@given(st.lists(TEXTS, max_size=6))
def test_texts_come_back(texts):
    rows = pa.record_batch({"note": pa.array(texts, pa.string())})
    hidden, rejects = redact_batch(rows, PHONES)
    assert not rejects.num_rows
    shown, rejects = reidentify_batch(hidden, PHONES)
    assert shown.equals(rows)
    assert not rejects.num_rows


@settings(max_examples=40)
@given(st.lists(st.none() | st.text("abcXYZ012", min_size=4, max_size=9), max_size=6))
def test_whole_cells_come_back(texts):
    rows = pa.record_batch({"a": pa.array(texts, pa.string()), "b": pa.array(texts, pa.string())})
    rules = policy(fields=[("a", BARE)])
    hidden, _ = redact_batch(rows, rules)
    shown, _ = reidentify_batch(hidden, rules)
    assert shown.equals(rows)
    assert [x for x in hidden["a"].to_pylist() if x in texts and x is not None] == []


def test_a_cell_with_a_head_and_slices():
    rows = pa.record_batch({"t": ["4359916732", None, "12345678"]}).slice(0, 2)
    rules = policy(fields=[("t", CELL)])
    hidden, _ = redact_batch(rows, rules)
    assert hidden["t"].to_pylist() == ["PHONE_TOKEN(10):9617256398", None]
    assert reidentify_batch(hidden, rules)[0].equals(rows)
    _, notes = reidentify_noted(hidden, rules)
    assert dict(notes.counts) == {("t", "", "", CELLS): 1}


def test_masked_and_replaced_values_stay():
    rules = policy(
        of_type("PHONE_NUMBER", FPE),
        {"primitive_transformation": {"replace_with_info_type_config": {}}},
    )
    rows = pa.record_batch({"t": ["My phone number is 4359916732, mail a@x.org"]})
    hidden, _ = redact_batch(rows, rules)
    (shown, _), notes = reidentify_noted(hidden, rules)
    assert shown["t"].to_pylist() == ["My phone number is 4359916732, mail [EMAIL_ADDRESS]"]
    assert dict(notes.counts) == {("t", "PHONE_TOKEN", "VERY_LIKELY", FOUND): 1}


def test_a_token_that_is_none_is_a_dead_letter_with_its_tokens():
    rules = policy(fields=[("t", CELL)])
    rows = pa.record_batch({"t": ["PHONE_TOKEN(10):9617256398", "PHONE_TOKEN(9):9617256398", "x"]})
    shown, rejects = reidentify_batch(rows, rules)
    assert shown["t"].to_pylist() == ["4359916732"]
    assert rejects["reason"].to_pylist() == [Reason.NOT_REIDENTIFIED] * 2
    assert rejects["payloadString"].to_pylist() == [
        '{"t":"PHONE_TOKEN(9):9617256398"}',
        '{"t":"x"}',
    ]
    with pytest.raises(RejectedRows) as told:
        run_on([rows], lambda given: given | Reidentify(rules))
    assert "9617256398" not in str(told.value)


def test_in_a_pipeline():
    rows = pa.record_batch({"t": ["My phone number is 4359916732.", None, "fine"]})
    (found,) = run_on([rows], lambda given: given | Redact(PHONES) | Reidentify(PHONES))
    assert found.equals(rows)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (policy(), "nothing of it can be taken back"),
        (policy(of_type("PHONE_NUMBER", BARE)), "only with a surrogate_info_type"),
        (
            policy(
                of_type(
                    "PHONE_NUMBER",
                    {
                        "crypto_replace_ffx_fpe_config": {
                            "crypto_key": {"transient": {"name": "once"}},
                            "common_alphabet": "NUMERIC",
                            "surrogate_info_type": {"name": "T"},
                        }
                    },
                )
            ),
            "key 'once' is transient",
        ),
    ],
)
def test_what_can_not_be_taken_back_is_refused(rules, told):
    with pytest.raises(ConfigError, match=told):
        reidentify_batch(pa.record_batch({"t": ["x"]}), rules)
