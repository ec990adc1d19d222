"""Memory of the validation of 5,000 columns x 100,000 rows: python -m benchmarks.wide.

A fifth of the columns each are normal numbers, integers of few values, integers of many, texts of
few values and texts of 20,000. Parquet of row groups of 10,000 rows without dictionaries of
numbers, and of a single row group with dictionaries, as pandas writes it. Told is what the whole
process takes, with imports.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def batches(columns: int, rows: int, size: int) -> Iterator[pa.RecordBatch]:
    """Rows of every kind of column, `size` at a time."""
    random = np.random.default_rng(0)
    colours = np.array(["red", "green", "blue"])
    kinds = [
        lambda number: random.normal(size=number),
        lambda number: random.integers(0, 50, number),
        lambda number: random.integers(0, 1 << 40, number),
        lambda number: colours[random.integers(0, len(colours), number)],
        lambda number: pa.array(random.integers(0, 20_000, number)).cast(pa.string()),
    ]
    names = [f"c{place}" for place in range(columns)]
    for start in range(0, rows, size):
        number = min(size, rows - start)
        arrays = [pa.array(kinds[place % len(kinds)](number)) for place in range(columns)]
        yield pa.RecordBatch.from_arrays(arrays, names)


def write_groups(path: Path, parts: Iterator[pa.RecordBatch]) -> None:
    """A row group of each part; dictionaries of texts only."""
    first = next(parts)
    texts = [each.name for each in first.schema if pa.types.is_string(each.type)]
    with pq.ParquetWriter(path, first.schema, use_dictionary=texts) as writer:
        writer.write_batch(first)
        for part in parts:
            writer.write_batch(part)


def write_both(columns: int, rows: int, groups: Path, single: Path) -> None:
    """The same rows in both layouts."""
    write_groups(groups, batches(columns, rows, 10_000))
    pq.write_table(pq.read_table(groups).combine_chunks(), single)


def measured(path: Path, output: str) -> str:
    """What the job takes for a file."""
    command = [sys.executable, "-m", "beam_jobs.validate", "--infer_schema"]
    started = time.monotonic()
    job = subprocess.Popen([*command, "--input", str(path), "--output", output])
    _, status, used = os.wait4(job.pid, 0)
    if status:
        raise SystemExit(f"the job failed on {path}")
    seconds, cpu = time.monotonic() - started, used.ru_utime + used.ru_stime
    return f"{used.ru_maxrss / 1024:,.0f} MiB at most  {cpu:.0f} CPU s  {seconds:.0f} s"


def main() -> None:
    """Prints what the job takes for each layout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=5_000)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        groups, single = Path(folder, "groups.parquet"), Path(folder, "single.parquet")
        # What a process takes at most counts what its parent took when it began.
        writing = multiprocessing.get_context("spawn").Process(
            target=write_both, args=(given.columns, given.rows, groups, single)
        )
        writing.start()
        writing.join()
        found = {path.stem: measured(path, f"{folder}/{path.stem}/") for path in (groups, single)}
    for layout, told in found.items():
        print(f"{layout:8} {told}")


if __name__ == "__main__":
    main()
