"""GenerateStatistics: in batch, and of each window."""

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.transforms.window import FixedWindows

from tests.support import batch_of, run_on
from tests.support_streams import at, run_stream, stream, timed
from transforms.statistics.collect import statistics_of
from transforms.statistics.generate import GenerateStatistics
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.slices.values import SliceBy
from transforms.windows.window_batches import WindowBatches


def test_it_is_what_the_function_gives():
    batches = [batch_of(n=[1, 2, None], t=["a", "b", "a"]), batch_of(n=[4], t=[None])]
    options = StatisticsOptions(slices=(SliceBy.parse("t"),))
    (made,) = run_on(batches, lambda rows: rows | GenerateStatistics(options))
    assert made == statistics_of(batches, options)


def test_each_window_has_its_own():
    given = stream().add_elements(at(timed(1, 2, 61))).advance_watermark_to(60)
    given = given.add_elements(at(timed(62, 63, 121))).advance_watermark_to_infinity()
    window = WindowBatches(60, event_time_column="time")
    out, _ = run_stream(given, lambda rows: rows | window | GenerateStatistics())
    assert [made.datasets[0].num_examples for made in out] == [2, 3, 1]
    numbers = [made.datasets[0].features[1].num_stats for made in out]
    assert [stats.mean for stats in numbers] == [1.5, 62, 121]


def test_of_no_batch_there_are_no_rows():
    (made,) = run_on([], lambda rows: rows | GenerateStatistics())
    assert [(data.name, data.num_examples) for data in made.datasets] == [("All Examples", 0)]


@pytest.mark.parametrize("bundles", [1, 5])
def test_several_bundles(bundles):
    def build(rows):
        windowed = rows | beam.WindowInto(FixedWindows(10))
        return windowed | beam.Reshuffle() | GenerateStatistics()

    batches = [pa.RecordBatch.from_pydict({"n": [number]}) for number in range(bundles)]
    (made,) = run_on(batches, build)
    assert made.datasets[0].num_examples == bundles
