"""The worked example of a time series: from readings to scores, of files and of messages."""

import warnings

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.transforms.window import TimestampedValue

from examples import meters
from inference import Score
from tests.support_streams import run_stream, stream
from transforms import WindowFeatures


def test_a_week_ahead_by_files_and_by_messages(tmp_path, capsys):
    with warnings.catch_warnings():
        # Keras 3.15 calls numpy in a way that numpy 2 has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        part = meters.run(tmp_path)
    assert part < 0.85, "nearer than the last reading"
    assert "mean error" in capsys.readouterr().out
    rows = pq.read_table(tmp_path / "features")
    assert rows.num_rows == meters.readings().num_rows
    of_files = {
        (row["meter"], row["time"]): row for row in pq.read_table(tmp_path / "scores").to_pylist()
    }
    of_messages = _by_messages(tmp_path)
    assert len(of_messages) == 20 * 24 - _missing()
    for row in of_messages:
        known = of_files[row["meter"], row["time"]]
        assert {name: row[name] for name in meters.FEATURES} == {
            name: known[name] for name in meters.FEATURES
        }, "to the last bit"
        assert np.isclose(row["more"], known["more"], rtol=1e-5, atol=1e-6)


DAY = slice(28 * 24, 29 * 24)
"""The first day that the model has not seen."""


def _missing():
    return 20 * 24 - _of_day(meters.readings(29)).num_rows


def _of_day(rows):
    edge = meters.START + np.timedelta64(28, "D")
    return rows.filter(pc.greater_equal(rows["time"], pa.scalar(edge)))


def _by_messages(folder):
    """The rows of a day as messages, after nine days that they look back on."""
    whole = meters.readings(29)
    first = meters.START + np.timedelta64(19, "D")
    whole = whole.filter(pc.greater_equal(whole["time"], pa.scalar(first)))
    given, come = stream(), 0
    for batch in whole.combine_chunks().to_batches(max_chunksize=20 * 12):
        seconds = int(batch["time"].cast(pa.int64()).to_numpy().max())
        given = given.add_elements([TimestampedValue(batch, seconds)])
        if seconds - 3600 > come:
            come = seconds - 3600
            given = given.advance_watermark_to(come)

    def build(rows):
        every = WindowFeatures(meters.FEATURES, meters.KEYS, meters.TIME, every=43_200)
        graph = f"{folder}/prepared/transform_graph"
        return rows | every | Score(f"{folder}/model.keras", transform_graph=graph)

    found, _ = run_stream(given.advance_watermark_to_infinity(), build)
    return _of_day(pa.Table.from_batches(found)).to_pylist()
