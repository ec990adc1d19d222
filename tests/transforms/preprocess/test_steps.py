"""Declared steps: read from YAML, analyzed without TensorFlow, applied as a graph."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from tests.support import ROOT, run_on
from tests.transforms.preprocess.small import schema
from transforms.errors import ConfigError
from transforms.preprocess import (
    Analyze,
    LoadedGraph,
    Preprocess,
    Steps,
    TransformGraph,
    transform_batch,
)
from transforms.preprocess import raw_schema as schema_of
from transforms.preprocess.declared.plan import Plan
from transforms.preprocess.declared.states import Pass, States, settled
from transforms.preprocess.figures.vocabulary import Vocabulary

TEXT = """
features:
  fare_z:
    column: fare
    steps: [fill: mean, log1p, scale_to_z_score]
  fare_01: {column: fare, steps: scale_to_0_1}
  company: {steps: [vocabulary: {num_oov_buckets: 1}]}
  fare_bucket: {feature: fare_z, steps: [bucketize: 3]}
  house: {column: company, steps: [fill: mode, vocabulary: 1]}
"""
ROWS = pa.RecordBatch.from_pydict(
    {
        "fare": pa.array([5.0, 10.0, None, 25.0, 10.0]),
        "company": ["a", "b", None, "a", "c"],
        "note": ["n0", "n1", "n2", "n3", "n4"],
    }
)


def analyzed(text, batches, schema=None, folder=None):
    """The constants of steps after all their passes, and the plan."""
    steps = Steps.parse(text)
    plan = Plan.of(steps, schema or schema_of(steps, batches[0].schema))
    known = {}
    for phase in range(plan.phases):
        states = States()
        for batch in batches:
            states = states.merge(Pass(plan, phase).states_of(batch, known))
        known = settled(plan, phase, states, known)
    return known, plan


def graph_of(text, batches, folder, schema=None):
    steps = Steps.parse(text)
    analyze = Analyze(
        schema=schema or schema_of(steps, batches[0].schema), folder=str(folder), steps=steps
    )
    run_on(batches, lambda rows: rows | analyze)
    return LoadedGraph(TransformGraph.read(str(folder)))


def test_a_file_end_to_end(tmp_path):
    loaded = graph_of(TEXT, [ROWS.slice(0, 2), ROWS.slice(2), ROWS.slice(0, 0)], tmp_path / "graph")
    made, rejects = transform_batch(ROWS, loaded, ["note"])
    assert rejects.num_rows == 0
    found = made.to_pydict()
    assert found["fare_01"] == [[0.0], [0.25], [], [1.0], [0.25]]
    assert found["company"] == [[0], [2], [], [0], [1]]
    assert found["house"] == [0, -1, 0, 0, -1]
    assert found["fare_bucket"] == [0, 1, 2, 2, 1]
    assert sum(found["fare_z"]) == pytest.approx(0, abs=1e-5)
    assert sum(value**2 for value in found["fare_z"]) == pytest.approx(5, rel=1e-5)
    new = ROWS.set_column(1, "company", pa.array(["z", "a", "b", "c", None]))
    again, _ = transform_batch(new, loaded)
    assert again["company"].to_pylist() == [[3], [0], [2], [1], []]


def test_tf_transform_reads_it(tmp_path):
    import tensorflow as tf
    import tensorflow_transform as tft

    graph_of(TEXT, [ROWS], tmp_path)
    output = tft.TFTransformOutput(str(tmp_path))
    assert output.vocabulary_by_name("company") == [b"a", b"c", b"b"]
    assert output.num_buckets_for_transformed_feature("company") == 4
    assert output.num_buckets_for_transformed_feature("fare_bucket") == 3
    assert sorted(output.raw_feature_spec()) == ["company", "fare"]
    assert output.transformed_feature_spec()["fare_z"] == tf.io.FixedLenFeature([], tf.float32)
    raw = {
        "fare": tf.sparse.from_dense([[30.0]]),
        "company": tf.sparse.from_dense([["c"]]),
    }
    made = output.transform_raw_features(raw)
    assert made["fare_01"].values.numpy().tolist() == [1.25]
    assert made["company"].values.numpy().tolist() == [1]


def test_rows_do_not_need_their_own_schema(tmp_path):
    text = 'feature { name: "fare" type: FLOAT presence { min_fraction: 1 } shape {} }'
    loaded = graph_of(
        "features: {fare: {steps: scale_to_0_1}}", [ROWS], tmp_path, schema(text + small_rest())
    )
    made, rejects = transform_batch(ROWS, loaded)
    assert made["fare"].to_pylist() == [0.0, 0.25, 1.0, 0.25]
    assert rejects["reason"].to_pylist() == ["missing_value"]
    assert loaded.graph.columns.used == {"fare"}


def small_rest():
    return ' feature { name: "other" type: INT }'


def test_batches_do_not_matter():
    whole, _ = analyzed(TEXT, [ROWS])
    parts, _ = analyzed(TEXT, [ROWS.slice(row, 1) for row in range(5)])
    assert whole.keys() == parts.keys()
    for name in whole:
        if isinstance(whole[name], Vocabulary | bytes):
            assert whole[name] == parts[name]
        else:
            assert np.asarray(whole[name]) == pytest.approx(np.asarray(parts[name]), rel=1e-6)


def test_rows_that_do_not_fit_are_not_analyzed(tmp_path):
    rows = pa.RecordBatch.from_pydict({"fare": ["1", "x", "3", None], "company": ["a"] * 4})
    text = """
    feature { name: "fare" type: FLOAT value_count { max: 1 } }
    feature { name: "company" type: BYTES value_count { max: 1 } }
    """
    known, _ = analyzed(TEXT, [rows], schema(text))
    assert known["fare_01:0"] == (1.0, 3.0)


def test_no_rows():
    known, _ = analyzed(TEXT, [ROWS.slice(0, 0)])
    assert known["fare_01:0"] == (0.0, 0.0)
    assert known["company:0"].values.to_pylist() == []


def test_no_tensorflow_to_analyze():
    code = (
        "import sys, pyarrow as pa;"
        "from transforms.preprocess.declared.parse import Steps;"
        "from transforms.preprocess.declared.states import Pass, settled;"
        "from transforms.preprocess.steps import registry;"
        "print([m for m in ('apache_beam', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "steps: is empty"),
        ("features: [", "line 1, column 12: not YAML"),
        ("feature: {}", "line 1, column 1: the file has no field 'feature'; did you mean"),
        ("features: {}", "line 1, column 11: no feature is an output"),
        ("features:\n  a: {stepz: log}", "line 2, column 7: feature 'a' has no field 'stepz'"),
        ("features:\n  a: {steps: scale}", "line 2, column 14: there is no step 'scale'"),
        (
            "features:\n  a: {steps: [log1q]}",
            "column 15: there is no step 'log1q'; did you mean log1p",
        ),
        (
            "features:\n  a:\n    steps:\n      - clip: {min: low}",
            "line 4, column 21: min is a number, not 'low'",
        ),
        ("features:\n  a: {steps: [clip: {low: 1}]}", "clip has no field 'low'"),
        ("features:\n  a: {steps: [clip: {min: 2, max: 1}]}", "column 15: min must not be greater"),
        ("features:\n  a: {steps: [log1p: 2]}", "log1p has no parameters"),
        ("features:\n  a: {steps: [bucketize: 1.5]}", "num_buckets is an integer, not 1.5"),
        ("features:\n  a: {column: b, columns: [c]}", "feature 'a' has column and columns: one"),
        ("features:\n  a: {feature: b}", "line 2, column 16: there is no feature 'b': it must"),
        ("features:\n  a: {output: 1}", "output is true or false"),
        ("features:\n  a: {}\n  a: {}", "line 3, column 3: 'a' is there twice"),
        ("features:\n  a: {steps: [fill: avg]}", "there is no strategy 'avg'"),
        ("features:\n  a: {steps: [{log: 1, clip: 2}]}", "a step is one name"),
        ("features: {a: {steps: [log: .nan]}}", "offset is a number, not nan"),
        ("features: {a: {steps: [clip: {max: .inf}]}}", "max is a number, not inf"),
        ("features: {a: {steps: [hash: 99999999999999999999]}}", "hash_buckets is an integer, not"),
        ("features: {a: {steps: [bucketize: 100000000000]}}", "num_buckets is from 2 to 1000000"),
        ("features: {a: {steps: [ngrams: [1, 99999999]]}}", "two integers up to 100"),
        (
            "features: {a: {steps: [apply_buckets: [&a [1], &b [*a, *a], [*b, *b]]]}}",
            "boundaries is a list, not several",
        ),
    ],
)
def test_mistakes_are_told_with_their_place(text, message):
    with pytest.raises(ConfigError, match=message):
        Steps.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("features:\n  f: {column: fares}", "line 2, column 3: there is no column 'fares'; did"),
        (
            "features:\n  company:\n    steps:\n      - scale_to_z_score",
            "line 4, column 9: scale_to_z_score takes floats or integers, but is given texts",
        ),
        ("features: {f: {columns: [fare, company]}}", "several columns become one feature by"),
        ("features: {fare: {steps: vocabulary}}", "takes texts or integers, but is given floats"),
        ("features: {company: {steps: [fill: mean]}}", "texts have no mean: use most_frequent"),
        (
            "features: {fare: {steps: [fill: {value: x}]}}",
            "the column is float32, and value a text",
        ),
        (
            "features:\n  a/b: {column: company, steps: [vocabulary]}",
            "line 2, column 34: 'a/b' can't be the name of a vocabulary's file",
        ),
        (
            "features: {a: {column: company, steps: [vocabulary: {vocab_filename: ../a}]}}",
            "'../a' can't be the name of a vocabulary's file",
        ),
        (
            "features:\n  a: {column: company, steps: [vocabulary: {vocab_filename: v}]}\n"
            "  b: {column: company, steps: [lower, vocabulary: {vocab_filename: v}]}",
            "line 3, column .*: another vocabulary has the file 'v'",
        ),
    ],
)
def test_steps_that_do_not_fit_the_columns(text, message):
    steps = Steps.parse(text)
    with pytest.raises(ConfigError, match=message):
        Plan.of(steps, schema_of(steps, ROWS.schema))


def test_analyze_takes_one_of_both():
    with pytest.raises(ConfigError, match="give one of function and steps"):
        Analyze(schema=schema())


def test_in_one_pipeline(tmp_path):
    steps = Steps.parse(TEXT)
    folder = str(tmp_path / "graph")
    analyze = Analyze(schema=schema_of(steps, ROWS.schema), folder=folder, steps=steps)
    run_on([ROWS], lambda rows: rows | analyze)
    (made,) = run_on([ROWS], lambda rows: rows | Preprocess(folder, ["note"]))
    assert made.schema.names == ["note", "company", "fare_01", "fare_bucket", "fare_z", "house"]


def test_integers_filled_in_are_in_the_vocabulary():
    rows = pa.RecordBatch.from_pydict({"n": pa.array([7, None, 7, None, 1, 1, 5], pa.int64())})
    text = "features: {n: {steps: [fill: most_frequent, vocabulary]}}"
    known, _ = analyzed(text, [rows[:3], rows[3:]])
    assert known["n:1"].values.to_pylist() == [b"7", b"1", b"5"]


@pytest.mark.parametrize(
    ("file", "message"),
    [("assets/company", "can't load it"), ("variables/variables.index", "can't load it")],
)
def test_a_graph_that_was_copied_in_part(file, message, tmp_path):
    graph_of("features: {company: {steps: [vocabulary]}}", [ROWS], tmp_path)
    path = tmp_path / "transform_fn" / file
    assert path.stat().st_size
    path.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"has 0 bytes, and \d+ were written"):
        TransformGraph.read(str(tmp_path))
    # Graphs of others have no manifest.
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(ConfigError, match=message):
        TransformGraph.read(str(tmp_path))


def test_zero_is_one_number_to_the_mode():
    rows = pa.RecordBatch.from_pydict({"x": pa.array([0.0, -0.0, 3.0, 3.0, -0.0], pa.float32())})
    known, _ = analyzed("features: {x: {steps: [fill: mode]}}", [rows])
    assert known["x:0"] == b"0"


def test_one_hot_of_too_many_categories(tmp_path):
    """Told at launch where the number is known, else when the vocabulary is."""
    rows = pa.record_batch({"company": [f"c{number}" for number in range(10_001)]})
    schema = schema_of(Steps.parse(TEXT), ROWS.schema)
    for steps, told in (
        ("[vocabulary, {one_hot: 10001}]", "num_buckets is 10,000 at most"),
        ("[{hash_strings: 10001}, one_hot]", "one_hot would make 10,001 numbers of each row"),
    ):
        with pytest.raises(ConfigError, match=f"{told}.*top_k.*embedding"):
            Plan.of(Steps.parse(f"features: {{company: {{steps: {steps}}}}}"), schema)
    text = "features: {company: {steps: [vocabulary, one_hot]}}"
    with pytest.raises(ConfigError, match="feature 'company': one_hot would make 10,001 numbers"):
        graph_of(text, [rows], tmp_path / "graph")
    fits = rows.slice(0, 10_000)
    assert graph_of(text, [fits], tmp_path / "fits").graph.outputs == ("company",)
