"""Declared steps against tf.Transform: python -m benchmarks.preprocess_steps.

The same 14 features of taxi trips, CPU time, medians of interleaved repeats in one run.

Theirs is a program written by hand on RecordBatches of 1,000 rows, as tfx-bsl's readers make them;
ours reads the same rows as batches of plain columns, and checks each cast. Analysis alone, and with
the transformation of all rows behind it.
"""

import pathlib
import statistics
import tempfile
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from benchmarks.preprocess import (
    cpu,
    discard,
    given,
    in_process,
    options_of,
    ours,
    rows_of,
    their_batches,
)
from transforms.batches import MAX_ROWS, cut
from transforms.preprocess import Analyze, Steps
from transforms.preprocess.columns import RawColumns
from transforms.schema import read_metadata

STEPS = """
features:
  trip_miles_scaled: {column: trip_miles, steps: [fill: {value: 0}, scale_to_z_score]}
  trip_seconds_scaled: {column: trip_seconds, steps: [fill: {value: 0}, scale_to_z_score]}
  trip_start_timestamp_scaled:
    {column: trip_start_timestamp, steps: [fill: {value: 0}, scale_to_z_score]}
  pickup_latitude_bucket: {column: pickup_latitude, steps: [fill: {value: 0}, bucketize: 10]}
  pickup_longitude_bucket: {column: pickup_longitude, steps: [fill: {value: 0}, bucketize: 10]}
  dropoff_latitude_bucket: {column: dropoff_latitude, steps: [fill: {value: 0}, bucketize: 10]}
  dropoff_longitude_bucket: {column: dropoff_longitude, steps: [fill: {value: 0}, bucketize: 10]}
  payment_type_id:
    column: payment_type
    steps: [fill: {value: ""}, vocabulary: {top_k: 50, num_oov_buckets: 1}]
  company_id:
    column: company
    steps: [fill: {value: ""}, vocabulary: {top_k: 50, num_oov_buckets: 1}]
  trip_start_hour: {steps: [fill: {value: 0}]}
  trip_start_day: {steps: [fill: {value: 0}]}
  trip_start_month: {steps: [fill: {value: 0}]}
  fare_log: {column: fare, steps: [fill: {value: 0}, clip: {min: 0}, log1p]}
  tips_bucket: {column: tips, steps: [fill: {value: 0}, apply_buckets: {boundaries: [0.01, 2, 5]}]}
"""


def preprocessing_fn(inputs: dict[str, Any]) -> dict[str, Any]:
    """The same features, by hand."""
    import tensorflow_transform as tft

    from examples import taxi_features

    made = taxi_features.preprocessing_fn(inputs)
    del made["big_tip"]
    tips = taxi_features._one(inputs["tips"], 0.0)
    return made | {"tips_bucket": tft.apply_buckets(tips, [[0.01, 2, 5]])}


def analyzed_by_hand(batches: list[pa.RecordBatch], config: Any, folder: str) -> None:
    """Their analysis, and their graph written."""
    import tensorflow_transform.beam as tft_beam

    with in_process() as root, tft_beam.Context(temp_dir=folder):
        rows = given(root, "Rows", batches)
        made = (rows, config) | tft_beam.AnalyzeDataset(preprocessing_fn)
        _ = made | tft_beam.WriteTransformFn(f"{folder}/graph")


def both_by_hand(batches: list[pa.RecordBatch], config: Any, folder: str) -> None:
    """Their analysis and transformation."""
    import apache_beam as beam
    import tensorflow_transform.beam as tft_beam

    with in_process() as root, tft_beam.Context(temp_dir=folder):
        rows = given(root, "Rows", batches)
        made = (rows, config) | tft_beam.AnalyzeDataset(preprocessing_fn)
        features, _ = ((rows, config), made) | tft_beam.TransformDataset(output_record_batches=True)
        _ = made | tft_beam.WriteTransformFn(f"{folder}/graph")
        _ = features | beam.Map(discard)


def compare_steps(base: pathlib.Path, rows: int, repeats: int) -> None:
    """Prints both, and how many times faster ours is."""
    schema = read_metadata(str(base / "tfdv_goldens/1.16.1/schema_curated.pbtxt"))
    batch = rows_of(base, rows)
    theirs, config = their_batches(batch, RawColumns.of_schema(schema))
    large = list(cut(batch, MAX_ROWS, 1 << 40))
    steps = Steps.parse(STEPS)

    def analyze() -> Analyze:
        return Analyze(schema=schema, folder=f"{tempfile.mkdtemp()}/graph", steps=steps)

    def analyzed() -> None:
        with in_process() as root:
            _ = given(root, "Rows", large) | analyze()

    runs: dict[str, Callable[[], None]] = {
        "analyzed by tf.Transform": lambda: analyzed_by_hand(theirs, config, tempfile.mkdtemp()),
        "analyzed by steps": analyzed,
        "both by tf.Transform": lambda: both_by_hand(theirs, config, tempfile.mkdtemp()),
        "both by steps": lambda: ours(large, analyze(), ""),
    }
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, function in runs.items():
            found[name].append(cpu(function))
    middle = {name: statistics.median(seconds) for name, seconds in found.items()}
    print(f"{rows:,} rows, 14 features as declared steps; CPU seconds of {repeats} repeats")
    for name, seconds in found.items():
        told = ", ".join(f"{each:.1f}" for each in sorted(seconds))
        print(f"  {name:26} {middle[name]:6.1f} s ({told})")
    for what in ("analyzed", "both"):
        times = middle[f"{what} by tf.Transform"] / middle[f"{what} by steps"]
        print(f"  {what}: {times:.1f} times faster")


def main() -> None:
    """Runs the comparison."""
    options = options_of(__doc__, 1_000_000)
    compare_steps(options.data, options.rows, options.repeats)


if __name__ == "__main__":
    main()
