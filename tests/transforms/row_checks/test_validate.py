import json
import math
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from pyarrow import csv

from tests.support import batch_of, local_pipeline, run_on, shared_data
from tests.transforms.row_checks.schemas import TAXI, checked_batches, schema
from transforms.batches import with_source
from transforms.commit.commit import Commit
from transforms.commit.dead_letters import DeadLetters
from transforms.errors import ConfigError, RejectedRows
from transforms.io.read import Read
from transforms.io.write import Write
from transforms.rejects import REJECTS
from transforms.row_checks.checks import Checks
from transforms.row_checks.validate import Validate, validate_batch
from transforms.rules.check_columns import CheckColumns
from transforms.rules.files import parse_rules, read_rules
from transforms.schema import infer_schema
from transforms.statistics.collect import statistics_of


def trips(**columns):
    """Three trips that keep to `TAXI`, some columns changed."""
    rows = {
        "fare": [1.0, 2.5, 100.0],
        "hour": [0, None, 23],
        "payment": ["Cash", "Card", "Cash"],
        "tips": [0.0, 1.0, 2.0],
        "tags": [["x"], None, ["x", "y"]],
        "other": ["kept", "as", "is"],
    }
    return batch_of(**rows | columns)


def told(rejects):
    return [(r["reason"], r["column"], r["errorMessage"]) for r in rejects.to_pylist()]


def test_clean_rows_pass_as_they_are():
    batch = trips()
    good, rejects = validate_batch(batch, Checks.of(schema(TAXI)))
    assert good is batch
    assert rejects.num_rows == 0
    assert rejects.schema.equals(REJECTS)


def test_a_row_that_violates_several_rules_is_one_reject_that_tells_all():
    batch = trips(fare=[-1.0, 2.0, None], hour=[24, 1, 2], payment=["Barter", "Card", None])
    good, rejects = validate_batch(batch, Checks.of(schema(TAXI)))
    assert good.to_pylist() == batch.slice(1, 1).to_pylist()
    assert told(rejects) == [
        (
            "out_of_range",
            "fare",
            "a value of column 'fare' is below 0.0 or above 100.0; a value of column 'hour' is "
            "below 0 or above 23; a value of column 'payment' is not one of the 2 of its domain",
        ),
        (
            "missing_value",
            "fare",
            "column 'fare' has no value; column 'payment' has no value",
        ),
    ]
    assert [json.loads(r)["hour"] for r in rejects["payloadString"].to_pylist()] == [24, 2]


def test_rejects_tell_where_rows_came_from_and_which_schema_they_failed():
    batch = with_source(trips(fare=[1.0, -1.0, 2.0]), "in.csv", 10, "line")
    checks = Checks.of(schema(TAXI))
    good, rejects = validate_batch(batch, checks)
    assert rejects["source"].to_pylist() == ["in.csv#line=11"]
    assert rejects["version"].to_pylist() == [checks.version]
    assert len(checks.version) == 12
    _, later = validate_batch(good.slice(0), Checks.of(schema(TAXI.replace("max: 100", "max: 1"))))
    assert later["source"].to_pylist() == ["in.csv#line=12"]
    assert later["version"].to_pylist() != [checks.version]


def test_no_value_of_a_row_is_in_a_message():
    secret = "4929-1234"
    batch = trips(fare=[4929.5] * 3, hour=[4929] * 3, payment=[secret] * 3, tags=[[secret] * 3] * 3)
    _, rejects = validate_batch(batch, Checks.of(schema(TAXI)))
    for message in rejects["errorMessage"].to_pylist():
        assert message.count(";") == 3
        assert "4929" not in message


def test_a_missing_column_is_missing_in_each_row():
    batch = trips().drop_columns(["tips", "hour"])
    _, rejects = validate_batch(batch, Checks.of(schema(TAXI)))
    assert told(rejects) == [("missing_value", "tips", "column 'tips' has no value")] * 3
    serving = Checks.of(schema(TAXI), environment="SERVING")
    assert validate_batch(batch, serving)[0] is batch


def test_a_column_of_a_wrong_type_is_wrong_where_it_has_a_value():
    batch = trips(hour=["3", None, "x"])
    good, rejects = validate_batch(batch, Checks.of(schema(TAXI)))
    assert good.num_rows == 1
    assert set(told(rejects)) == {
        ("wrong_type", "hour", "column 'hour' is of type string, not INT")
    }


