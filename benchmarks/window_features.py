"""Windowed features against a keyed, stateful, row-wise DoFn: python -m benchmarks.window_features.

A day of rows of 1,000 keys, and six features of the hour before each row. The DoFn is what a
hand-written job has: rows by key, in order of time, and the key's last hour in state. Both run on
Beam's in-process runner on rows in memory; CPU seconds, medians of interleaved repeats. The
DoFn is given a part of the rows, for it takes minutes for all, and is compared by row.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.coders import PickleCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec

from benchmarks.held import held
from transforms import Lag, Rolling, WindowFeatures, window_features
from transforms.batches import MAX_ROWS, cut

HOUR = 3600
FEATURES = {
    "before": Lag("v", 1, HOUR),
    "number": Rolling(HOUR, "count"),
    "mean": Rolling(HOUR, "mean", "v"),
    "least": Rolling(HOUR, "min", "v"),
    "most": Rolling(HOUR, "max", "v"),
    "spread": Rolling(HOUR, "std", "v"),
}


_ROW = beam.typehints.KV[int, beam.typehints.Tuple[int, float]]


LAST_PARAM = beam.DoFn.StateParam(ReadModifyWriteStateSpec("last", PickleCoder()))


class RowByRow(beam.DoFn):
    """Keeps the last hour of a key in state."""

    def process(
        self, keyed: tuple[int, tuple[int, float]], last: Any = LAST_PARAM
    ) -> Iterator[tuple[Any, ...]]:
        """Yields the row with its features."""
        key, (at, value) = keyed
        seen = [(t, v) for t, v in last.read() or () if t >= at - HOUR * 10**6]
        values = [v for t, v in seen if t < at]
        number = len(values)
        mean = sum(values) / number if number else None
        spread = None
        if mean is not None and number > 1:
            spread = (sum((v - mean) ** 2 for v in values) / (number - 1)) ** 0.5
        yield (
            key,
            at,
            value,
            values[-1] if values else None,
            number,
            mean,
            min(values, default=None),
            max(values, default=None),
            spread,
        )
        seen.append((at, value))
        last.write(seen)


def rows_of(number: int, keys: int) -> pa.RecordBatch:
    """A day of rows, in order of time."""
    random = np.random.default_rng(7)
    times = np.sort(random.integers(0, 86_400 * 10**6, number))
    return pa.RecordBatch.from_pydict(
        {
            "key": random.integers(0, keys, number),
            "time": pa.array(times, pa.timestamp("us")),
            "v": random.normal(size=number),
        }
    )


def _discard(_: object) -> None:
    """Takes what a pipeline makes."""


def _run(elements: list[Any], build: Callable[[Any], Any], kind: Any) -> None:
    with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([])) as root:
        _ = build(held(root, "Rows", elements, kind)) | "End" >> beam.Map(_discard)


def cpu(function: Callable[[], object]) -> float:
    """The CPU seconds that a call takes."""
    before = time.process_time()
    function()
    return time.process_time() - before


def main() -> None:
    """Prints rows a CPU second of each, and how many times as fast ours is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--their_rows", type=int, default=100_000)
    parser.add_argument("--keys", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    whole = rows_of(given.rows, given.keys)
    batches = list(cut(whole, MAX_ROWS, 1 << 30))
    # As dense as the whole: rows of a part of the day.
    part = whole.slice(0, given.their_rows)
    by_row = list(
        zip(
            part["key"].to_pylist(),
            zip(part["time"].cast(pa.int64()).to_pylist(), part["v"].to_pylist(), strict=True),
            strict=True,
        )
    )
    verb = WindowFeatures(FEATURES, ["key"], "time")
    ways = {
        "WindowFeatures": (
            given.rows,
            lambda: _run(batches, lambda rows: rows | verb, pa.RecordBatch),
        ),
        "window_features, without Beam": (
            given.rows,
            lambda: window_features(whole, FEATURES, ["key"], "time"),
        ),
        "a stateful DoFn": (
            len(by_row),
            lambda: _run(by_row, lambda rows: rows | beam.ParDo(RowByRow()), _ROW),
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(given.repeats):
        for name, (rows, run) in ways.items():
            times[name].append(cpu(run) / rows)
    per_row = {name: statistics.median(found) for name, found in times.items()}
    for name, seconds in per_row.items():
        print(f"{name}: {1 / seconds:,.0f} rows a CPU second")
    print(f"ratio: {per_row['a stateful DoFn'] / per_row['WindowFeatures']:.1f}")


if __name__ == "__main__":
    main()
