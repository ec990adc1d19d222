"""Reading a BigQuery table: our Read, Beam's DIRECT_READ and Google's bare client, by turns.

The server is the stand-in of the tests, in a process of its own, with pages encoded beforehand.
What a pipeline takes to start is told apart by a table of few rows; memory is that of a process
which does nothing but read, for a table and one that is larger:
python -m benchmarks.bigquery [--rows 1000000] [--large_rows 8000000] [--beam_rows 200000]
"""

import argparse
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import apache_beam as beam
import grpc
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from beam_jobs.rehearsal.storage import free_port, wait_for
from transforms.io.bigquery.read import read_table
from transforms.io.bigquery.source import BigQuerySource
from transforms.io.bigquery.streams import open_session
from transforms.io.read import Read

PROJECT, DATASET = "proj-12345", "bench"
COLUMNS = 10
FEW = 1000
"""Rows of a table whose reading is mostly the start of the pipeline."""
Runs = dict[tuple[str, str], Callable[[str], int]]
"""How a table is read, by the way and the table."""


def main() -> None:
    """Measures, and prints rows/s, ratios and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large_rows", type=int, default=8_000_000)
    parser.add_argument("--beam_rows", type=int, default=200_000, help="0 leaves Beam out")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory_of", help="only reads a table of a server that runs")
    given = parser.parse_args()
    if given.memory_of:
        print(_ours(given.memory_of), _peak())
        return
    sizes = {"few": FEW, "whole": given.rows, "large": given.large_rows, "part": given.beam_rows}
    with tempfile.TemporaryDirectory() as folder:
        tables = [f"{PROJECT}.{DATASET}.{n}={_rows(folder, n, rows)}" for n, rows in sizes.items()]
        server = start_server(tables)
        try:
            print(f"{COLUMNS} columns; {os.cpu_count()} CPUs; load {os.getloadavg()[0]:.1f}")
            _measure(sizes, given.repeats)
            _memory(sizes)
        finally:
            server.kill()
            server.wait()


def _rows(folder: str, name: str, rows: int) -> str:
    """A Parquet file of 6 doubles, 2 whole numbers and 2 texts."""
    draw = np.random.default_rng(0)
    columns: dict[str, Any] = {f"f{i}": draw.standard_normal(rows) for i in range(6)}
    columns |= {f"n{i}": draw.integers(0, 10**6, rows) for i in range(2)}
    texts = pa.array(draw.integers(0, 5000, rows)).cast(pa.string())
    table = pa.table({**columns, "s0": texts, "s1": texts})
    assert table.num_columns == COLUMNS
    pq.write_table(table, f"{folder}/{name}.parquet")
    return f"{folder}/{name}.parquet"


def start_server(tables: list[str]) -> "subprocess.Popen[bytes]":
    """Starts the stand-in, to which this process's clients then talk."""
    rest, storage = free_port(), free_port()
    os.environ["BIGQUERY_EMULATOR_HOST"] = f"http://127.0.0.1:{rest}"
    os.environ["BIGQUERY_STORAGE_EMULATOR_HOST"] = f"127.0.0.1:{storage}"
    module = "tests.integration.bigquery.server"
    command = [sys.executable, "-m", module, str(rest), str(storage), *tables]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_for(f"http://127.0.0.1:{rest}/", 60)
    return server


def _measure(sizes: dict[str, int], repeats: int) -> None:
    """Prints the seconds of each way to read, for each table, and rows/s against the bare client.

    Seconds are those of the fastest run: other work on the machine only adds to them.
    """
    ways = {"Read": _ours, "read_table": _in_process, "bare client": _bare}
    runs: Runs = {
        (way, name): read for name in sizes if name != "part" for way, read in ways.items()
    }
    if sizes["part"]:
        from benchmarks.peers import beam_bigquery

        beam_bigquery.use_loopback()
        runs["Beam", "part"] = lambda table: beam_bigquery.count(PROJECT, DATASET, table)
        runs["Read", "part"] = _ours
    wall, cpu = _fastest(runs, sizes, repeats)
    for (way, name), seconds in wall.items():
        rows = sizes[name]
        print(
            f"  {rows:10,} rows  {way:12} {seconds:7.3f} s  {rows / seconds:12,.0f} rows/s  "
            f"CPU {cpu[way, name]:6.3f} s"
        )
    for name in ("whole", "large"):
        for what, spent in {"the clock": wall, "CPU": cpu}.items():
            told = ", ".join(
                f"{way} {spent['bare client', name] / spent[way, name]:.2f}x "
                f"({_rate(spent, 'bare client', name) / _rate(spent, way, name):.2f}x once started)"
                for way in ("Read", "read_table")
            )
            print(f"  {sizes[name]:10,} rows against the bare client by {what}: {told}")
    if sizes["part"]:
        for what, spent in {"the clock": wall, "CPU": cpu}.items():
            ours = spent["Read", "whole"] / sizes["whole"]
            ratio = spent["Beam", "part"] / sizes["part"] / ours
            print(f"  Read is {ratio:.1f}x Beam's DIRECT_READ by {what}")