@given(checked_batches())
def test_rows_in_are_rows_out_and_rejects_and_each_row_is_judged_alone(given):
    proto, batch = given
    checks = Checks.of(proto)
    before = batch.to_pylist()
    good, rejects = validate_batch(batch, checks)
    assert good.num_rows + rejects.num_rows == batch.num_rows
    assert good.schema.equals(batch.schema)
    alone = [validate_batch(batch.slice(i, 1), checks) for i in range(batch.num_rows)]
    assert told(rejects) == [row for _, one in alone for row in told(one)]
    kept = [row for one, _ in alone for row in one.to_pylist()]
    assert repr(good.to_pylist()) == repr(kept)
    assert repr(batch.to_pylist()) == repr(before)


@given(checked_batches())
def test_a_request_gets_the_answer_of_a_batch(given):
    proto, batch = given
    checks = Checks.of(proto)
    found = checks.faults(batch)
    for place, row in enumerate(batch.to_pylist()):
        expected = [fault for fault in found if fault.mask[place]]
        answer = checks.check_row(row)
        # Python's numbers have one width: how wide the column was is not known of a row.
        assert [(v.reason, v.column) for v in answer] == [(v.reason, v.column) for v in expected]


@given(checked_batches())
def test_dictionaries_get_the_answer_of_plain_columns(given):
    proto, batch = given
    checks = Checks.of(proto)
    encoded = {
        name: column if pa.types.is_nested(column.type) else column.dictionary_encode()
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    }
    _, plain = validate_batch(batch, checks)
    _, coded = validate_batch(pa.RecordBatch.from_pydict(encoded), checks)
    assert told(coded) == told(plain)


def test_columns_are_checked_at_start():
    checks = Checks.of(schema(TAXI))
    names = trips().schema
    checks.check_columns(names)
    with pytest.raises(ConfigError, match=r"'fare' of every row.*lacks; did you mean 'fares'"):
        checks.check_columns(names.set(0, pa.field("fares", pa.float64())))
    with pytest.raises(ConfigError, match="column 'hour' is of type string, but the schema says"):
        checks.check_columns(names.set(1, pa.field("hour", pa.string())))
    with pytest.raises(ConfigError, match=r"'fare' is of type list<.*another shape"):
        checks.check_columns(names.set(0, pa.field("fare", pa.list_(pa.list_(pa.float64())))))
    checks.check_columns(names.set(1, pa.field("hour", pa.dictionary(pa.int32(), pa.int64()))))


RULES = """
rules:
  - row: tips <= fare
    name: generous
  - unique: [fare, hour]
"""


def _run(tmp_path, rows, **settings):
    source, rules = tmp_path / "in.parquet", tmp_path / "rules.yaml"
    pq.write_table(pa.Table.from_batches([rows]), source)
    rules.write_text(RULES)
    with local_pipeline() as root, Commit() as commit:
        dead = DeadLetters(f"{tmp_path}/dead.jsonl", commit)
        _ = (
            root
            | Read(str(source), dead_letters=dead)
            | Validate(schema(TAXI), str(rules), dead_letters=dead, **settings)
            | Write(f"{tmp_path}/out/", commit=commit)
        )
    letters = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    out = pq.read_table(sorted((tmp_path / "out").glob("part-*")))
    return out, letters, commit.outcome()["counts"]


def test_a_run_accounts_for_every_row(tmp_path):
    rows = batch_of(
        fare=[10.0, 10.0, -1.0, 10.0, 20.0, 30.0],
        hour=[1, 1, 1, 1, None, 30],
        payment=["Cash"] * 6,
        tips=[1.0, 2.0, 0.0, 11.0, 0.0, 0.0],
    )
    out, letters, counts = _run(tmp_path, rows)
    assert sorted(out["tips"].to_pylist()) == [0.0, 1.0]
    assert (counts["rows_in"], counts["rows_out"], counts["rows_dead"]) == (6, 2, 4)
    assert counts["dead_by_reason"] == {"duplicate": 1, "out_of_range": 2, "rule_violated": 1}
    assert counts["dead_by_step"] == {"Unique": 1, "Validate": 3}
    found = {letter["source"][-5:]: letter for letter in letters}
    assert found["row=2"]["errorMessage"] == "an earlier row has the same fare, hour"
    assert found["row=4"]["errorMessage"] == "rule 'generous' does not hold"
    # The rule about tips is told beside the range: one row, one letter.
    why = "'fare' is below 0.0 or above 100.0; rule 'generous' does not hold"
    assert found["row=3"]["errorMessage"].endswith(why)


