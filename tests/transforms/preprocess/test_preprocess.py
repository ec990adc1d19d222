"""A small graph: analyzed, applied, and what becomes of rows that it can't transform."""

import json

import pyarrow as pa
import pytest

from tests.support import batch_of
from tests.transforms.preprocess.small import ROWS
from transforms.batches import with_source
from transforms.errors import ConfigError
from transforms.preprocess import TransformGraph, transform_batch


def changed(column, values, type=None):
    index = ROWS.schema.get_field_index(column)
    return ROWS.set_column(index, column, pa.array(values, type or ROWS.schema.field(column).type))


def test_values_and_types(loaded):
    made, rejects = transform_batch(ROWS, loaded)
    assert rejects.num_rows == 0
    assert made.to_pydict() == {
        "company_id": [[0], [1], [], [0]],
        "fare_scaled": [0.0, 0.25, 0.5, 1.0],
        "hour": [1, 2, 3, 4],
        "label": [0, 1, 0, 1],
        "miles": [[1.0], [], [2.0], [3.0]],
    }
    assert [str(type) for type in made.schema.types] == [
        "list<item: int64>",
        "float",
        "int64",
        "int64",
        "list<item: float>",
    ]


def test_graph_tells_what_it_needs(graph):
    assert graph.outputs == ("company_id", "fare_scaled", "hour", "label", "miles")
    assert graph.columns.used == {"fare", "miles", "company", "tip", "hour"}
    function = graph.function()
    assert function.needed(["fare_scaled", "company_id"]) == {"fare", "company"}


def test_empty_slice_and_kept_columns(loaded):
    made, rejects = transform_batch(ROWS.slice(0, 0), loaded, ["note"])
    assert (made.num_rows, rejects.num_rows) == (0, 0)
    assert made.schema.names == ["note", *loaded.graph.outputs]
    part, _ = transform_batch(ROWS.slice(1, 2), loaded, ["note"])
    assert part["note"].to_pylist() == ["n1", "n2"]
    assert part["fare_scaled"].to_pylist() == [0.25, 0.5]


def test_unseen_category_is_one_of_others(loaded):
    made, _ = transform_batch(changed("company", ["a", "never seen", "", None]), loaded)
    assert made["company_id"].to_pylist() == [[0], [2], [2], []]


def test_rows_that_do_not_fit_are_rejected_with_their_place(loaded):
    batch = with_source(changed("fare", ["5", None, "x", "25"], pa.string()), "in.csv", 7, "line")
    made, rejects = transform_batch(batch, loaded)
    assert made["fare_scaled"].to_pylist() == [0.0, 1.0]
    assert rejects["reason"].to_pylist() == ["missing_value", "unparsable"]
    assert rejects["column"].to_pylist() == ["fare", "fare"]
    assert rejects["source"].to_pylist() == ["in.csv#line=8", "in.csv#line=9"]
    assert rejects["version"].to_pylist() == [loaded.graph.version] * 2
    assert json.loads(rejects["payloadString"][1].as_py())["note"] == "n2"


def test_rows_that_make_the_graph_fail_are_found(loaded):
    made, rejects = transform_batch(changed("fare", [5.0, -1.0, 15.0, -1.0]), loaded, ["note"])
    assert made["note"].to_pylist() == ["n0", "n2"]
    assert made["fare_scaled"].to_pylist() == [0.0, 0.5]
    assert rejects["reason"].to_pylist() == ["model_error"] * 2
    assert all(
        text.startswith("InvalidArgumentError") for text in rejects["errorMessage"].to_pylist()
    )
    assert [json.loads(text)["note"] for text in rejects["payloadString"].to_pylist()] == [
        "n1",
        "n3",
    ]


def test_no_row_is_left(loaded):
    made, rejects = transform_batch(changed("fare", [-1.0, None, -1.0, None]), loaded)
    assert made.num_rows == 0
    assert made.schema.equals(loaded.schema)
    assert rejects["reason"].to_pylist() == ["model_error", "missing_value"] * 2


def test_lists_of_another_size_are_rejected(loaded):
    lists = pa.array([[1], [1, 2], [], None], pa.list_(pa.int64()))
    made, rejects = transform_batch(changed("hour", lists, lists.type), loaded)
    assert made["hour"].to_pylist() == [2]
    assert rejects["reason"].to_pylist() == ["wrong_shape", "wrong_shape", "missing_value"]


def test_row_by_row_is_as_by_batch(loaded):
    whole, _ = transform_batch(ROWS, loaded)
    rows = [transform_batch(ROWS.slice(at, 1), loaded)[0] for at in range(ROWS.num_rows)]
    assert pa.Table.from_batches(rows).combine_chunks().to_pydict() == whole.to_pydict()


def test_missing_column(loaded):
    with pytest.raises(ConfigError, match=r"column 'company' is needed .* did you mean 'compny'"):
        transform_batch(
            ROWS.rename_columns(["fare", "miles", "compny", "tip", "hour", "n"]), loaded
        )


def test_number_where_the_graph_takes_text(loaded):
    with pytest.raises(ConfigError, match="'company' is int64, but BYTES in the schema"):
        transform_batch(changed("company", [1, 2, 3, 4], pa.int64()), loaded)


def test_type_that_no_tensor_holds(loaded):
    with pytest.raises(ConfigError, match="which can't become float32"):
        transform_batch(changed("fare", [0, 1, 2, 3], pa.timestamp("s")), loaded)


def test_no_graph(tmp_path, graph_uri):
    with pytest.raises(ConfigError, match="does not exist, so it is no transform graph"):
        TransformGraph.read(f"{tmp_path}/none")
    folder = graph_uri.rpartition("/")[0]
    with pytest.raises(ConfigError, match=r"did you mean .*/transform_graph"):
        TransformGraph.read(folder)


def test_graph_that_is_another_model(linear_model):
    with pytest.raises(ConfigError, match="can't load it as a transform graph"):
        TransformGraph.read(str(linear_model))


def test_tf_transform_opens_it_and_keras_stays_3(graph_uri):
    import keras
    import tensorflow as tf
    import tensorflow_transform as tft

    output = tft.TFTransformOutput(graph_uri)
    assert set(output.transformed_feature_spec()) == set(TransformGraph.read(graph_uri).outputs)
    assert set(output.raw_feature_spec()) >= {"fare", "miles", "company", "tip", "hour"}
    assert output.vocabulary_size_by_name("vocab_compute_and_apply_vocabulary_vocabulary") == 2
    assert tf.keras.version() == keras.__version__
    assert keras.__version__.startswith("3.")


def test_batch_of_nothing_but_what_is_needed(loaded):
    batch = batch_of(**{name: ROWS[name] for name in ("fare", "miles", "company", "tip", "hour")})
    assert transform_batch(batch, loaded)[0].equals(transform_batch(ROWS, loaded)[0])
