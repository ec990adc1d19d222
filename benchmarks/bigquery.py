"""Reading a BigQuery table: our Read, Beam's DIRECT_READ and Google's bare client, by turns.

The server is the stand-in of the tests, in a process of its own, with pages encoded beforehand:
python -m benchmarks.bigquery [--rows 1000000] [--beam_rows 1000000] [--repeats 3]
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.rehearsal.storage import free_port, wait_for
from transforms.io.bigquery.clients import read_client
from transforms.io.bigquery.read import read_table
from transforms.io.bigquery.source import BigQuerySource
from transforms.io.bigquery.streams import open_session
from transforms.io.read import Read

PROJECT, DATASET = "proj-12345", "bench"
COLUMNS = 10


def main() -> None:
    """Measures, and prints rows/s and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--beam_rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sizes = {"whole": given.rows, "part": given.beam_rows}
        tables = [f"{PROJECT}.{DATASET}.{n}={_rows(folder, n, rows)}" for n, rows in sizes.items()]
        server = _start(tables)
        try:
            _measure(given)
        finally:
            server.kill()
            server.wait()


def _rows(folder: str, name: str, rows: int) -> str:
    """A Parquet file of 6 doubles, 2 whole numbers and 2 texts."""
    draw = np.random.default_rng(0)
    columns = {f"f{i}": draw.standard_normal(rows) for i in range(6)}
    columns |= {f"n{i}": draw.integers(0, 10**6, rows) for i in range(2)}
    texts = pa.array(draw.integers(0, 5000, rows)).cast(pa.string())
    table = pa.table({**columns, "s0": texts, "s1": texts})
    assert table.num_columns == COLUMNS
    pq.write_table(table, f"{folder}/{name}.parquet")
    return f"{folder}/{name}.parquet"


def _start(tables: list[str]) -> "subprocess.Popen[bytes]":
    rest, storage = free_port(), free_port()
    os.environ["BIGQUERY_EMULATOR_HOST"] = f"http://127.0.0.1:{rest}"
    os.environ["BIGQUERY_STORAGE_EMULATOR_HOST"] = f"127.0.0.1:{storage}"
    module = "tests.integration.bigquery.server"
    server = subprocess.Popen([sys.executable, "-m", module, str(rest), str(storage), *tables])
    wait_for(f"http://127.0.0.1:{rest}/", 60)
    return server


def _measure(given: Any) -> None:
    from benchmarks import beam_bigquery

    beam_bigquery.use_loopback()
    runs: dict[str, tuple[Callable[[], int], int]] = {
        "millrace": (lambda: _ours("whole"), given.rows),
        "read_table": (lambda: _in_process("whole"), given.rows),
        "bare client": (lambda: _bare("whole"), given.rows),
        "beam": (lambda: beam_bigquery.count(PROJECT, DATASET, "part"), given.beam_rows),
    }
    for run, rows in runs.values():
        assert run() == rows, "the first run has the pages encoded"
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(given.repeats):
        for name, (run, rows) in runs.items():
            start = time.perf_counter()
            assert run() == rows
            rates[name].append(rows / (time.perf_counter() - start))
    found = {name: statistics.median(each) for name, each in rates.items()}
    print(f"{given.rows:,} rows x {COLUMNS}; Beam: {given.beam_rows:,} rows; {os.cpu_count()} CPUs")
    for name, rate in found.items():
        print(f"  {name:12} {rate:12,.0f} rows/s   millrace is {found['millrace'] / rate:.2f}x")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"  peak memory of this process, Beam's read included: {peak >> 10:,} MiB")


def _ours(table: str) -> int:
    """Reads a table by our verb, in a pipeline in this process."""
    from benchmarks.beam_bigquery import FOUND, note

    with beam.Pipeline("FnApiRunner") as root:
        rows = root | Read(f"bq://{PROJECT}.{DATASET}.{table}")
        sizes = rows | beam.Map(lambda batch: batch.num_rows)
        _ = sizes | beam.CombineGlobally(sum) | beam.Map(note)
    return FOUND.pop()


def _in_process(table: str) -> int:
    """Reads a table by our function, stream after stream, without a pipeline."""
    source = BigQuerySource.resolve(f"bq://{PROJECT}.{DATASET}.{table}")
    return sum(rows.num_rows for rows, _ in read_table(source))


def _bare(table: str) -> int:
    """Reads all streams of a session by Google's client, stream after stream, to Arrow."""
    total = 0
    streams = open_session(BigQuerySource.resolve(f"bq://{PROJECT}.{DATASET}.{table}"))
    with read_client() as client:
        for stream in streams:
            schema = pa.ipc.read_schema(pa.py_buffer(stream.schema))
            for page in client.read_rows(read_stream=stream.name):
                raw = page.arrow_record_batch.serialized_record_batch
                total += pa.ipc.read_record_batch(pa.py_buffer(raw), schema).num_rows
    return total


if __name__ == "__main__":
    main()