def test_without_a_door_the_first_bad_row_is_an_error():
    batch = trips(fare=[1.0, -1.0, 2.0])
    with pytest.raises(RejectedRows, match=r"Validate rejected 1 row.*out_of_range") as caught:
        run_on([batch], lambda rows: rows | Validate(schema(TAXI)))
    assert "-1.0" not in str(caught.value)


def test_a_schema_by_its_place(tmp_path):
    place = tmp_path / "schema.pbtxt"
    place.write_text(TAXI)
    assert run_on([trips()], lambda rows: rows | Validate(str(place)))[0].num_rows == 3
    place.write_text(TAXI.replace("FLOAT", "FLAOT", 1))
    with pytest.raises(
        ConfigError, match=r"schema.pbtxt: line 2: FeatureType has no value 'FLAOT'"
    ):
        Checks.of(str(place))
    with pytest.raises(ConfigError, match=r"none.pbtxt: can't be read"):
        Checks.of(str(tmp_path / "none.pbtxt"))
    with pytest.raises(ConfigError, match=r"or the URI of a .pbtxt, not a pyarrow.lib.Schema"):
        Checks.of(trips().schema)


def test_a_file_of_which_a_part_would_not_be_judged_is_refused(tmp_path):
    place = tmp_path / "rules.yaml"
    place.write_text("- column: mean(fare) > 1\n- row: fare > 1")
    with pytest.raises(ConfigError, match=r"rules.yaml: rule 'mean\(fare\) > 1' is about a whole"):
        run_on([trips()], lambda rows: rows | Validate(schema(TAXI), str(place)))
    rules = read_rules(str(place), Checks.of(schema(TAXI)).kinds)
    with pytest.raises(RejectedRows, match="rule 'fare > 1' does not hold"):
        run_on([trips()], lambda rows: rows | Validate(schema(TAXI), rules))
    verdicts = run_on([trips()], lambda rows: rows | CheckColumns(rules.column))
    assert [verdict.holds for verdict in verdicts] == [True]


@pytest.mark.parametrize("type", [pa.list_view(pa.int64()), pa.large_list_view(pa.int64())])
def test_rejects_with_lists_in_views(type):
    hours = pa.array([[24]] * 99 + [[1]], type)
    batch = batch_of(fare=[1.0] * 100, payment=["Cash"] * 100, tips=[0.0] * 100, hour=hours)
    good, rejects = validate_batch(batch, Checks.of(schema(TAXI)))
    assert (good.num_rows, rejects.num_rows) == (1, 99)
    assert good.schema.equals(batch.schema)
    assert {json.loads(row)["hour"][0] for row in rejects["payloadString"].to_pylist()} == {24}


def test_rules_that_warn_reject_no_row(tmp_path):
    place = tmp_path / "rules.yaml"
    text = "- {row: fare > 1, severity: warning}\n- {unique: payment, severity: warning}"
    place.write_text(f"{text}\n- row: fare < 100")
    with pytest.raises(ConfigError, match=r"rules.yaml: rule 'fare > 1' only warns, and Validate"):
        run_on([trips()], lambda rows: rows | Validate(schema(TAXI), str(place)))
    rules = read_rules(str(place), Checks.of(schema(TAXI)).kinds)
    checks = Checks.of(schema(TAXI), rules)
    good, rejects = validate_batch(trips(), checks)
    assert good["fare"].to_pylist() == [1.0, 2.5]
    assert [reason for _, _, reason in told(rejects)] == ["rule 'fare < 100' does not hold"]
    assert checks.check_row({"fare": 1.0, "payment": "Cash", "tips": 0.0}) == []
    with_warnings = checks.faults(trips(), warnings=True)
    assert [fault.rule for fault in with_warnings] == ["fare > 1", "fare < 100"]
    rows = trips(fare=[1.0, 1.0, 1.0], payment=["Cash"] * 3)
    assert run_on([rows], lambda rows: rows | Validate(schema(TAXI), rules)) == [rows]


def test_code_without_rules_is_an_error():
    with pytest.raises(ConfigError, match="no rules= name"):
        Validate(schema(TAXI), code="rules.py")


NEW = {("not_in_domain", "company"): 16, ("not_in_domain", "payment_type"): 1}


