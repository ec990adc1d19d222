"""Rows against a schema, in one run with TFDV and with masks: python -m benchmarks.validate_rows.

The public taxi sample, repeated, in batches of 8,192 rows; CPU time of the process, medians of
interleaved repeats. The baselines ask the same questions of the same rows in the way that one
writes by hand: a mask for each rule and column, in Arrow and in pandas. TFDV 1.16.1, in an
environment of its own, judges the first 50 batches of these rows, of 1,000 (the size that its own
readers give) and more, and 50 rows alone: rates are compared, for all would take it minutes. Most
of its cost is by the batch, so larger ones are faster a row; but of a batch it tells which columns
are wrong, and which rows are only if they come one at a time.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from benchmarks.peers import tfdv
from transforms.batches import MAX_ROWS
from transforms.row_checks.checks import Checks
from transforms.row_checks.validate import validate_batch
from transforms.rules.files import parse_rules
from transforms.schema import read_metadata, write_metadata

RANGES = {
    "fare": (0, 10_000),
    "trip_start_month": (1, 12),
    "trip_start_hour": (0, 23),
    "trip_start_day": (1, 7),
    "trip_start_timestamp": (1_356_998_400, 1_600_000_000),
    "pickup_latitude": (41, 43),
    "pickup_longitude": (-89, -87),
    "dropoff_latitude": (41, 43),
    "dropoff_longitude": (-89, -87),
    "trip_miles": (0, 5_000),
    "trip_seconds": (0, 100_000),
    "tips": (0, 5_000),
}
THEIR_BATCHES = 50
"""How many batches TFDV is given, if there are as many: each takes it some 50 ms or more."""
RULES = """
- row: tips <= 10 * fare + 500
- row: trip_miles < 5000 and trip_seconds >= 0 or payment_type = 'Dispute'
"""


def ranged_schema(base: pathlib.Path) -> Any:
    """The curated schema with ranges; of every company, not of nine in ten."""
    schema = read_metadata(str(base / "tfdv_goldens/1.16.1/schema_curated.pbtxt"))
    for feature in schema.feature:
        feature.ClearField("distribution_constraints")
        if feature.name in RANGES:
            low, high = RANGES[feature.name]
            domain = feature.int_domain if feature.type == 2 else feature.float_domain
            domain.min, domain.max = low, high
    return schema


def clean_rows(base: pathlib.Path, checks: Checks, rows: int) -> pa.Table:
    """The sample less the rows that violate the schema, repeated."""
    types = {"pickup_census_tract": pa.string()}
    options = csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    table = csv.read_csv(base / "taxi_simple/data.csv", convert_options=options)
    (batch,) = table.combine_chunks().to_batches()
    good, _ = validate_batch(batch, checks)
    print(f"{batch.num_rows:,} rows in the sample, {good.num_rows:,} of them clean")
    whole = pa.Table.from_batches([good] * -(-rows // good.num_rows))
    return whole.slice(0, rows).combine_chunks()


def spoil(batch: pa.RecordBatch, every: int) -> pa.RecordBatch:
    """A batch in which one row of so many has no hour and a fare below 0."""
    bad = pa.array([place % every == 0 for place in range(batch.num_rows)])
    changes = {"fare": -1.0, "trip_start_hour": None}
    for name, value in changes.items():
        index = batch.schema.get_field_index(name)
        column = batch.column(index)
        changed = pc.if_else(bad, pa.scalar(value, column.type), column)
        batch = batch.set_column(index, name, changed)
    return batch


def by_masks(batches: list[pa.RecordBatch], schema: Any) -> int:
    """Arrow, a mask for each rule."""
    bad = 0
    domains = {d.name: pa.array(list(d.value)) for d in schema.string_domain}
    for batch in batches:
        good = pa.repeat(True, batch.num_rows)
        for feature in schema.feature:
            column = batch.column(feature.name)
            if feature.presence.min_fraction == 1:
                good = pc.and_(good, pc.is_valid(column))
            if feature.name in RANGES:
                low, high = RANGES[feature.name]
                inside = pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high))
                good = pc.and_(good, pc.fill_null(inside, True))
            if feature.domain:
                known = pc.is_in(column, value_set=domains[feature.domain])
                good = pc.and_(good, pc.or_(known, pc.is_null(column)))
        bad += batch.num_rows - good.true_count
    return bad


def by_pandas(frames: list[pd.DataFrame], schema: Any) -> int:
    """Pandas, a mask for each rule."""
    bad = 0
    domains = {d.name: set(d.value) for d in schema.string_domain}
    for frame in frames:
        good = pd.Series(True, frame.index)
        for feature in schema.feature:
            column = frame[feature.name]
            if feature.presence.min_fraction == 1:
                good &= column.notna()
            if feature.name in RANGES:
                good &= column.between(*RANGES[feature.name]) | column.isna()
            if feature.domain:
                good &= column.isin(domains[feature.domain]) | column.isna()
        bad += int((~good).sum())
    return bad


def by_millrace(batches: list[pa.RecordBatch], checks: Checks) -> int:
    """What `Validate` does to each batch."""
    return sum(validate_batch(batch, checks)[1].num_rows for batch in batches)


def cpu_seconds(work: Callable[[], int], expected: int) -> float:
    """CPU time of the whole process; the work must find what was expected."""
    start = time.process_time()
    found = work()
    spent = time.process_time() - start
    if found != expected:
        sys.exit(f"{found} rows were found to be bad, not {expected}: the variants disagree")
    return spent


def compare(variants: dict[str, Callable[[], int]], rows: int, repeats: int, bad: int) -> float:
    """Prints rows/s, and how many times as fast as each the first is; returns its rows/s."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(repeats):
        for name, work in variants.items():
            times[name].append(cpu_seconds(work, bad))
    medians = {name: statistics.median(found) for name, found in times.items()}
    first = next(iter(medians.values()))
    print(f"{'':28}{'rows/s of CPU':>14}{'CPU s':>9}{'ratio':>8}")
    for name, seconds in medians.items():
        print(f"{name:28}{rows / seconds:>14,.0f}{seconds:>9.3f}{seconds / first:>8.1f}")
    return rows / first


