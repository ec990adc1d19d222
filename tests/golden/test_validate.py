"""The validate job on real and on odd data: files that TFDV reads, a table, and an exit code."""

import json
import re
from decimal import Decimal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from beam_jobs import validate
from tests.support import shared_data
from tests.transforms.statistics.test_feature import alike
from transforms.gate.places import read_statistics
from transforms.row_checks.checks import Checks
from transforms.schema import read_metadata
from transforms.statistics import state
from transforms.statistics.collect import statistics_of


def run(**flags):
    return validate.main([f"--{name}={value}" for name, value in flags.items()])


def anomalies(folder):
    return anomalies_pb2.Anomalies.FromString((folder / "SchemaDiff.pb").read_bytes())


@pytest.fixture
def trips(tmp_path):
    rows = {"fare": [1.0, 2.5, None, 4.0], "payment": ["Cash", "Card", "Cash", "Cash"]}
    pq.write_table(pa.table(rows), tmp_path / "trips.parquet")
    return tmp_path / "trips.parquet"


@pytest.fixture
def schema(tmp_path):
    path = tmp_path / "schema.pbtxt"
    path.write_text(
        'feature { name: "fare" type: FLOAT presence { min_fraction: 0.5 } }\n'
        'feature { name: "payment" type: BYTES domain: "kinds" }\n'
        'string_domain { name: "kinds" value: "Cash" value: "Card" }\n'
    )
    return path


def test_real_data_from_inference_to_the_gate(tmp_path, capsys):
    """TFDV finds the same anomalies: see tfdv_goldens."""
    train, evaluation = (shared_data("taxi_split", f"{name}.csv") for name in ("train", "eval"))
    assert run(input=train, output=f"{tmp_path}/train/", infer_schema="true") == 0
    code = run(
        input=evaluation,
        output=f"{tmp_path}/eval/",
        schema=f"{tmp_path}/train/schema.pbtxt",
        reference=f"{tmp_path}/train",
    )
    assert code == 3
    golden = shared_data("tfdv_goldens", "1.16.1", "anomalies_eval_vs_inferred.pbtxt").read_text()
    expected = text_format.Parse(golden, anomalies_pb2.Anomalies()).anomaly_info
    found = anomalies(tmp_path / "eval").anomaly_info
    assert {path: found[path].severity for path in found} == {
        path: expected[path].severity for path in expected
    }
    told = capsys.readouterr().err
    assert "2 anomalies, 2 of them errors" in told
    assert "ERROR  payment_type" in told
    assert '"Prcard" (<1%)' in told, "the table says what the report says"
    assert "Prcard" not in (tmp_path / "eval/_millrace/run.json").read_text()
    rows = pyarrow.csv.read_csv(
        evaluation, convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True)
    )
    made = read_statistics(f"{tmp_path}/eval")
    assert made.datasets[0].num_examples == rows.num_rows


def test_what_it_writes(trips, tmp_path):
    out = tmp_path / "out"
    assert run(input=trips, output=f"{out}/", infer_schema="true", slices="payment") == 0
    assert {path.name for path in out.iterdir()} == {
        "FeatureStats.pb",
        "FeatureStats.arrow",
        "schema.pbtxt",
        "report.html",
        "_millrace",
    }
    assert "payment" in (out / "report.html").read_text()
    made = statistics_pb2.DatasetFeatureStatisticsList.FromString(
        (out / "FeatureStats.pb").read_bytes()
    )
    names = [data.name for data in made.datasets]
    assert sorted(names) == ["All Examples", "payment_Card", "payment_Cash"]
    assert made.datasets[0] == statistics_of(pq.read_table(trips).to_batches()).datasets[0]
    assert [feature.name for feature in read_metadata(f"{out}/schema.pbtxt").feature] == [
        "fare",
        "payment",
    ]
    with pa.ipc.open_file(out / "FeatureStats.arrow") as reader:
        assert state.from_batches([reader.get_batch(0)]).keys() == set(names)
    manifest = json.loads((out / "_millrace/run.json").read_text())
    assert manifest["counts"]["rows_in"] == 4
    (output,) = (each for each in manifest["outputs"] if not each["dead_letters"])
    assert {file["path"].rpartition("/")[2] for file in output["files"]} == {
        "FeatureStats.pb",
        "FeatureStats.arrow",
        "schema.pbtxt",
        "report.html",
    }


