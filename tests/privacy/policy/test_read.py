"""Files of policies: what they may be, and what is said of mistakes."""

import json

import pytest

from privacy.local.plan import compile_plan
from privacy.policy.read import parse_policy, read_policy
from transforms.errors import ConfigError

SNAKE = """
columns: {structured: [card], leave: [id]}
inspect_config:
  info_types: [{name: EMAIL_ADDRESS}]
  min_likelihood: LIKELY
deidentify_config:
  info_type_transformations:
    transformations:
      - primitive_transformation: {character_mask_config: {number_to_mask: 3}}
"""
CAMEL = {
    "inspectConfig": {"infoTypes": [{"name": "EMAIL_ADDRESS"}], "minLikelihood": "LIKELY"},
    "deidentifyConfig": {
        "infoTypeTransformations": {
            "transformations": [
                {"primitiveTransformation": {"characterMaskConfig": {"numberToMask": 3}}}
            ]
        }
    },
}


def test_yaml_and_json_of_either_spelling_are_the_same():
    one, other = parse_policy(SNAKE), parse_policy(json.dumps(CAMEL))
    assert one.inspect_config == other.inspect_config
    assert one.deidentify_config == other.deidentify_config
    assert one.columns.structured == ("card",)
    assert one.columns.leave == ("id",)


def test_an_exported_template_is_a_policy(tmp_path):
    template = {"name": "projects/p/inspectTemplates/1", "displayName": "mine", **CAMEL}
    path = tmp_path / "template.json"
    path.write_text(json.dumps(template))
    assert read_policy(str(path)).inspect_config.info_types[0].name == "EMAIL_ADDRESS"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("inspect_confg: {}", "unknown key inspect_confg; did you mean inspect_config?"),
        ("inspect_config: {info_typs: []}", "info_typs"),
        ("engine: locl", "engine is local or cloud"),
        ("columns: {structred: [a]}", "did you mean structured?"),
        ("columns: {leave: a}", "columns.leave must be a list of names"),
        ("columns: {leave: [a], free_text: [a]}", "names 'a' twice"),
        ("- a", "must be a mapping"),
        ("a: [", "is no YAML or JSON in line"),
    ],
)
def test_mistakes(text, told):
    with pytest.raises(ConfigError) as error:
        parse_policy(text, "p.yaml")
    assert told in str(error.value)
    assert "p.yaml" in str(error.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="can't be read"):
        read_policy(str(tmp_path / "none.yaml"))
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        read_policy(str(tmp_path / "bad.yaml"))


def _with_key(reference):
    fpe = {"crypto_key": reference, "common_alphabet": "NUMERIC"}
    primitive = {"crypto_replace_ffx_fpe_config": fpe}
    fields = [{"fields": [{"name": "a"}], "primitive_transformation": primitive}]
    return {"deidentify_config": {"record_transformations": {"field_transformations": fields}}}


def _key(policy):
    (step,) = compile_plan(policy).fields["a"]
    return step.transformation.key


def test_keys_by_reference(monkeypatch):
    policy = parse_policy(json.dumps(_with_key("env:CARD_KEY")))
    with pytest.raises(ConfigError, match="env:CARD_KEY"):
        compile_plan(policy)
    monkeypatch.setenv("CARD_KEY", "YWJjZGVmZ2hpamtsbW5vcA==")
    assert _key(policy) == b"abcdefghijklmnop"


def test_transient_keys_live_as_long_as_the_policy():
    text = json.dumps(_with_key({"transient": {"name": "k"}}))
    first, second = parse_policy(text), parse_policy(text)
    assert _key(first) == _key(first)
    assert _key(first) != _key(second)


def test_templates_by_name_need_the_service():
    policy = parse_policy("inspect_template: projects/p/inspectTemplates/1")
    with pytest.raises(ConfigError, match="lies in Cloud DLP; export it"):
        compile_plan(policy)
