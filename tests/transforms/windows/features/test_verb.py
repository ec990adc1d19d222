import json

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.transforms.window import TimestampedValue

from tests.support import Door, local_pipeline, run_on
from tests.support_streams import Trickle, run_prism, run_stream, stream
from transforms import progress
from transforms.commit.commit import Commit
from transforms.commit.dead_letters import DeadLetters
from transforms.errors import ConfigError, RejectedRows
from transforms.io.read import Read
from transforms.io.write import Write
from transforms.windows.assign import with_watermark
from transforms.windows.features.compute import window_features
from transforms.windows.features.declare import STATISTICS, Lag, Rolling
from transforms.windows.features.verb import WindowFeatures, _Plan

FEATURES = {
    "before": Lag("n", 1, 90),
    "third": Lag("n", 3, 90),
    "then": Lag("n", 1, 100, 30),
    "now": Rolling(45, "count", closed="right"),
    **{f"n_{each}": Rolling(100, each, "n") for each in STATISTICS},
}


def trips(*seconds, key="a"):
    """Rows that happened so many seconds after 1970."""
    return pa.RecordBatch.from_pydict(
        {
            "time": pa.array(
                [None if s is None else round(s * 10**6) for s in seconds], pa.timestamp("us")
            ),
            "n": pa.array(seconds, pa.float64()),
            "key": pa.array([key] * len(seconds), pa.string()),
        }
    )


def many(rows=400, keys=5, seed=0):
    random = np.random.default_rng(seed)
    times = np.sort(random.uniform(0, 900, rows)).round(1)
    return pa.RecordBatch.from_pydict(
        {
            "time": pa.array((times * 10**6).astype(np.int64), pa.timestamp("us")),
            "n": random.normal(size=rows),
            "key": random.integers(0, keys, rows).astype(str),
            "id": np.arange(rows),
        }
    )


def verb(features=FEATURES, **settings):
    return WindowFeatures(features, ["key"], "time", **settings)


def by_id(batches):
    return sorted((row for batch in batches for row in batch.to_pylist()), key=lambda r: r["id"])


def streamed(given_batches, every, wait=0):
    """The rows as a stream that tells, after each batch, that the ones before it are complete."""
    given, come = stream(), 0
    for batch in given_batches:
        latest = batch["time"].cast(pa.int64()).to_numpy().max() / 10**6
        given = given.add_elements([TimestampedValue(batch, latest)])
        if int(latest) - wait > come:
            come = int(latest) - wait
            given = given.advance_watermark_to(come)
    found, _ = run_stream(
        given.advance_watermark_to_infinity(), lambda rows: rows | verb(every=every)
    )
    return found


def test_files_and_messages_have_the_same_features():
    rows = many()
    expected = by_id([window_features(rows, FEATURES, ["key"], "time")])
    batches = [rows.slice(i, 50) for i in range(0, 400, 50)]
    assert by_id(run_on(batches, lambda given: given | verb())) == expected
    assert by_id(streamed(batches, every=60)) == expected
    assert by_id(streamed(batches, every=7)) == expected


@pytest.mark.parametrize("every", [20, 100, 250])
def test_rows_out_of_order_within_what_the_source_waits_for(every):
    rows = many(120, seed=every)
    delays = np.random.default_rng(every).uniform(0, 60, 120)
    seconds = rows["time"].cast(pa.int64()).to_numpy() / 10**6
    mixed = rows.take(pa.array(np.argsort(seconds + delays)))
    expected = by_id([window_features(rows, FEATURES, ["key"], "time")])
    found = streamed([mixed.slice(i, 15) for i in range(0, 120, 15)], every, wait=200)
    assert by_id(found) == expected


def test_results_come_every_period_in_its_window():
    given = stream().add_elements([TimestampedValue(trips(1, 59), 59)]).advance_watermark_to(60)
    given = given.add_elements([TimestampedValue(trips(61), 61)]).advance_watermark_to(600)
    given = given.add_elements([TimestampedValue(trips(601), 601)]).advance_watermark_to_infinity()

    def windows(rows):
        made = rows | verb({"seen": Rolling(90, "count")}, every=60)
        return made | beam.Map(_window_of)

    found, _ = run_stream(given, windows)
    assert found == [(0, [1, 59], [0, 1]), (60, [61], [2]), (600, [601], [0])]


def _window_of(batch, window=beam.DoFn.WindowParam):
    return int(window.start), batch["n"].to_pylist(), batch["seen"].to_pylist()


def _late_stream(noted=None):
    given = stream().add_elements([TimestampedValue(trips(1), 1)]).advance_watermark_to(70)
    late = trips(2) if noted is None else with_watermark(trips(2), noted)
    given = given.add_elements([TimestampedValue(late, 2)])
    given = given.add_elements([TimestampedValue(trips(71), 71)])
    return given.advance_watermark_to_infinity()


