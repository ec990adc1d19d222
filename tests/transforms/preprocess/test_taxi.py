"""Real taxi trips: as a hand-written tf.Transform program makes them, bit by bit."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from inference import score_table
from tests.support import Collect, local_pipeline, run_on, shared_data
from transforms.batches import cut
from transforms.preprocess import (
    Analyze,
    LoadedGraph,
    PreprocessingFn,
    TransformGraph,
    transform_batch,
)
from transforms.schema import read_metadata
from transforms.tensorflow import tensorflow_transform

pytestmark = pytest.mark.integration  # it trains or compiles for many seconds

ROWS = 1000
"""Of a batch, as tf.Transform's own readers make them: the same sums in the same order."""


def features():
    """The example's function."""
    return PreprocessingFn.read("examples.taxi_features")


def trips(split):
    """The rows of a split; blank cells are null."""
    options = pa.csv.ConvertOptions(
        strings_can_be_null=True, column_types={"pickup_census_tract": pa.int64()}
    )
    path = shared_data("taxi_split", f"{split}.csv")
    (batch,) = pa.csv.read_csv(path, convert_options=options).combine_chunks().to_batches()
    return batch


def lists_by_hand(batch, schema):
    """A batch as tf.Transform's guide asks for it: large lists of three types, null for missing."""
    leaves = {1: pa.large_binary(), 2: pa.int64(), 3: pa.float32()}
    arrays = {}
    for feature in schema.feature:
        values = batch.column(feature.name).to_pylist()
        lists = [None if value is None else [value] for value in values]
        if feature.type == 1:
            lists = [None if value is None else [value[0].encode()] for value in lists]
        arrays[feature.name] = pa.array(lists, pa.large_list(leaves[feature.type]))
    return pa.RecordBatch.from_pydict(arrays)


def by_hand(analyzed, transformed, schema, folder):
    """What a program makes that uses nothing of ours: columns of values, [] for missing."""
    tensorflow_transform()
    import apache_beam as beam
    import tensorflow_transform.beam as tft_beam
    from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig
    from tfx_bsl.tfxio.tensor_representation_util import InferTensorRepresentationsFromMixedSchema

    config = TensorAdapterConfig(
        analyzed[0].schema, InferTensorRepresentationsFromMixedSchema(schema)
    )
    collect = Collect()
    with local_pipeline() as root, tft_beam.Context(temp_dir=folder):
        rows = root | "Analyzed" >> beam.Create(analyzed, reshuffle=False)
        function = (rows, config) | tft_beam.AnalyzeDataset(features().function())
        others = root | "Transformed" >> beam.Create(transformed, reshuffle=False)
        made, _ = ((others, config), function) | tft_beam.TransformDataset(
            output_record_batches=True
        )
        _ = made | beam.Map(lambda pair: pair[0]) | collect
    return collect.found


@pytest.fixture(scope="module")
def schema():
    return read_metadata(str(shared_data("tfdv_goldens", "1.16.1", "schema_curated.pbtxt")))


@pytest.fixture(scope="module")
def taxi(schema, tmp_path_factory):
    """The graph of the training rows."""
    folder = str(tmp_path_factory.mktemp("taxi") / "transform_graph")
    batches = list(cut(trips("train"), ROWS, 1 << 30))
    run_on(batches, lambda rows: rows | Analyze(features(), schema, folder))
    return TransformGraph.read(folder)


def test_as_a_program_by_hand_bit_by_bit(schema, taxi, tmp_path):
    train = [lists_by_hand(batch, schema) for batch in cut(trips("train"), ROWS, 1 << 30)]
    rows = trips("eval")
    expected = by_hand(train, [lists_by_hand(rows, schema)], schema, str(tmp_path))
    made, rejects = transform_batch(rows, LoadedGraph(taxi))
    assert (made.num_rows, rejects.num_rows) == (5000, 0)
    theirs = pa.Table.from_batches(expected)
    assert set(theirs.column_names) == set(made.schema.names)
    for name in made.schema.names:
        flat = pa.chunked_array(theirs[name].chunks).combine_chunks().flatten()
        assert flat.cast(made.schema.field(name).type).equals(made.column(name)), name


def test_larger_batches_find_the_same(schema, taxi, tmp_path):
    folder = f"{tmp_path}/graph"
    analyze = Analyze(features(), schema, folder)
    run_on([trips("train")], lambda rows: rows | analyze)
    rows = trips("eval")
    one, _ = transform_batch(rows, LoadedGraph(taxi))
    other, _ = transform_batch(rows, LoadedGraph(TransformGraph.read(folder)))
    for name in one.schema.names:
        left, right = one.column(name).to_numpy(), other.column(name).to_numpy()
        if name.endswith("_bucket"):
            # Quantiles are within a hundredth of the ranks, whatever the batches.
            assert (np.abs(left - right) <= 1).all(), name
            assert (left == right).mean() > 0.95, name
        else:
            np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5, err_msg=name)


def test_rows_without_values_and_unseen_companies(taxi):
    tft = tensorflow_transform()
    rows = trips("eval").slice(0, 3)
    index = rows.schema.get_field_index("company")
    rows = rows.set_column(
        index, "company", pa.array(["-", "Never Seen Cabs", "Taxi Affiliation Services"])
    )
    index = rows.schema.get_field_index("fare")
    rows = rows.set_column(index, "fare", pa.array([None, 1.0, 2.0]))
    made, rejects = transform_batch(rows, LoadedGraph(taxi))
    assert rejects["column"].to_pylist() == ["fare"]
    assert rejects["reason"].to_pylist() == ["missing_value"]
    others = tft.TFTransformOutput(taxi.uri).vocabulary_size_by_name("company")
    assert made["company_id"].to_pylist() == [others, 0]


def test_a_graph_of_google_as_a_model():
    """One that TFX's benchmarks wrote: as `Score` calls it, which is tested against TensorFlow."""
    path = str(shared_data("taxi_bench_models", "tft_tf2_saved_model"))
    graph = TransformGraph.read(path)
    rows = trips("train").slice(0, 2000)
    made, rejects = transform_batch(rows, LoadedGraph(graph))
    assert rejects.num_rows == 0
    scored, _ = score_table(rows, path, output_prefix="m_")
    for name in graph.outputs:
        theirs = scored[f"m_{name}"].combine_chunks()
        assert theirs.cast(made.schema.field(name).type).equals(made.column(name)), name
