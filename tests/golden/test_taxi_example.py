"""The worked example on real data: from raw rows to scores, by jobs."""

import warnings

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from examples import taxi
from inference import score_table
from tests.support import shared_data
from transforms.preprocess import LoadedGraph, TransformGraph, transform_batch


def test_from_raw_rows_to_scores(tmp_path, capsys):
    data = shared_data("taxi_split")
    with warnings.catch_warnings():
        # Keras 3.15 calls numpy in a way that numpy 2 has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        taxi.run(data, tmp_path)
    told = capsys.readouterr().out
    accuracy = float(told.partition("accuracy ")[2].split()[0])
    labels = pq.read_table(tmp_path / "prepared" / "Split-eval")["big_tip"].to_numpy()
    assert accuracy > max(labels.mean(), 1 - labels.mean()) + 0.02, "better than a constant guess"
    scores = pq.read_table(tmp_path / "scores")
    raw = pa.csv.read_csv(
        data / "serving.csv",
        convert_options=pa.csv.ConvertOptions(strings_can_be_null=True),
    )
    assert "tips" not in raw.column_names
    assert scores["trip_seconds"].to_pylist() == raw["trip_seconds"].to_pylist()
    apart = _one_after_the_other(raw, tmp_path)
    assert np.array_equal(scores["tip_is_big"].to_numpy(), apart)
    cash = np.array(raw["payment_type"].to_pylist()) == "Cash"
    assert apart[cash].mean() < 0.1 < apart[~cash].mean(), "cash is paid without a tip on record"


def _one_after_the_other(raw, folder):
    """The scores of rows that were transformed first; the label is any."""
    graph = TransformGraph.read(f"{folder}/prepared/transform_graph")
    rows = raw.append_column("tips", pa.array(np.zeros(raw.num_rows)))
    (batch,) = rows.combine_chunks().to_batches()
    made, rejects = transform_batch(batch, LoadedGraph(graph))
    assert rejects.num_rows == 0
    scored, _ = score_table(made, str(folder / "model.keras"))
    return scored["tip_is_big"].to_numpy()
