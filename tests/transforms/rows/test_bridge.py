"""FromRows and ToRows: dicts, Beam Rows, tf.Examples and DataFrames, both ways."""

import dataclasses
import datetime
import json
import typing

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.testing import test_stream
from apache_beam.transforms.window import FixedWindows, SlidingWindows, TimestampedValue
from apache_beam.typehints.row_type import RowTypeConstraint
from apache_beam.utils.timestamp import Timestamp
from hypothesis import HealthCheck, given, settings

from tests.support import Collect, batch_of, local_pipeline, record_batches, run_on
from transforms.coders import RecordBatchCoder
from transforms.errors import ConfigError, RejectedRows
from transforms.rejects import REJECTS, no_rejects
from transforms.rows.batches import batch_of_dicts, column_of, infer_schema, record_of
from transforms.rows.bridge import FromRows, ToRows
from transforms.rows.types import hinted_schema, row_hint

SCHEMA = pa.schema([("id", pa.int64()), ("x", pa.float32()), ("tags", pa.list_(pa.string()))])
ROWS = [
    {"id": 1, "x": 0.5, "tags": ["a", "b"]},
    {"id": 2, "x": None, "tags": []},
    {"id": 3},
]
FULL = [{**dict.fromkeys(SCHEMA.names), **row} for row in ROWS]


class Trip(typing.NamedTuple):
    id: int
    x: float | None
    name: str


def run(rows, *steps, hint=None):
    """What a few transforms make of some rows."""
    collect = Collect()
    with local_pipeline() as root:
        flow = root | beam.Create(rows, reshuffle=False)
        if hint is not None:
            flow.element_type = hint
        for number, step in enumerate(steps):
            flow = flow | f"step{number}" >> step
        _ = flow | collect
    return collect.found


class Door:
    """Takes rejects into a list."""

    def __init__(self):
        self.collect = Collect()

    def take(self, rejects, step):
        _ = rejects | f"{step}Door" >> self.collect

    @property
    def letters(self):
        return [row for batch in self.collect.found for row in batch.to_pylist()]


def test_dicts():
    (batch,) = run(ROWS, FromRows(SCHEMA))
    assert batch.schema.equals(SCHEMA)
    assert batch.to_pylist() == FULL


def test_dicts_there_and_back():
    assert run(ROWS, FromRows(SCHEMA), ToRows()) == FULL


def test_batches_are_bounded():
    rows = [{"id": i} for i in range(10)]
    found = run(rows, FromRows(SCHEMA, max_rows=4))
    assert [batch.num_rows for batch in found] == [4, 4, 2]
    assert [row["id"] for batch in found for row in batch.to_pylist()] == list(range(10))


def test_the_coder_is_ours():
    pipeline = local_pipeline()
    batches = pipeline | beam.Create(ROWS) | FromRows(SCHEMA)
    assert batches.element_type is pa.RecordBatch
    assert beam.coders.registry.get_coder(batches.element_type) == RecordBatchCoder()


def test_named_tuples_and_beam_rows_bring_their_schema():
    expected = pa.schema([("id", pa.int64()), ("x", pa.float64()), ("name", pa.string())])
    (batch,) = run([Trip(1, None, "a"), Trip(2, 0.5, "b")], FromRows())
    assert batch.schema.equals(expected)
    assert batch["x"].to_pylist() == [None, 0.5]
    (batch,) = run([beam.Row(id=1, name="a")], FromRows())
    assert batch.to_pylist() == [{"id": 1, "name": "a"}]


@dataclasses.dataclass
class Stop:
    at: Timestamp
    kind: typing.Optional[np.int8]  # noqa: UP045
    marks: typing.Sequence[int | None]
    trip: Trip


STOP = pa.schema(
    [
        ("at", pa.timestamp("us", "UTC")),
        ("kind", pa.int8()),
        ("marks", pa.list_(pa.int64())),
        ("trip", pa.struct([("id", pa.int64()), ("x", pa.float64()), ("name", pa.string())])),
    ]
)


@pytest.mark.parametrize(
    "hint", [dict[str, int], typing.Any, bytes, beam.Row, int, list[Trip], int | str, None]
)
def test_hints_that_tell_nothing(hint):
    assert hinted_schema(hint) is None


def test_hints():
    assert hinted_schema(Stop).equals(STOP)
    assert hinted_schema(RowTypeConstraint.from_user_type(Trip)).names == ["id", "x", "name"]
    assert hinted_schema(row_hint(SCHEMA)).equals(
        pa.schema([("id", pa.int64()), ("x", pa.float64()), ("tags", pa.list_(pa.string()))])
    )
    assert hinted_schema(typing.NamedTuple("Odd", [("a", int), ("b", object)])) is None