def test_no_anomalies(trips, schema, tmp_path, capsys):
    assert run(input=trips, output=f"{tmp_path}/out/", schema=schema) == 0
    assert "validate: no anomalies" in capsys.readouterr().err
    assert not anomalies(tmp_path / "out").anomaly_info


def test_kinds_of_anomalies_that_only_warn(trips, schema, tmp_path, capsys):
    rows = pq.read_table(trips).append_column("more", pa.array([1, 2, 3, 4]))
    pq.write_table(rows, trips)
    flags = {"input": trips, "schema": schema, "overwrite": "true"}
    assert run(output=f"{tmp_path}/out/", **flags) == 3
    capsys.readouterr()
    kinds = "SCHEMA_NEW_COLUMN,SCHEMA_MISSING_COLUMN"
    assert run(output=f"{tmp_path}/out/", warn_only=kinds, **flags) == 0
    assert re.search(r"WARNING +more +New column", capsys.readouterr().err)
    (info,) = anomalies(tmp_path / "out").anomaly_info.values()
    assert info.severity == anomalies_pb2.AnomalyInfo.WARNING
    assert run(output=f"{tmp_path}/out/", warn_only="SCHEMA_NEW_COLUM", **flags) == 2
    why = "--warn_only: 'SCHEMA_NEW_COLUM' is no kind of anomaly; did you mean SCHEMA_NEW_COLUMN?"
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("examples", ["masked", "full"])
def test_rows_with_times_that_python_has_none_for(tmp_path, rules, examples, capsys):
    rows = {
        "t": pa.array([2**60, 0], pa.timestamp("us")),
        "d": pa.array([2**31 - 1, 0], pa.int32()).cast(pa.date32()),
        "zone": pa.array([1, 2], pa.timestamp("ns", "No/Where")),
        "(row)": [1, 2],
        "x": [9.0, 1.0],
    }
    pq.write_table(pa.table(rows), tmp_path / "in.parquet")
    rules.write_text("- row: x < 5\n- row: t < '2030-01-01'\n- column: max(t) < '2030-01-01'\n")
    flags = {"input": f"{tmp_path}/in.parquet", "rules": rules, "examples": examples}
    assert run(output=f"{tmp_path}/out/", **flags) == 3
    told = capsys.readouterr().err
    assert "3 anomalies, 3 of them errors" in told
    assert "2147483647" not in told
    page = (tmp_path / "out/report.html").read_text()
    assert page.count("in.parquet#row=1") >= 2
    assert ("value out of range" in page) == (examples == "full")


@pytest.mark.parametrize(
    ("prices", "low"),
    [
        (pa.array([Decimal(900), Decimal(901)], pa.decimal128(10, 2)), "100"),
        (pa.array([900, 901], pa.duration("s")), "100"),
        (pa.array([b"ab", b"cd"], pa.binary(2)), "'aa'"),
    ],
)
def test_rules_about_what_a_schema_was_inferred_of(tmp_path, rules, prices, low, capsys):
    pq.write_table(pa.table({"price": prices}), tmp_path / "in.parquet")
    flags = {"input": f"{tmp_path}/in.parquet"}
    assert run(output=f"{tmp_path}/o/", infer_schema="true", **flags) == 0
    rules.write_text(f"- row: price = {low}\n- column: max(price) = {low}\n")
    for schema in ({}, {"schema": f"{tmp_path}/o/schema.pbtxt"}):
        out = f"{tmp_path}/out{len(schema)}/"
        assert run(output=out, rules=rules, **flags, **schema) == 3
        assert f"rule price = {low}" in capsys.readouterr().err
    read = read_metadata(f"{tmp_path}/o/schema.pbtxt")
    (batch,) = pq.read_table(tmp_path / "in.parquet").to_batches()
    assert not Checks.of(read).faults(batch)


