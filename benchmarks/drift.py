"""Drift of numbers where there is none, and where there is some: ours beside TFDV's.

python -m benchmarks.drift [--data shared/data] prints the tables of docs/anomalies.md. Train and
eval of TFDV's taxi example are of the same trips, so a distance that can be trusted is small; and
it is not where all of eval's numbers are raised by 30 %.

- TFDV, ours: the Jensen-Shannon divergence in bits that each one's `validate_statistics` tells of
  statistics that it made itself from the two CSV files in this run; ours also of TFDV's statistics.
- exact: that divergence of the values themselves, over the cells that ours is about: between the
  edges of the baseline's ten bins of equal width and its ten quantiles, an edge being a cell too.
- 256 bins: the same over 256 bins of equal width, from the least to the greatest value of both.
- KS: the greatest difference between the cumulative distributions, by Kolmogorov and Smirnov.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from benchmarks.peers import tfdv

COLUMNS = ("fare", "trip_miles", "trip_seconds", "tips")
Floats = NDArray[np.float64]
_THEIRS = """
import json, sys
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
folder, train, evaluation, *columns = sys.argv[1:]
before, now = map(tfdv.generate_statistics_from_csv, (train, evaluation))
schema = tfdv.infer_schema(before)
told = {}
for kind in ("STANDARD", "QUANTILES"):
    for name in columns:
        asked = tfdv.get_feature(schema, name).drift_comparator.jensen_shannon_divergence
        asked.threshold = 1
        asked.source.type = schema_pb2.HistogramSelection.Type.Value(kind)
    found = tfdv.validate_statistics(now, schema, previous_statistics=before).drift_skew_info
    told[kind] = {each.path.step[0]: each.drift_measurements[0].value for each in found}
for name, made in (("before", before), ("now", now)):
    with open(f"{folder}/{name}.pb", "wb") as file:
        file.write(made.SerializeToString())
print(json.dumps(told))
"""


def jensen_shannon(now: NDArray[np.int64], before: NDArray[np.int64]) -> float:
    """The divergence of two rows of counts over the same cells, in bits."""
    p, q = now / now.sum(), before / before.sum()
    middle = (p + q) / 2
    return float(sum((a[a > 0] * np.log2(a[a > 0] / middle[a > 0])).sum() for a in (p, q)) / 2)


def divergence(now: Floats, before: Floats) -> float:
    """The exact one between the edges of the baseline's bins and quantiles."""
    tenths = np.linspace(0, 1, 11)
    wide = before.min() + tenths * (before.max() - before.min())
    edges = np.union1d(wide, np.quantile(before, tenths, method="inverted_cdf"))
    return jensen_shannon(_cells(now, edges), _cells(before, edges))


def _cells(values: Floats, edges: Floats) -> NDArray[np.int64]:
    place = np.searchsorted(edges, values)
    on_edge = edges[np.minimum(place, len(edges) - 1)] == values
    return np.bincount(2 * place + on_edge, minlength=2 * len(edges) + 2)


def shared_bins(now: Floats, before: Floats, bins: int = 256) -> float:
    """The exact one over bins of equal width that hold both."""
    both = np.concatenate([now, before])
    edges = np.linspace(both.min(), both.max(), bins + 1)
    return jensen_shannon(np.histogram(now, edges)[0], np.histogram(before, edges)[0])


def kolmogorov_smirnov(now: Floats, before: Floats) -> float:
    """The greatest difference between the shares of values up to a number."""
    every = np.union1d(now, before)
    shares = [np.searchsorted(np.sort(each), every, "right") / len(each) for each in (now, before)]
    return float(np.abs(shares[0] - shares[1]).max())


def ours(before: Any, now: Any) -> dict[str, float]:
    """What our comparison of two statistics tells."""
    from transforms.schema import infer_schema, validate_statistics

    schema = infer_schema(before)
    for feature in schema.feature:
        if feature.name in COLUMNS:
            feature.drift_comparator.jensen_shannon_divergence.threshold = 1
    found = validate_statistics(now, schema, previous_span=before).drift_skew_info
    return {each.path.step[0]: each.drift_measurements[0].value for each in found}


def read(path: Path) -> pa.Table:
    """The rows of a CSV file; empty fields are null."""
    return csv.read_csv(path, convert_options=csv.ConvertOptions(strings_can_be_null=True))


def theirs(files: list[Path]) -> dict[str, dict[str, float]]:
    """What TFDV tells, and what we tell of the statistics that it made."""
    from transforms.gate.places import read_statistics

    tfdv.install()
    with tempfile.TemporaryDirectory() as folder:
        told = tfdv.run(tfdv.THEIRS, "-c", _THEIRS, folder, *files, *COLUMNS)
        made = [read_statistics(f"{folder}/{name}.pb") for name in ("before", "now")]
    return {
        "TFDV": told["STANDARD"],
        "TFDV, of quantiles": told["QUANTILES"],
        "ours, of TFDV's statistics": ours(*made),
    }


def measured(files: list[Path]) -> dict[str, dict[str, float]]:
    """Each measure of each column, of two CSV files: the baseline, and what is compared with it."""
    from transforms.statistics.collect import statistics_of

    tables = [read(file) for file in files]
    rows = theirs(files)
    rows["ours"] = ours(*(statistics_of(table.to_batches()) for table in tables))
    values = {column: [_floats(table, column) for table in tables] for column in COLUMNS}
    exact = {"exact": divergence, "256 bins": shared_bins, "KS": kolmogorov_smirnov}
    for name, distance in exact.items():
        rows[name] = {column: distance(now, before) for column, (before, now) in values.items()}
    return rows


def raised(file: Path, target: Path, factor: float = 1.3) -> Path:
    """Writes a file anew, the columns greater by a factor; whole numbers stay whole ones."""
    table = read(file)
    for name in COLUMNS:
        index = table.schema.get_field_index(name)
        column = pc.multiply(table[name], factor).cast(table[name].type, safe=False)
        table = table.set_column(index, name, column)
    csv.write_csv(table, target)
    return target


def _floats(table: pa.Table, column: str) -> Floats:
    return np.asarray(table[column].drop_null(), np.float64)


def main() -> None:
    """Prints the tables."""
    here = Path(__file__).parents[2]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("MILLRACE_DATA", here / "shared/data")
    )
    folder = parser.parse_args().data / "taxi_split"
    if not folder.exists():
        sys.exit(f"{folder} isn't there; name the folder of the public data by --data")
    train, evaluation = (folder / f"{split}.csv" for split in ("train", "eval"))
    show("Train against eval", measured([train, evaluation]))
    with tempfile.TemporaryDirectory() as made:
        more = raised(evaluation, Path(made) / "raised.csv")
        show("Train against eval, raised by 30 %", measured([train, more]))


def show(title: str, rows: dict[str, dict[str, float]]) -> None:
    """Prints a table."""
    print(f"\n{title}\n\n| | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}")
    for name, values in rows.items():
        print(f"| {name} | {' | '.join(f'{values[column]:.4f}' for column in COLUMNS)} |")


if __name__ == "__main__":
    main()