def test_dataclasses():
    (batch,) = run([Stop(Timestamp(1), None, [1, None], Trip(1, None, "a"))], FromRows(), hint=Stop)
    assert batch.schema.equals(STOP)
    assert batch["trip"].to_pylist() == [{"id": 1, "x": None, "name": "a"}]
    assert batch["at"][0].as_py().second == 1


def test_beam_rows_hold_rows_times_and_tensors():
    row = beam.Row(
        at=Timestamp(1),
        inner=beam.Row(a=1),
        pair=Trip(1, 2.0, "n"),
        grid=np.array([[1, 2], [3, 4]]),
    )
    (batch,) = run([row], FromRows(), hint=typing.Any)
    assert batch.to_pylist() == [
        {
            "at": datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.UTC),
            "inner": {"a": 1},
            "pair": {"id": 1, "x": 2.0, "name": "n"},
            "grid": [[1, 2], [3, 4]],
        }
    ]


def test_inferred_schema():
    rows = [{"a": 1, "b": None}, {"a": 2.5, "c": "x"}, {"d": [1], "e": np.float32(1), "b": None}]
    assert infer_schema("dict", rows).equals(
        pa.schema(
            [
                ("a", pa.float64()),
                ("b", pa.string()),
                ("c", pa.string()),
                ("d", pa.list_(pa.int64())),
                ("e", pa.float32()),
            ]
        )
    )


def test_an_inferred_schema_is_kept_for_the_bundle():
    door = Door()
    rows = [{"a": 1}, {"a": 2}, {"a": "three", "b": 1}, {"a": 4.0}]
    found = run(rows, FromRows(max_rows=2, dead_letters=door), ToRows())
    assert found == [{"a": 1}, {"a": 2}, {"a": 4}]
    assert [letter["column"] for letter in door.letters] == ["a"]


def test_rows_that_do_not_fit_leave_alone():
    door = Door()
    odd = [
        {"id": 1.5},
        {"id": "one"},
        {"id": 2**63},
        {"id": 4, "x": 1e300},
        {"id": 5, "x": object()},
        {"id": 6, "tags": "none"},
        {"id": 2**80},
    ]
    found = run([*ROWS[:1], *odd, *ROWS[1:]], FromRows(SCHEMA, dead_letters=door), ToRows())
    assert found == FULL
    letters = sorted(door.letters, key=lambda letter: letter["payloadString"])
    assert all(set(letter) == set(REJECTS.names) for letter in letters)
    reasons = sorted((letter["column"], letter["reason"]) for letter in letters)
    assert reasons == [
        ("id", "lossy_cast"),
        ("id", "overflow"),
        ("id", "overflow"),
        ("id", "unparsable"),
        ("tags", "wrong_type"),
        ("x", "overflow"),
        ("x", "wrong_type"),
    ]
    payloads = [json.loads(letter["payloadString"]) for letter in letters]
    assert {"id": "one"} in payloads
    assert {"id": 2**80} in payloads


def test_without_a_door_a_bad_row_fails_and_is_not_shown():
    outcome = batch_of_dicts([{"id": "secret"}], SCHEMA)
    with pytest.raises(RejectedRows, match=r"FromRows rejected 1 row.*column 'id'") as error:
        no_rejects(outcome, "FromRows")
    assert "secret" not in str(error.value)


def test_a_column_of_several_kinds_is_cast_run_by_run():
    cast = column_of([1, "2", None, 3.0, "x", True, 2.5], pa.int64())
    assert cast.values.to_pylist() == [1, 2, None, 3, None, 1, None]
    assert cast.bad.tolist() == [False, False, False, False, True, False, True]


def test_text_that_is_no_unicode():
    rows, rejects = batch_of_dicts([{"id": 1, "tags": ["\ud800"]}, {"id": 2}], SCHEMA)
    assert rows["id"].to_pylist() == [2]
    assert rejects["reason"].to_pylist() == ["invalid_utf8"]
    assert rejects["payloadString"].to_pylist() == ['{"id": 1, "tags": ["\\ud800"]}']


def test_maps():
    cast = column_of([{"a": 1}, None, [("b", 2)], 5], pa.map_(pa.string(), pa.int64()))
    assert cast.values.to_pylist() == [[("a", 1)], None, [("b", 2)], None]
    assert cast.bad.tolist() == [False, False, False, True]


def test_an_unknown_row_is_named_by_its_type():
    with pytest.raises(TypeError, match="not <class 'int'>"):
        record_of(5)


@given(record_batches())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_any_batch_survives_as_dicts(batch):
    rows, rejects = batch_of_dicts(batch.to_pylist(), batch.schema)
    assert rejects.num_rows == 0
    assert rows.equals(pa.RecordBatch.from_arrays(batch.columns, schema=batch.schema))


