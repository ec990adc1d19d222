"""Policies that several tests need."""

from privacy.policy.read import policy_of

SIX = (
    "EMAIL_ADDRESS PHONE_NUMBER CREDIT_CARD_NUMBER US_SOCIAL_SECURITY_NUMBER IP_ADDRESS IBAN_CODE"
).split()
REPLACE = {"primitive_transformation": {"replace_with_info_type_config": {}}}
KEY = "YWJjZGVmZ2hpamtsbW5vcA=="
FPE = {
    "crypto_replace_ffx_fpe_config": {
        "crypto_key": {"unwrapped": {"key": KEY}},
        "common_alphabet": "NUMERIC",
        "surrogate_info_type": {"name": "PHONE_TOKEN"},
    }
}

REDACT_CARDS = """
engine: local
columns: {structured: [card]}
inspect_config:
  info_types: [{name: EMAIL_ADDRESS}, {name: PHONE_NUMBER}, {name: CREDIT_CARD_NUMBER}]
deidentify_config:
  info_type_transformations:
    transformations:
      - info_types: [{name: CREDIT_CARD_NUMBER}]
        primitive_transformation: {character_mask_config: {number_to_mask: -4}}
      - info_types: [{name: PHONE_NUMBER}]
        primitive_transformation:
          crypto_replace_ffx_fpe_config:
            crypto_key: "env:PHONE_KEY"
            common_alphabet: NUMERIC
            surrogate_info_type: {name: PHONE_TOKEN}
      - primitive_transformation: {replace_with_info_type_config: {}}
"""
"""A policy file: e-mails, phones and cards in notes, and a column of cards."""


def policy(*transformations, names=SIX, columns=None, fields=(), **inspect):
    """A policy of the six infoTypes; all are replaced unless it is said otherwise."""
    content = {
        "inspect_config": {"info_types": [{"name": name} for name in names], **inspect},
        "deidentify_config": {},
    }
    if fields:
        content["deidentify_config"]["record_transformations"] = {
            "field_transformations": [
                {"fields": [{"name": name}], "primitive_transformation": primitive}
                for name, primitive in fields
            ]
        }
    else:
        content["deidentify_config"]["info_type_transformations"] = {
            "transformations": list(transformations) or [REPLACE]
        }
    if columns:
        content["columns"] = columns
    return policy_of(content)


def of_type(name, primitive):
    """A transformation of one infoType."""
    return {"info_types": [{"name": name}], "primitive_transformation": primitive}
