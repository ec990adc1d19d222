"""Counting rows for drift, beside what others do: python -m benchmarks.drift_windows.

1,000,000 rows of 20 doubles and 10 columns of texts (2 to 100,000 different ones, Zipf), 1 % of the
values null, in batches of 4,096. Told are rows per second of CPU time, of programs in processes of
their own, less their imports and the reading of the file: medians of runs in turn. whylogs and
Evidently get environments of their own, .venv-whylogs and .venv-evidently, where they aren't there,
and run once: they take minutes.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
OURS = sys.executable
LABELS = (2, 3, 5, 10, 50, 200, 1000, 5000, 20_000, 100_000)
WINDOWS, BATCH = 50, 4096

_HEAD = """
import json, sys, time
import numpy as np, pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq
rows = int(sys.argv[2])
table = pq.read_table(sys.argv[1]).slice(0, rows).combine_chunks()
batches = table.to_batches(max_chunksize=4096)
numbers = [name for name in table.column_names if name.startswith("x")]
texts = [name for name in table.column_names if name.startswith("c")]
"""
_TAIL = """
start = time.process_time()
found = work()
print(json.dumps([time.process_time() - start, found]))
"""
_BASELINE = """
from transforms.drift.make import build_baseline
base = build_baseline(table.slice(0, 100_000).to_batches(), "t", None)
layout = base.layout
"""
_KERNEL = """
import pickle
from transforms.drift.counting.tally import Tally
def work():
    tally = Tally(layout)
    for batch in batches:
        tally.add(batch)
    return len(pickle.dumps(tally.counts()))
"""
_SHUFFLED = """
from itertools import chain
from transforms.drift.counting.panes import Panes, PaneTally, open_rows
order = pa.array(np.random.default_rng(1).permutation(table.num_rows))
batches = table.take(order).combine_chunks().to_batches(max_chunksize=4096)
windows = Panes.of(3600)
def work():
    held, tally = {}, PaneTally(layout, windows)
    found = (tally.add(open_rows(batch, "t", windows)) for batch in batches)
    for pane in chain(chain.from_iterable(found), tally.panes()):
        held[pane.key] = held[pane.key].merge(pane) if pane.key in held else pane
    return len(held)
"""
_PIPELINE = """
import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from transforms.drift.detect import DetectDrift
import builtins
# A global of this program would be shipped with the function, once for each batch.
def from_memory(_):
    yield from builtins.given_batches
def run(some):
    builtins.given_batches = some
    with beam.Pipeline(FnApiRunner()) as root:
        given = root | beam.Impulse() | beam.FlatMap(from_memory).with_output_types(pa.RecordBatch)
        given | DetectDrift(base, 3600, event_time_column="t") | beam.Map(len)
whole = batches
run(whole[:2])
start = time.process_time()
run(whole[:2])
fixed = time.process_time() - start
def work():
    run(whole)
    return fixed
"""
_DATASKETCHES = """
from datasketches import frequent_strings_sketch, hll_sketch, kll_doubles_sketch
def work():
    klls = {name: kll_doubles_sketch(200) for name in numbers}
    counts = {name: frequent_strings_sketch(10) for name in texts}
    different = {name: hll_sketch(12) for name in texts}
    for batch in batches:
        for name in numbers:
            values = batch[name].drop_null().to_numpy()
            klls[name].update(values if values.flags.writeable else values.copy())
        for name in texts:
            told = pc.value_counts(batch[name].drop_null())
            pairs = zip(told.field(0).to_pylist(), told.field(1).to_pylist())
            for text, number in pairs:
                counts[name].update(text, number)
                different[name].update(text)
    return sum(len(each.serialize()) for each in [*klls.values(), *counts.values()]) + sum(
        len(each.serialize_compact()) for each in different.values())
"""
_TFX_BSL = """
import pickle
from tfx_bsl.sketches import KmvSketch, MisraGriesSketch, QuantilesSketch
def work():
    quantiles = {name: QuantilesSketch(0.01, 1 << 32, 1) for name in numbers}
    counts = {name: MisraGriesSketch(1024) for name in texts}
    different = {name: KmvSketch(16384) for name in texts}
    for batch in batches:
        for name in numbers:
            quantiles[name].AddValues(batch[name].drop_null())
        for name in texts:
            counts[name].AddValues(batch[name])
            different[name].AddValues(batch[name])
    for each in quantiles.values():
        each.Compact()
    every = [*quantiles.values(), *counts.values(), *different.values()]
    return sum(len(pickle.dumps(each)) for each in every)
"""
_WHYLOGS = """
import whylogs
frames = [table.slice(at, 65536).select(numbers + texts).to_pandas()
          for at in range(0, table.num_rows, 65536)]
whylogs.log(frames[0].head(100))
def work():
    view = None
    for frame in frames:
        made = whylogs.log(frame).view()
        view = made if view is None else view.merge(made)
    return len(view.serialize())
"""
_EVIDENTLY = """
import warnings
warnings.filterwarnings("ignore")
from evidently import Report
from evidently.presets import DataDriftPreset
frame = table.select(numbers + texts).to_pandas()
def work():
    half = len(frame) // 2
    made = Report([DataDriftPreset()]).run(frame.iloc[:half], frame.iloc[half:])
    return len(json.dumps(made.dict(), default=str))
