"""Pairs: covariances as numpy has them."""

import numpy as np
import pyarrow as pa
import pytest

from tests.support import batch_of
from transforms.statistics.collect import statistics_of
from transforms.statistics.options import StatisticsOptions


def pairs(*batches):
    (data,) = statistics_of(batches, StatisticsOptions(pairs=True)).datasets
    return {(found.path_x.step[0], found.path_y.step[0]): found for found in data.cross_features}


def test_covariance_and_correlation():
    draw = np.random.default_rng(3)
    x = draw.normal(size=1000) + 1e6
    y, z = 2 * x + draw.normal(size=1000), draw.integers(0, 9, 1000)
    batches = [
        pa.RecordBatch.from_pydict({"x": x[part], "y": y[part], "z": z[part], "t": ["a"] * 250})
        for part in np.split(np.arange(1000), 4)
    ]
    found = pairs(*batches)
    assert set(found) == {("x", "y"), ("x", "z"), ("y", "z")}
    for (one, other), cross in found.items():
        values = {"x": x, "y": y, "z": z}
        expected = np.cov(values[one], values[other], bias=True)[0, 1]
        assert cross.count == 1000
        assert cross.num_cross_stats.covariance == pytest.approx(expected, rel=1e-6)
        assert cross.num_cross_stats.correlation == pytest.approx(
            np.corrcoef(values[one], values[other])[0, 1], rel=1e-6
        )


def test_rows_count_where_both_are_there():
    found = pairs(batch_of(x=[1.0, 2.0, None, 4.0, np.nan], y=[1, 2, 3, None, 5]))
    cross = found["x", "y"]
    assert cross.count == 2
    assert cross.num_cross_stats.covariance == pytest.approx(0.25)
    assert cross.num_cross_stats.correlation == pytest.approx(1.0)


def test_a_constant_has_no_correlation():
    cross = pairs(batch_of(x=[1, 1, 1], y=[1, 2, 3]))["x", "y"]
    assert (cross.num_cross_stats.covariance, cross.num_cross_stats.correlation) == (0, 0)


def test_columns_that_are_not_in_all_batches_are_left_out():
    assert set(pairs(batch_of(x=[1, 2], y=[1, 2], z=[1, 2]), batch_of(x=[1], y=[3]))) == {
        ("x", "y")
    }
