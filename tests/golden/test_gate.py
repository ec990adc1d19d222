"""Scoring behind a gate: nothing is published of data that is not what it must be."""

import html
import json
import re

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from beam_jobs.score import main
from beam_jobs.validate import main as validate
from transforms.gate.places import read_anomalies


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "in.parquet"
    table = {"x": [1.0, 2.0, 3.0, 4.0], "y": [1.0] * 4, "name": ["a", "b", "c", "d"]}
    pq.write_table(pa.table(table), path)
    return path


@pytest.fixture
def schema(tmp_path):
    path = tmp_path / "schema.pbtxt"
    path.write_text(
        'feature { name: "x" type: FLOAT float_domain { max: 3 } }\n'
        'feature { name: "y" type: FLOAT }\n'
        'feature { name: "name" type: BYTES }\n'
        'feature { name: "label" type: INT presence { min_fraction: 1 } '
        'not_in_environment: "SERVING" }\n'
        'default_environment: "TRAINING"\ndefault_environment: "SERVING"\n'
    )
    return path


@pytest.fixture
def score(rows, schema, linear_model, tmp_path):
    def score(*argv, **options):
        options = {"schema": schema, "environment": "SERVING", **options}
        flags = [f"--{name}={value}" for name, value in options.items() if value is not None]
        where = [f"--input={rows}", f"--model={linear_model}", f"--output={tmp_path}/out/"]
        return main([*where, *flags, *argv])

    return score


def test_a_gate_that_says_no(score, tmp_path, capsys):
    assert score("--gate") == 3
    told = capsys.readouterr().err
    assert "nothing was published: the data is not what it must be: x: Out-of-range" in told
    assert f"What was found: {tmp_path}/out.validation" in told
    assert not (tmp_path / "out").exists()
    assert set(read_anomalies(f"{tmp_path}/out.validation").anomaly_info) == {"x"}
    assert "in.parquet#row=4" in (tmp_path / "out.validation/report.html").read_text()
    manifest = json.loads((tmp_path / "out.validation/_millrace/run.json").read_text())
    assert manifest["status"] == "refused"
    assert manifest["counts"]["findings"] == [
        {"severity": "ERROR", "feature": "x", "why": "Out-of-range values"}
    ]


