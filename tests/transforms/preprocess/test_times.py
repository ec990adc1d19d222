"""Timestamps and dates feed features of times, as integers since 1970."""

import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs import preprocess, score, validate
from inference import export_model, score_table
from inference.model.model import Model
from tests.support import run_on
from tests.transforms.preprocess.small import schema
from transforms.errors import ConfigError
from transforms.preprocess import (
    Analyze,
    LoadedGraph,
    Preprocess,
    Steps,
    TransformGraph,
    raw_schema,
    transform_batch,
)
from transforms.preprocess.columns import RawColumns
from transforms.preprocess.declared.arrays import Arrays
from transforms.preprocess.declared.feed import values_of
from transforms.preprocess.declared.plan import Plan
from transforms.preprocess.times import since_1970
from transforms.schema.infer.times import time_formats

STEPS = """
features:
  hour: {column: when, steps: [fill: {value: 0}, date_part: hour]}
  weekday: {column: day, steps: [fill: {value: 0}, date_part: day_of_week]}
"""
WHOLE = "feature { presence { min_fraction: 1 } shape {} "
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
EARLY = datetime.datetime(1969, 12, 31, 23, 59, 59, 500_000)
ROWS = pa.record_batch(
    {
        "when": pa.array([EARLY, datetime.datetime(2024, 5, 1, 7, 30), None], pa.timestamp("us")),
        "day": pa.array([EARLY.date(), datetime.date(2024, 5, 1), None]),
    }
)