def test_rules_that_only_warn(trips, tmp_path, rules, capsys):
    lines = [f"- {{{rule}, severity: warning}}" for rule in ("row: fare < 3", "unique: payment")]
    rules.write_text("\n".join([*lines, "- {column: max(fare) < 4, severity: warning}"]))
    assert run(input=trips, output=f"{tmp_path}/out/", rules=rules) == 0
    told = capsys.readouterr().err
    assert "3 anomalies, 0 of them errors" in told
    assert re.search(r"WARNING +rule fare < 3 +Broken by 1 of 4 rows", told)
    assert re.search(r"WARNING +rule unique\(payment\) +Key repeated in 2 of 4 rows", told)
    assert re.search(r"WARNING +rule max\(fare\) < 4 +Does not hold", told)
    assert "trips.parquet#row=4" in (tmp_path / "out/report.html").read_text()


def test_without_rows(tmp_path, schema, capsys):
    empty = pa.table({"fare": pa.array([], pa.float64()), "payment": pa.array([], pa.string())})
    pq.write_table(empty, tmp_path / "empty.parquet")
    code = run(input=f"{tmp_path}/empty.parquet", output=f"{tmp_path}/out/", schema=schema)
    assert code == 3
    assert "there are no rows" in capsys.readouterr().err


def test_a_column_that_is_all_null(tmp_path):
    pq.write_table(pa.table({"a": pa.nulls(5, pa.string()), "b": [1] * 5}), tmp_path / "in.parquet")
    assert run(input=f"{tmp_path}/in.parquet", output=f"{tmp_path}/o/", infer_schema="true") == 0
    inferred = read_metadata(f"{tmp_path}/o/schema.pbtxt")
    code = run(
        input=f"{tmp_path}/in.parquet",
        output=f"{tmp_path}/again/",
        schema=f"{tmp_path}/o/schema.pbtxt",
    )
    assert code == 0
    assert [feature.type for feature in inferred.feature] == [schema_pb2.BYTES, schema_pb2.INT]


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({"reference": "x"}, "--reference needs --schema"),
        ({"environment": "SERVING"}, "--environment needs --schema"),
        ({"weight": "fair"}, "--weight: there is no column 'fair'; did you mean 'fare'?"),
        ({"slices": "paymnt"}, "there is no column 'paymnt'; did you mean 'payment'?"),
        ({"slices": "a,a"}, "name each column once"),
        ({"sample_rate": "0"}, "--sample_rate"),
        ({"output": "stdout:"}, "'stdout:' is no folder"),
        ({"output": "/tmp/report.jsonl"}, "'/tmp/report.jsonl' is no folder"),
    ],
)
def test_wrong_options(trips, tmp_path, capsys, flags, why):
    assert run(**{"input": trips, "output": f"{tmp_path}/out/", **flags}) == 2
    assert why in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_schema_with_a_typo(trips, schema, tmp_path, capsys):
    schema.write_text(schema.read_text().replace("FLOAT", "FLAOT"))
    assert run(input=trips, output=f"{tmp_path}/out/", schema=schema) == 2
    told = capsys.readouterr().err
    assert "schema.pbtxt: line 1: FeatureType has no value 'FLAOT'; did you mean 'FLOAT'?" in told


@pytest.mark.parametrize("content", [None, b"", b"no statistics"])
def test_a_reference_that_is_none(trips, schema, tmp_path, capsys, content):
    if content is not None:
        (tmp_path / "FeatureStats.pb").write_bytes(content)
    flags = {"schema": schema, "reference": tmp_path, "output": f"{tmp_path}/out/"}
    assert run(input=trips, **flags) == 2
    assert "FeatureStats.pb" in capsys.readouterr().err


