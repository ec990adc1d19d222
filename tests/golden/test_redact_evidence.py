"""What the redact job stores besides rows: the report, findings, audits; and its dry run."""

import json

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from beam_jobs import redact
from tests.golden.planted import leaks

POLICY = """
columns: {structured: [card], leave: [id]}
inspect_config:
  info_types: [{name: EMAIL_ADDRESS}, {name: PHONE_NUMBER}, {name: CREDIT_CARD_NUMBER}]
deidentify_config:
  info_type_transformations:
    transformations:
      - info_types: [{name: CREDIT_CARD_NUMBER}, {name: PHONE_NUMBER}]
        primitive_transformation:
          crypto_replace_ffx_fpe_config:
            crypto_key: "env:CARD_KEY"
            common_alphabet: NUMERIC
            surrogate_info_type: {name: TOKEN}
"""
NOTES = (
    "write to bob@example.com",
    "My phone number is 4359916732.",
    None,
    "call (415) 555-0132 or amy@example.org",
)
CARDS = ("4111111111111111", None, "4111111111111111", "12")


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("CARD_KEY", "YWJjZGVmZ2hpamtsbW5vcA==")


@pytest.fixture
def given(tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "p.yaml").write_text(POLICY)
    table = pa.table({"id": [1, 2, 3, 4], "card": CARDS, "note": NOTES})
    pq.write_table(table, folder / "in.parquet")
    return folder


def run(given, tmp_path, *argv, **named):
    named = {"input": given / "in.parquet", "policy": given / "p.yaml", **named}
    named.setdefault("output", f"{tmp_path}/left/out/")
    return redact.main([*(f"--{name}={value}" for name, value in named.items()), *argv])


def rows(folder):
    found = ds.dataset(folder).to_table().to_pylist()
    return sorted(found, key=lambda row: row["id"])


def test_the_report(given, tmp_path, capsys):
    assert run(given, tmp_path) == 0
    left = tmp_path / "left"
    page = (left / "out.redaction/report.html").read_text()
    for text in (
        "crypto replace ffx fpe",
        "left: no transformation",
        "EMAIL_ADDRESS",
        "aaa@aaaaaaa.aaa",
        "9999999999999999",
        "not looked through: id.",
        "<dt>Rows rejected</dt><dd>1</dd>",
    ):
        assert text in page, text
    told = capsys.readouterr().err
    assert "out.redaction (1 file" in told.replace("evidence", "")
    # E-mails have no transformation: the policy leaves them in rows, and nothing else shows them.
    assert {path.rpartition("left/")[2].partition("/")[0] for path in leaks(left)} <= {
        "out",
        "out.dead_letters",
    }


def test_a_report_elsewhere_and_none_of_a_preview(given, tmp_path, capfd):
    assert run(given, tmp_path, report=f"{tmp_path}/told/", output="stdout:") == 0
    assert (tmp_path / "told/report.html").exists()
    assert run(given, tmp_path, output="stdout:") == 0
    assert "TOKEN(16):" in capfd.readouterr().out
    assert run(given, tmp_path, report=f"{tmp_path}/one.html") == 2


def test_findings_have_no_quotes_unless_they_are_asked_for(given, tmp_path):
    assert run(given, tmp_path, findings=f"{tmp_path}/found/") == 0
    found = ds.dataset(tmp_path / "found").to_table().to_pylist()
    assert sorted((each["column"], each["row"], each["info_type"]) for each in found) == [
        ("card", 0, "CREDIT_CARD_NUMBER"),
        ("card", 2, "CREDIT_CARD_NUMBER"),
        ("note", 0, "EMAIL_ADDRESS"),
        ("note", 1, "PHONE_NUMBER"),
        ("note", 3, "EMAIL_ADDRESS"),
        ("note", 3, "PHONE_NUMBER"),
    ]
    assert {each["quote"] for each in found} == {None}
    assert found[0]["source"].endswith("in.parquet#row=1")
    assert len(rows(tmp_path / "left/out")) == 3
    asked = {"findings": f"{tmp_path}/quoted.jsonl", "output": f"{tmp_path}/again/"}
    assert run(given, tmp_path, "--with_quotes", **asked) == 0
    lines = (tmp_path / "quoted.jsonl").read_text().splitlines()
    assert "(415) 555-0132" in {json.loads(line)["quote"] for line in lines}