"""


@dataclass(frozen=True)
class Program:
    """Something that is timed.

    Attributes:
      code: Python.
      python: Its interpreter.
      rows: The most rows that it gets.
    """

    code: str
    python: str = OURS
    rows: int = 1_000_000


def peer(name: str, *packages: str) -> str:
    """The interpreter of an environment with some packages, which is made if it isn't there."""
    folder = ROOT / f".venv-{name}"
    python = folder / "bin/python"
    if not python.exists():
        uv = str(Path(OURS).parent / "uv")
        subprocess.run([uv, "venv", "-q", "--python", OURS, str(folder)], check=True)
        install = [uv, "pip", "install", "-q", "--python", str(python)]
        subprocess.run([*install, *packages], check=True)
    return str(python)


def data(path: Path, rows: int) -> Path:
    """The rows, hour after hour."""
    draw = np.random.default_rng(0)
    columns = {}
    for place in range(20):
        values = draw.normal(size=rows) if place % 2 else draw.lognormal(size=rows)
        columns[f"x{place:02d}"] = pa.array(values, mask=draw.random(rows) < 0.01)
    for place, number in enumerate(LABELS):
        codes = (draw.zipf(1.3, rows) - 1) % number
        texts = np.char.add(f"label-{place}-", codes.astype(str))
        columns[f"c{place}"] = pa.array(texts, mask=draw.random(rows) < 0.01)
    micros = np.arange(rows) * (WINDOWS * 3600 * 10**6 // rows)
    columns["t"] = pa.array(micros, pa.timestamp("us"))
    pq.write_table(pa.table(columns), path)
    return path


def programs(others: bool) -> dict[str, Program]:
    """What is timed, by name; with `others` those that need environments of their own."""
    sketches = peer("datasketches", "datasketches==5.2.0", "numpy", "pyarrow")
    found = {
        "kernel": Program(_HEAD + _BASELINE + _KERNEL + _TAIL),
        "shuffled over 50 windows": Program(_HEAD + _BASELINE + _SHUFFLED + _TAIL),
        "pipeline, in order": Program(_HEAD + _BASELINE + _PIPELINE + _TAIL),
        "DataSketches": Program(_HEAD + _DATASKETCHES + _TAIL, sketches),
        "tfx_bsl sketches": Program(_HEAD + _TFX_BSL + _TAIL),
    }
    if others:
        whylogs = peer("whylogs", "whylogs==1.6.4", "pandas<2.3", "numpy<2", "pyarrow<22")
        evidently = peer("evidently", "evidently==0.7.23", "pandas<3", "numpy<2.3", "pyarrow")
        found["whylogs"] = Program(_HEAD + _WHYLOGS + _TAIL, whylogs)
        found["Evidently"] = Program(_HEAD + _EVIDENTLY + _TAIL, evidently)
    return found


def timed(program: Program, path: Path, rows: int) -> tuple[float, float]:
    """The CPU seconds of a program, and what it found."""
    command = [program.python, "-c", program.code, str(path), str(min(rows, program.rows))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    seconds, found = json.loads(done.stdout.splitlines()[-1])
    return float(seconds), float(found)


def compared(columns: int = 1000) -> float:
    """The milliseconds in which a window of so many columns is compared; median of ten."""
    import time

    from transforms.drift.counting.counts import count_batch
    from transforms.drift.judging.compare import Comparer
    from transforms.drift.make import build_baseline

    draw = np.random.default_rng(0)
    rows = [
        pa.RecordBatch.from_pydict({f"x{n}": draw.normal(size=2000) for n in range(columns)})
        for _ in range(2)
    ]
    base = build_baseline(rows[:1])
    compare, counts = Comparer(base), count_batch(base.layout, rows[1])
    taken = []
    for _ in range(11):
        start = time.process_time()
        compare(counts)
        taken.append(1000 * (time.process_time() - start))
    return statistics.median(taken[1:])


def main() -> None:
    """Prints rates, ratios and sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--others", action="store_true", help="whylogs and Evidently too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = data(Path(folder) / "rows.parquet", options.rows)
        some = programs(options.others)
        seconds: dict[str, list[float]] = {name: [] for name in some}
        said: dict[str, float] = {}
        for _ in range(options.repeats):
            for name, program in some.items():
                if name in ("whylogs", "Evidently") and seconds[name]:
                    continue
                taken, said[name] = timed(program, path, options.rows)
                seconds[name].append(taken)
    rates = {}
    for name, program in some.items():
        taken = statistics.median(seconds[name])
        if name.startswith("pipeline"):
            taken -= said[name]
        rates[name] = min(options.rows, program.rows) / taken
        size = "" if name.startswith(("pipeline", "shuffled")) else f"{said[name]:12,.0f} bytes"
        ratio = rates["kernel"] / rates[name]
        print(f"{name:26}{rates[name]:>12,.0f} rows/s  kernel is {ratio:7.2f}x{size}", flush=True)
    print(f"1,000 columns compared in {compared():.1f} ms")


if __name__ == "__main__":
    main()