def theirs(schema: Any, table: pa.Table, size: int, repeats: int = 3) -> float:
    """The rows/s of TFDV's `validate_instance`, which is given so many rows at a time."""
    some = table.slice(0, THEIR_BATCHES * size)
    with tempfile.TemporaryDirectory() as folder:
        named, file = f"{folder}/schema.pbtxt", f"{folder}/rows.arrow"
        write_metadata(schema, named)
        with pa.ipc.new_file(file, some.schema) as writer:
            writer.write_table(some)
        given = ("-m", "benchmarks.peers.tfdv_rows", named, file, str(size), str(repeats))
        seconds, bad = tfdv.run(tfdv.THEIRS, *given)
    if bad:
        sys.exit(f"TFDV finds anomalies in {bad} batches of rows that are clean")
    return some.num_rows / statistics.median(seconds)


def one_row(checks: Checks, row: dict[str, Any], calls: int = 3000) -> float:
    """Microseconds of CPU a call."""
    checks.check_row(row)
    start = time.process_time()
    for _ in range(calls):
        checks.check_row(row)
    return (time.process_time() - start) / calls * 1e6


def main() -> None:
    """Prints the tables."""
    here = pathlib.Path(__file__).parents[2]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("MILLRACE_DATA", here / "shared/data"))
    parser.add_argument("--rows", type=int, default=1_500_000)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    base = pathlib.Path(args.data)
    if not base.exists():
        sys.exit(f"{base} has no public data; name its folder by --data")
    schema = ranged_schema(base)
    checks = Checks.of(schema)
    rules = parse_rules(RULES, checks.kinds)
    ruled = Checks.of(schema, rules)
    table = clean_rows(base, ruled, args.rows)
    batches = table.to_batches(max_chunksize=MAX_ROWS)
    frames = [batch.to_pandas() for batch in batches]
    print(f"{args.rows:,} clean rows, {len(schema.feature)} columns")
    variants = {
        "validate_batch": partial(by_millrace, batches, checks),
        "Arrow, a mask for each rule": partial(by_masks, batches, schema),
        "pandas, a mask for each rule": partial(by_pandas, frames, schema),
    }
    ours = compare(variants, args.rows, args.repeats, 0)
    tfdv.install()
    for size in (1_000, MAX_ROWS, 65_536):
        rate = theirs(schema, table, size)
        print(f"{f'TFDV, {size:,} at a time':28}{rate:>14,.0f}{'':9}{ours / rate:>8,.0f}")
    print()
    compare({"with two rules": partial(by_millrace, batches, ruled)}, args.rows, args.repeats, 0)
    print()
    spoilt = [spoil(batch, 100) for batch in batches]
    bad = sum(-(-batch.num_rows // 100) for batch in batches)
    compare({"one row in a hundred bad": partial(by_millrace, spoilt, checks)}, args.rows, 3, bad)
    row = table.slice(0, 1).to_pylist()[0]
    wrong = {**row, "fare": -1.0, "payment_type": "Barter", "trip_start_hour": None}
    print("\none row by check_row, microseconds of CPU a call")
    for name, how, given in (
        ("clean", checks, row),
        ("clean, two rules", ruled, row),
        ("three violations", checks, wrong),
    ):
        print(f"{name:28}{one_row(how, given):>14.0f}")
    print(f"{'TFDV, clean':28}{1e6 / theirs(schema, table, 1):>14,.0f}")


if __name__ == "__main__":
    main()
