"""Google's samples, through the emulator and its official client, and by the local engine."""

import json
import re
import subprocess
import sys

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.json
import pyarrow.parquet as pq
import pytest

from beam_jobs import redact
from examples import dlp_quick_start
from tests.integration.test_cloud_dlp import emulator
from tests.support import shared_data

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

KEY = "env:CARDS_KEY"
ID = re.compile(r"\b:\d{16}")
NAMES = {
    "CardNumber": "Card Number",
    "CardHolderName": "Card Holder's Name",
    "CardPIN": "Card PIN",
    "AdditionalDetails": "Additional Details",
}
"""The records are JSON; the template's names are those of the table that they came from."""


def test_the_quick_start_as_it_is_documented():
    with emulator() as said:
        command = [sys.executable, "-m", "examples.dlp_quick_start"]
        done = subprocess.run(
            command, capture_output=True, text=True, env={"DLP_EMULATOR_HOST": said[0]}, check=True
        )
        client = dlp_quick_start.connect(said[0])
        found = dlp_quick_start.inspect(client, dlp_quick_start.INSPECT)
        request = json.loads(dlp_quick_start.REDACT)
        request["item"]["value"] = "nothing here"
        kept = dlp_quick_start.redact(client, json.dumps(request))
    assert [(name, quote) for name, _, quote in found] == [
        ("PHONE_NUMBER", "(415) 555-0132"),
        ("EMAIL_ADDRESS", "ada@example.com"),
    ]
    assert kept == "nothing here"
    lines = done.stdout.splitlines()
    assert lines[-1] == "Ring me at [PHONE_NUMBER] or write to [EMAIL_ADDRESS]."
    assert [line.split()[0] for line in lines[:-1]] == ["PHONE_NUMBER", "EMAIL_ADDRESS"]


def template(name):
    """Returns one of the sample's templates, with a key of ours for the one that it leaves out."""
    text = shared_data("pii", "dlp_dataflow_sample", f"{name}-template.json").read_text()
    wrapped = re.compile(r'"cryptoKey": \{\s*"kmsWrapped": \{[^}]*\}\s*\}')
    return json.loads(wrapped.sub(f'"cryptoKey": "{KEY}"', text))


def policies(folder, engine):
    """Writes the policy of the templates, and that of the template for the way back."""
    inspect, there, back = (template(name) for name in ("inspect", "deid", "reid"))
    head = {"engine": engine}
    (folder / "there.json").write_text(json.dumps({**inspect, **there, **head}))
    (folder / "back.json").write_text(json.dumps({**back, **head}))


@pytest.fixture
def cards(tmp_path, monkeypatch):
    """Returns the card records as a table of the template's columns."""
    monkeypatch.setenv("CARDS_KEY", "YWJjZGVmZ2hpamtsbW5vcA==")
    table = pa.json.read_json(shared_data("pii", "dlp_dataflow_sample", "CCRecords_sample.jsonl"))
    table = table.rename_columns([NAMES.get(name, name) for name in table.column_names])
    pq.write_table(table, tmp_path / "cards.parquet")
    return table


def run(folder, policy, source, output, **flags):
    named = {"policy": folder / f"{policy}.json", "input": source, "output": output, **flags}
    argv = [f"--{name}={value}" for name, value in named.items()]
    assert redact.main([*argv, *(["--reidentify"] if "who" in flags else [])]) == 0
    return ds.dataset(output.rstrip("/")).to_table()


@pytest.mark.parametrize("engine", ["local", "cloud"])
def test_the_card_records_there_and_back(tmp_path, cards, monkeypatch, engine, capfd):
    """De-identified by the sample's templates, re-identified by its third, equal to the input."""
    policies(tmp_path, engine)
    with emulator() as said:
        monkeypatch.setenv("DLP_EMULATOR_HOST", said[0])
        hidden = run(tmp_path, "there", tmp_path / "cards.parquet", f"{tmp_path}/hidden/")
        rows = hidden.to_pylist()
        was = cards.to_pylist()
        assert len(rows) == len(was) == 10
        check_hidden(rows, was)
        # As BigQuery names them, and the third template.
        names = [re.sub(r"\W", "_", name).replace("_s_Name", "s_Name") for name in NAMES.values()]
        back = dict(zip(NAMES.values(), names, strict=True))
        stored = hidden.rename_columns([back.get(name, name) for name in hidden.column_names])
        pq.write_table(stored, tmp_path / "stored.parquet")
        asked = {"who": "ada", "reason": "the test"}
        shown = run(tmp_path, "back", tmp_path / "stored.parquet", f"{tmp_path}/shown/", **asked)
    assert shown["Card_Number"].to_pylist() == cards["Card Number"].to_pylist()
    assert shown["Card_Holders_Name"].to_pylist() == cards["Card Holder's Name"].to_pylist()
    assert int(said[1].split()[0]) == 0 if engine == "local" else int(said[1].split()[0]) >= 2
    told = "".join(capfd.readouterr())
    assert not [row["Card Number"] for row in was if row["Card Number"] in told]


def check_hidden(rows, was):
    """Checks what the template asks for, column by column."""
    executive = {"CEO", "CIO", "Vice President"}
    for row, before in zip(rows, was, strict=True):
        assert row["Card Number"] != before["Card Number"]
        assert row["Card Holder's Name"] != before["Card Holder's Name"]
        assert len(row["Card PIN"]) == 44
        assert row["SSN"] == "***-**" + before["SSN"][6:]
        assert row["Age"] in {"20", "30", "40", "50", "60"} | {before["Age"]}
        titles = {"Software Engineer": "Engineer", "Product Manager": "Manager"}
        titles |= dict.fromkeys(executive, "Executive")
        assert row["JobTitle"] == titles.get(before["JobTitle"], before["JobTitle"])
        details = row["Additional Details"]
        assert ("[EMAIL_ADDRESS]" in details) == ("@" in before["Additional Details"])
        assert ("[ONLINE_USER_ID]" in details) == bool(ID.search(before["Additional Details"]))
        assert "@" not in details
        assert not ID.search(details)
        for name in ("ID", "CardTypeCode", "IssuingBank", "CreditLimit"):
            assert row[name] == before[name]
