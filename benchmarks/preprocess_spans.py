"""A tenth day with a cache of nine against all ten days: python -m benchmarks.preprocess_spans.

Taxi trips as CSV files, read and analyzed as the preprocess job does it, by declared steps and by a
function of tf.Transform; CPU time of this process, in one run.
"""

import pathlib
import shutil
import statistics
import tempfile
from functools import partial
from typing import Any

from pyarrow import csv

from beam_jobs.running import beam_memos
from benchmarks.preprocess import cpu, options_of, rows_of
from benchmarks.preprocess_steps import STEPS, preprocessing_fn
from transforms.commit.dead_letters import Unrecorded
from transforms.files.filesystem import list_files
from transforms.io.file_source import Source
from transforms.io.read import Read
from transforms.io.spans import spans_of
from transforms.preprocess import Analyze, Steps
from transforms.preprocess.cache import SpanCache
from transforms.preprocess.spans import SpanAnalysis
from transforms.schema import read_metadata

DAYS = 10


def launched() -> Any:
    """A pipeline in this process, built as the job builds it: Beam asks once for each class."""
    import apache_beam as beam
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    beam_memos.install()
    return beam.Pipeline(runner=FnApiRunner(), options=beam_memos.RememberedOptions([]))


def analyze_days(analyze: Analyze, folder: str, cache: str, days: int) -> None:
    """Analyzes the first days, with what the cache has of them."""
    files = list(list_files(f"{folder}/*.csv"))
    spans = spans_of(f"{folder}/{{SPAN}}.csv", files)[:days]
    by_span = SpanAnalysis.resolve(analyze, SpanCache(cache, spans))
    with launched() as root:

        def rows(names: frozenset[str], label: str) -> Any:
            chosen = [file for span in spans if span.name in names for file in span.files]
            types = analyze.columns.types()
            source = Source.resolve(f"{folder}/*.csv", None, types, None, chosen)
            return root | f"Read{label}" >> Read(source, dead_letters=Unrecorded())

        made = tempfile.mkdtemp()
        by_span.run(root, rows, f"{made}/graph", f"{made}/temp")


def compare_spans(base: pathlib.Path, rows: int, repeats: int) -> None:
    """Prints what all days cost, and one more than nine."""
    schema = read_metadata(str(base / "tfdv_goldens/1.16.1/schema_curated.pbtxt"))
    folder = tempfile.mkdtemp()
    csv.write_csv(rows_of(base, rows), f"{folder}/0.csv")
    for day in range(1, DAYS):
        shutil.copy(f"{folder}/0.csv", f"{folder}/{day}.csv")
    ways = {
        "steps": Analyze(schema=schema, steps=Steps.parse(STEPS)),
        "tf.Transform": Analyze.resolve(preprocessing_fn, schema),
    }
    print(f"{DAYS} days of {rows:,} rows, as CSV; CPU seconds of {repeats} repeats")
    for name, analyze in ways.items():
        every, one = [], []
        for _ in range(repeats):
            empty, cache = tempfile.mkdtemp(), tempfile.mkdtemp()
            analyze_days(analyze, folder, cache, DAYS - 1)
            one.append(cpu(partial(analyze_days, analyze, folder, cache, DAYS)))
            every.append(cpu(partial(analyze_days, analyze, folder, empty, DAYS)))
        most, least = statistics.median(every), statistics.median(one)
        print(f"  {name:14} all {most:6.1f} s, one more {least:6.1f} s: {least / most:.2f}x")
    shutil.rmtree(folder)


def main() -> None:
    """Runs the comparison."""
    options = options_of(__doc__, 100_000)
    compare_spans(options.data, options.rows, options.repeats)


if __name__ == "__main__":
    main()
