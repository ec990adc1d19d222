"""What follows from a policy at launch."""

import pyarrow as pa

from beam_jobs.privacy.redaction import redaction_of
from privacy import redact_batch
from transforms.io.pubsub.source import PubSubSource

POLICY = """
inspect_config: {info_types: [{name: CREDIT_CARD_NUMBER}], min_likelihood: VERY_UNLIKELY}
deidentify_config:
  info_type_transformations:
    transformations: [{primitive_transformation: {replace_with_info_type_config: {}}}]
"""


def test_ids_of_messages_stay_what_they_are(tmp_path):
    """They are digits, and what was delivered twice is known by them."""
    (tmp_path / "p.yaml").write_text(POLICY)
    source = PubSubSource.resolve(
        "pubsub://projects/proj-12345/subscriptions/sub", pa.schema([("card", pa.string())])
    )
    made = redaction_of(str(tmp_path / "p.yaml")).fitted(source)
    assert made.fitted(source).policy == made.policy
    rows = pa.record_batch({"card": ["4111111111111111"], "message_id": ["4111111111111111"]})
    redacted, _ = redact_batch(rows, made.policy)
    assert redacted.to_pylist() == [
        {"card": "[CREDIT_CARD_NUMBER]", "message_id": "4111111111111111"}
    ]
    assert redaction_of(None) is None
