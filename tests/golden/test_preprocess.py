"""The preprocess job as its user meets it: what it writes, what it rejects, what it refuses."""

import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs import preprocess
from tests.support import batch_of
from transforms.errors import ConfigError
from transforms.keys.splits import Splits, split_rows
from transforms.preprocess import LoadedGraph, TransformGraph, transform_batch

FEATURES = """
import tensorflow as tf
import tensorflow_transform as tft


def preprocessing_fn(inputs):
    fine = tf.debugging.assert_none_equal(inputs["fare"], -1.0)
    with tf.control_dependencies([fine]):
        fare = tf.identity(inputs["fare"])
    return {
        "fare": tft.scale_to_0_1(inputs["fare"]),
        "checked": fare,
        "company": tft.compute_and_apply_vocabulary(inputs["company"], num_oov_buckets=1),
    }


def plain(inputs):
    return {"double": inputs["fare"] * 2.0}
"""
SCHEMA = """
feature { name: "fare" type: FLOAT presence { min_fraction: 1 } shape {} }
feature { name: "company" type: BYTES value_count { min: 0 max: 1 } }
feature { name: "label" type: INT presence { min_fraction: 1 } shape {} }
"""
ROWS = batch_of(
    fare=[float(i) for i in range(100)],
    company=["abc"[i % 3] if i % 5 else None for i in range(100)],
    ride=[i // 2 for i in range(100)],
)


def run(**flags):
    return preprocess.main([f"--{name}={value}" for name, value in flags.items()])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "features.py").write_text(FEATURES)
    (tmp_path / "schema.pbtxt").write_text(SCHEMA)
    pq.write_table(pa.Table.from_batches([ROWS]), tmp_path / "rows.parquet")
    return tmp_path


def flags(folder, **more):
    return {
        "input": f"{folder}/rows.parquet",
        "schema": f"{folder}/schema.pbtxt",
        "preprocessing_fn": f"{folder}/features.py",
        "output": f"{folder}/out/",
    } | more


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_graph_and_splits_are_published_together(folder):
    assert run(**flags(folder, split_key="ride")) == 0
    names = tree(folder / "out")
    assert {name.partition("/")[0] for name in names} == {
        "Split-eval",
        "Split-train",
        "_millrace",
        "transform_graph",
    }
    assert {name for name in names if name.startswith("transform_graph/")} >= {
        "transform_graph/metadata/schema.pbtxt",
        "transform_graph/transform_fn/saved_model.pb",
        "transform_graph/transform_fn/assets/vocab_compute_and_apply_vocabulary_vocabulary",
        "transform_graph/transformed_metadata/schema.pbtxt",
    }
    parts = dict(split_rows(ROWS, Splits.parse("train:2,eval:1", ["ride"])))
    fares = parts["train"]["fare"].to_numpy()
    train = pq.read_table(folder / "out" / "Split-train")
    expected = (fares - fares.min()) / (fares.max() - fares.min())
    assert train["fare"].to_pylist() == pytest.approx(expected, abs=1e-6)
    loaded = LoadedGraph(TransformGraph.read(f"{folder}/out/transform_graph"))
    for name, rows in parts.items():
        made, rejects = transform_batch(rows, loaded)
        found = pq.read_table(folder / "out" / f"Split-{name}")
        assert found.equals(pa.Table.from_batches([made]))
        assert rejects.num_rows == 0
    manifest = json.loads((folder / "out" / "_millrace" / "run.json").read_text())
    assert manifest["counts"]["rows_in"] == manifest["counts"]["rows_out"] == 100
    (output,) = [each for each in manifest["outputs"] if not each["dead_letters"]]
    files = {file["path"].removeprefix(f"{folder}/out/") for file in output["files"]}
    assert files == set(names) - {"_millrace/run.json"}


def test_tfx_reads_records_of_examples(folder):
    import tensorflow as tf
    import tensorflow_transform as tft

    assert run(**flags(folder, output=f"{folder}/out/?format=tfrecord", splits="all")) == 0
    output = tft.TFTransformOutput(f"{folder}/out/transform_graph")
    (path,) = (folder / "out" / "Split-all").glob("*")
    records = tf.data.TFRecordDataset(str(path))
    parsed = [
        tf.io.parse_single_example(record, output.transformed_feature_spec()) for record in records
    ]
    assert [float(row["fare"]) for row in parsed] == pytest.approx([i / 99 for i in range(100)])
    companies = [tf.sparse.to_dense(row["company"]).numpy().tolist() for row in parsed]
    ids = {name: index for index, name in enumerate(_vocabulary(output))}
    assert companies == [
        [] if name is None else [ids[name]] for name in ROWS["company"].to_pylist()
    ]


def _vocabulary(output):
    terms = output.vocabulary_by_name("vocab_compute_and_apply_vocabulary_vocabulary")
    return [term.decode() for term in terms]


def test_rows_are_rejected_once(folder):
    fares = ["x" if i == 7 else "-1" if i == 8 else str(i) for i in range(100)]
    lines = [f"{fare},a" for fare in fares]
    (folder / "rows.csv").write_text("\n".join(["fare,company", *lines, "1,2,3"]) + "\n")
    assert (
        run(
            **flags(
                folder,
                input=f"{folder}/rows.csv",
                splits="all",
                preprocessing_fn=f"{folder}/features.py:plain",
            )
        )
        == 0
    )
    letters = _letters(folder)
    assert [letter["reason"] for letter in letters] == ["ragged_line", "unparsable"]
    assert pq.read_table(folder / "out" / "Split-all").num_rows == 99


