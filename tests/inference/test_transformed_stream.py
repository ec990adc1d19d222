"""Scoring behind a transform graph, of messages in windows."""

import json
import warnings

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.transforms.window import TimestampedValue

from inference import Score, score_table
from tests.support import Door
from tests.support_streams import Trickle, run_prism, run_stream, stream
from transforms.windows.window_batches import WindowBatches

BAD = {7: -1.0, 40: -1.0, 55: None}
"""Fares of some rows: the graph fails at -1, and a missing one can't be fed."""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Takes a scaled fare and the hour."""
    import keras

    keras.utils.set_random_seed(3)
    inputs = {n: keras.Input((), name=n, dtype="float32") for n in ("fare_scaled", "hour")}
    joined = keras.ops.stack(list(inputs.values()), axis=1)
    made = keras.Model(inputs, {"guess": keras.layers.Dense(3, activation="tanh")(joined)})
    path = tmp_path_factory.mktemp("models") / "tip.keras"
    with warnings.catch_warnings():
        # Keras 3.15 calls numpy in a way that numpy 2 has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        made.save(path)
    return str(path)


def trips(rows=64):
    fares = [BAD.get(i, float(i % 20)) for i in range(rows)]
    return pa.RecordBatch.from_pydict(
        {
            "time": pa.array([10 * i for i in range(rows)], pa.timestamp("s")),
            "fare": pa.array(fares, pa.float64()),
            "hour": pa.array([i % 24 for i in range(rows)], pa.int32()),
            "id": list(range(rows)),
            "n": [10.0 * i for i in range(rows)],
        }
    )


def _seen(batch, window=beam.DoFn.WindowParam):
    return [(int(window.start), row["id"], tuple(row["guess"])) for row in batch.to_pylist()]


def scoring(model, graph_uri, door):
    """Windows of a minute, then graph and model in one call."""

    def build(rows):
        windows = rows | WindowBatches(60, event_time_column="time")
        scored = windows | Score(model, transform_graph=graph_uri, dead_letters=door)
        return scored | beam.FlatMap(_seen)

    return build


def check(found, door, model, graph_uri):
    """Each row in its window with the score that it has in a table; the bad ones by the door."""
    whole, _ = score_table(trips(), model, transform_graph=graph_uri)
    expected = {row["id"]: row["guess"] for row in whole.to_pylist()}
    assert [row for _, row, _ in sorted(found)] == [i for i in range(64) if i not in BAD]
    assert all(start == 10 * row // 60 * 60 for start, row, _ in found)
    for _, row, guess in found:
        assert np.allclose(guess, expected[row], rtol=1e-6)
    rejects = pa.Table.from_batches(door.found).to_pylist()
    reasons = {json.loads(r["payloadString"])["id"]: r["reason"] for r in rejects}
    assert reasons == {7: "model_error", 40: "model_error", 55: "missing_value"}
    assert not any("-1" in r["errorMessage"] for r in rejects), "no value of a row"


def test_rows_that_can_not_be_transformed_leave_by_themselves(model, graph_uri):
    given = stream()
    for at in range(0, 64, 16):
        rows = trips().slice(at, 16)
        given = given.add_elements([TimestampedValue(rows, 10 * at)])
        given = given.advance_watermark_to(10 * at + 160)
    door = Door()
    given = given.advance_watermark_to_infinity()
    found, _ = run_stream(given, scoring(model, graph_uri, door))
    check(found, door, model, graph_uri)


def test_on_a_runner_of_streams(model, graph_uri):
    door = Door()
    batches = [trips().slice(at, 8) for at in range(0, 64, 8)]
    build = scoring(model, graph_uri, door)
    found = run_prism(lambda root: build(root | Trickle(batches, 0.05)))
    check(found, door, model, graph_uri)
