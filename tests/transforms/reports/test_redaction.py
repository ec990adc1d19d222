import numpy as np
import pytest

from tests.transforms.schema.builders import schema_of, stats_of
from tests.transforms.schema.cases import x
from transforms.reports.redaction import Values
from transforms.schema import validate_statistics

HIDE = Values(lambda column, value: "#")


def test_without_redaction_all_is_as_it_was():
    plain = Values()
    assert plain.text("x", "a<b") == "a<b"
    assert plain.number("x", 1234.5) == "1,234"
    assert plain.cell("x", '"a"') == '"a"'
    assert plain.sentence("x", "ENUM_TYPE_INVALID_UTF8", 'Some "a"') == 'Some "a"'


def test_redaction_gets_column_and_plain_text():
    got = []
    values = Values(lambda column, value: got.append((column, value)) or value)
    values.text("a.b", "long" * 40)
    values.number("x", 4111111111111111)
    values.number("x", 1234.0)
    values.number("x", 0.1 + 0.2)
    assert got == [
        ("a.b", "long" * 40),
        ("x", "4111111111111111"),
        ("x", "1234"),
        ("x", "0.30000000000000004"),
    ]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ('"a \\" b"', '"#"'),
        ("1.5 to 3e+20", "# to #"),
        ("below -4", "below #"),
        ("NaN", "NaN"),
        ("+inf", "+inf"),
    ],
)
def test_cells(cell, told):
    assert HIDE.cell("x", cell) == told


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (
            "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
            'Values are not in the schema: "a" (<1%), "b \\" c" (~3%) and 2 more.',
            'Values are not in the schema: "#" (<1%), "#" (~3%) and 2 more.',
        ),
        # As TFDV writes it: what is a value in it can't be told.
        (
            "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
            'Examples contain values missing from the schema: x "y" z (<1%). ',
            "#",
        ),
        ("INT_TYPE_BIG_INT", "The greatest is 77; expected at most 9.", None),
        ("FLOAT_TYPE_SMALL_FLOAT", "The least is -1.5e-07; expected at least 0.1.", None),
        (
            "COMPARATOR_L_INFTY_HIGH",
            'Between a and b it is 0.2, above 0.1; what differs most: "z".',
            'Between a and b it is 0.2, above 0.1; what differs most: "#".',
        ),
        (
            "COMPARATOR_L_INFTY_HIGH",
            "The Linfty distance is 0.2. The feature value with maximum difference is: z",
            "#",
        ),
        ("FEATURE_TYPE_LOW_NUMBER_PRESENT", "It is there in 2 rows; expected at least 3.", "="),
        ("SCHEMA_NEW_COLUMN", 'The data has column "x".', "="),
    ],
)
def test_sentences(kind, text, told):
    got = HIDE.sentence("x", kind, text)
    if told is None:
        assert not any(letter.isdigit() for letter in got)
        assert got.startswith("The ")
    else:
        assert got == (text if told == "=" else told)


SECRETS = {
    "type: BYTES string_domain { value: 'a' }": ["s3cret", "a"],
    "type: BYTES bool_domain { true_value: 'a' }": ["s3cret", "a"],
    "type: BYTES int_domain { }": ["s3cret", "1"],
    "type: BYTES float_domain { }": ["s3cret", "1"],
    "type: INT int_domain { max: 4 }": [77321, 1],
    "type: INT int_domain { min: 4 }": [-77321, 9],
    "type: INT bool_domain { }": [77321, 1],
    "type: FLOAT float_domain { max: 4 }": [77321.5, 1.0],
    "type: FLOAT bool_domain { }": [77321.5, 1.0],
    "type: FLOAT drift_comparator { infinity_norm { threshold: 0.01 } }": [77321.5] * 3 + [99999.5],
    "type: BYTES drift_comparator { infinity_norm { threshold: 0.01 } }": ["s3cret"] * 3 + ["zz"],
}


@pytest.mark.parametrize("schema", SECRETS)
def test_what_our_anomalies_tell_of_values_is_redacted(schema):
    values = SECRETS[schema]
    before = stats_of(x=[values[-1]] * 3 + [values[0]])
    with np.errstate(invalid="ignore"):
        found = validate_statistics(stats_of(x=values), schema_of(x(schema)), previous_span=before)
    (info,) = found.anomaly_info.values()
    for reason in info.reason:
        kind = type(info).Type.Name(reason.type)
        assert "s3cret" in reason.description or "77321" in reason.description
        told = HIDE.sentence("x", kind, reason.description)
        assert "s3cret" not in told
        assert "77321" not in told
        # The words stay.
        assert len(told) > 20
