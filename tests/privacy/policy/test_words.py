"""Words that a policy names: in files, globs and stored infoTypes; and templates in files."""

import json

import pytest

from privacy.policy.read import policy_of, read_policy
from transforms.errors import ConfigError


def dictionary(path):
    return {"info_type": {"name": "A"}, "dictionary": {"cloud_storage_path": {"path": str(path)}}}


def words(policy):
    (custom,) = policy.inspect_config.custom_info_types
    return list(custom.dictionary.word_list.words)


@pytest.fixture
def folder(tmp_path):
    for name, text in {"a.txt": "one\n\n two \n", "b.txt": "three\n"}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_large_dictionary_of_several_files(folder):
    large = {"cloudStorageFileSet": {"url": f"{folder}/*.txt"}, "outputPath": {"path": "gs://x/y"}}
    custom = [{"info_type": {"name": "A"}, "stored_type": {"name": "names"}}]
    policy = policy_of(
        {
            "inspect_config": {"custom_info_types": custom},
            "stored_info_types": {"names": {"largeCustomDictionary": large}},
        }
    )
    assert words(policy) == ["one", "two", "three"]
    with pytest.raises(ConfigError, match="there is no such file"):
        policy_of({"inspect_config": {"custom_info_types": [dictionary(folder / "c*")]}})


def test_exclusions_have_their_words(folder):
    rule = {
        "exclusionRule": {
            "matchingType": "MATCHING_TYPE_FULL_MATCH",
            "dictionary": {"cloudStoragePath": {"path": f"{folder}/a.txt"}},
        }
    }
    rules = [{"infoTypes": [{"name": "EMAIL_ADDRESS"}], "rules": [rule]}]
    policy = policy_of({"inspect_config": {"ruleSet": rules}})
    (made,) = policy.inspect_config.rule_set[0].rules
    assert made.exclusion_rule.dictionary.word_list.words == ["one", "two"]


def test_cloud_dlp_reads_its_own_and_is_sent_the_rest(folder):
    customs = [
        dictionary("gs://bucket/words.txt"),
        {"info_type": {"name": "B"}, "stored_type": {"name": "projects/p/storedInfoTypes/b"}},
        dictionary(folder / "a.txt"),
    ]
    policy = policy_of({"engine": "cloud", "inspect_config": {"custom_info_types": customs}})
    far, stored, near = policy.inspect_config.custom_info_types
    assert far.dictionary.cloud_storage_path.path == "gs://bucket/words.txt"
    assert stored.stored_type.name == "projects/p/storedInfoTypes/b"
    assert near.dictionary.word_list.words == ["one", "two"]


def test_more_words_than_a_request_holds_are_refused_at_launch(folder):
    (folder / "long.txt").write_text("\n".join(f"word number {n}" for n in range(10_000)))
    config = {"custom_info_types": [dictionary(folder / "long.txt")]}
    with pytest.raises(ConfigError, match=r"room for 128,000: make it a stored infoType"):
        policy_of({"engine": "cloud", "inspect_config": config})
    assert len(words(policy_of({"inspect_config": config}))) == 10_000


def test_a_stored_type_must_be_somewhere():
    config = {"custom_info_types": [{"info_type": {"name": "B"}, "stored_type": {"name": "b"}}]}
    with pytest.raises(ConfigError, match=r"name one of Cloud DLP by projects/P/storedInfoTypes"):
        policy_of({"engine": "cloud", "inspect_config": config})


def test_a_table_needs_its_parts():
    field = {"table": {"project_id": "p", "datasetId": "d"}, "field": {"name": "name"}}
    custom = [{"info_type": {"name": "A"}, "dictionary": {"big_query_field": field}}]
    with pytest.raises(ConfigError, match=r"needs a table \(project_id, dataset_id, table_id\)"):
        policy_of({"inspect_config": {"custom_info_types": custom}})


def test_templates_exported_to_files(tmp_path):
    inspect = {"name": "projects/p/inspectTemplates/i", "createTime": "2026-01-01T00:00:00Z"}
    inspect["inspectConfig"] = {"infoTypes": [{"name": "EMAIL_ADDRESS"}]}
    rest = [{"primitiveTransformation": {"replaceWithInfoTypeConfig": {}}}]
    hide = {"deidentifyConfig": {"infoTypeTransformations": {"transformations": rest}}}
    (tmp_path / "i.json").write_text(json.dumps(inspect))
    (tmp_path / "d.json").write_text(json.dumps(hide))
    (tmp_path / "p.yaml").write_text(
        f"inspect_template: {tmp_path}/i.json\ndeidentify_template: {tmp_path}/d.json\n"
    )
    policy = read_policy(f"{tmp_path}/p.yaml")
    assert [each.name for each in policy.inspect_config.info_types] == ["EMAIL_ADDRESS"]
    assert policy.deidentify_config.HasField("info_type_transformations")
    assert (policy.inspect_template, policy.deidentify_template) == (None, None)
    with pytest.raises(ConfigError, match=r"d\.json: has no inspect_config"):
        policy_of({"inspect_template": f"{tmp_path}/d.json"})
    with pytest.raises(ConfigError, match="give either inspect_template or inspect_config"):
        policy_of({"inspect_template": f"{tmp_path}/i.json", "inspect_config": {"info_types": []}})