def test_rows_that_can_not_be_read_are_dead_letters(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"a": 1}\n{broken\n{"a": 3}\n')
    assert run(input=f"{tmp_path}/in.jsonl", output=f"{tmp_path}/out/") == 0
    assert read_statistics(f"{tmp_path}/out").datasets[0].num_examples == 2
    letters = [path.read_text() for path in (tmp_path / "out.dead_letters").glob("*.jsonl")]
    assert len("".join(letters).splitlines()) == 1


RULES = """
rules:
  - row: fare < 3
    name: cheap
  - row: fare is not null
  - column: mean(fare) between 2 and 3
  - column: max(fare) < 4
  - unique: payment
"""


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def test_rules_are_judged_with_the_schema(trips, schema, rules, tmp_path, capsys):
    assert run(input=trips, output=f"{tmp_path}/out/", schema=schema, rules=rules) == 3
    told = capsys.readouterr().err
    assert "4 anomalies, 4 of them errors" in told
    assert re.search(r"ERROR +rule cheap +Broken by 1 of 4 rows", told)
    assert re.search(r"ERROR +rule fare is not null +Broken by 1 of 4 rows", told)
    assert re.search(r"ERROR +rule max\(fare\) < 4 +Does not hold", told)
    assert re.search(r"ERROR +rule unique\(payment\) +Key repeated in 2 of 4 rows", told)
    found = anomalies(tmp_path / "out").anomaly_info["rule max(fare) < 4"]
    assert found.description == "The rule 'max(fare) < 4' does not hold: the result is 4."
    page = (tmp_path / "out/report.html").read_text()
    assert "trips.parquet#row=3" in page
    assert "Aaaa" in page, "payment has nothing to do with it, and is told by its form"


def test_rules_need_no_schema(trips, tmp_path, rules, capsys):
    rules.write_text("- row: fare > 0\n- column: count() = 4")
    assert run(input=trips, output=f"{tmp_path}/out/", rules=rules) == 0
    assert "validate: no anomalies" in capsys.readouterr().err


def test_python_rules(trips, tmp_path, rules, capsys):
    rules.write_text("- python: whole")
    code = tmp_path / "rules.py"
    code.write_text(
        "import pyarrow.compute as pc\n"
        "def whole(batch):\n"
        "    return pc.equal(batch['fare'], pc.round(batch['fare']))\n"
    )
    assert run(input=trips, output=f"{tmp_path}/out/", rules=rules, code=code) == 3
    assert re.search(r"rule whole +Broken by 1 of 4 rows", capsys.readouterr().err)


@pytest.mark.parametrize(("examples", "shown"), [("full", True), ("masked", True), ("none", False)])
def test_examples(trips, rules, tmp_path, examples, shown):
    run(input=trips, output=f"{tmp_path}/out/", rules=rules, examples=examples)
    page = (tmp_path / "out/report.html").read_text()
    assert ("trips.parquet#row" in page) == shown
    assert ("Aaaa" in page) == (examples == "masked")


def test_a_rule_with_an_error_is_told_with_its_place(trips, rules, tmp_path, capsys):
    rules.write_text("- row: far > 0")
    assert run(input=trips, output=f"{tmp_path}/out/", rules=rules) == 2
    told = capsys.readouterr().err
    assert "rules.yaml: line 1, column 8: there is no column 'far'; did you mean 'fare'?" in told


def test_days_merged_are_as_one(tmp_path, capsys):
    whole = pa.table({"x": [*range(100), None], "y": ["a", "b", "c", "d", "e"] * 20 + ["f"]})
    pq.write_table(whole, tmp_path / "all.parquet")
    for day, part in enumerate((whole[:30], whole[30:80], whole[80:])):
        pq.write_table(part, tmp_path / f"{day}.parquet")
        assert run(input=f"{tmp_path}/{day}.parquet", output=f"{tmp_path}/stats/{day}/") == 0
    assert run(input=f"{tmp_path}/all.parquet", output=f"{tmp_path}/whole/") == 0
    (tmp_path / "s.pbtxt").write_text('feature { name: "x" type: INT int_domain { max: 50 } }')
    flags = {"schema": tmp_path / "s.pbtxt", "merge": "true", "infer_schema": "true"}
    code = run(input=f"{tmp_path}/stats/*/", output=f"{tmp_path}/month/", **flags)
    assert code == 3
    (month,), (whole,) = (
        read_statistics(f"{tmp_path}/{name}").datasets for name in ("month", "whole")
    )
    for mine, expected in zip(month.features, whole.features, strict=True):
        alike(mine, expected)
    assert set(anomalies(tmp_path / "month").anomaly_info) == {"x", "y"}
    assert "rows in       101" in capsys.readouterr().err.rpartition("validate: done")[2]
    assert read_metadata(f"{tmp_path}/month/schema.pbtxt").feature


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        ({"rules": "r.yaml"}, "--rules is about rows: --merge reads statistics, not rows"),
        ({"sample_rate": "0.5"}, "--sample_rate is about rows"),
        ({}, "there is no FeatureStats.arrow here"),
    ],
)
def test_a_merge_that_can_not_be(trips, tmp_path, capsys, flags, why):
    code = run(input=trips.parent, merge="true", output=f"{tmp_path}/out/", **flags)
    assert code == 2
    assert why in capsys.readouterr().err


