"""Jobs with a policy: a planted value is in nothing that a run with faults leaves or says."""

import json

import pyarrow.dataset as ds
import pytest

from beam_jobs import ingest, score, validate
from tests.golden.planted import POLICY, ROWS, Watch, leaks

RULES = """
rules:
  - row: note is null or not (note matches 'bad')
    name: not_bad
"""
JUDGING = f"""{RULES}
  - column: max(name) < 'a' and count(name) > 0
    severity: warning
  - unique: [card]
    severity: warning
"""


@pytest.fixture
def watch(monkeypatch, capfd, caplog):
    return Watch(monkeypatch, capfd, caplog)


@pytest.fixture
def given(tmp_path):
    """Returns where the rows, the policy and the rules are, beside what jobs write."""
    folder = tmp_path / "given"
    folder.mkdir()
    contents = {
        "in.csv": "\n".join(ROWS) + "\n",
        "p.yaml": POLICY,
        "rules.yaml": RULES,
        "judging.yaml": JUDGING,
    }
    for name, content in contents.items():
        (folder / name).write_text(content)
    return folder


def flags(given, tmp_path, *more, **named):
    named = {"input": given / "in.csv", "policy": given / "p.yaml", **named}
    named.setdefault("output", f"{tmp_path}/left/out/")
    return [*(f"--{name}={value}" for name, value in named.items()), *more]


