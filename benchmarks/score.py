"""Scoring against what users do today, in one run: python -m benchmarks.score [--rows N]."""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from beam_jobs.running.logs import filter_native, quiet_libraries
from benchmarks import data


def measure(variant: str, rows: Path, model: Path, work: Path) -> dict[str, float]:
    """Runs a variant in a process of its own."""
    out = work / "out" / variant
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "benchmarks.variants", variant, rows, model, out]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{variant} failed:\n{done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def interleaved(
    variants: list[str], rows: Path, model: Path, work: Path, repeats: int
) -> dict[str, dict[str, float]]:
    """The medians of several runs, the variants taking turns."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in variants}
    for _ in range(repeats):
        for name in variants:
            found[name].append(measure(name, rows, model, work))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in found.items()
    }


def table(results: dict[str, dict[str, float]], number: int, base: str) -> None:
    """Prints rows/s, CPU seconds, peak memory, and how many times faster Millrace is."""
    print(f"{'':14}{'rows/s':>12}{'seconds':>10}{'CPU s':>8}{'peak MB':>9}{'ratio':>8}")
    for name, run in results.items():
        ratio = run["seconds"] / results[base]["seconds"]
        print(
            f"{name:14}{number / run['seconds']:>12,.0f}{run['seconds']:>10.2f}{run['cpu']:>8.2f}"
            f"{run['peak_mb']:>9.0f}{ratio:>8.2f}"
        )


def start_up(work: Path) -> None:
    """The whole process for 1,000 rows against its imports and the model's loading."""
    rows, model = data.rows(work / "1000.parquet", 1000), data.dense_model(work / "dense")
    load = f"import apache_beam, tensorflow as tf; tf.saved_model.load({str(model)!r})"
    flags = {"input": rows, "model": model, "output": work / "out" / "small", "overwrite": "true"}
    job = [f"--{name}={value}" for name, value in flags.items()]
    job += ["--map", "x=" + ",".join(data.FEATURES)]
    commands = {
        "imports and model": [sys.executable, "-c", load],
        "score 1,000 rows": [sys.executable, "-m", "beam_jobs.score", *job],
        "score --help": [sys.executable, "-m", "beam_jobs.score", "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(5):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append(time.perf_counter() - start)
    for name, seconds in times.items():
        print(f"{name:20}{statistics.median(seconds):8.2f} s")


def main() -> None:
    """Prints every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path(".cache/bench"))
    parser.add_argument("--only", choices=["score", "drift", "memory", "examples", "start"])
    options = parser.parse_args()
    quiet_libraries()
    filter_native()
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    for name, part in PARTS.items():
        if options.only in (None, name):
            part(work, options)


def _score(work: Path, options: Any) -> None:
    rows = data.rows(work / f"{options.rows}.parquet", options.rows)
    variants = ["millrace", "millrace_2", "bare", "rowwise"]
    found = interleaved(variants, rows, data.dense_model(work / "dense"), work, options.repeats)
    print(f"\nParquet to Parquet, {options.rows:,} rows of 28 float32 and an id, 64-64-1 network")
    table(found, options.rows, "millrace")
    loop = found["bare"]["seconds"]
    one, both = found["millrace"]["seconds"], found["millrace_2"]["seconds"]
    print(f"times as fast as the loop: {loop / one:.2f}, on both cores {loop / both:.2f}")


def _drift(work: Path, options: Any) -> None:
    rows = data.rows(work / f"{options.rows}.parquet", options.rows)
    model = data.dense_model(work / "dense")
    found = interleaved(["millrace", "millrace_drift"], rows, model, work, options.repeats)
    print(f"\nWith 28 features and the prediction compared with a baseline, {options.rows:,} rows")
    table(found, options.rows, "millrace")
    alone, both = (found[name]["cpu"] for name in ("millrace", "millrace_drift"))
    print(f"CPU time, as a multiple of scoring alone: {both / alone:.3f}")


def _memory(work: Path, options: Any) -> None:
    model = data.dense_model(work / "dense")
    print(f"\nPeak memory, {options.rows:,} rows and ten times as many")
    for reject in (False, True):
        word = "rejected" if reject else "scored"
        peaks = []
        for number in (options.rows, 10 * options.rows):
            name = f"{number}{'-rejected' if reject else ''}.parquet"
            rows = data.rows(work / name, number, reject)
            peaks.append(measure("millrace", rows, model, work)["peak_mb"])
        print(f"{word:10}{peaks[0]:8.0f} MB{peaks[1]:8.0f} MB   ratio {peaks[1] / peaks[0]:.2f}")


def _examples(work: Path, options: Any) -> None:
    number = options.rows // 10
    rows = data.examples(work / f"{number}.tfrecord", number)
    found = interleaved(
        ["millrace", "tfx_bsl"], rows, data.example_model(work / "example"), work, options.repeats
    )
    print(f"\nA model of serialized tf.Examples, {number:,} examples of 10 features")
    table(found, number, "millrace")


def _start(work: Path, options: Any) -> None:
    print("\nWhole processes, median of 5")
    start_up(work)


PARTS = {
    "score": _score,
    "drift": _drift,
    "memory": _memory,
    "examples": _examples,
    "start": _start,
}

if __name__ == "__main__":
    main()
