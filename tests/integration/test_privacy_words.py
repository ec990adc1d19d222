"""Words of a policy in Cloud Storage and BigQuery: by emulators, in both engines."""

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from beam_jobs import redact
from privacy.policy.read import policy_of
from tests.integration.bigquery.server import Server
from tests.privacy.cloud.support import emulator
from transforms.files.filesystem import open_write

pytestmark = pytest.mark.integration

POLICY = """
engine: {engine}
project: p
inspect_config:
  custom_info_types:
  - info_type: {{name: WHO}}
    dictionary: {{cloud_storage_path: {{path: {bucket}/words.txt}}}}
deidentify_config:
  info_type_transformations:
    transformations: [{{primitive_transformation: {{replace_with_info_type_config: {{}}}}}}]
"""


@pytest.mark.parametrize("engine", ["local", "cloud"])
def test_a_dictionary_in_cloud_storage(bucket, tmp_path, monkeypatch, engine):
    with open_write(f"{bucket}/words.txt") as stream:
        stream.write(b"quasimodo\n\nesmeralda\n")
    (tmp_path / "p.yaml").write_text(POLICY.format(engine=engine, bucket=bucket))
    (tmp_path / "in.csv").write_text("id,note\n1,it was Quasimodo\n2,not Phoebus\n")
    argv = ["--input", f"{tmp_path}/in.csv", "--policy", f"{tmp_path}/p.yaml", "--profile=local"]
    with emulator() as server:
        monkeypatch.setenv("DLP_EMULATOR_HOST", server.address)
        assert redact.main([*argv, "--output", f"{tmp_path}/out/"]) == 0
    made = ds.dataset(tmp_path / "out").to_table().sort_by("id")
    assert made["note"].to_pylist() == ["it was [WHO]", "not Phoebus"]


def test_a_dictionary_in_bigquery(monkeypatch):
    with Server().running() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        rows = pa.table({"name": ["quasimodo", None, " esmeralda "], "n": [1, 2, 3]})
        kinds = [{"name": "name", "type": "STRING"}, {"name": "n", "type": "INTEGER"}]
        server.store.add("proj-12345.d.names", rows, kinds)
        table = {"projectId": "proj-12345", "datasetId": "d", "tableId": "names"}
        field = {"bigQueryField": {"table": table, "field": {"name": "name"}}}
        policy = policy_of(
            {
                "inspect_config": {
                    "custom_info_types": [
                        {"info_type": {"name": "A"}, "stored_type": {"name": "x"}}
                    ]
                },
                "stored_info_types": {"x": {"largeCustomDictionary": field}},
            }
        )
    (custom,) = policy.inspect_config.custom_info_types
    assert custom.dictionary.word_list.words == ["quasimodo", "esmeralda"]
