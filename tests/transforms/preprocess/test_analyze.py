"""Analysis: what tf.Transform would find, and errors that say what to do."""

import pickle
import re
import shutil
import sys
import traceback

import pyarrow as pa
import pytest

from tests.support import run_on
from tests.transforms.preprocess import small
from tests.transforms.preprocess.small import ROWS, schema
from transforms.errors import ConfigError
from transforms.preprocess import Analyze, LoadedGraph, Preprocess, PreprocessingFn, TransformGraph
from transforms.preprocess.analyze import rows_to_analyze
from transforms.preprocess.columns import RawColumns
from transforms.preprocess.failing import quiet_steps
from transforms.preprocess.function import trace

SCALED = """
import tensorflow as tf
import tensorflow_transform as tft


def preprocessing_fn(inputs):
    return {"fare": tft.scale_to_0_1(inputs["fare"])}


def doubled(inputs):
    return {"fare": inputs["fare"] * 2.0}
"""


def columns():
    return RawColumns.of_schema(schema())


def traced(function):
    return trace(function, columns())


@pytest.fixture
def features(tmp_path):
    path = tmp_path / "features.py"
    path.write_text(SCALED)
    return path


def test_function_of_a_file_is_traced_analyzed_and_travels(features, tmp_path):
    function = pickle.loads(pickle.dumps(PreprocessingFn.read(str(features))))
    assert traced(function).columns.used == {"fare"}
    assert traced(function).outputs == ("fare",)
    folder = f"{tmp_path}/graph"
    run_on([ROWS], lambda rows: rows | Analyze(function, schema(), folder))
    (made,) = run_on([ROWS], lambda rows: rows | Preprocess(folder, ["note"]))
    assert made.to_pydict() == {"note": ["n0", "n1", "n2", "n3"], "fare": [0.0, 0.25, 0.5, 1.0]}


def test_function_by_another_name_without_analyzers(features):
    assert not traced(PreprocessingFn.read(f"{features}:doubled")).analyzed
    assert traced(PreprocessingFn.read(f"{features}")).analyzed


def test_function_of_a_module():
    function = PreprocessingFn.read("tests.transforms.preprocess.small")
    assert function.function() is small.preprocessing_fn
    assert str(function) == "tests.transforms.preprocess.small:preprocessing_fn"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("none.py", r"--preprocessing_fn none.py: can't be read"),
        ("no_such_module", r"--preprocessing_fn no_such_module: can't be imported"),
        ("tests.transforms.preprocess.small:preprocesing_fn", r"did you mean 'preprocessing_fn'"),
    ],
)
def test_function_that_is_not_there(text, message):
    with pytest.raises(ConfigError, match=message):
        PreprocessingFn.read(text)


def test_file_without_the_function(features):
    with pytest.raises(ConfigError, match=r"features.py: has no function 'double'; did you mean"):
        PreprocessingFn.read(f"{features}:double")


def test_file_that_fails(tmp_path):
    path = tmp_path / "features.py"
    path.write_text("x = 1\nraise ValueError('no')\n")
    with pytest.raises(ConfigError, match=r"--preprocessing_fn .*: line 2: ValueError: no"):
        PreprocessingFn.read(str(path))


def test_column_that_the_schema_lacks(tmp_path):
    path = tmp_path / "features.py"
    path.write_text("def preprocessing_fn(inputs):\n    return {'x': inputs['fares']}\n")
    with pytest.raises(ConfigError, match=r"in line 2: column 'fares' is not in .* mean 'fare'"):
        traced(PreprocessingFn.read(str(path)))


def test_float64_against_float32():
    import tensorflow as tf

    def mixed(inputs):
        return {"x": inputs["fare"] + tf.constant(1.0, tf.float64)}

    def double(inputs):
        return {"x": tf.cast(inputs["fare"], tf.float64)}

    with pytest.raises(ConfigError, match="A FLOAT of the schema is float32: cast what"):
        traced(mixed)
    with pytest.raises(ConfigError, match=r"output 'x' is float64.*tf.cast\(x, tf.float32\)"):
        traced(double)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (None, "must return a dict of tensors .* returned NoneType"),
        ({}, "but returned none"),
        ({"x": [1]}, "output 'x' is no tensor, but list"),
    ],
)
def test_function_that_returns_something_else(made, message):
    with pytest.raises(ConfigError, match=message):
        traced(lambda inputs: made)


def test_structs_are_left_out():
    text = 'feature { name: "s" type: STRUCT } feature { name: "x" type: INT }'
    assert [each.name for each in RawColumns.of_schema(schema(text)).features] == ["x"]


