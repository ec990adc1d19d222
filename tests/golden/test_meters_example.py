"""The worked example of a time series: from readings to scores, of files and of messages."""

import warnings

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from apache_beam.transforms.window import TimestampedValue

from examples import meters
from inference import Score
from tests.support import Door
from tests.support_streams import run_stream, stream
from transforms import WindowFeatures

pytestmark = pytest.mark.integration  # it trains or compiles for many seconds


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
    assert len(of_messages) == _day(pq.read_table(tmp_path / "readings.parquet"), 28).num_rows > 400
    for row in of_messages:
        known = of_files[row["meter"], row["time"]]
        assert {name: row[name] for name in meters.FEATURES} == {
            name: known[name] for name in meters.FEATURES
        }, "to the last bit"
        assert np.isclose(row["more"], known["more"], rtol=1e-5, atol=1e-6)


def _day(rows, first, last=28):
    """The rows of some days; the model has not seen those from day 28 on."""
    start, end = (pa.scalar(meters.START + np.timedelta64(day, "D")) for day in (first, last + 1))
    return rows.filter(pc.and_(pc.greater_equal(rows["time"], start), pc.less(rows["time"], end)))


def _by_messages(folder):
    """The rows of a day as messages, after nine days that they look back on."""
    whole = _day(pq.read_table(folder / "readings.parquet"), 19)
    given, come = stream(), 0
    for batch in whole.combine_chunks().to_batches(max_chunksize=20 * 12):
        seconds = int(batch["time"].cast(pa.timestamp("s")).cast(pa.int64()).to_numpy().max())
        given = given.add_elements([TimestampedValue(batch, seconds)])
        if seconds - 3600 > come:
            come = seconds - 3600
            given = given.advance_watermark_to(come)

    def build(rows):
        every = WindowFeatures(meters.FEATURES, meters.KEYS, meters.TIME, every=43_200)
        graph = f"{folder}/prepared/transform_graph"
        # The first readings have nothing behind them, and the model has never seen such.
        return (
            rows
            | every
            | Score(f"{folder}/model.keras", transform_graph=graph, dead_letters=Door())
        )

    found, _ = run_stream(given.advance_watermark_to_infinity(), build)
    return _day(pa.Table.from_batches(found), 28).to_pylist()
