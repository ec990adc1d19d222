"""A planted value shows up nowhere: no log, exception, reject or dead letter."""

import logging
import pickle

import pyarrow as pa
import pytest

from privacy.local.payloads import redact_rejects
from privacy.local.redact import redact_batch
from privacy.redact import Redact
from tests.privacy.policies import FPE, KEY, of_type, policy
from tests.support import run_on
from transforms.errors import RejectedRows
from transforms.reasons import Reason
from transforms.rejects import reject_payloads, reject_rows

CANARY = "(415) 555-0132"


def test_rejects_and_logs(caplog):
    rules = policy(of_type("PHONE_NUMBER", FPE))
    batch = pa.record_batch({"t": [f"call {CANARY}", f"tel {CANARY} x", "fine"]})
    with caplog.at_level(logging.DEBUG):
        rows, rejects = redact_batch(batch, rules)
    assert (rows.num_rows, rejects.num_rows) == (1, 2)
    assert "555-0132" not in caplog.text + str(rejects.to_pylist()) + str(rows.to_pylist())


def test_the_exception_without_dead_letters(caplog):
    rules = policy(of_type("PHONE_NUMBER", FPE))
    batch = pa.record_batch({"t": [f"call {CANARY}"]})
    with pytest.raises(RejectedRows) as told:
        run_on([batch], lambda rows: rows | Redact(rules))
    assert "555-0132" not in str(told.value) + caplog.text
    assert KEY not in str(told.value)


def test_payloads_of_earlier_steps():
    lines = pa.array([f"7;{CANARY};amy@x.org", None, "no 372819127"])
    rejects = reject_payloads(lines, Reason.RAGGED_LINE, "cells")
    made = redact_rejects(rejects, policy()).to_pylist()
    assert [each["payloadString"] for each in made] == [
        "7;[PHONE_NUMBER];[EMAIL_ADDRESS]",
        None,
        "no [PHONE_NUMBER]",
    ]
    assert [each["errorMessage"] for each in made] == ["cells"] * 3


def test_bytes_and_attributes():
    payloads = pa.array([b"\xff" + CANARY.encode(), CANARY.encode()], pa.binary())
    rejects = reject_payloads(payloads, Reason.UNPARSABLE, "json")
    place = rejects.schema.get_field_index("attributes")
    pairs = pa.array([[{"key": "from", "value": "amy@x.org"}]] * 2, rejects.schema.types[place])
    rejects = rejects.set_column(place, rejects.schema.field(place), pairs)
    made = redact_rejects(rejects, policy()).to_pylist()
    assert [each["payloadBytes"] for each in made] == [None, b"[PHONE_NUMBER]"]
    assert made[0]["attributes"] == [{"key": "from", "value": "[EMAIL_ADDRESS]"}]


def test_payloads_are_withheld_where_whole_cells_are_secret():
    rules = policy(fields=[("t", {"redact_config": {}})])
    rejects = reject_rows(pa.record_batch({"t": ["secret"]}), Reason.WRONG_TYPE, "m")
    assert redact_rejects(rejects, rules).column("payloadString").to_pylist() == [None]
    own = reject_rows(pa.record_batch({"t": ["fine"]}), Reason.NOT_REDACTED, "m")
    assert redact_rejects(own, rules).equals(own)


def test_a_policy_pickles_small_and_shows_no_key():
    made = policy(of_type("PHONE_NUMBER", FPE))
    assert made.inspect_config.info_types
    again = pickle.loads(pickle.dumps(made))
    assert again == made
    assert len(pickle.dumps(made)) < 2_000
    assert made.transient.hex() not in repr(made)
