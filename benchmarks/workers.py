"""A second core for a model: python -m benchmarks.workers [--rows N] [--micros 50] [--repeats 3].

Scores N and 4 N rows, in turns with one call at a time, and with calls side by side where that is
measured to be faster. Prints the medians of the marginal rows/s between N and 4 N, so that start-up
counts for nothing, and of the ratio of two runs that followed each other. One of the models works
on one core, with texts; the products of the other use all cores by themselves.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import data


def text_model(folder: Path, rounds: int) -> str:
    """Returns a SavedModel that hashes texts of its features, on one core, so many times."""
    import tensorflow as tf

    def serve(x):
        score = tf.zeros([tf.shape(x)[0]])
        for number in map(float, range(rounds)):
            # Each round needs the one before: TensorFlow would make them side by side by itself.
            text = tf.strings.reduce_join(tf.as_string(x + score[:, None] + number), axis=1)
            score += tf.cast(tf.strings.to_hash_bucket_fast(text, 1000), tf.float32)
        return {"score": score}

    return _saved(tf, folder, serve, [])


def product_model(folder: Path, rounds: int) -> str:
    """Returns a SavedModel of so many products of matrices, which use all cores."""
    import tensorflow as tf

    weights = [tf.Variable(tf.random.normal([256, 256], stddev=0.1)) for _ in range(rounds)]
    first = tf.Variable(tf.random.normal([len(data.FEATURES), 256]))

    def serve(x):
        hidden = x @ first
        for each in weights:
            hidden = tf.nn.relu(hidden @ each)
        return {"score": tf.reduce_sum(hidden, 1)}

    return _saved(tf, folder, serve, [first, *weights])


def _saved(tf: Any, folder: Path, serve: Any, variables: list[Any]) -> str:
    module = tf.Module()
    module.kept = variables
    spec = tf.TensorSpec([None, len(data.FEATURES)], tf.float32, name="x")
    module.serve = tf.function(serve, input_signature=[spec])
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    return str(folder)


MODELS = {"one core": (text_model, 2.2), "all cores": (product_model, 0.35)}
"""What makes a model of so many rounds, and about how many microseconds a round takes a row."""


def scored(rows: Path, model: str, out: Path, beside: int) -> float:
    """Returns the seconds that scoring a file takes."""
    from apache_beam import Pipeline
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    from inference import Score
    from transforms import Commit, Read, Write

    start = time.perf_counter()
    with Pipeline(runner=FnApiRunner()) as root, Commit(overwrite=True) as commit:
        batches = root | Read(str(rows))
        score = Score(model, mapping={"x": "f*"}, keep_columns="id", calls_beside=beside)
        _ = batches | score | Write(f"{out}/", commit=commit)
    return time.perf_counter() - start


def marginal(rows: int, model: str, work: Path, beside: int) -> float:
    """Returns the rows/s between so many rows and four times as many."""
    # Imports belong to no measurement.
    scored(data.rows(work / "1000.parquet", 1000), model, work / "out", beside)
    took = [
        scored(data.rows(work / f"{n}.parquet", n), model, work / "out", beside)
        for n in (rows, 4 * rows)
    ]
    return 3 * rows / (took[1] - took[0])


def main() -> None:
    """Prints a table; each measurement is a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--micros", type=float, default=50.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", nargs=3, metavar=("MODEL", "BESIDE", "WORK"))
    given = parser.parse_args()
    if given.one:
        model, beside, work = given.one
        print(json.dumps(marginal(given.rows, model, Path(work), int(beside))))
        return
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'':12}{'one call':>12}{'side by side':>14}{'ratio':>8}   rows/s")
        for name, (make, round_micros) in MODELS.items():
            rounds = max(1, round(given.micros / round_micros))
            model = make(Path(folder) / name.replace(" ", "_"), rounds)
            found: dict[int, list[float]] = {1: [], cores: []}
            for _ in range(given.repeats):
                for beside in found:
                    found[beside].append(_measured(given.rows, model, beside, folder))
            one, two = (statistics.median(each) for each in found.values())
            ratios = [two / one for one, two in zip(*found.values(), strict=True)]
            ratio = statistics.median(ratios)
            load = f"load {os.getloadavg()[0]:.1f}"
            print(f"{name:12}{one:>12,.0f}{two:>14,.0f}{ratio:>8.2f}   {load}", flush=True)


def _measured(rows: int, model: str, beside: int, folder: str) -> float:
    """Returns marginal rows/s, measured in a process of its own."""
    flags = ["--rows", str(rows), "--one", model, str(beside), folder]
    command = [sys.executable, "-m", "benchmarks.workers", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