def test_there_and_back_with_an_audit_record(given, tmp_path, capsys):
    assert run(given, tmp_path) == 0
    hidden = tmp_path / "left/out"
    assert rows(hidden)[0]["card"].startswith("TOKEN(16):")
    back = {"input": f"{hidden}/", "output": f"{tmp_path}/back/"}
    assert run(given, tmp_path, "--reidentify", **back) == 2
    assert "--reidentify needs --reason" in capsys.readouterr().err
    assert run(given, tmp_path, reason="x", **back) == 2
    assert "--reason is for --reidentify" in capsys.readouterr().err
    asked = {"reason": "TICKET-7", "who": "ada@example.com", "run_id": "r1"}
    assert run(given, tmp_path, "--reidentify", **asked, **back) == 0
    expected = zip((1, 2, 3), CARDS, NOTES, strict=False)
    assert [tuple(row.values()) for row in rows(tmp_path / "back")] == list(expected)
    record = json.loads((tmp_path / "back.redaction/audit.json").read_text())
    when, by = record.pop("when"), record.pop("launched_by")
    assert when[:2] == "20"
    assert "@" in by
    assert record == {
        "who": "ada@example.com",
        "why": "TICKET-7",
        "run_id": "r1",
        "policy": f"{given}/p.yaml",
        "input": f"{hidden}/",
        "output": f"{tmp_path}/back/",
        "rows": 3,
        "rows_rejected": 0,
        "values_by_column": {"card": 2, "note": 1},
    }
    evidence = "".join(path.read_text() for path in (tmp_path / "back.redaction").glob("*.*"))
    assert "4111111111111111" not in evidence
    assert "4359916732" not in evidence


def test_tokens_of_another_key_are_told_of(given, tmp_path, monkeypatch):
    (given / "p.yaml").write_text(
        POLICY.partition("inspect_config")[0].replace("structured: [card], ", "")
        + """
deidentify_config:
  record_transformations:
    field_transformations:
      - fields: [{name: card}]
        primitive_transformation:
          crypto_replace_ffx_fpe_config: {crypto_key: "env:CARD_KEY", common_alphabet: NUMERIC}
"""
    )
    pq.write_table(pa.table({"id": [1, 2], "card": ["123456", "none"]}), given / "in.parquet")
    asked = {"reason": "why", "who": "me"}
    assert run(given, tmp_path, "--reidentify", **asked) == 0
    left = tmp_path / "left"
    (letter,) = [
        json.loads(line)
        for path in (left / "out.dead_letters").glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert (letter["reason"], letter["column"]) == ("not_reidentified", "card")
    assert letter["payloadString"] == '{"id":2,"card":"none"}'
    assert json.loads((left / "out.redaction/audit.json").read_text())["rows_rejected"] == 1


def test_a_dry_run_tells_what_cloud_dlp_would_take(given, tmp_path, capsys, monkeypatch):
    assert run(given, tmp_path, "--dry_run") == 0
    assert "not asked: the policy's engine is local" in capsys.readouterr().out
    (given / "p.yaml").write_text(f"engine: cloud\nproject: p\n{POLICY}")
    texts = [f"{number:0100d}" for number in range(20_000)]
    table = pa.table({"id": texts, "card": texts, "note": texts})
    pq.write_table(table, given / "in.parquet", row_group_size=1_000, use_dictionary=False)
    assert run(given, tmp_path, "--dry_run") == 0
    whole = _estimated(capsys.readouterr().out)
    monkeypatch.setattr("beam_jobs.privacy.price.SAMPLE_BYTES", 1_000_000)
    assert run(given, tmp_path, "--dry_run") == 0
    told = capsys.readouterr().out
    assert "estimated from 8,192 rows" in told
    part = _estimated(told)
    assert 4_000_000 < whole["bytes"] < 4_800_000
    assert 9 <= whole["requests"] <= 11
    assert part["bytes"] == pytest.approx(whole["bytes"], rel=0.1)
    assert not (tmp_path / "left").exists()


def _estimated(told):
    lines = [line.split() for line in told[told.index("Cloud DLP") :].splitlines()[1:4]]
    return {line[0]: float(line[-1].replace(",", "").lstrip("$")) for line in lines}


@pytest.mark.parametrize(("k", "code"), [(2, 0), (3, 3)])
def test_rows_that_hide_worse_than_is_asked_are_not_published(given, tmp_path, capsys, k, code):
    table = {"zip": ["1", "1", "2", "2", "2"], "note": ["a@x.org", "b@x.org", "c", "c", "d@x.org"]}
    pq.write_table(pa.table(table), given / "in.parquet")
    (given / "p.yaml").write_text(POLICY.replace("structured: [card], leave: [id]", ""))
    assert run(given, tmp_path, quasi_identifiers="zip", k=k, sensitive="note") == code
    told = capsys.readouterr().err
    why = "k-anonymity is 2, and 3 is asked for: 2 of 5 rows are in 1 classes"
    assert (why in told) == (k == 3)
    assert (tmp_path / "left/out").exists() == (k == 2)
    where = "out" if k == 2 else "out.redaction"
    counts = json.loads((tmp_path / f"left/{where}/_millrace/run.json").read_text())["counts"]
    assert counts["measures"] == {
        "k-anonymity": 2,
        "k-anonymity, classes": 2,
        "l-diversity of note": 2,
        "l-diversity of note, classes": 2,
    }
    assert "k-anonymity" in told
    assert "@x.org" not in told


def test_options_about_hiding_that_do_nothing(given, tmp_path, capsys):
    for flags, why in (
        ({"k": 2}, "--k needs --quasi_identifiers"),
        ({"quasi_identifiers": "card", "l": 2}, "--l needs --sensitive"),
        ({"quasi_identifiers": "cards"}, "no column 'cards'; did you mean 'card'?"),
    ):
        assert run(given, tmp_path, **flags) == 2
        assert why in capsys.readouterr().err
