"""Findings in messages have the ids of their messages."""

import pyarrow as pa
import pytest

from privacy import inspect_batch
from privacy.pipeline.messages import of_messages
from tests.privacy.policies import policy
from transforms import progress
from transforms.batches import MESSAGE, with_source


@pytest.fixture(autouse=True)
def counters():
    progress.reset()
    yield
    progress.reset()


def test_each_finding_has_the_id_of_its_message():
    rows = pa.record_batch(
        {"note": ["a@x.org b@x.org", "-", "10.1.2.3"], "message_id": ["m1", "m2", "m3"]}
    )
    noted = with_source(rows, "projects/p/subscriptions/s", None, MESSAGE)
    found = of_messages(inspect_batch(noted, policy(columns={"leave": ["message_id"]})))
    assert found["message_id"].to_pylist() == ["m1", "m1", "m3"]
    counts = {step: count.rows for step, count in progress.snapshot().items()}
    assert counts == {"found: EMAIL_ADDRESS": 2, "found: IP_ADDRESS": 1}


def test_findings_without_a_source_have_no_id():
    found = of_messages(inspect_batch(pa.record_batch({"note": ["a@x.org"]}), policy()))
    assert found["message_id"].to_pylist() == [None]