@pytest.mark.parametrize(("noted", "counted"), [(None, [0, 2]), (70 * 10**6, [0, 1])])
def test_late_rows_are_counted(noted, counted):
    """One that the runner alone knows to be late still counts for later rows."""
    progress.reset()
    made = {"seen": Rolling(100, "count")}
    found, _ = run_stream(_late_stream(noted), lambda rows: rows | verb(made, every=60))
    assert [seen for batch in found for seen in batch["seen"].to_pylist()] == counted
    # The metric of a step behind a GroupByKey is lost by the runner that Beam has for TestStream.
    assert progress.snapshot()["late"].rows == 1


@pytest.mark.parametrize("noted", [None, 70 * 10**6])
def test_late_rows_become_dead_letters(noted):
    door = Door()
    made = verb({"seen": Rolling(100, "count")}, every=60, dead_letters=door)
    found, _ = run_stream(_late_stream(noted), lambda rows: rows | made)
    assert sorted(n for batch in found for n in batch["n"].to_pylist()) == [1, 71]
    rejects = pa.Table.from_batches(door.found)
    assert rejects["reason"].to_pylist() == ["late"]
    assert rejects["column"].to_pylist() == ["time"]
    assert json.loads(rejects["payloadString"][0].as_py())["n"] == 2


def test_on_a_runner_of_streams():
    rows = trips(*range(0, 800, 4))
    keys = pa.array(np.random.default_rng(1).integers(0, 5, 200).astype(str))
    rows = rows.set_column(2, "key", keys).append_column("id", pa.array(range(200)))
    expected = by_id([window_features(rows, FEATURES, ["key"], "time")])
    batches = [rows.slice(i, 40) for i in range(0, 200, 40)]
    assert by_id(run_prism(lambda root: root | Trickle(batches, 0.05) | verb(every=60))) == expected


def test_a_run_of_files_counts_every_row(tmp_path):
    rows = pa.Table.from_batches([trips(1, 2, None), trips(3, key=None)])
    pq.write_table(rows, tmp_path / "in.parquet")
    with local_pipeline() as root, Commit() as commit:
        dead = DeadLetters(f"{tmp_path}/dead.jsonl", commit)
        read = root | Read(f"{tmp_path}/in.parquet", dead_letters=dead)
        _ = read | verb(dead_letters=dead) | Write(f"{tmp_path}/out/", commit=commit)
    counts = commit.outcome()["counts"]
    assert (counts["rows_in"], counts["rows_out"], counts["rows_dead"]) == (4, 3, 1)
    assert counts["dead_by_reason"] == {"missing_value": 1}
    found = pq.read_table(f"{tmp_path}/out").to_pylist()
    assert sorted((row["n"], row["before"]) for row in found) == [(1, None), (2, 1), (3, None)]


def test_without_a_door_a_row_without_a_time_is_an_error():
    with pytest.raises(RejectedRows, match=r"rejected 1 row.*missing_value"):
        run_on([trips(1, None)], lambda rows: rows | verb())


def test_batches_with_other_columns_meet():
    """Files of one input may differ: what features are made of is united, the rest stays."""
    wide = trips(5).append_column("more", pa.array([1]))
    whole = trips(3).set_column(1, "n", pa.array([3], pa.int64()))
    found = run_on([wide, whole], lambda rows: rows | verb({"before": Lag("n")}))
    assert {tuple(batch.schema.names): batch["before"].to_pylist() for batch in found} == {
        ("time", "n", "key", "more", "before"): [3.0],
        ("time", "n", "key", "before"): [None],
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"features": {}}, "features names the new columns"),
        ({"keys": []}, "keys is a list"),
        ({"event_time_column": ""}, "event_time_column names"),
        ({"shards": 0}, "shards is 0"),
        ({"every": 0}, "every is 0 s, but Beam's windows last whole milliseconds"),
        ({"every": 0.0015}, "every is 0.0015 s"),
        ({"every": 0.01}, "more than 1000 periods for features that look back 100 s"),
    ],
)
def test_settings_are_checked(given, message):
    with pytest.raises(ConfigError, match=message):
        WindowFeatures(
            **{"features": FEATURES, "keys": ["key"], "event_time_column": "time"} | given
        )


@pytest.mark.parametrize(
    ("made", "every", "message"),
    [
        (FEATURES, None, "the input has no end; every= says"),
        ({"last": Lag("n")}, 60, "'last' looks back for ever; give its Lag within="),
    ],
)
def test_input_without_end_needs_bounds(made, every, message):
    with pytest.raises(ConfigError, match=message):
        run_stream(
            stream().advance_watermark_to_infinity(), lambda rows: rows | verb(made, every=every)
        )


def test_batches_with_other_dictionaries_meet():
    plan = _Plan({"last": Lag("v", within=10)}, ("k",), "t", 4, 10**6, 10**7)

    def batch(times, keys, values):
        return pa.RecordBatch.from_arrays(
            [pa.array(times, pa.timestamp("s")), keys, values], ["t", "k", "v"]
        )

    coded = pa.array(["a", None]).dictionary_encode(), pa.array(["x", "y"]).dictionary_encode()
    nothing = pa.nulls(1).dictionary_encode()
    own = [batch([5, -6], *coded), batch([7], nothing, pa.array(["z"]))]
    made = plan.made(own, [batch([1], pa.array(["a"]), pa.array(["q"]))])
    assert [each["last"].to_pylist() for each in made] == [["q", None], [None]]