def _taxi(name):
    text = csv.ConvertOptions(
        column_types={"pickup_census_tract": pa.string()}, strings_can_be_null=True
    )
    path = shared_data("taxi_split", f"{name}.csv")
    (batch,) = csv.read_csv(path, convert_options=text).combine_chunks().to_batches()
    return batch


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("inferred", "train", {}),
        ("curated", "train", {}),
        # What TFDV finds too: values of eval that the domains of train don't have.
        ("inferred", "eval", NEW),
        # One in ten companies may be new, and Prcard was let in.
        ("curated", "eval", {}),
    ],
)
def test_real_rows(kind, name, expected):
    checks = Checks.of(str(shared_data("tfdv_goldens", "1.16.1", f"schema_{kind}.pbtxt")))
    batch = _taxi(name)
    checks.check_columns(batch.schema)
    good, rejects = validate_batch(batch, checks)
    counts = {}
    for reason, column, _ in told(rejects):
        counts[reason, column] = counts.get((reason, column), 0) + 1
    assert counts == expected
    assert good.num_rows + rejects.num_rows == batch.num_rows


def test_real_serving_rows_lack_their_label():
    place = str(shared_data("tfdv_goldens", "1.16.1", "schema_curated.pbtxt"))
    batch = _taxi("serving")
    with pytest.raises(ConfigError, match="'tips' of every row"):
        Checks.of(place).check_columns(batch.schema)
    serving = Checks.of(place, environment="SERVING")
    serving.check_columns(batch.schema)
    assert validate_batch(batch, serving)[0].num_rows == 100


def test_checks_are_shipped_after_use_too():
    rules = parse_rules("- row: tips <= fare", Checks.of(schema(TAXI)).kinds)
    checks = Checks.of(schema(TAXI), rules)
    row = {"fare": 1.0, "payment": "Cash", "tips": 2.0}
    before = checks.check_row(row)
    validate_batch(trips(), checks)
    again = pickle.loads(pickle.dumps(checks))
    assert [violation.message for violation in before] == ["rule 'tips <= fare' does not hold"]
    assert again.check_row(row) == before
    assert again == checks


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({}, []),
        ({"unknown": object()}, []),
        ({"fare": np.float32(1.5), "hour": np.int8(3)}, []),
        ({"tags": np.array(["a", "b"]), "fare": [2.0]}, []),
        ({"payment": b"Cash"}, []),
        ({"fare": 7, "hour": True}, []),
        ({"hour": 3.0}, []),
        ({"hour": 2**70}, ["wrong_type"]),
        ({"hour": 3.5}, ["wrong_type"]),
        ({"hour": "3"}, ["wrong_type"]),
        ({"fare": object()}, ["wrong_type"]),
        ({"fare": [1.0, 2.0]}, ["wrong_shape"]),
        ({"fare": [1, "x"]}, ["wrong_type"]),
        ({"tags": []}, ["wrong_shape"]),
        ({"tags": ["a", None]}, ["missing_value"]),
        ({"tags": "a"}, []),
        ({"payment": "\ud800"}, ["wrong_type"]),
        ({"tags": ["\ud800"]}, ["wrong_type"]),
        ({"fare": math.nan}, ["not_finite"]),
        ({"fare": None}, ["missing_value"]),
    ],
)
def test_requests(change, reasons):
    row = {"fare": 1.0, "payment": "Cash", "tips": 0, "tags": ["é"]} | change
    assert [v.reason for v in Checks.of(schema(TAXI)).check_row(row)] == reasons


def test_a_request_without_anything():
    found = Checks.of(schema(TAXI)).check_row({})
    assert [violation.column for violation in found] == ["fare", "payment", "tips"]


def test_maps_pass_from_parquet_to_parquet(tmp_path):
    maps = pa.array([[("a", 1)], [("b", 9)], [("a", 2), ("b", 3)]], pa.map_("string", "int64"))
    pq.write_table(pa.table({"m": maps}), tmp_path / "in.parquet")
    inferred = infer_schema(statistics_of(pa.table({"m": maps})))
    checks = Checks.of(inferred)
    checks.check_columns(pa.schema([("m", maps.type)]))
    assert validate_batch(batch_of(m=maps), checks)[1].num_rows == 0
    (entry,) = (each for each in inferred.feature[0].struct_domain.feature if each.name == "value")
    entry.int_domain.max = 5
    with local_pipeline() as root, Commit() as commit:
        dead = DeadLetters(f"{tmp_path}/dead/", commit)
        rows = root | Read(f"{tmp_path}/in.parquet", dead_letters=dead)
        good = rows | Validate(inferred, dead_letters=dead)
        _ = good | Write(f"{tmp_path}/out/", commit=commit)
    (written,) = (tmp_path / "out").glob("*.parquet")
    found = pq.read_table(written)["m"].combine_chunks()
    assert pa.types.is_map(found.type)
    assert found.to_pylist() == [[("a", 1)], [("a", 2), ("b", 3)]]
    assert commit.outcome()["counts"]["dead_by_reason"] == {"out_of_range": 1}
