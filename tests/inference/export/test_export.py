"""Model and transform graph as one SavedModel: the bits of the pipeline, in both signatures."""

import pathlib
import shutil
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs.export import main
from inference import export_model, score_table
from inference.export import export as exporting
from inference.export import fuse
from inference.export.verify import same_bits
from inference.signature.spec import TensorSpec
from tests.inference.export.networks import network, save_model, table
from tests.support import run_on
from tests.transforms.preprocess.small import ROWS
from transforms.errors import ConfigError
from transforms.preprocess import Analyze, Steps, raw_schema


@pytest.fixture(scope="module")
def exported(tmp_path_factory, model, graph):
    folder = tmp_path_factory.mktemp("exported") / "net" / "1"
    return export_model(model, graph, str(folder), label="tip", rows=table())


def test_what_it_takes_and_gives(exported):
    assert set(exported.columns) == {"fare", "company", "tags", "place"}
    assert exported.outputs == ("guess",)
    assert exported.rows == 64


@pytest.mark.parametrize("signature", ["serving_default", "serving_examples"])
def test_rows_have_the_bits_of_the_pipeline(exported, model, graph, signature):
    rows = table(500, seed=1)
    expected, _ = score_table(rows, model, transform_graph=graph, keep_columns=["fare"])
    found, rejects = score_table(rows, exported.uri, signature, keep_columns=["fare"])
    assert rejects.num_rows == 0
    assert same_bits(found["guess"], expected["guess"])


def test_plain_tensorflow_serves_it_from_another_place(exported, model, graph, tmp_path):
    """The graph that it was made of may be gone: vocabularies are its own files."""
    import tensorflow as tf

    moved = tmp_path / "moved"
    shutil.copytree(exported.uri, moved)
    served = tf.saved_model.load(str(moved))
    rows = table(5, seed=2)
    features = [
        tf.train.Example(
            features=tf.train.Features(
                feature={
                    "fare": tf.train.Feature(float_list=tf.train.FloatList(value=[row["fare"]])),
                    "place": tf.train.Feature(float_list=tf.train.FloatList(value=row["place"])),
                    **{
                        name: tf.train.Feature(
                            bytes_list=tf.train.BytesList(value=[v.encode() for v in values])
                        )
                        for name, values in (
                            ("tags", row["tags"] or []),
                            ("company", [row["company"]] if row["company"] else []),
                        )
                    },
                }
            )
        ).SerializeToString()
        for row in rows.to_pylist()
    ]
    found = served.signatures["serving_examples"](examples=tf.constant(features))["guess"].numpy()
    expected, _ = score_table(rows, model, transform_graph=graph)
    assert np.allclose(found, np.array(expected["guess"].to_pylist()), rtol=1e-6)
    assert [path.name for path in (moved / "assets").iterdir()]


def test_rows_that_fail_are_rejected_alike(exported, model, graph):
    rows = table(6)
    fares = pa.array([1.0, -1.0, None, 4.0, 5.0, 6.0])
    rows = rows.set_column(0, "fare", fares)
    expected, rejects = score_table(rows, model, transform_graph=graph)
    found, also = score_table(rows, exported.uri)
    assert found["fare"].to_pylist() == expected["fare"].to_pylist() == [1.0, 4.0, 5.0, 6.0]
    assert also["reason"].to_pylist() == rejects["reason"].to_pylist()


