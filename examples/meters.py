"""The load of electricity meters an hour ahead: python -m examples.meters --output out/.

Readings of 20 meters are made up, with days, weeks, weather and noise. Windowed features say what
each meter did before; tf.Transform scales them; a small Keras 3 model learns the next reading. The
last week is scored by a model that has not seen it. The same features and model would take readings
as messages: `WindowFeatures(..., every=3600)` and `Score`, as the test of this file does.
"""

import argparse
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from beam_jobs import preprocess, score, validate
from transforms import Commit, Lag, Read, Rolling, WindowFeatures, Write

HOUR, DAY = 3600, 86_400
START = np.datetime64("2026-01-05T00:00:00", "s")
METERS, DAYS, LAST_DAYS = 20, 35, 7
EPOCHS = 30

FEATURES = {
    "load_1": Lag("load", 1, within=DAY),
    "load_2": Lag("load", 2, within=DAY),
    "load_day": Lag("load", ago=DAY, within=2 * DAY),
    "load_day_before": Lag("load", ago=DAY + HOUR, within=2 * DAY),
    "load_week": Lag("load", ago=7 * DAY, within=8 * DAY),
    "day_mean": Rolling(DAY, "mean", "load"),
    "day_std": Rolling(DAY, "std", "load"),
    "hours_max": Rolling(6 * HOUR, "max", "load"),
    "hours_read": Rolling(DAY, "count"),
}
KEYS, TIME, LABEL = ["meter"], "time", "load"


def readings(days: int = DAYS) -> pa.Table:
    """Returns hourly readings in order of time; one in fifty is missing.

    Args:
      days: How many days, from a Monday on.
    """
    draw = np.random.default_rng(11)
    hours = np.arange(24 * days)
    weather = np.convolve(draw.normal(size=24 * days + 47), np.ones(48) / 7, "valid")
    parts = []
    for number in range(METERS):
        size, at_night = draw.uniform(1, 9), draw.uniform(0, 24)
        day = np.sin((hours - at_night) / 12 * np.pi)
        week = np.where(hours // 24 % 7 > 4, 0.6, 1.0)
        load = size * (3 + week * day + 0.4 * weather + draw.normal(scale=0.03, size=len(hours)))
        times = START + hours.astype("timedelta64[h]")
        parts.append(pa.table({"time": times, "meter": [f"m{number}"] * len(hours), "load": load}))
    whole = pa.concat_tables(parts).sort_by([("time", "ascending"), ("meter", "ascending")])
    return whole.filter(pa.array(draw.uniform(size=whole.num_rows) > 0.02))


def run(output: Path) -> float:
    """Runs all steps.

    Args:
      output: A folder for `readings.parquet`, `features/`, `statistics/`, `prepared/`,
        `model.keras` and `scores/`.

    Returns: The mean error of the last week, as a part of that of "as an hour ago".
    """
    output.mkdir(parents=True, exist_ok=True)
    pq.write_table(readings(), output / "readings.parquet")
    with_features(output / "readings.parquet", output / "features")
    train_rows, last_rows = split(pq.read_table(output / "features"))
    pq.write_table(train_rows, output / "train.parquet")
    pq.write_table(last_rows, output / "last.parquet")
    _job(
        validate,
        input=output / "train.parquet",
        infer_schema="true",
        output=f"{output}/statistics/",
    )
    _job(
        preprocess,
        input=output / "train.parquet",
        schema=output / "statistics" / "schema.pbtxt",
        preprocessing_fn="examples.meters_features",
        output=f"{output}/prepared/",
    )
    train(output / "prepared" / "Split-train", output / "model.keras")
    _job(
        score,
        input=output / "last.parquet",
        transform_graph=output / "prepared" / "transform_graph",
        model=output / "model.keras",
        output=f"{output}/scores/",
    )
    return judge(pq.read_table(output / "scores"))


def with_features(rows: Path, folder: Path) -> None:
    """Reads files, adds the windowed features, and writes them."""
    with (
        beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([])) as root,
        Commit() as commit,
    ):
        _ = (
            root
            | Read(str(rows))
            | WindowFeatures(FEATURES, KEYS, TIME)
            | Write(f"{folder}/", commit=commit)
        )


def split(rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Returns the rows to learn from, which have a week behind them, and those of the last week."""
    edge = START + np.timedelta64(DAYS - LAST_DAYS, "D")
    known = rows.filter(pc.and_(pc.is_valid(rows["load_week"]), pc.is_valid(rows["day_std"])))
    last = pc.greater_equal(known[TIME], pa.scalar(edge))
    return known.filter(pc.invert(last)), known.filter(last)


def _job(job: Any, **flags: Any) -> None:
    code = job.main([f"--{name}={value}" for name, value in flags.items()])
    if code:
        raise SystemExit(code)


def train(rows: Path, path: Path) -> None:
    """Trains a small network on transformed rows, and saves it.

    Args:
      rows: A folder of Parquet files, as the preprocess job writes them.
      path: Where the model goes: a `.keras` file.
    """
    import keras

    keras.utils.set_random_seed(7)
    table = pq.read_table(rows)
    arrays = {name: table[name].to_numpy() for name in table.column_names}
    label = arrays.pop(LABEL)
    inputs = {name: keras.Input((), name=name, dtype="float32") for name in arrays}
    joined = keras.ops.stack(list(inputs.values()), axis=1)
    hidden = keras.layers.Dense(32, activation="relu")(joined)
    # What the network adds to the last reading.
    more = keras.layers.Dense(1)(hidden)
    model = keras.Model(inputs, {"more": keras.layers.Reshape([])(more)})
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mean_squared_error")
    model.fit(arrays, label, batch_size=256, epochs=EPOCHS, verbose=0)
    model.save(path)


def judge(scores: pa.Table) -> float:
    """Prints how far predictions and "as an hour ago" are off, and returns the one by the other."""
    load, before = (scores[name].to_numpy() for name in (LABEL, "load_1"))
    guess = before * (1 + scores["more"].to_numpy())
    ours, naive = np.abs(guess - load).mean(), np.abs(before - load).mean()
    print(f"mean error {ours:.3f}, as an hour ago {naive:.3f}")
    return float(ours / naive)


def main() -> None:
    """Runs it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    run(parser.parse_args().output)


if __name__ == "__main__":
    main()
