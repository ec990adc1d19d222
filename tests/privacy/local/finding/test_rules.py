"""Rules, custom infoTypes and overlaps, by DLP's examples and by our own."""

import pyarrow as pa
import pytest

from privacy.local.inspect import inspect_batch
from privacy.local.redact import redact_batch
from privacy.policy.read import policy_of
from tests.privacy.policies import policy
from transforms.errors import ConfigError


def quotes(text, name="text", **inspect):
    batch = pa.record_batch({name: [text]})
    found = inspect_batch(batch, policy_of({"inspect_config": {"include_quote": True, **inspect}}))
    return [(each["info_type"], each["quote"]) for each in found.to_pylist()]


def custom(**kind):
    return {"custom_info_types": [{"info_type": {"name": "C"}, **kind}]}


def test_custom_regex():
    found = quotes("ab 12 ab 34\nab", **custom(regex={"pattern": r"\bab(?:\s\d+)?"}))
    assert found == [("C", "ab 12"), ("C", "ab 34"), ("C", "ab")]


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("we met Sam, Johnson", ["sam johnson"], ["Sam, Johnson"]),
        ("jennifer", ["jen"], []),
        ("jen123", ["jen"], ["jen"]),
        ("x\nab c.d", ["ab c", "ab", "ab c d"], ["ab c.d"]),
    ],
)
def test_custom_dictionary(text, words, found):
    assert quotes(text, **custom(dictionary={"word_list": {"words": words}})) == [
        ("C", each) for each in found
    ]


def test_surrogates_are_as_long_as_they_say():
    assert quotes("C(3):abcdef C(99):x", **custom(surrogate_type={})) == [("C", "C(3):abc")]


def test_hotwords_need_their_whole_word_in_the_window():
    def found(before, text="order no: 12345"):
        rule = {
            "hotword_rule": {
                "hotword_regex": {"pattern": "order"},
                "proximity": {"window_before": before},
                "likelihood_adjustment": {"fixed_likelihood": "VERY_UNLIKELY"},
            }
        }
        return quotes(
            text,
            **custom(regex={"pattern": r"\d+"}),
            rule_set=[{"info_types": [{"name": "C"}], "rules": [rule]}],
        )

    assert found(10) == []
    assert found(9) == [("C", "12345")]
    assert found(9, "order é\u20ac: 12345") == [("C", "12345")], "characters, not bytes"
    assert found(10, "order é\u20ac: 12345") == []


def test_a_checksum_wins_where_findings_overlap():
    text = "card 4111 1111 1111 1111"
    both = quotes(
        text,
        info_types=[{"name": "CREDIT_CARD_NUMBER"}],
        **custom(regex={"pattern": r"card 4111 1111 1111 1111"}),
    )
    assert both == [("CREDIT_CARD_NUMBER", "4111 1111 1111 1111")]


def adjusted(rule, text, least="POSSIBLE"):
    """What is found of a text, with a rule about the codes of a policy."""
    codes = custom(regex={"pattern": r"[0-9]{6,16}"})["custom_info_types"]
    codes[0]["likelihood"] = "POSSIBLE"
    return quotes(
        text,
        info_types=[{"name": "CREDIT_CARD_NUMBER"}],
        custom_info_types=codes,
        rule_set=[{"info_types": [{"name": "C"}], "rules": [rule]}],
        min_likelihood=least,
    )


def by_cards(matching, **change):
    return {
        "adjustment_rule": {
            "adjust_by_matching_info_types": {
                "info_types": [{"name": "CREDIT_CARD_NUMBER"}],
                "min_likelihood": "LIKELY",
                "matching_type": f"MATCHING_TYPE_{matching}_MATCH",
            },
            "likelihood_adjustment": change,
        }
    }


def test_adjustment_by_another_finding():
    text = "4111111111111111 and 1234567"
    card, code = ("CREDIT_CARD_NUMBER", "4111111111111111"), ("C", "1234567")
    assert adjusted(by_cards("FULL", relative_likelihood=-2), text) == [card, code]
    assert adjusted(by_cards("INVERSE", fixed_likelihood="UNLIKELY"), text) == [card]
    raised = by_cards("INVERSE", fixed_likelihood="VERY_LIKELY")
    assert adjusted(raised, text, "VERY_LIKELY") == [card, code]
    assert adjusted(raised, "nothing 12", "VERY_LIKELY") == []
    assert adjusted(raised, "only 7654321", "VERY_LIKELY") == [("C", "7654321")]


def test_exclusion_near_a_word():
    rule = {
        "exclusion_rule": {
            "exclude_by_hotword": {
                "hotword_regex": {"pattern": "(?i)order"},
                "proximity": {"window_before": 12},
            }
        }
    }
    assert adjusted(rule, "order no 1234567, code 7654321") == [("C", "7654321")]


def test_an_adjustment_by_what_is_not_inspected_is_refused():
    rule = by_cards("FULL", relative_likelihood=1)
    by = rule["adjustment_rule"]["adjust_by_matching_info_types"]
    by["info_types"] = [{"name": "IBAN_CODE"}]
    with pytest.raises(ConfigError, match="adjustment_rule: IBAN_CODE is not inspected"):
        adjusted(rule, "1234567")


def test_all_that_cannot_be_done_is_told_at_once():
    content = {
        "inspect_config": {
            "info_types": [{"name": "PERSON_NAME"}, {"name": "EMAIL_ADRESS"}],
            "custom_info_types": [{"info_type": {"name": "C"}, "regex": {"pattern": "(a"}}],
        },
        "deidentify_config": {
            "info_type_transformations": {
                "transformations": [
                    {
                        "info_types": [{"name": "C"}],
                        "primitive_transformation": {"time_part_config": {}},
                    }
                ]
            },
        },
    }
    with pytest.raises(ConfigError) as told:
        redact_batch(pa.record_batch({"t": ["a"]}), policy_of(content))
    for part in (
        "PERSON_NAME: needs a model",
        "did you mean EMAIL_ADDRESS?",
        "RE2 does not take the pattern",
        "time_part_config",
    ):
        assert part in str(told.value)


def test_policies_without_anything_are_refused():
    with pytest.raises(ConfigError, match="name at least one infoType"):
        inspect_batch(pa.record_batch({"t": ["a"]}), policy(names=[]))