def test_rows_that_can_not_be_read_are_errors_of_data_that_is_judged(tmp_path, capsys):
    (tmp_path / "in.jsonl").write_text('{"a": 1}\n{broken\n{"a": 3}\n')
    (tmp_path / "s.pbtxt").write_text('feature { name: "a" type: INT }')
    flags = {"input": f"{tmp_path}/in.jsonl", "schema": f"{tmp_path}/s.pbtxt"}
    assert run(output=f"{tmp_path}/out/", **flags) == 3
    assert "1 could not be read: see the dead letters" in capsys.readouterr().err
    assert run(output=f"{tmp_path}/o2/", max_rejected_fraction="0.5", **flags) == 0


def test_slices_of_every_form(trips, schema, tmp_path):
    code = tmp_path / "slices.py"
    code.write_text(
        "import pyarrow.compute as pc\n"
        "def size(batch):\n"
        "    return pc.if_else(pc.greater(batch['fare'], 2.0), 'large', 'small')\n"
    )
    slices = "payment;cheap: fare < 2;python:size"
    drift = 'domain: "kinds" drift_comparator { infinity_norm { threshold: 0.5 } }'
    schema.write_text(schema.read_text().replace('domain: "kinds"', drift))
    run(input=trips, output=f"{tmp_path}/first/")
    code = run(
        input=trips,
        output=f"{tmp_path}/out/",
        schema=schema,
        slices=slices,
        code=code,
        reference=f"{tmp_path}/first",
    )
    assert code == 0, "what is wrong with slices is told in the report"
    made = read_statistics(f"{tmp_path}/out")
    rows = {data.name: data.num_examples for data in made.datasets}
    assert rows == {
        "All Examples": 4,
        "payment_Cash": 3,
        "payment_Card": 1,
        "cheap": 1,
        "size_large": 2,
        "size_small": 1,
    }
    assert "Anomalies by slice" in (tmp_path / "out/report.html").read_text()


def test_a_vocabulary(tmp_path, capsys):
    (tmp_path / "words.txt").write_text("red\ngreen\n")
    pq.write_table(pa.table({"colour": ["red", "green", "blue"]}), tmp_path / "in.parquet")
    (tmp_path / "s.pbtxt").write_text(
        'feature { name: "colour" type: BYTES natural_language_domain { vocabulary: "words" '
        "coverage { min_coverage: 0.7 } } }"
    )
    flags = {"input": tmp_path / "in.parquet", "schema": tmp_path / "s.pbtxt"}
    code = run(output=f"{tmp_path}/o/", vocabularies=f"words={tmp_path}/words.txt", **flags)
    assert code == 3
    assert "Feature coverage is too low" in capsys.readouterr().err
    code = run(output=f"{tmp_path}/p/", vocabularies=f"wrods={tmp_path}/words.txt", **flags)
    assert code == 2
    assert "did you mean 'words'?" in capsys.readouterr().err


