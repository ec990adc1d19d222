"""Writing rows to a BigQuery table: our appends and loads, and Beam's STREAMING_INSERTS, by turns.

The server is the stand-in of the tests, in a process of its own; of inserted rows it parses the
JSON and no more, of appended ones it makes a table. All rows are made beforehand:
python -m benchmarks.bigquery_write [--rows 1000000] [--beam_rows 50000]
"""

import argparse
import contextlib
import itertools
import math
import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from benchmarks.bigquery import DATASET, PROJECT, start_server
from benchmarks.peers import beam_bigquery
from transforms.coders import with_columns
from transforms.io.bigquery.append.write import AppendBigQuery
from transforms.io.bigquery.clients import rest_client
from transforms.io.bigquery.sink import BigQuerySink
from transforms.io.write import Write
from transforms.schema.bigquery_types import bigquery_fields

BATCH = 8192
_names = itertools.count()
_BATCHES: list[pa.RecordBatch] = []
"""What pipelines write; a function that held them would be pickled with them."""


def main() -> None:
    """Measures, and prints rows/s and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--beam_rows", type=int, default=50_000, help="0 leaves Beam out")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    server = start_server([])
    beam_bigquery.use_loopback()
    try:
        with rest_client(PROJECT) as client:
            client.create_dataset(DATASET, exists_ok=True)
        print(f"10 columns; {os.cpu_count()} CPUs; load {os.getloadavg()[0]:.1f}")
        # Loads wait in files where the process stands, and leave their manifests there.
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            _measure(given.rows, given.beam_rows, given.repeats)
    finally:
        server.kill()
        server.wait()


def rows_of(rows: int) -> pa.Table:
    """Returns rows of 6 doubles, 2 whole numbers and 2 texts."""
    draw = np.random.default_rng(0)
    columns = {f"f{i}": pa.array(draw.standard_normal(rows)) for i in range(6)}
    columns |= {f"n{i}": pa.array(draw.integers(0, 10**6, rows)) for i in range(2)}
    texts = pa.array(draw.integers(0, 5000, rows)).cast(pa.string())
    return pa.table({**columns, "s0": texts, "s1": texts})


def _measure(rows: int, beam_rows: int, repeats: int) -> None:
    """Prints seconds and rows/s of each way to write; seconds are those of the fastest run."""
    table = rows_of(rows)
    _BATCHES[:] = table.to_batches(BATCH)
    number = len(_BATCHES)
    part = rows_of(beam_rows).to_pylist()
    ways: dict[str, tuple[int, Callable[[str], None]]] = {
        "append": (rows, lambda name: _append(number, name)),
        "append, few": (_BATCHES[0].num_rows, lambda name: _append(1, name)),
        "load": (rows, lambda name: _load(number, table.schema, name)),
    }
    if part:
        ways["Beam"] = beam_rows, lambda name: _beam(part, table.schema, name)
    wall, cpu = dict.fromkeys(ways, math.inf), dict.fromkeys(ways, math.inf)
    for _ in range(repeats):
        for way, (count, write) in ways.items():
            name = f"t{next(_names)}"
            _make(name, table.schema)
            start, before = time.perf_counter(), time.process_time()
            write(name)
            wall[way] = min(wall[way], time.perf_counter() - start)
            cpu[way] = min(cpu[way], time.process_time() - before)
            assert _there(name) == count, f"{way}: the server has other rows"
    for way, (number, _) in ways.items():
        print(
            f"  {number:10,} rows  {way:12} {wall[way]:7.3f} s  {number / wall[way]:12,.0f} rows/s"
            f"  CPU {cpu[way]:6.3f} s"
        )
    if part:
        for way in ("append", "load"):
            ratio = rows / wall[way] / (beam_rows / wall["Beam"])
            spent = rows / cpu[way] / (beam_rows / cpu["Beam"])
            print(f"  {way} is {ratio:.1f}x Beam by the clock, {spent:.1f}x by CPU")


def _batch(number: int) -> pa.RecordBatch:
    return _BATCHES[number]


def _rows(root: beam.Pipeline, number: int) -> Any:
    """Returns the first batches."""
    numbers = root | beam.Create(range(number), reshuffle=False)
    return numbers | beam.Map(_batch).with_output_types(pa.RecordBatch)


def _make(name: str, schema: pa.Schema) -> None:
    from google.cloud import bigquery

    fields = [bigquery.SchemaField.from_api_repr(field) for field in bigquery_fields(schema)]
    with rest_client(PROJECT) as client:
        client.create_table(bigquery.Table(f"{PROJECT}.{DATASET}.{name}", schema=fields))


def _there(name: str) -> int:
    with rest_client(PROJECT) as client:
        return int(client.get_table(f"{PROJECT}.{DATASET}.{name}").num_rows)


def _append(batches: int, name: str) -> None:
    """Appends batches to the default stream by our verb, in a pipeline in this process."""
    sink = BigQuerySink.resolve(f"bq://{PROJECT}.{DATASET}.{name}", endless=True)
    with beam.Pipeline("FnApiRunner") as root:
        _ = _rows(root, batches) | AppendBigQuery(sink)


def _load(batches: int, schema: pa.Schema, name: str) -> None:
    """Loads batches by one job, in a pipeline in this process."""
    with beam.Pipeline("FnApiRunner") as root:
        rows = with_columns(_rows(root, batches), schema)
        _ = rows | Write(f"bq://{PROJECT}.{DATASET}.{name}")


def _beam(rows: list[dict[str, object]], schema: pa.Schema, name: str) -> None:
    """Inserts rows by Beam's own write, in a pipeline in this process."""
    beam_bigquery.insert(PROJECT, DATASET, name, rows, bigquery_fields(schema))


if __name__ == "__main__":
    # Functions of the main module would be pickled by value, and the rows with them.
    from benchmarks import bigquery_write

    bigquery_write.main()
