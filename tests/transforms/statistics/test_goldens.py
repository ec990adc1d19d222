"""The statistics of real rows beside TFDV's own, field by field.

What differs, and by how much, is in docs/statistics.md: TFDV reads floats of 32 bits from CSV, and
makes histograms of approximate quantiles.
"""

import pyarrow.csv
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import statistics_pb2

from tests.support import shared_data
from transforms.statistics.collect import statistics_of

FLOAT32 = 1e-7
QUANTILE = 0.01


@pytest.fixture(params=["train", "eval"], scope="module")
def both(request):
    """Our statistics and TFDV's, by column."""
    text = shared_data("tfdv_goldens", "1.16.1", f"stats_{request.param}.pbtxt").read_text()
    theirs = text_format.Parse(text, statistics_pb2.DatasetFeatureStatisticsList()).datasets[0]
    options = pyarrow.csv.ConvertOptions(strings_can_be_null=True)
    rows = pyarrow.csv.read_csv(
        shared_data("taxi_split", f"{request.param}.csv"), convert_options=options
    )
    ours = statistics_of(rows.to_batches()).datasets[0]
    assert ours.num_examples == theirs.num_examples
    expected = {feature.path.step[0]: feature for feature in theirs.features}
    found = {feature.path.step[0]: feature for feature in ours.features}
    assert found.keys() == expected.keys()
    return [(found[name], expected[name]) for name in expected]


def test_types_presence_and_valency(both):
    for mine, theirs in both:
        assert mine.type == theirs.type
        kind = theirs.WhichOneof("stats")
        assert mine.WhichOneof("stats") == kind
        assert getattr(mine, kind).common_stats == getattr(theirs, kind).common_stats


def test_strings(both):
    texts = [(m.string_stats, t.string_stats) for m, t in both if t.HasField("string_stats")]
    assert len(texts) >= 2
    for mine, theirs in texts:
        assert mine == theirs


def test_numbers(both):
    for mine, theirs in _numbers(both):
        assert mine.num_zeros == theirs.num_zeros
        for name in ("mean", "min", "max"):
            assert getattr(mine, name) == pytest.approx(getattr(theirs, name), rel=FLOAT32)
        # Latitudes spread little: rounding to 32 bits is a larger part of it.
        assert mine.std_dev == pytest.approx(theirs.std_dev, rel=100 * FLOAT32)
        wide = theirs.max - theirs.min
        assert mine.median == pytest.approx(theirs.median, rel=FLOAT32, abs=QUANTILE * wide)


def _numbers(both):
    found = [(m.num_stats, t.num_stats) for m, t in both if t.HasField("num_stats")]
    assert len(found) >= 14
    return found


def test_equal_widths(both):
    for mine, theirs in _numbers(both):
        here, there = mine.histograms[0], theirs.histograms[0]
        assert here.type == there.type == statistics_pb2.Histogram.STANDARD
        assert len(here.buckets) == len(there.buckets)
        wide = theirs.max - theirs.min
        for one, other in zip(here.buckets, there.buckets, strict=True):
            assert one.high_value == pytest.approx(other.high_value, abs=1e-4 * wide)
        # A value at an edge is in the upper bucket; there, part of it is in the lower one.
        assert _apart(here, there) <= 0.14


def _apart(here, there):
    """The most by which the shares up to an edge differ."""
    total = sum(bucket.sample_count for bucket in here.buckets)
    apart = sofar = 0.0
    for one, other in zip(here.buckets, there.buckets, strict=True):
        sofar += (one.sample_count - other.sample_count) / total
        apart = max(apart, abs(sofar))
    return apart


def test_quantiles(both):
    for mine, theirs in _numbers(both):
        here, there = mine.histograms[1], theirs.histograms[1]
        assert here.type == there.type == statistics_pb2.Histogram.QUANTILES
        wide = theirs.max - theirs.min
        for one, other in zip(here.buckets, there.buckets, strict=True):
            assert one.high_value == pytest.approx(other.high_value, abs=0.02 * wide)
