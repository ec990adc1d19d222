"""SliceBy: slices by values of columns."""

import pyarrow as pa
import pytest

from tests.support import batch_of
from transforms.errors import ConfigError
from transforms.statistics.collect import statistics_of
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.slices import SliceBy


def slices(text, **columns):
    return {name: part["n"].to_pylist() for name, part in SliceBy.parse(text)(batch_of(**columns))}


def test_by_each_value():
    assert slices("t", n=[1, 2, 3, 4], t=["a", "b", None, "a"]) == {"t_a": [1, 4], "t_b": [2]}


def test_by_one_value():
    assert slices("t=b", n=[1, 2], t=["a", "b"]) == {"t_b": [2]}
    assert slices("t=", n=[1, 2], t=["a", ""]) == {"t_": [2]}
    assert slices("t=c", n=[1, 2], t=["a", "b"]) == {}


def test_by_several_columns():
    assert slices("t,k=1", n=[1, 2, 3], t=["a", "b", "a"], k=[1, 1, 2]) == {
        "t_a_k_1": [1],
        "t_b_k_1": [2],
    }


def test_by_lists():
    assert slices("l", n=[1, 2, 3], l=pa.array([["x", "y", "x"], ["y"], None])) == {
        "l_x": [1],
        "l_y": [1, 2],
    }


@pytest.mark.parametrize("text", ["", "a,", "a,a", "=x"])
def test_what_is_no_slice(text):
    with pytest.raises(ConfigError, match="name each column once"):
        SliceBy.parse(text)


def test_a_column_that_is_not_there():
    with pytest.raises(ConfigError, match="there is no column 'x' to slice by"):
        slices("x", n=[1])


def test_statistics_by_slice():
    options = StatisticsOptions(slices=(SliceBy.parse("t"),))
    batches = [batch_of(n=[1, 2], t=["a", "b"]), batch_of(n=[3], t=["a"])]
    found = {data.name: data for data in statistics_of(batches, options).datasets}
    assert list(found) == ["All Examples", "t_a", "t_b"]
    assert found["t_a"].num_examples == 2
    assert found["t_a"].features[0].num_stats.mean == 2


def test_more_slices_than_can_be():
    options = StatisticsOptions(slices=(SliceBy.parse("n"),))
    with pytest.raises(ConfigError, match="more than 1,000 slices"):
        statistics_of([batch_of(n=list(range(1001)))], options)
