"""Timestamps and dates feed features of times, as integers since 1970."""

import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs import score
from inference import export_model, score_table
from inference.model.model import Model
from tests.support import run_on
from tests.transforms.preprocess.small import schema
from transforms.errors import ConfigError
from transforms.preprocess import Analyze, Preprocess, Steps, raw_schema
from transforms.preprocess.columns import RawColumns
from transforms.preprocess.declared.plan import Plan
from transforms.preprocess.times import since_1970

STEPS = """
features:
  hour: {column: when, steps: [fill: {value: 0}, date_part: hour]}
  weekday: {column: day, steps: [fill: {value: 0}, date_part: day_of_week]}
"""
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
    seconds = pa.table({"when": [-1, 1714548600, None]})
    served, _ = score_table(seconds, f"{tmp_path}/served")
    assert served["twice"].to_pylist() == [46.0, 14.0, 0.0]


def test_types_for_csv_leave_times_open():
    columns = RawColumns.of_schema(raw_schema(Steps.parse(STEPS), ROWS.schema))
    assert columns.types() == {}
