"""Features against a hand-written tf.Transform program: python -m benchmarks.preprocess.

The public taxi sample, repeated, as 14 features; CPU time, medians of interleaved repeats in one
run. The program is what tf.Transform's guide asks for: RecordBatches of 1,000 rows (what its own
readers give) of large lists in memory, AnalyzeDataset, TransformDataset with record batches out.
Ours reads the same rows as batches of plain columns, checks each cast, and looks for rows to
reject. Declared steps are in `preprocess_steps`. Fused is `score --transform_graph`: against the
transform alone and the scoring of what it made alone. Whole pipelines run on Beam's in-process
runner; rows for both lie in memory.
"""

import argparse
import os
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from benchmarks.held import held
from inference.loaded import LoadedModel
from inference.model.model import Model
from inference.score import score_batch
from transforms.batches import MAX_ROWS, cut
from transforms.preprocess import (
    Analyze,
    LoadedGraph,
    Preprocess,
    PreprocessingFn,
    TransformGraph,
    transform_batch,
)
from transforms.preprocess.columns import RawColumns
from transforms.schema import read_metadata
from transforms.tensorflow import tensorflow_transform

THEIR_ROWS = 1000
"""Of a batch, as tfx-bsl's readers make them."""


def cpu(function: Callable[[], object]) -> float:
    """The CPU seconds of this process, all threads, that a call takes."""
    before = time.process_time()
    function()
    return time.process_time() - before