def _letters(folder):
    paths = (folder / "out.dead_letters").glob("*.jsonl")
    found = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return sorted(found, key=lambda letter: letter["reason"])


def test_graph_alone_and_applied_to_other_rows(folder):
    assert run(**flags(folder, analyze_only="true", splits="all")) == 0
    assert {name.partition("/")[0] for name in tree(folder / "out")} == {
        "_millrace",
        "transform_graph",
    }
    day = batch_of(fare=[0.0, 198.0, -1.0, None], company=["new", "a", "a", "a"])
    pq.write_table(pa.Table.from_batches([day]), folder / "day.parquet")
    graph = f"{folder}/out/transform_graph"
    code = run(
        input=f"{folder}/day.parquet", transform_graph=graph, splits="all", output=f"{folder}/day/"
    )
    assert code == 0
    made = pq.read_table(folder / "day" / "Split-all")
    assert made["fare"].to_pylist() == [0.0, 2.0]
    assert made["company"].to_pylist()[0] == [3]
    (path,) = (folder / "day.dead_letters").glob("*.jsonl")
    reasons = [json.loads(line)["reason"] for line in path.read_text().splitlines()]
    assert sorted(reasons) == ["missing_value", "model_error"]


def test_a_split_without_rows_has_its_columns(folder):
    assert run(**flags(folder, splits="train:1000000,eval:1")) == 0
    empty = pq.read_table(folder / "out" / "Split-eval")
    assert empty.num_rows == 0
    assert empty.schema.equals(pq.read_table(folder / "out" / "Split-train").schema)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"schema": None}, "--preprocessing_fn needs --schema"),
        ({"steps": "steps.yaml"}, "give one of --preprocessing_fn"),
        ({"preprocessing_fn": None}, "give one of --preprocessing_fn"),
        ({"transform_graph": "graph"}, "give one of --preprocessing_fn"),
        ({"splits": "train:0"}, "--splits: 'train:0' is no name with a number"),
        ({"split_key": "rides"}, "--split_key rides: .* did you mean 'ride'"),
        ({"output": "out.parquet"}, "is no folder, and what is made are several files"),
        ({"preprocessing_fn": "features.py:other"}, "has no function 'other'"),
    ],
)
def test_what_can_not_be_done_is_told_before_it_begins(folder, monkeypatch, capsys, more, message):
    monkeypatch.chdir(folder)
    given = {name: value for name, value in (flags(folder) | more).items() if value is not None}
    assert run(**given) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (folder / "out").exists()


def test_messages_have_no_end(folder):
    options = preprocess.Options(**flags(folder, input="pubsub://projects/p/subscriptions/s"))
    with pytest.raises(ConfigError, match="messages have no end at which all are analyzed"):
        preprocess.resolve(options)


def test_column_that_the_function_needs_is_not_in_the_data(folder, capsys):
    rows = pa.Table.from_batches([ROWS]).rename_columns(["fares", "company", "ride"])
    pq.write_table(rows, folder / "rows.parquet")
    assert run(**flags(folder)) == 2
    assert "column 'fare' is needed for preprocessing" in capsys.readouterr().err


def test_a_graph_and_options_of_analysis(folder, capsys):
    given = {"input": f"{folder}/rows.parquet", "output": f"{folder}/out/", "transform_graph": "g"}
    assert run(**given, analyze_only="true") == 2
    assert "--analyze_only is about the analysis" in capsys.readouterr().err


STEPS = """
features:
  fare: {steps: [fill: median, scale_to_0_1]}
  company: {steps: [compute_and_apply_vocabulary: {num_oov_buckets: 1}]}
"""


def by_steps(folder, **more):
    (folder / "steps.yaml").write_text(STEPS)
    given = {"steps": f"{folder}/steps.yaml", "schema": None, "preprocessing_fn": None} | more
    return {name: value for name, value in flags(folder, **given).items() if value is not None}


@pytest.mark.integration
@pytest.mark.parametrize("with_schema", [False, True])
def test_declared_steps_as_a_function(folder, with_schema):
    more = {"schema": f"{folder}/schema.pbtxt"} if with_schema else {}
    assert run(**by_steps(folder, split_key="ride", **more)) == 0
    assert run(**flags(folder, split_key="ride", output=f"{folder}/function/")) == 0
    for split in ("Split-train", "Split-eval"):
        ours = pq.read_table(folder / "out" / split)
        theirs = pq.read_table(folder / "function" / split)
        assert ours["company"].equals(theirs["company"])
        assert ours["fare"].to_pylist() == pytest.approx(theirs["fare"].to_pylist(), abs=1e-6)
    assert not (folder / "out" / "transform_graph" / "temp").exists()


def test_mistake_in_steps_is_told_with_its_place(folder, capsys):
    given = by_steps(folder)
    (folder / "steps.yaml").write_text("features:\n  fare: {steps: [log1]}\n")
    assert run(**given) == 2
    assert re.search(
        r"steps.yaml: line 2, column 18: there is no step 'log1'", capsys.readouterr().err
    )