def test_a_gate_shows_a_table_of_what_it_found(score, schema, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    schema.write_text(
        schema.read_text().replace('"name" type: BYTES', '"name" type: BYTES domain: "n"')
        + 'string_domain { name: "n" value: "a" value: "b" value: "c" }\n'
    )
    assert score("--gate", "--warn_only=ENUM_TYPE_UNEXPECTED_STRING_VALUES") == 3
    _, table = capsys.readouterr().err.split("score: what the gate found\n")
    assert [line.split(maxsplit=2) for line in table.splitlines()] == [
        ["ERROR", "x", "Out-of-range values: The greatest is 4.0; expected at most 3.0"],
        [
            "WARNING",
            "name",
            'Unexpected string values: Values are not in the schema: "d" (~25%)',
        ],
    ]
    report = html.unescape((tmp_path / "out.validation/report.html").read_text())
    assert "The greatest is 4.0; expected at most 3.0" in report


def test_a_gate_that_says_yes(score, schema, tmp_path, capsys):
    score("--gate")
    schema.write_text(schema.read_text().replace("max: 3", "max: 4"))
    assert score("--gate") == 0
    assert ds.dataset(tmp_path / "out").count_rows() == 4
    assert not read_anomalies(f"{tmp_path}/out.validation").anomaly_info, "those of the refused run"
    assert "findings" in capsys.readouterr().err


def test_what_a_gate_refuses_leaves_what_was_published(score, schema, tmp_path, capsys):
    text = schema.read_text()
    schema.write_text(text.replace("max: 3", "max: 4"))
    assert score("--gate") == 0
    schema.write_text(text)
    assert score("--gate", "--overwrite", run_id="again") == 3
    assert f"manifest      {tmp_path}/out.validation.again/_millrace" in capsys.readouterr().err
    assert ds.dataset(tmp_path / "out").count_rows() == 4
    assert not read_anomalies(f"{tmp_path}/out.validation").anomaly_info
    assert read_anomalies(f"{tmp_path}/out.validation.again").anomaly_info


def test_without_a_gate_only_types_are_taken_from_the_schema(score, tmp_path):
    assert score(environment=None) == 0
    assert not (tmp_path / "out.validation").exists()


def test_the_environment_counts(score, tmp_path, capsys):
    assert score("--gate", environment="TRAINING") == 3
    assert "label: Column dropped" in capsys.readouterr().err


def test_drift_against_a_reference(score, rows, schema, tmp_path, capsys):
    assert validate([f"--input={rows}", f"--output={tmp_path}/train/"]) == 0
    drift = "float_domain { max: 9 } drift_comparator { jensen_shannon_divergence { threshold: 0 }}"
    schema.write_text(schema.read_text().replace("float_domain { max: 3 }", drift))
    assert score("--gate", reference=f"{tmp_path}/train") == 0
    table = pq.read_table(rows)
    pq.write_table(table.set_column(0, "x", pa.array([1.0, 1.0, 1.0, 1.0])), rows)
    assert score("--gate", "--overwrite", reference=f"{tmp_path}/train") == 3
    assert "x: High approximate Jensen-Shannon divergence" in capsys.readouterr().err


def test_rows_that_break_rules_are_dead_letters_and_columns_are_for_the_gate(
    score, tmp_path, capsys
):
    rules = tmp_path / "rules.yaml"
    rules.write_text("- row: x < 4\n- unique: y\n- column: mean(x) < 2\n")
    flags = {"rules": rules, "schema": None, "environment": None}
    assert score(**flags) == 2
    assert "'mean(x) < 2' is about a whole column: it needs --gate" in capsys.readouterr().err
    assert score("--gate", **flags) == 3
    assert "rule mean(x) < 2: Does not hold" in capsys.readouterr().err
    rules.write_text("- row: x < 4\n- unique: y\n- column: mean(x) < 3\n")
    assert score("--gate", **flags) == 0
    assert ds.dataset(tmp_path / "out").to_table()["x"].to_pylist() == [1.0]
    letters = (tmp_path / "out.dead_letters").glob("*.jsonl")
    lines = "".join(path.read_text() for path in letters).splitlines()
    reasons = [json.loads(line)["reason"] for line in lines]
    assert sorted(reasons) == ["duplicate", "duplicate", "rule_violated"]


def test_rules_that_only_warn_are_for_the_gate_and_reject_nothing(score, tmp_path, capsys):
    rules = tmp_path / "rules.yaml"
    lines = ("row: x < 4", "unique: y")
    rules.write_text("".join(f"- {{{line}, severity: warning}}\n" for line in lines))
    flags = {"rules": rules, "schema": None, "environment": None}
    assert score(**flags) == 2
    assert "--rules: 'x < 4' only warns: it needs --gate" in capsys.readouterr().err
    assert score("--gate", **flags) == 0
    assert ds.dataset(tmp_path / "out").count_rows() == 4
    manifest = json.loads((tmp_path / "out/_millrace/run.json").read_text())
    assert [(f["severity"], f["feature"]) for f in manifest["counts"]["findings"]] == [
        ("WARNING", "rule unique(y)"),
        ("WARNING", "rule x < 4"),
    ]


def test_kinds_that_only_warn_let_the_gate_open(score, tmp_path, capsys):
    assert score("--gate", warn_only="FLOAT_TYPE_BIG_FLOAT") == 0
    assert re.search(r"findings .*out.validation .*\n +warnings +1\n", capsys.readouterr().err)
    assert ds.dataset(tmp_path / "out").count_rows() == 4
    info = read_anomalies(f"{tmp_path}/out.validation").anomaly_info["x"]
    assert info.severity == info.WARNING


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--warn_only=SCHEMA_NEW_COLUMN", "--environment="], "--warn_only is for --gate"),
        (["--gate", "--schema="], "--gate needs --schema or --rules"),
        (["--reference=x", "--environment="], "--reference is for --gate"),
        (["--examples=full", "--environment="], "--examples is for --gate"),
        (
            ["--gate", "--environment=SERVNG"],
            "'SERVNG' is not in the schema; did you mean 'SERVING'?",
        ),
        (["--code=x.py", "--environment="], "--code defines functions that nothing names"),
    ],
)
def test_options_that_do_not_fit(score, tmp_path, capsys, flags, why):
    assert score(*flags) == 2
    assert why in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