def rows_of(base: pathlib.Path, number: int) -> pa.RecordBatch:
    """The sample's complete rows, repeated."""
    types = {"pickup_census_tract": pa.string(), "company": pa.string()}
    options = csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    table = csv.read_csv(base / "taxi_split/train.csv", convert_options=options)
    whole = pa.concat_tables([table] * -(-number // table.num_rows)).slice(0, number)
    (batch,) = whole.combine_chunks().to_batches()
    return batch


def discard(_: object) -> None:
    """Takes what a pipeline makes."""


def in_process() -> Any:
    """A pipeline in this process."""
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    return beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([]))


def given(root: Any, label: str, batches: list[pa.RecordBatch]) -> Any:
    """Batches of this process as a collection."""
    return held(root, label, batches, pa.RecordBatch)


def by_hand(batches: list[pa.RecordBatch], config: Any, function: Any, folder: str) -> None:
    """Their program, of batches that are made ready beforehand."""
    import apache_beam as beam
    import tensorflow_transform.beam as tft_beam

    with in_process() as root, tft_beam.Context(temp_dir=folder):
        rows = given(root, "Rows", batches)
        made = (rows, config) | tft_beam.AnalyzeDataset(function)
        features, _ = ((rows, config), made) | tft_beam.TransformDataset(output_record_batches=True)
        _ = made | tft_beam.WriteTransformFn(f"{folder}/graph")
        _ = features | beam.Map(discard)


def ours(batches: list[pa.RecordBatch], analyze: Analyze, folder: str) -> None:
    """Ours: two pipelines, as the second needs the graph of the first."""
    import apache_beam as beam

    with in_process() as root:
        _ = given(root, "Rows", batches) | analyze
    with in_process() as root:
        features = given(root, "Rows", batches) | Preprocess(analyze.folder)
        _ = features | beam.Map(discard)


def their_batches(batch: pa.RecordBatch, columns: RawColumns) -> tuple[list[pa.RecordBatch], Any]:
    """Batches of large lists, and the config that tells tf.Transform of them."""
    from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig

    fed, _ = columns.feed(batch)
    types = [pa.large_list(_large(field.type.value_type)) for field in fed.schema]
    schema = pa.schema(list(zip(fed.schema.names, types, strict=True)))
    arrays = [column.cast(type) for column, type in zip(fed.columns, types, strict=True)]
    large = pa.RecordBatch.from_arrays(arrays, schema=schema)
    # Copied, for a slice of lists drags its parent along.
    parts = [pa.concat_batches([part]) for part in cut(large, THEIR_ROWS, 1 << 40)]
    return parts, TensorAdapterConfig(schema, columns.representations())


def _large(type: pa.DataType) -> pa.DataType:
    return pa.large_binary() if pa.types.is_binary(type) else type


def compare_pipelines(base: pathlib.Path, rows: int, repeats: int) -> str:
    """Prints both, and returns the folder of a graph of ours."""
    schema = read_metadata(str(base / "tfdv_goldens/1.16.1/schema_curated.pbtxt"))
    function = PreprocessingFn.read("examples.taxi_features")
    batch = rows_of(base, rows)
    theirs, config = their_batches(batch, RawColumns.of_schema(schema))
    large = list(cut(batch, MAX_ROWS, 1 << 40))
    small = list(cut(batch, THEIR_ROWS, 1 << 40))
    folder = tempfile.mkdtemp()

    def run_ours(batches: list[pa.RecordBatch], name: str) -> float:
        analyze = Analyze.resolve(function, schema, f"{folder}/{name}/{time.monotonic_ns()}")
        seconds = cpu(lambda: ours(batches, analyze, folder))
        graphs[name] = analyze.folder
        return seconds

    def run_theirs() -> float:
        place = tempfile.mkdtemp(dir=folder)
        return cpu(lambda: by_hand(theirs, config, function.function(), place))

    graphs: dict[str, str] = {}
    found: dict[str, list[float]] = {"by hand": [], "ours": [], "ours, 1,000 rows": []}
    for _ in range(repeats):
        found["by hand"].append(run_theirs())
        found["ours"].append(run_ours(large, "large"))
        found["ours, 1,000 rows"].append(run_ours(small, "small"))
    base_seconds = statistics.median(found["by hand"])
    print(f"{rows:,} rows, 14 features, analyzed and transformed; CPU seconds of {repeats} repeats")
    for name, seconds in found.items():
        middle = statistics.median(seconds)
        told = ", ".join(f"{each:.1f}" for each in sorted(seconds))
        print(f"  {name:18} {middle:6.1f} s ({told})  {middle / base_seconds:.2f}x of by hand")
    return graphs["large"]


def compare_scoring(base: pathlib.Path, graph_uri: str, rows: int, repeats: int) -> None:
    """Prints the fused call against one after the other, of loaded graph and model."""
    from examples.taxi import LABEL, network

    batches = list(cut(rows_of(base, rows), MAX_ROWS, 1 << 40))
    graph = LoadedGraph(TransformGraph.read(graph_uri))
    made = [transform_batch(batch, graph)[0] for batch in batches]
    import keras

    keras.utils.set_random_seed(1)
    first = {n: np.asarray(made[0][n]) for n in made[0].schema.names if n != LABEL}
    path = f"{tempfile.mkdtemp()}/model.keras"
    network(keras, first).save(path)
    alone = LoadedModel(Model.resolve(path))
    fused = LoadedModel(Model.resolve(path, transform_graph=graph_uri))
    steps: dict[str, Callable[[], object]] = {
        "transform alone": lambda: [transform_batch(batch, graph) for batch in batches],
        "score alone": lambda: [score_batch(batch, alone, ()) for batch in made],
        "fused": lambda: [score_batch(batch, fused, ()) for batch in batches],
    }
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            found[name].append(cpu(step))
    middles = {name: statistics.median(seconds) for name, seconds in found.items()}
    apart = middles["transform alone"] + middles["score alone"]
    print(f"{rows:,} rows scored; CPU seconds of {repeats} repeats")
    for name, middle in middles.items():
        print(f"  {name:18} {middle:6.2f} s  {rows / middle:10,.0f} rows/s")
    print(f"  fused is {middles['fused'] / apart:.2f}x of one after the other")


def options_of(about: str, rows: int) -> argparse.Namespace:
    """The options of a benchmark of preprocessing; says how loaded the machine is."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    root = pathlib.Path(__file__).parents[1]
    data = os.environ.get("MILLRACE_DATA", str(root.parent / "shared" / "data"))
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path(data))
    parser.add_argument("--rows", type=int, default=rows)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    tensorflow_transform()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"load average {load} on {os.cpu_count()} processors")
    return options


def main() -> None:
    """Runs both comparisons."""
    from benchmarks.preprocess_steps import compare_steps

    options = options_of(__doc__, 1_000_000)
    compare_steps(options.data, options.rows, options.repeats)
    graph = compare_pipelines(options.data, options.rows, options.repeats)
    compare_scoring(options.data, graph, options.rows, options.repeats)


if __name__ == "__main__":
    main()