def test_a_rule_called_as_a_column_is_takes_nothing_from_it(tmp_path, capsys):
    pq.write_table(
        pa.table({"rule n > 1": [5], "n": pa.array([None], pa.int64())}), tmp_path / "i.parquet"
    )
    (tmp_path / "s.pbtxt").write_text(
        'feature { name: "rule n > 1" type: INT int_domain { max: 1 } }'
        'feature { name: "n" type: INT }'
    )
    (tmp_path / "r.yaml").write_text("- column: max(n) > 1\n  name: n > 1")
    flags = {"schema": tmp_path / "s.pbtxt", "rules": tmp_path / "r.yaml"}
    assert run(input=tmp_path / "i.parquet", output=f"{tmp_path}/o/", **flags) == 3
    assert set(anomalies(tmp_path / "o").anomaly_info) == {"rule n > 1", "rule n > 1 (rule)"}


def test_without_rows_rules_alone_have_nothing_to_go_by(tmp_path, rules, capsys):
    pq.write_table(pa.table({"fare": pa.array([], pa.float64())}), tmp_path / "in.parquet")
    rules.write_text("- row: fare > 0")
    assert run(input=tmp_path / "in.parquet", output=f"{tmp_path}/o/", rules=rules) == 3
    assert "there are no rows" in capsys.readouterr().err


def test_a_merge_does_not_take_in_what_it_wrote(trips, tmp_path, capsys):
    assert run(input=trips, output=f"{tmp_path}/stats/a/") == 0
    flags = {"merge": "true", "input": f"{tmp_path}/stats/*/", "output": f"{tmp_path}/stats/all/"}
    assert run(**flags) == 0
    assert run(overwrite="true", **flags) == 2
    assert "which --output replaces" in capsys.readouterr().err
    assert read_statistics(f"{tmp_path}/stats/all").datasets[0].num_examples == 4


def test_a_merge_leaves_no_day_out_unseen(trips, tmp_path, capsys):
    for day in "ab":
        assert run(input=trips, output=f"{tmp_path}/stats/{day}/") == 0
    (tmp_path / "stats/b/FeatureStats.arrow").unlink()
    assert run(merge="true", input=f"{tmp_path}/stats/*", output=f"{tmp_path}/m/") == 2
    assert "stats/b has statistics and no FeatureStats.arrow" in capsys.readouterr().err


def test_a_schema_is_relaxed_where_it_stands(trips, schema, tmp_path):
    text = "# kept by hand\n" + schema.read_text().replace('value: "Card"', 'value: "Coin"')
    schema.write_text(text)
    flags = {"schema": schema, "infer_schema": "true"}
    assert run(input=trips, output=f"{tmp_path}/o/", **flags) == 3
    relaxed = (tmp_path / "o/schema.pbtxt").read_text()
    assert relaxed.startswith("# kept by hand\n")
    assert set(read_metadata(f"{tmp_path}/o/schema.pbtxt").string_domain[0].value) == {
        "Cash",
        "Coin",
        "Card",
    }
    assert run(input=trips, output=f"{tmp_path}/p/", schema=f"{tmp_path}/o/schema.pbtxt") == 0


def test_a_reference_without_comparators_is_told_to_be_of_no_use(trips, schema, tmp_path, capsys):
    assert run(input=trips, output=f"{tmp_path}/a/") == 0
    run(input=trips, output=f"{tmp_path}/b/", schema=schema, reference=f"{tmp_path}/a")
    assert "no feature of the schema has a drift_comparator" in capsys.readouterr().err


def test_names_can_not_hide_the_table(tmp_path, capsys):
    pq.write_table(pa.table({"ok\x1b[2K\rfine\n": [1]}), tmp_path / "in.parquet")
    (tmp_path / "s.pbtxt").write_text('feature { name: "a" type: INT }')
    assert (
        run(input=tmp_path / "in.parquet", output=f"{tmp_path}/o/", schema=tmp_path / "s.pbtxt")
        == 3
    )
    told = capsys.readouterr().err
    assert "ok\\x1b[2K\\rfine\\n" in told
    assert "\x1b[2K\r" not in told


