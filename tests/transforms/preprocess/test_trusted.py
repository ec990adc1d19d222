"""A transform graph that reaches outside of TensorFlow is refused unless trusted, as a model is."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs.preprocess import main
from tests.support import run_on
from tests.transforms.preprocess.small import ROWS, schema
from transforms.errors import ConfigError
from transforms.preprocess import Analyze, LoadedGraph, Preprocess, TransformGraph, transform_batch

REFUSAL = r"transform graph .*: it reads or writes files \(ReadFile\).* pass {} if you trust"


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """A graph that reads a file whenever it is applied."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("reading")
    (folder / "secret").write_text("7")
    secret = str(folder / "secret")

    def preprocessing_fn(inputs):
        number = tf.strings.to_number(tf.io.read_file(secret))
        return {"sum": inputs["fare"] + number}

    analyze = Analyze(preprocessing_fn, schema(), str(folder / "transform_graph"))
    (made,) = run_on([ROWS], lambda rows: rows | analyze)
    return made


def test_graph_that_reads_a_file_is_refused(reading):
    with pytest.raises(ConfigError, match=REFUSAL.format("trust_graph=True")):
        TransformGraph.read(reading)


def test_a_trusted_one_is_applied(reading):
    graph = TransformGraph.read(reading, trust_graph=True)
    features, rejects = transform_batch(ROWS, LoadedGraph(graph))
    assert features["sum"].to_pylist() == [12.0, 17.0, 22.0, 32.0]
    assert rejects.num_rows == 0


def test_the_machine_that_runs_it_looks_again(reading):
    """What a launcher read may have been exchanged since."""
    graph = TransformGraph.read(reading, trust_graph=True)
    other = TransformGraph(graph.uri, graph.version, graph.columns, graph.outputs)
    with pytest.raises(ConfigError, match=REFUSAL.format("trust_graph=True")):
        other.function()


def test_verb_of_a_folder(reading):
    with pytest.raises(Exception, match="reads or writes files"):
        run_on([ROWS], lambda rows: rows | Preprocess(reading))
    (found,) = run_on([ROWS], lambda rows: rows | Preprocess(reading, trust_graph=True))
    assert found["sum"].to_pylist() == [12.0, 17.0, 22.0, 32.0]


def test_job(reading, tmp_path, capsys):
    pq.write_table(pa.Table.from_batches([ROWS]), tmp_path / "in.parquet")
    given = [f"--input={tmp_path}/in.parquet", f"--output={tmp_path}/out", "--splits=all"]
    given += [f"--transform_graph={reading}"]
    assert main(given) == 2
    assert "reads or writes files (ReadFile)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*given, "--trust_graph=true"]) == 0
    found = pq.read_table(tmp_path / "out" / "Split-all")
    assert found["sum"].to_pylist() == [12.0, 17.0, 22.0, 32.0]


def test_a_damaged_graph(tmp_path):
    (tmp_path / "transform_fn").mkdir()
    (tmp_path / "transform_fn" / "saved_model.pb").write_bytes(b"nothing of that kind")
    with pytest.raises(ConfigError, match=r"transform graph .*its saved_model.pb is damaged"):
        TransformGraph.read(str(tmp_path))