@pytest.mark.parametrize("own", UNITS)
@pytest.mark.parametrize("unit", UNITS)
@given(number=st.integers(-(10**9), 10**9))
def test_times_are_rounded_down(own, unit, number):
    for zone in (None, "Europe/Zurich"):
        array = pa.array([number, None]).cast(pa.timestamp(own, zone))
        made = since_1970(array, unit)
        assert made.values.to_pylist() == [number * UNITS[unit] // UNITS[own], None]
        assert made.faults == ()


@pytest.mark.parametrize("type", [pa.date32(), pa.date64(), pa.dictionary(pa.int8(), pa.date32())])
def test_dates(type):
    dates = pa.array([datetime.date(1969, 12, 31), None], pa.date32()).cast(
        pa.date64() if type == pa.date64() else pa.date32()
    )
    dates = dates.dictionary_encode() if pa.types.is_dictionary(type) else dates
    assert since_1970(dates, "ms").values.to_pylist() == [-86_400_000, None]


def test_a_time_that_the_unit_cannot_hold_is_a_fault():
    array = pa.array([10**12, 1], pa.timestamp("s"))
    made = since_1970(array, "ns")
    assert made.values.to_pylist() == [None, 10**9]
    assert made.bad.tolist() == [True, False]


def test_steps_take_timestamps_and_dates(tmp_path):
    steps = Steps.parse(STEPS)
    folder = f"{tmp_path}/graph"
    analyze = Analyze(schema=raw_schema(steps, ROWS.schema), steps=steps, folder=folder)
    run_on([ROWS], lambda rows: rows | analyze)
    (made,) = run_on([ROWS], lambda rows: rows | Preprocess(folder))
    assert made.to_pydict() == {"hour": [23, 7, 0], "weekday": [2, 2, 3]}
    seconds = pa.record_batch({"when": [-1, 1714548600, None], "day": [-86_400, 1714521600, None]})
    (same,) = run_on([seconds], lambda rows: rows | Preprocess(folder))
    assert same.equals(made)


def test_an_integer_without_a_unit_takes_no_timestamp():
    columns = RawColumns.of_schema(schema('feature { name: "when" type: INT }'))
    with pytest.raises(ConfigError, match=r"'when' is timestamp\[us\].*UNIX_SECONDS"):
        columns.check(ROWS.schema)


def test_another_unit_than_that_of_the_column():
    steps = Steps.parse("features: {when: {steps: [date_part: {part: hour, unit: ms}]}}")
    with pytest.raises(ConfigError, match="the times of 'when' are in s, not ms: say unit: s"):
        Plan.of(steps, raw_schema(steps, ROWS.schema))


def test_a_model_and_its_export_score_timestamps_as_seconds(tmp_path):
    """In training, by score and when served, a time is the same number."""
    import keras

    steps = Steps.parse(
        "features: {hour: {column: when, steps: [fill: {value: 0}, date_part: hour]}}"
    )
    folder, path = f"{tmp_path}/graph", f"{tmp_path}/hours.keras"
    analyze = Analyze(schema=raw_schema(steps, ROWS.schema), steps=steps, folder=folder)
    run_on([ROWS], lambda rows: rows | analyze)
    hour = keras.Input((), name="hour")
    keras.Model({"hour": hour}, {"twice": keras.layers.Rescaling(2.0)(hour)}).save(path)
    table = pa.Table.from_batches([ROWS])
    scored, dead = score_table(table, path, transform_graph=folder)
    assert scored["twice"].to_pylist() == [46.0, 14.0, 0.0]
    assert scored["when"].equals(table["when"])
    assert len(dead) == 0
    model = Model.resolve(path, transform_graph=folder)
    assert model.input_types() == {"when": pa.int64()}  # messages are read by the types alone
    assert model.input_types(times=False) == {}
    (tmp_path / "rows.csv").write_text("when\n1969-12-31 23:59:59.5\n2024-05-01 07:30:00\n")
    given = {"input": "rows.csv", "output": "scores", "model": "hours.keras"}
    flags = [f"--{name}={tmp_path}/{value}" for name, value in given.items()]
    assert score.main([*flags, f"--transform_graph={folder}"]) == 0
    scores = pq.read_table(f"{tmp_path}/scores", columns=["twice"])
    assert sorted(scores["twice"].to_pylist()) == [14.0, 46.0]
    assert export_model(path, folder, f"{tmp_path}/served", rows=table).rows == 3
    given_to_export = {"input": "rows.csv", "output": "exported_scores", "model": "served"}
    seconds = pa.table({"when": [-1, 1714548600, None]})
    for rows in (seconds, table):
        served, _ = score_table(rows, f"{tmp_path}/served")
        assert served["twice"].to_pylist() == [46.0, 14.0, 0.0]
    by_examples = Model.resolve(f"{tmp_path}/served", "serving_examples")
    served, dead = score_table(table, by_examples)
    assert served["twice"].to_pylist() == [46.0, 14.0, 0.0]
    flags = [f"--{name}={tmp_path}/{value}" for name, value in given_to_export.items()]
    assert score.main(flags) == 0
    scores = pq.read_table(f"{tmp_path}/exported_scores", columns=["twice"])
    assert sorted(scores["twice"].to_pylist()) == [14.0, 46.0]


def test_days_are_a_unit_too():
    midnight = pa.array([-1, 0, 86_399, 86_400, None], pa.timestamp("s"))
    assert since_1970(midnight, "d").values.to_pylist() == [-1, 0, 0, 1, None]
    assert since_1970(pa.array([19_844], pa.date32()), "d").values.to_pylist() == [19_844]
    text = WHOLE + 'name: "day" type: INT time_domain { integer_format: UNIX_DAYS } }'
    steps = "features: {year: {column: day, steps: [date_part: %s]}}"
    for part, wanted in (("year", 2024), ("day_of_week", 2), ("hour", 0)):
        plan = Plan.of(Steps.parse(steps % part), schema(text))
        batch = pa.RecordBatch.from_pydict({"day": pa.array([19_844], pa.date32())})
        step = plan.steps.features[0].steps[0]
        made = step.apply(values_of(batch, plan)["day"], None, Arrays())
        assert made.values.tolist() == [wanted]
    with pytest.raises(ConfigError, match="are in d, not s: say unit: d"):
        Plan.of(Steps.parse(steps % "{part: year, unit: s}"), schema(text))


def test_an_inferred_schema_names_the_unit_of_times():
    columns = pa.schema(
        [
            ("s", pa.timestamp("s")),
            ("us", pa.list_(pa.timestamp("us", "Europe/Rome"))),
            ("day", pa.date32()),
            ("day64", pa.date64()),
            ("coded", pa.dictionary(pa.int8(), pa.timestamp("ns"))),
            ("clock", pa.time32("s")),
            ("n", pa.int64()),
        ]
    )
    assert time_formats(columns) == {
        "s": "UNIX_SECONDS",
        "us": "UNIX_MICROSECONDS",
        "day": "UNIX_DAYS",
        "day64": "UNIX_MILLISECONDS",
        "coded": "UNIX_NANOSECONDS",
    }


def test_from_inferred_schema_to_features(tmp_path):
    """Timestamps and dates of a CSV file need no schema written by hand."""
    (tmp_path / "rows.csv").write_text("when,day\n2024-05-01 07:30:00,2024-05-01\n,1969-12-31\n")
    (tmp_path / "steps.yaml").write_text(
        "features:\n"
        "  hour: {column: when, steps: [date_part: hour, fill: {value: -1}]}\n"
        "  weekday: {column: day, steps: [date_part: day_of_week]}\n"
    )
    flags = [f"--input={tmp_path}/rows.csv"]
    assert validate.main([*flags, "--infer_schema=true", f"--output={tmp_path}/stats"]) == 0
    flags += [f"--schema={tmp_path}/stats/schema.pbtxt", f"--steps={tmp_path}/steps.yaml"]
    assert preprocess.main([*flags, "--splits=all", f"--output={tmp_path}/made"]) == 0
    made = pq.read_table(f"{tmp_path}/made/Split-all").to_pydict()
    assert made == {"hour": [7, -1], "weekday": [2, 2]}


def test_types_for_csv_leave_times_open():
    columns = RawColumns.of_schema(raw_schema(Steps.parse(STEPS), ROWS.schema))
    assert columns.types() == {}


LISTS = pa.record_batch(
    {
        "visits": pa.array(
            [[EARLY, datetime.datetime(2024, 5, 1, 7, 30)], [], None, [None]],
            pa.list_(pa.timestamp("us")),
        )
    }
)


def test_lists_of_times():
    found = since_1970(LISTS["visits"].slice(0, 3), "s")
    assert found.values.to_pylist() == [[-1, 1714548600], [], None]
    far = pa.array([[0], [2**62, 1]], pa.list_(pa.timestamp("s")))
    cast = since_1970(far, "ns")
    assert cast.bad.tolist() == [False, True]
    assert cast.values.to_pylist() == [[0], None]
    fixed = pa.array([[0, 1], None], pa.list_(pa.timestamp("ms"), 2))
    assert since_1970(fixed, "ms").values.to_pylist() == [[0, 1], None]


def test_features_of_lists_of_times(tmp_path):
    """Without a schema and with one; a list that holds a missing time is a row at fault."""
    steps = Steps.parse("features: {hours: {column: visits, steps: [date_part: hour]}}")
    unnamed = raw_schema(steps, LISTS.schema)
    named = schema('feature { name: "visits" type: INT time_domain { integer_format: UNIX_DAYS } }')
    for number, (known, hours) in enumerate(((unnamed, [23, 7]), (named, [0, 0]))):
        folder = f"{tmp_path}/{number}"
        analyze = Analyze(schema=known, steps=steps, folder=folder)
        run_on([LISTS], lambda rows, analyze=analyze: rows | analyze)
        loaded = LoadedGraph(TransformGraph.read(folder))
        made, rejects = transform_batch(LISTS, loaded)
        assert made["hours"].to_pylist() == [hours, [], []]
        assert rejects["column"].to_pylist() == ["visits"]


def test_a_list_where_one_time_is_wanted():
    """More than one is a fault, and not lost."""
    one = RawColumns.of_schema(
        schema(WHOLE + 'name: "t" type: INT time_domain { integer_format: UNIX_SECONDS } }')
    )
    batch = pa.record_batch({"t": pa.array([[1], [1, 2]], pa.list_(pa.timestamp("s")))})
    fed, faults = one.feed(batch)
    assert fed["t"][0].as_py() == [1]
    assert [fault.mask.tolist() for fault in faults] == [[False, True]]