def _rate(spent: dict[tuple[str, str], float], way: str, name: str) -> float:
    """Returns what the rows of a table take, without what each run takes to start."""
    return spent[way, name] - spent[way, "few"]


def _fastest(
    runs: Runs, sizes: dict[str, int], repeats: int
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], float]]:
    """Runs all by turns; returns the least seconds, by the clock and of this process's CPU."""
    wall, cpu = dict.fromkeys(runs, math.inf), dict.fromkeys(runs, math.inf)
    for (_, name), read in runs.items():
        assert read(name) == sizes[name], "the first run has the pages encoded"
    for _ in range(repeats):
        for run, read in runs.items():
            start, before = time.perf_counter(), time.process_time()
            assert read(run[1]) == sizes[run[1]]
            wall[run] = min(wall[run], time.perf_counter() - start)
            cpu[run] = min(cpu[run], time.process_time() - before)
    return wall, cpu


def _memory(sizes: dict[str, int]) -> None:
    """Prints the peak memory of processes that each read one table in a pipeline."""
    for name in ("few", "whole", "large"):
        command = [sys.executable, "-m", "benchmarks.bigquery", f"--memory_of={name}"]
        rows, peak = subprocess.run(command, check=True, capture_output=True).stdout.split()
        assert int(rows) == sizes[name]
        print(f"  {sizes[name]:10,} rows  Read takes {int(peak) >> 10:,} MiB at most")


def _peak() -> int:
    """The most memory that this process has had, in KiB.

    Not by getrusage: that starts from what the parent had.
    """
    status = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def _ours(table: str) -> int:
    """Reads a table by our verb, in a pipeline in this process."""
    from benchmarks.peers.beam_bigquery import FOUND, note

    with beam.Pipeline("FnApiRunner") as root:
        rows = root | Read(f"bq://{PROJECT}.{DATASET}.{table}")
        sizes = rows | beam.Map(lambda batch: batch.num_rows)
        _ = sizes | beam.CombineGlobally(sum) | beam.Map(note)
    return FOUND.pop()


def _in_process(table: str) -> int:
    """Reads a table by our function, stream after stream, without a pipeline."""
    source = BigQuerySource.resolve(f"bq://{PROJECT}.{DATASET}.{table}")
    return sum(rows.num_rows for rows, _ in read_table(source))


def _google() -> Any:
    """Google's client as it connects by itself, but to the server on loopback."""
    from google.cloud.bigquery_storage_v1.services.big_query_read import (
        BigQueryReadClient,
        transports,
    )

    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    channel = grpc.insecure_channel(os.environ["BIGQUERY_STORAGE_EMULATOR_HOST"], options=options)
    return BigQueryReadClient(transport=transports.BigQueryReadGrpcTransport(channel=channel))


def _bare(table: str) -> int:
    """Reads all streams of a session by Google's client, stream after stream, to Arrow."""
    total = 0
    streams = open_session(BigQuerySource.resolve(f"bq://{PROJECT}.{DATASET}.{table}"))
    with _google() as client:
        for stream in streams:
            schema = pa.ipc.read_schema(pa.py_buffer(stream.schema))
            for page in client.read_rows(read_stream=stream.name):
                raw = page.arrow_record_batch.serialized_record_batch
                total += pa.ipc.read_record_batch(pa.py_buffer(raw), schema).num_rows
    return total


if __name__ == "__main__":
    main()