def letters(folder):
    paths = sorted(folder.glob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def test_ingest(given, tmp_path, watch):
    left = tmp_path / "left"
    assert ingest.main(flags(given, tmp_path)) == 0
    found = {row["id"]: row for row in ds.dataset(left / "out").to_table().to_pylist()}
    assert found[1] == {
        "id": 1,
        "x": "1.5",
        "y": 2,
        "name": "[EMAIL_ADDRESS]",
        "card": "************1111",
        "note": "write to [EMAIL_ADDRESS]",
    }
    assert found[2]["x"] == "[EMAIL_ADDRESS]"
    assert sorted(found) == [1, 2, 4, 5, 6, 7]
    (letter,) = letters(left / "out.dead_letters")
    assert letter["payloadString"] == (
        "3,3,4,ragged,[CREDIT_CARD_NUMBER],[PHONE_NUMBER],[EMAIL_ADDRESS]"
    )
    assert not leaks(left, said=watch.said())
    assert watch.counted


def test_replayed_rows(given, tmp_path, watch):
    left = tmp_path / "left"
    schema = given / "schema.json"
    schema.write_text(json.dumps([{"name": "name", "type": "STRING"}]))
    (given / "p.yaml").write_text(POLICY.replace("[card]", "[]").replace("[name, note]", "[name]"))
    broken = [{"payloadString": '{"name": "bob@example.com"}'}, {"payloadString": "{555-0132"}]
    (given / "dead.jsonl").write_text("\n".join(map(json.dumps, broken)))
    told = flags(given, tmp_path, "--replay", input=given / "dead.jsonl", schema=schema)
    assert ingest.main(told) == 0
    rows = ds.dataset(left / "out").to_table().to_pylist()
    assert [row["name"] for row in rows] == ["[EMAIL_ADDRESS]"]
    assert [letter["reason"] for letter in letters(left / "out.dead_letters")] == ["unparsable"]
    assert not leaks(left, said=watch.said())


def test_score(given, tmp_path, linear_model, watch):
    left = tmp_path / "left"
    told = flags(given, tmp_path, model=linear_model, rules=given / "rules.yaml")
    assert score.main(told) == 0
    rows = ds.dataset(left / "out").to_table().to_pylist()
    assert [(row["id"], row["score"], row["shout"]) for row in rows] == [
        (1, 5.0, "[EMAIL_ADDRESS]"),
        (7, 6.0, "G"),
    ]
    dead = letters(left / "out.dead_letters")
    assert sorted((each["step"], each["reason"]) for each in dead) == [
        ("Read", "ragged_line"),
        ("Read", "unparsable"),
        ("Score", "missing_value"),
        ("Score", "model_error"),
        ("Validate", "rule_violated"),
    ]
    assert all(each["payloadString"] for each in dead)
    assert not leaks(left, said=watch.said())


def test_score_keeps_columns_after_it_redacted(given, tmp_path, linear_model, watch):
    told = flags(given, tmp_path, model=linear_model, keep_columns="note,id")
    assert score.main(told) == 0
    table = ds.dataset(tmp_path / "left/out").to_table()
    assert table.column_names == ["note", "id", "score", "shout", "model_version"]
    assert table.column("note").to_pylist()[0] == "write to [EMAIL_ADDRESS]"
    assert not leaks(tmp_path / "left", said=watch.said())


@pytest.mark.parametrize("examples", ["masked", "full"])
def test_score_behind_a_gate(given, tmp_path, linear_model, watch, examples):
    """What the gate makes is of redacted rows; a refused run publishes nothing else."""
    left = tmp_path / "left"
    schema = given / "s.pbtxt"
    schema.write_text(
        'feature { name: "x" type: FLOAT float_domain { max: 1 } }\n'
        'feature { name: "note" type: BYTES domain: "n" }\n'
        'string_domain { name: "n" value: "fine" }\n'
    )
    told = flags(
        given,
        tmp_path,
        "--gate",
        model=linear_model,
        rules=given / "judging.yaml",
        schema=schema,
        examples=examples,
    )
    assert score.main(told) == 3
    report = (left / "out.validation/report.html").read_text()
    assert "in.csv#line=2" in report
    assert "[EMAIL_ADDRESS]" in report
    assert not leaks(left, said=watch.said())


@pytest.mark.parametrize("examples", ["masked", "full"])
def test_validate(given, tmp_path, watch, examples):
    left = tmp_path / "left"
    schema = given / "s.pbtxt"
    schema.write_text(
        'feature { name: "x" type: BYTES domain: "n" }\n'
        'feature { name: "note" type: BYTES domain: "n" }\n'
        'string_domain { name: "n" value: "fine" }\n'
    )
    told = flags(
        given,
        tmp_path,
        "--infer_schema",
        rules=given / "judging.yaml",
        schema=schema,
        examples=examples,
        slices="note",
    )
    assert validate.main(told) == 3
    places = {path.name for path in (left / "out").iterdir()}
    assert {"report.html", "FeatureStats.pb", "FeatureStats.arrow", "schema.pbtxt"} <= places
    report = (left / "out/report.html").read_text()
    assert "write to [EMAIL_ADDRESS]" in report
    assert "not_bad" in report
    assert "[EMAIL_ADDRESS]" in (left / "out/schema.pbtxt").read_text()
    assert not leaks(left, said=watch.said())


def test_the_planted_values_would_be_found(given, tmp_path, linear_model, watch):
    """Without a policy they are everywhere: so the search for them can fail."""
    plain = [each for each in flags(given, tmp_path) if not each.startswith("--policy")]
    assert validate.main(plain) == 0
    found = leaks(tmp_path / "left", said=watch.said())
    assert {path.rpartition("/")[2] for path in found} >= {
        "report.html",
        "FeatureStats.pb",
        "FeatureStats.arrow",
    }


def test_a_refused_run_says_no_value(given, tmp_path, watch):
    assert ingest.main(flags(given, tmp_path, max_rejected_fraction=0)) == 3
    said = watch.said()
    assert "more than --max_rejected_fraction=0 allows" in said
    assert not leaks(tmp_path / "left", said=said)


def test_a_reference_of_unredacted_rows_is_refused(given, tmp_path, capsys):
    schema = given / "s.pbtxt"
    schema.write_text('feature { name: "note" type: BYTES }\n')
    plain = [f"--input={given}/in.csv", f"--schema={schema}"]
    assert validate.main([*plain, f"--output={tmp_path}/raw/"]) in (0, 3)
    told = flags(given, tmp_path, schema=schema, reference=tmp_path / "raw")
    assert validate.main(told) == 2
    assert "was not made with --policy" in capsys.readouterr().err
    kept = flags(given, tmp_path, schema=schema, output=f"{tmp_path}/kept/")
    assert validate.main(kept) in (0, 3)
    assert validate.main(flags(given, tmp_path, schema=schema, reference=tmp_path / "kept")) in (
        0,
        3,
    )


def test_a_policy_that_does_not_fit_stops_the_launcher(given, tmp_path, linear_model, capsys):
    (given / "p.yaml").write_text(POLICY.replace("[card]", "[cards]"))
    for main, more in (
        (ingest.main, {}),
        (validate.main, {}),
        (score.main, {"model": linear_model}),
    ):
        assert main(flags(given, tmp_path, **more)) == 2
        assert "no column 'cards'; did you mean 'card'?" in capsys.readouterr().err
    merged = flags(given, tmp_path, "--merge", input=given)
    assert validate.main(merged) == 2
    assert "--policy is about rows" in capsys.readouterr().err
