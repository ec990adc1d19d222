"""The redact job as its user meets it: outputs, dead letters, and nothing unredacted anywhere."""

import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs import redact
from tests.privacy.policies import REDACT_CARDS as POLICY

CANARIES = ("bob@example.com", "amy@example.org", "4111111111111111", "555-0132", "4359916732")


def run(**flags):
    return redact.main([f"--{name}={value}" for name, value in flags.items()])


def rows_of(folder):
    return [
        json.loads(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]


@pytest.fixture
def policy(tmp_path, monkeypatch):
    monkeypatch.setenv("PHONE_KEY", "YWJjZGVmZ2hpamtsbW5vcA==")
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def trips(tmp_path):
    path = tmp_path / "trips.csv"
    path.write_text(
        "id,card,note\n"
        "1,4111111111111111,write to bob@example.com\n"
        "2,,My phone number is 4359916732.\n"
        "3,12,nothing here\n"
        "4,13,call (415) 555-0132 or bob@example.com\n"
        "5,14,ragged,amy@example.org\n"
    )
    return path


def test_files(trips, policy, tmp_path, capsys):
    assert run(input=trips, policy=policy, output=f"{tmp_path}/out/?format=jsonl") == 0
    assert rows_of(tmp_path / "out") == [
        {"id": 1, "card": "************1111", "note": "write to [EMAIL_ADDRESS]"},
        {"id": 2, "card": None, "note": "My phone number is PHONE_TOKEN(10):9617256398."},
        {"id": 3, "card": "12", "note": "nothing here"},
    ]
    dead = rows_of(tmp_path / "out.dead_letters")
    assert [(each["reason"], each["step"], each["payloadString"]) for each in dead] == [
        ("ragged_line", "Read", "5,14,ragged,[EMAIL_ADDRESS]"),
        ("not_redacted", "Redact", '{"id":4,"card":"13","note":null}'),
    ]
    printed = "".join(capsys.readouterr())
    assert "rows dead" in printed
    for path in [*pathlib.Path(tmp_path).rglob("*"), None]:
        if path is not None and (path == trips or path.is_dir()):
            continue
        content = printed if path is None else path.read_bytes().decode(errors="replace")
        assert not [canary for canary in CANARIES if canary in content], path


def test_a_whole_cell_of_numbers_becomes_text(tmp_path):
    pq.write_table(pa.table({"n": [5, None, 6], "x": [1, 2, 3]}), tmp_path / "in.parquet")
    config = {
        "fields": [{"name": "n"}],
        "primitive_transformation": {"replace_config": {"new_value": {"string_value": "?"}}},
    }
    policy = {"deidentify_config": {"record_transformations": {"field_transformations": [config]}}}
    (tmp_path / "p.json").write_text(json.dumps(policy))
    source = tmp_path / "in.parquet"
    assert run(input=source, policy=tmp_path / "p.json", output=f"{tmp_path}/out/") == 0
    table = pq.read_table(tmp_path / "out")
    assert table.to_pydict() == {"n": ["?", None, "?"], "x": [1, 2, 3]}
    assert table.schema.field("n").type == pa.string()


def test_mistakes_stop_the_launcher(trips, policy, tmp_path, capsys):
    policy.write_text(POLICY.replace("EMAIL_ADDRESS", "PERSON_NAME").replace("[card]", "[cards]"))
    assert run(input=trips, policy=policy, output=f"{tmp_path}/out/") == 2
    assert "PERSON_NAME: needs a model" in capsys.readouterr().err
    policy.write_text(POLICY.replace("[card]", "[cards]"))
    assert run(input=trips, policy=policy, output=f"{tmp_path}/out/") == 2
    assert "no column 'cards'; did you mean 'card'?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