def test_input_without_an_end(tmp_path):
    import apache_beam as beam
    from apache_beam.transforms.periodicsequence import PeriodicImpulse

    pipeline = beam.Pipeline()
    endless = pipeline | PeriodicImpulse() | beam.Map(lambda _: ROWS)
    with pytest.raises(ConfigError, match="analyze in batch, then apply"):
        endless | Analyze(small.preprocessing_fn, schema(), f"{tmp_path}/graph")


def test_rows_that_do_not_fit_are_left_out():
    index = ROWS.schema.get_field_index("fare")
    batch = ROWS.set_column(index, "fare", pa.array(["1", None, "x", "2"]))
    fed = rows_to_analyze(batch, columns().only(["fare", "company"]))
    assert fed.schema.names == ["company", "fare", "hour", "miles", "tip", "unused"]
    assert fed["fare"].to_pylist() == [[1.0], [2.0]]
    assert fed["company"].to_pylist() == [[b"a"], [b"a"]]


def test_row_that_fails_while_analyzed_is_told_without_its_values(tmp_path, caplog):
    index = ROWS.schema.get_field_index("fare")
    rows = ROWS.set_column(index, "fare", pa.array([5.0, 4711.25, -1.0, 25.0]))
    analyze = Analyze(small.preprocessing_fn, schema(), f"{tmp_path}/graph")
    with pytest.raises(Exception) as error:  # noqa: PT011 - Beam wraps it
        run_on([rows], lambda batches: batches | analyze)
    told = "".join(traceback.format_exception(error.value)) + caplog.text
    assert re.search(
        r"ConfigError: Analyze: the preprocessing_fn fails on a row: InvalidArgumentError at node "
        r"\S+, which depends on 'fare',.*Leave such rows out of the input",
        told,
    )
    assert "4711.25" not in told
    assert "Batch instances" not in told
    assert not (tmp_path / "graph").joinpath("transform_fn").exists()


def test_steps_are_wrapped_only_while_a_pipeline_is_built():
    import tensorflow_transform.beam.impl as impl

    before = impl._RunMetaGraphDoFn
    with quiet_steps():
        assert impl._RunMetaGraphDoFn is not before
    assert impl._RunMetaGraphDoFn is before


def test_default_of_the_schema_is_given_when_analyzed_and_applied(tmp_path):
    text = """
    feature { name: "fare" type: FLOAT }
    tensor_representation_group { key: "" value { tensor_representation {
      key: "fare"
      value { dense_tensor { column_name: "fare" shape {} default_value { float_value: 5 } } }
    } } }
    """
    rows = pa.RecordBatch.from_pydict({"fare": [1.0, None, 5.0]})
    folder = f"{tmp_path}/graph"

    def scaled(inputs):
        import tensorflow_transform as tft

        return {"x": tft.scale_to_0_1(inputs["fare"])}

    run_on([rows], lambda batches: batches | Analyze(scaled, schema(text), folder))
    (made,) = run_on([rows], lambda batches: batches | Preprocess(folder))
    assert made["x"].to_pylist() == [0.0, 1.0, 1.0]


def test_another_graph_at_the_same_place_is_loaded_anew(features, tmp_path):
    folder = f"{tmp_path}/graph"
    seen = []
    for fares in ([0.0, 10.0], [0.0, 100.0]):
        rows = pa.RecordBatch.from_pydict({"fare": fares})
        function = PreprocessingFn.read(str(features))
        run_on([rows], lambda batches, f=function: batches | Analyze(f, schema(), folder))
        graph = TransformGraph.read(folder)
        seen.append(LoadedGraph(graph).transform(_lists([5.0])).to_pydict())
        shutil.rmtree(folder)
    assert seen == [{"fare": [0.5]}, {"fare": [pytest.approx(0.05)]}]


def _lists(values):
    lists = pa.array([[value] for value in values], pa.list_(pa.float32()))
    return pa.RecordBatch.from_pydict({"fare": lists})


def test_keras_2_is_told(monkeypatch):
    import tensorflow as tf

    from transforms import tensorflow as home

    assert "tensorflow_transform" in sys.modules
    monkeypatch.setattr(tf.keras, "version", lambda: "2.21.0", raising=False)
    home.tensorflow_transform.cache_clear()
    with pytest.raises(ConfigError, match="set TF_USE_LEGACY_KERAS=0 in the environment"):
        home.tensorflow_transform()
    monkeypatch.undo()
    home.tensorflow_transform()