def test_windows_are_never_mixed_and_the_timestamp_is_the_latest():
    class Stamp(beam.DoFn):
        def process(self, batch, time=beam.DoFn.TimestampParam, window=beam.DoFn.WindowParam):
            yield batch["id"].to_pylist(), float(time), float(window.end)

    rows = [TimestampedValue({"id": second}, second) for second in (1, 12, 3, 18, 25)]
    to_window = beam.WindowInto(FixedWindows(10))
    found = run(rows, to_window, FromRows(SCHEMA), beam.ParDo(Stamp()))
    assert sorted(found) == [([1, 3], 3.0, 10.0), ([12, 18], 18.0, 20.0), ([25], 25.0, 30.0)]


def test_sliding_windows_get_each_row_once():
    rows = [TimestampedValue({"id": second}, second) for second in (1, 7)]
    found = run(
        rows, beam.WindowInto(SlidingWindows(10, 5)), FromRows(SCHEMA, max_rows=1), ToRows()
    )
    assert sorted(row["id"] for row in found) == [1, 1, 7, 7]


def test_a_stream():
    stream = test_stream.TestStream(coder=beam.coders.FastPrimitivesCoder())
    stream.advance_watermark_to(0).add_elements([TimestampedValue({"id": 1}, 1)])
    stream.add_elements([TimestampedValue({"id": 2}, 12)]).advance_watermark_to_infinity()
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.testing.util import assert_that, equal_to

    with beam.Pipeline(options=PipelineOptions(["--streaming"])) as root:
        rows = root | stream | beam.WindowInto(FixedWindows(10)) | FromRows(SCHEMA) | ToRows()
        assert_that(rows, equal_to([{"id": i, "x": None, "tags": None} for i in (1, 2)]))


def test_beam_rows_back():
    found = run(ROWS, FromRows(SCHEMA), ToRows("row"))
    assert found == [beam.Row(**row) for row in FULL]


def test_beam_rows_with_a_schema_cross_a_shuffle_and_have_a_type():
    schema = pa.schema(
        [*SCHEMA, ("at", pa.timestamp("us")), ("inner", pa.struct([("a", pa.int64())]))]
    )
    found = run(ROWS, FromRows(schema), ToRows("row", schema), beam.Reshuffle(), FromRows())
    assert sorted(row["id"] for batch in found for row in batch.to_pylist()) == [1, 2, 3]
    assert row_hint(pa.schema([("##SEQUENCE##", pa.int64())])) is beam.Row


def test_examples_there_and_back():
    examples = run(ROWS, FromRows(SCHEMA), ToRows("example"))
    assert all(isinstance(example, bytes) for example in examples)
    assert run(examples, FromRows(SCHEMA), ToRows()) == FULL
    (inferred,) = run(examples, FromRows())
    assert inferred.schema.to_string().splitlines()[0] == "id: int64"


def test_tf_examples():
    from tensorflow.core.example import example_pb2

    example = example_pb2.Example()
    example.features.feature["id"].int64_list.value.append(7)
    assert record_of(example) == ("example", example.SerializeToString())
    assert run([example.SerializeToString()], FromRows(), ToRows()) == [{"id": 7}]


def test_a_row_that_no_example_holds_leaves_by_the_door():
    door = Door()
    batch = batch_of(x=[1.0, 1e300])
    found = run_on([batch], lambda batches: batches | ToRows("example", dead_letters=door))
    assert len(found) == 1
    assert [(row["column"], row["reason"]) for row in door.letters] == [("x", "overflow")]


def test_frames_there_and_back():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"id": [1, 2, 3], "x": [0.5, None, 1.5], "extra": ["a", "b", None]})
    (batch,) = run([frame], FromRows(SCHEMA))
    assert batch.schema.equals(SCHEMA)
    assert batch["x"].to_pylist() == [0.5, None, 1.5]
    (inferred,) = run([frame], FromRows())
    assert inferred.schema.names == ["id", "x", "extra"]
    (back,) = run([frame], FromRows(), ToRows("pandas"))
    pd.testing.assert_frame_equal(back[["id", "x"]], frame[["id", "x"]])
    parts = run([frame], FromRows(SCHEMA, max_rows=2))
    assert [part.num_rows for part in parts] == [2, 1]


def test_a_frame_of_objects_goes_row_by_row():
    pd = pytest.importorskip("pandas")
    door = Door()
    frame = pd.DataFrame({"id": [1, "two", 3.0]}, dtype=object)
    found = run([frame], FromRows(SCHEMA, dead_letters=door), ToRows())
    assert [row["id"] for row in found] == [1, 3]
    assert len(door.letters) == 1


def test_wrong_arguments():
    with pytest.raises(ConfigError, match="max_rows is at least 1"):
        FromRows(max_rows=0)
    with pytest.raises(ConfigError, match="not 'tuple'"):
        ToRows("tuple")
