"""Scoring on Flink and here: python -m benchmarks.flink [--rows N], after `make flink`.

Both are whole processes, from the command line to the commit; they take turns.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import data
from flink import cluster
from flink.settings import Settings

RUNNERS = {
    "in process": {},
    "Flink": {"environment_type": "LOOPBACK"},
    "Flink, pool": {"environment_type": "EXTERNAL"},
}


def flags_of(runner: str, settings: Settings) -> dict[str, str]:
    """Returns Beam's options of a runner."""
    given = dict(RUNNERS[runner])
    if given:
        given |= {"runner": "FlinkRunner", "job_endpoint": f"localhost:{settings.jobs}"}
    if given.get("environment_type") == "EXTERNAL":
        given["environment_config"] = f"localhost:{settings.workers}"
    return given


def seconds(rows: Path, model: Path, out: Path, flags: dict[str, str]) -> float:
    """Returns how long a job takes."""
    shutil.rmtree(out, ignore_errors=True)
    given = {"input": rows, "model": model, "output": f"{out}/", "map": f"x={data.FEATURES[0][0]}*"}
    command = [f"--{name}={value}" for name, value in {**given, **flags}.items()]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "beam_jobs.score", *command], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    return time.perf_counter() - start


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pool", action="store_true", help="in workers of the pool as well")
    parser.add_argument("--work", type=Path, default=Path("/tmp/millrace-bench"))
    given = parser.parse_args()
    settings = Settings(cluster.FOLDER, sys.executable)
    if not cluster.running(settings):
        sys.exit("no cluster runs: make flink")
    given.work.mkdir(parents=True, exist_ok=True)
    rows = data.rows(given.work / f"{given.rows}.parquet", given.rows)
    model = data.dense_model(given.work / "dense")
    names = [name for name in RUNNERS if given.pool or "pool" not in name]
    took: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(given.repeats):
        for name in names:
            flags = flags_of(name, settings)
            took[name].append(seconds(rows, model, given.work / "out", flags))
    base = statistics.median(took["in process"])
    print(f"{given.rows:,} rows, load {os.getloadavg()[0]:.1f}")
    print(f"{'':14}{'seconds':>10}{'rows/s':>12}{'ratio':>8}")
    for name, all_of in took.items():
        middle = statistics.median(all_of)
        print(f"{name:14}{middle:>10.1f}{given.rows / middle:>12,.0f}{base / middle:>8.2f}")


if __name__ == "__main__":
    main()
