"""The cloud engine against the emulator: python -m benchmarks.cloud_dlp.

1,000,000 rows of one text of 100 bytes, in batches of 8,192. The emulator is a process of its own
that returns what it is given, so what is measured is the engine: how full its requests are, what it
moves with 150 ms of latency and 16 requests in flight, how it keeps to a quota that it knows and to
one that it does not. The baseline sends one row a request, as Beam's own transform does.
"""

import argparse
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from privacy.cloud.engine import CloudEngine
from privacy.cloud.limits import Limits
from privacy.cloud.policies import cloud_policy
from privacy.cloud.redact import redact_batches
from privacy.policy.read import policy_of

BATCH = 8_192
RUNS = 5
"""Of so many runs the median counts: in the first one threads and memory are new."""
WIDTH = 100
POLICY = policy_of(
    {
        "engine": "cloud",
        "inspect_config": {"info_types": [{"name": "EMAIL_ADDRESS"}]},
        "deidentify_config": {
            "info_type_transformations": {
                "transformations": [
                    {"primitive_transformation": {"replace_with_info_type_config": {}}}
                ]
            }
        },
    }
)
SCHEMA = pa.schema([("text", pa.string())])


def batches(rows: int) -> list[pa.RecordBatch]:
    """Returns rows of texts of 100 bytes."""
    texts = pa.array([f"{i:0{WIDTH}d}" for i in range(rows)])
    (whole,) = pa.table([texts], SCHEMA).combine_chunks().to_batches()
    return [whole.slice(at, BATCH) for at in range(0, rows, BATCH)]


@contextlib.contextmanager
def emulator(*options: str) -> Iterator[str]:
    """Starts the emulator as a process of its own; yields its address."""
    command = [sys.executable, "-m", "privacy.server", "--port=0", "--engine=echo", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().split()[-1]
        process.terminate()
        process.communicate()


@dataclass
class Measured:
    """What one run took."""

    seconds: float
    cpu: float
    calls: int
    quota: int


def measure(address: str, given: list[pa.RecordBatch], **options: Any) -> Measured:
    """Sends batches through the engine; checks that all rows came back."""
    policy = cloud_policy(POLICY, "p", SCHEMA, endpoint=address, insecure=True, **options)
    engine = CloudEngine(policy)
    # The connection and the first look at the policy are made once a process.
    redact_batches(engine, [given[0].slice(0, 0)])
    start, cpu = time.perf_counter(), time.process_time()
    done = redact_batches(engine, given)
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    engine.close()
    rows = sum(result.rows.num_rows for result in done)
    if rows != sum(batch.num_rows for batch in given):
        raise SystemExit("rows were lost")
    counts = engine.caller.counts
    return Measured(seconds, used, counts.calls, counts.quota)


def fill(rows: int) -> None:
    """Prints requests and throughput with latency."""
    given = batches(rows)
    with emulator("--latency=0.15") as address:
        runs = [measure(address, given, per_minute=1e6, in_flight=16) for _ in range(RUNS)]
        found = sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]
        few = measure(
            address, [given[0].slice(0, 200)], per_minute=1e6, in_flight=16, limits=Limits(cells=1)
        )
    megabytes = rows * WIDTH / 1e6
    each = 1_000 * found.cpu / found.calls
    print(f"{rows:,} rows of {WIDTH} bytes: {found.calls} requests, 150 ms latency, 16 in flight")
    print(f"  {megabytes / found.seconds:.1f} MB/s; {each:.1f} ms of CPU a request")
    ratio = (rows / found.seconds) / (200 / few.seconds)
    print(f"  {ratio:,.0f} times the rows a second of one row a request, also 16 in flight")


def quota(seconds: int, per_minute: float, name: str) -> None:
    """Prints how much of a quota of 600 a minute, in windows of ten seconds, is used."""
    rows = 10 * seconds
    (whole,) = pa.table([pa.array([f"{i:0{WIDTH}d}" for i in range(rows)])], SCHEMA).to_batches()
    with emulator("--quota=100", "--quota_seconds=10") as address:
        found = measure(address, [whole], per_minute=per_minute, limits=Limits(cells=1))
    good = found.calls - found.quota
    used = good / (10 * found.seconds)
    refused = found.quota / found.calls
    print(f"quota of 600 a minute, {name}: {used:.1%} used, {refused:.1%} of calls answered 429")


def main() -> None:
    """Prints all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--quota_run", type=int, default=60, help="seconds")
    options = parser.parse_args()
    fill(options.rows)
    quota(options.quota_run, 600, "known")
    quota(options.quota_run, 1_200, "taken for 1,200")


if __name__ == "__main__":
    main()
