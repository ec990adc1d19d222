"""Schemas that contradict themselves are found at start."""

import pytest

from tests.transforms.row_checks.schemas import TAXI, schema
from transforms.errors import ConfigError
from transforms.row_checks.features import feature_checks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('feature { name: "x" }', "'x' has no type: give it INT"),
        ("feature { type: INT }", "a feature without a name"),
        ('feature { name: "x" type: INT } feature { name: "x" type: INT }', "'x' twice"),
        (
            'feature { name: "x" type: BYTES domain: "colour" } string_domain { name: "color" }',
            "'x' has domain 'colour', which the schema lacks; did you mean 'color'",
        ),
        (
            'feature { name: "x" type: INT string_domain { value: "a" } }',
            "'x' is of type INT, which takes no string_domain",
        ),
        (
            'feature { name: "x" type: FLOAT int_domain { min: 1 } }',
            "'x' is of type FLOAT, which takes no int_domain",
        ),
        (
            'feature { name: "x" type: INT domain: "f" } float_domain { name: "f" }',
            "'x' is of type INT, which takes no float_domain",
        ),
        (
            'feature { name: "s" type: STRUCT struct_domain { feature { name: "x" } } }',
            "'s.x' has no type",
        ),
    ],
)
def test_contradictions(text, message):
    with pytest.raises(ConfigError, match=message):
        feature_checks(schema(text))


def _required(environment):
    return {check.name for check in feature_checks(schema(TAXI), environment) if check.required}


def test_environments():
    everywhere = {"fare", "payment"}
    assert _required(None) == everywhere | {"tips"}
    assert _required("TRAINING") == everywhere | {"tips"}
    assert _required("SERVING") == everywhere
    with pytest.raises(
        ConfigError, match="environment 'SERVNG' is not in the schema; did you mean 'SERVING'"
    ):
        feature_checks(schema(TAXI), "SERVNG")


def test_a_feature_of_one_environment():
    text = """
    feature { name: "x" type: INT presence { min_fraction: 1 } in_environment: "A" }
    feature { name: "y" type: INT in_environment: "C" }
    """
    for given, expected in {None: True, "A": True, "C": False}.items():
        x, _ = feature_checks(schema(text), given)
        assert x.required is expected
    x, _ = feature_checks(schema(text + 'default_environment: "D"'), "D")
    assert x.required


def test_domains_by_name():
    text = 'feature { name: "x" type: INT domain: "small" } int_domain { name: "small" max: 3 }'
    (check,) = feature_checks(schema(text))
    assert (check.domains[0].low, check.domains[0].high) == (-(2**63), 3)
