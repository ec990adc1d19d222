"""Statistics of taxi trips, beside TFDV's: python -m benchmarks.statistics CSV.

CSV is a file of taxi trips, such as TFX's data.csv of 15,002 rows; it is repeated to 1,500,000.
TFDV 1.16.1, the last one that installs on glibc below 2.38, gets an environment of its own,
.venv-tfdv, when it isn't there. Told is the CPU time of whole processes less that of their imports.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.peers import tfdv

_TIMED = """
import json, os, sys, time
{imports}
def cpu():
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
start = cpu()
{work}
print(json.dumps(cpu() - start))
"""
OURS = {
    "memory": (
        "import pandas\nimport pyarrow as pa\n"
        "from transforms.statistics.collect import statistics_of",
        "frame = pandas.read_csv(sys.argv[1])\nstart = cpu()\n"
        "statistics_of(pa.Table.from_pandas(frame).to_batches(65536))",
    ),
    "csv": (
        "import apache_beam as beam\nfrom transforms.io.read import Read\n"
        "from transforms.io.file_source import Source\n"
        "from transforms.statistics.generate import GenerateStatistics",
        "with beam.Pipeline() as root:\n"
        "    rows = root | Read(Source.resolve(sys.argv[1]))\n"
        "    rows | GenerateStatistics() | beam.Map(lambda made: made.datasets[0].num_examples)",
    ),
}
THEIRS = {
    "memory": (
        "import pandas\nimport tensorflow_data_validation as tfdv",
        "frame = pandas.read_csv(sys.argv[1])\nstart = cpu()\n"
        "tfdv.generate_statistics_from_dataframe(frame)",
    ),
    "csv": (
        "import tensorflow_data_validation as tfdv",
        "tfdv.generate_statistics_from_csv(sys.argv[1])",
    ),
}


def repeated(path: Path, times: int, target: Path) -> int:
    """Writes the rows of a CSV file so many times; returns how many rows there are."""
    header, _, rows = path.read_text().partition("\n")
    with target.open("w") as out:
        out.write(f"{header}\n")
        for _ in range(times):
            out.write(rows)
    return rows.count("\n") * times


def timed(python: str, code: tuple[str, str], path: Path) -> float:
    """The CPU seconds that some work takes in a process of its own, less its imports."""
    program = _TIMED.format(imports=code[0], work=code[1])
    seconds: float = tfdv.run(python, "-c", program, path)
    return seconds


def main() -> None:
    """Prints the times of both, and their ratio: medians of runs in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    tfdv.install()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trips.csv"
        rows = repeated(options.csv, options.times, path)
        for case in OURS:
            ours, theirs = [], []
            for _ in range(options.repeats):
                ours.append(timed(tfdv.OURS, OURS[case], path))
                theirs.append(timed(tfdv.THEIRS, THEIRS[case], path))
            mine, other = statistics.median(ours), statistics.median(theirs)
            print(
                f"{case:8}{rows:>12,} rows: {mine:6.2f} s, TFDV {other:6.2f} s: "
                f"{other / mine:.1f} times",
                flush=True,
            )


if __name__ == "__main__":
    main()
