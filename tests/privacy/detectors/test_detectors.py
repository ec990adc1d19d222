"""Detectors, one text at a time: what is found, where, and how likely it is."""

import pyarrow as pa
import pytest

from privacy.local.inspect import inspect_batch
from tests.privacy.policies import policy

FOUND = [
    ("write to o'brien+x@mail.example.co.uk.", "EMAIL_ADDRESS", "o'brien+x@mail.example.co.uk"),
    ("müller@straße.example", "EMAIL_ADDRESS", "müller@straße.example"),
    ("{'mail':'amy@x.org'}", "EMAIL_ADDRESS", "amy@x.org"),
    ("4111 1111 1111 1111", "CREDIT_CARD_NUMBER", "4111 1111 1111 1111"),
    ("no 123 4111-1111-1111-1111", "CREDIT_CARD_NUMBER", "4111-1111-1111-1111"),
    ("3782 822463 10005 amex", "CREDIT_CARD_NUMBER", "3782 822463 10005"),
    ("maestro 676770 is not one, 6304000000000000 is", "CREDIT_CARD_NUMBER", "6304000000000000"),
    ("078-05-1123", "US_SOCIAL_SECURITY_NUMBER", "078-05-1123"),
    ("my SSN is 372819127", "US_SOCIAL_SECURITY_NUMBER", "372819127"),
    ("from 10.0.0.1:8080", "IP_ADDRESS", "10.0.0.1"),
    ("net 10.0.0.0/8 up", "IP_ADDRESS", "10.0.0.0/8"),
    ("at 2001:db8::8a2e:370:7334.", "IP_ADDRESS", "2001:db8::8a2e:370:7334"),
    ("gb82 west 1234 5698 7654 32 is mine", "IBAN_CODE", "gb82 west 1234 5698 7654 32"),
    ("DE89370400440532013000", "IBAN_CODE", "DE89370400440532013000"),
    ("call (415) 555-0132", "PHONE_NUMBER", "(415) 555-0132"),
    ("or 259.735.7502x459", "PHONE_NUMBER", "259.735.7502x459"),
    ("+44 20 7123 4567 in London", "PHONE_NUMBER", "+44 20 7123 4567"),
    ("+46 (0)8 928 571 38 fax", "PHONE_NUMBER", "+46 (0)8 928 571 38"),
    ("Phone:\n467 3395", "PHONE_NUMBER", "467 3395"),
    ("(call 415-555-0132)", "PHONE_NUMBER", "415-555-0132"),
]
NOTHING = [
    "user@localhost",
    "a..b@x.com is odd, so is @x.com",
    "4111 1111 1111 1112",
    "order 41111111111111111111111",
    "000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000 078-05-1120",
    "372819127",
    "1.2.3 and 300.1.2.3 and v1.2.3.4beta",
    "std::vector at 12:34:56",
    "GB82 WEST 1234 5698 7654 33",
    "on 2024-01-02 at 12 30",
    "order 123456789012, 20 items",
    "x 4155550132",
]


def found(text, **inspect):
    batch = pa.record_batch({"text": [text]})
    return inspect_batch(batch, policy(include_quote=True, **inspect)).to_pylist()


@pytest.mark.parametrize(("text", "name", "quote"), FOUND)
def test_found(text, name, quote):
    assert [(each["info_type"], each["quote"]) for each in found(text)] == [(name, quote)]


@pytest.mark.parametrize("text", NOTHING)
def test_not_found(text):
    assert found(text) == []


def test_several_in_one_text():
    text = "a@b.com, c@d.org; 4111111111111111 5555555555554444 10.0.0.1 10.0.0.2"
    assert [each["quote"] for each in found(text)] == [
        "a@b.com",
        "c@d.org",
        "4111111111111111",
        "5555555555554444",
        "10.0.0.1",
        "10.0.0.2",
    ]


def test_offsets_in_bytes_and_in_characters():
    (one,) = found("né à a@b.com")
    assert (one["byte_start"], one["byte_end"]) == (7, 14)
    assert (one["codepoint_start"], one["codepoint_end"]) == (5, 12)


def test_a_column_name_is_a_hotword():
    rows = {"phoneNumber": ["4232342345"], "other": ["4232342345"]}
    findings = inspect_batch(pa.record_batch(rows), policy()).to_pylist()
    assert [(each["column"], each["info_type"]) for each in findings] == [
        ("phoneNumber", "PHONE_NUMBER")
    ]


def test_unlikely_ones_are_found_where_they_are_asked_for():
    (one,) = found("x 4155550132", min_likelihood="UNLIKELY")
    assert (one["info_type"], one["likelihood"]) == ("PHONE_NUMBER", "UNLIKELY")
    assert found("a 10.0.0.1", min_likelihood="VERY_LIKELY") == []