def test_rows_are_made_up_and_a_model_in_memory_is_taken(graph, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made = export_model(network(), graph, str(tmp_path / "out"))
    assert made.rows == 64
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_model_that_needs_the_label_is_refused(graph, tmp_path):
    path = str(tmp_path / "leaky.keras")
    save_model(network(("fare_scaled", "tipped")), path)
    with pytest.raises(ConfigError, match="depends on 'tip', which is not known when it serves"):
        export_model(path, graph, str(tmp_path / "out"), label=["tip"])
    assert not (tmp_path / "out").exists()


def test_a_column_that_no_signature_can_name():
    spec = TensorSpec("trip miles", "float32", (None,), parts=("trip miles",))
    with pytest.raises(ConfigError, match="column 'trip miles' can't be an input of a signature"):
        fuse._raw(dict, (spec,))


def test_a_place_that_is_taken(model, graph, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(ConfigError, match="something is there already"):
        export_model(model, graph, str(tmp_path / "out"))


def test_rows_that_can_not_be_scored_check_nothing(model, graph, tmp_path):
    rows = table(2).set_column(0, "fare", pa.array([-1.0, None]))
    with pytest.raises(ConfigError, match="none of 2 rows can be scored"):
        export_model(model, graph, str(tmp_path / "out"), rows=rows)
    assert list(tmp_path.iterdir()) == []


def test_other_bits_are_found(model, graph, tmp_path, monkeypatch):
    """A model whose weights change after it is traced is what the comparison is for."""
    save = exporting._save

    def spoil(chosen, folder):
        import tensorflow as tf

        module, signatures = exporting.fused_module(chosen)
        weight = module.model.weights[-1]
        weight.assign(weight + 1e-7)
        tf.saved_model.save(module, folder, signatures=signatures)

    monkeypatch.setattr(exporting, "_save", spoil)
    with pytest.raises(ConfigError, match="'guess' of signature 'serving_default' has other bits"):
        export_model(model, graph, str(tmp_path / "out"))
    monkeypatch.setattr(exporting, "_save", save)
    assert list(tmp_path.iterdir()) == []


STEPS = """
features:
  fare_scaled: {column: fare, steps: [fill: mean, scale_to_z_score]}
  company_id: {column: company, steps: [fill: mode, vocabulary: {num_oov_buckets: 1}]}
"""


def test_a_graph_of_declared_steps(tmp_path):
    """Means that are filled in are served too: a missing fare is no fault."""
    rows = table()
    fares = pa.array([None if i % 5 == 0 else float(i) for i in range(64)])
    rows = rows.set_column(0, "fare", fares)
    steps, folder = Steps.parse(STEPS), str(tmp_path / "graph")
    analyze = Analyze(schema=raw_schema(steps, rows.schema), folder=folder, steps=steps)
    run_on(rows.to_batches(), lambda batches: batches | analyze)
    path = str(tmp_path / "net.keras")
    save_model(network(("fare_scaled", "company_id")), path)
    made = export_model(path, folder, str(tmp_path / "out"), rows=rows)
    assert (set(made.columns), made.rows) == ({"fare", "company"}, 64)


def test_what_is_not_tracked_is_told(model, graph, tmp_path, monkeypatch):
    """The classic mistake: the function's tables are nobody's, and serving finds them empty."""
    fused = exporting.fused_module

    def forgetful(chosen):
        module, signatures = fused(chosen)
        del module.transform_graph
        return module, signatures

    monkeypatch.setattr(exporting, "fused_module", forgetful)
    with pytest.raises(ConfigError, match=r"can't be exported: .*untracked"):
        export_model(model, graph, str(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_command_line(model, graph, tmp_path, capsys):
    pq.write_table(table(), tmp_path / "rows.parquet")
    given = ["--model", model, "--transform_graph", graph, "--output", str(tmp_path / "out" / "1")]
    given += ["--label", "tip", "--rows", str(tmp_path / "rows.parquet"), "--limit", "20"]
    assert main(given) == 0
    told = capsys.readouterr().err
    assert "20 rows have the same bits" in told
    assert "it takes company, fare, place, tags, and gives guess" in told
    assert (tmp_path / "out" / "1" / "saved_model.pb").exists()
    assert main(given) == 2
    assert "--output" in capsys.readouterr().err


def test_a_model_of_another_graph(tmp_path, graph_uri, model):
    with pytest.raises(ConfigError, match="makes no 'tags_number'"):
        export_model(model, graph_uri, str(tmp_path / "out"), rows=pa.Table.from_batches([ROWS]))
    assert not pathlib.Path(tmp_path / "out").exists()