def test_a_cell_that_is_no_number_is_a_row_that_can_not_be_read(tmp_path, rules, capsys):
    (tmp_path / "in.csv").write_text("fare\n1\n2.5\n-3\nabc\n")
    (tmp_path / "s.pbtxt").write_text('feature { name: "fare" type: FLOAT }')
    rules.write_text("- row: fare >= 0")
    flags = {"schema": tmp_path / "s.pbtxt", "rules": rules}
    assert run(input=tmp_path / "in.csv", output=f"{tmp_path}/o/", **flags) == 3
    told = capsys.readouterr().err
    assert "Broken by 1 of 3 rows" in told
    assert set(anomalies(tmp_path / "o").anomaly_info) == {"(rows)", "rule fare >= 0"}


def test_slices_by_a_column_of_many_values_are_asked_about_first(tmp_path, capsys):
    table = pa.table({"id": range(500), "kind": ["a", "b"] * 250})
    pq.write_table(table, tmp_path / "x.parquet")
    flags = {"input": tmp_path / "x.parquet", "output": f"{tmp_path}/out/"}
    assert run(**flags, slices="kind;id") == 2
    told = capsys.readouterr().err
    assert "the first 500 rows alone are of 502 slices, 500 of them by 'id'" in told
    assert "--max_slices=502" in told
    assert not (tmp_path / "out").exists()
    assert run(**flags, slices="kind;id", max_slices=502) == 0
    assert run(**flags | {"output": f"{tmp_path}/other/"}, slices="kind;id=7") == 0


@pytest.mark.parametrize(("kind", "other"), [("span", "serving"), ("serving", "span")])
def test_a_reference_of_the_other_kind_is_told(trips, tmp_path, capsys, kind, other):
    name = {"span": "skew", "serving": "drift"}[kind]
    (tmp_path / "s.pbtxt").write_text(
        'feature { name: "fare" type: FLOAT '
        f"{name}_comparator {{ jensen_shannon_divergence {{ threshold: 0.1 }} }} }}\n"
        'feature { name: "payment" type: BYTES }\n'
    )
    assert run(input=trips, output=f"{tmp_path}/before/") == 0
    flags = {"schema": tmp_path / "s.pbtxt", "reference": f"{tmp_path}/before"}
    assert run(input=trips, output=f"{tmp_path}/out/", reference_kind=kind, **flags) == 0
    told = capsys.readouterr().err
    assert f"1 has a {name}_comparator, for --reference_kind {other}: is it that?" in told


def test_serving_data_the_wrong_way_round_is_told(trips, tmp_path, capsys):
    (tmp_path / "s.pbtxt").write_text(
        'default_environment: "TRAINING" default_environment: "SERVING"\n'
        'feature { name: "fare" type: FLOAT not_in_environment: "SERVING" }\n'
        'feature { name: "payment" type: BYTES '
        "skew_comparator { infinity_norm { threshold: 0.5 } } }\n"
    )
    served = pq.read_table(trips).drop_columns("fare")
    pq.write_table(served, tmp_path / "served.parquet")
    assert run(input=trips, output=f"{tmp_path}/trained/") == 0
    assert run(input=tmp_path / "served.parquet", output=f"{tmp_path}/served/") == 0
    flags = {"schema": tmp_path / "s.pbtxt", "reference_kind": "serving"}
    right = {"input": trips, "reference": f"{tmp_path}/served"}
    assert run(**right, output=f"{tmp_path}/right/", **flags) == 0
    assert "wrong way round" not in capsys.readouterr().err
    wrong = {"input": tmp_path / "served.parquet", "reference": f"{tmp_path}/trained"}
    assert run(**wrong, output=f"{tmp_path}/wrong/", environment="SERVING", **flags) == 0
    told = capsys.readouterr().err
    assert "--reference has column 'fare', which the schema leaves out of SERVING" in told
    assert "the wrong way round" in told
