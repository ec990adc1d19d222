"""Words in Cloud Storage that Google's own client names, read by the emulator from a folder."""

import pytest
from google.api_core import exceptions
from google.cloud import dlp_v2

from tests.privacy.cloud.support import emulator
from tests.privacy.server.test_content import ask
from tests.privacy.server.test_server import PARENT, official

ITEM = {"value": "it was Quasimodo, not Phoebus, and Esmeralda"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bucket/lists").mkdir(parents=True)
    (tmp_path / "bucket/lists/a.txt").write_text("quasimodo\n\nesmeralda\n")
    (tmp_path / "bucket/lists/b.txt").write_text("phoebus\n")
    return tmp_path


@pytest.fixture
def client(folder):
    with emulator(storage=str(folder)) as server, official(server.address) as made:
        yield made


def quotes(client, custom, **config):
    asked = {"custom_info_types": [{"info_type": {"name": "WHO"}, **custom}], **config}
    asked["include_quote"] = True
    reply = ask(client, "inspect", item=ITEM, inspect_config=asked)
    return [each.quote for each in reply.result.findings]


def test_a_dictionary_of_a_file(client):
    path = {"path": "gs://bucket/lists/a.txt"}
    assert quotes(client, {"dictionary": {"cloud_storage_path": path}}) == [
        "Quasimodo",
        "Esmeralda",
    ]


def test_an_exclusion_by_a_file(client):
    rule = {
        "exclusion_rule": {
            "matching_type": "MATCHING_TYPE_FULL_MATCH",
            "dictionary": {"cloud_storage_path": {"path": "gs://bucket/lists/a.txt"}},
        }
    }
    found = quotes(
        client,
        {"regex": {"pattern": "[A-Z][a-z]{5,}"}},
        rule_set=[{"info_types": [{"name": "WHO"}], "rules": [rule]}],
    )
    assert found == ["Phoebus"]


def test_a_large_dictionary_is_stored_and_read_anew_when_it_is_updated(client, folder):
    large = {
        "output_path": {"path": "gs://bucket/built"},
        "cloud_storage_file_set": {"url": "gs://bucket/lists/*"},
    }
    config = {"large_custom_dictionary": large}
    stored = client.create_stored_info_type(
        request={"parent": PARENT, "stored_info_type_id": "who", "config": config}
    )
    version = stored.current_version
    assert version.state == dlp_v2.StoredInfoTypeState.READY
    assert version.stats.large_custom_dictionary.approx_num_phrases == 3
    asked = {"stored_type": {"name": stored.name}}
    assert quotes(client, asked) == ["Quasimodo", "Phoebus", "Esmeralda"]
    (folder / "bucket/lists/b.txt").unlink()
    large["cloud_storage_file_set"]["url"] = "gs://bucket/lists/[a-b].txt"
    client.update_stored_info_type(request={"name": stored.name, "config": config})
    assert quotes(client, asked) == ["Quasimodo", "Esmeralda"]
    assert client.get_stored_info_type(name=stored.name).current_version.config == (
        dlp_v2.StoredInfoTypeConfig(config)
    )


@pytest.mark.parametrize(
    ("uri", "message"),
    [("gs://bucket/none.txt", "was not found"), ("words.txt", "is not gs://BUCKET/NAME")],
)
def test_what_cannot_be_read_is_refused(client, uri, message):
    with pytest.raises(exceptions.InvalidArgument, match=message):
        quotes(client, {"dictionary": {"cloud_storage_path": {"path": uri}}})


def test_without_a_storage_the_way_out_is_told(monkeypatch):
    for name in ("STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    field = {"table": {"project_id": "p", "dataset_id": "d", "table_id": "t"}}
    with emulator() as server, official(server.address) as client:
        with pytest.raises(exceptions.InvalidArgument, match="--storage=FOLDER"):
            quotes(client, {"dictionary": {"cloud_storage_path": {"path": "gs://b/words.txt"}}})
        config = {"large_custom_dictionary": {"big_query_field": field}}
        with pytest.raises(exceptions.InvalidArgument, match="BIGQUERY_EMULATOR_HOST"):
            client.create_stored_info_type(request={"parent": PARENT, "config": config})
