"""Lists in lists: presence and values at each level, plain and by weight, as TFDV has them."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of
from tests.transforms.schema.builders import kinds_of, schema_of
from transforms.schema import validate_statistics
from transforms.statistics.collect import Collector, statistics_of
from transforms.statistics.dataset import described, merged
from transforms.statistics.options import StatisticsOptions

NESTED = pa.list_(pa.list_(pa.int64()))
WEIGHTED = StatisticsOptions(weight="w")


def common(made):
    return made.datasets[0].features[0].num_stats.common_stats


def test_rows_have_the_values_of_all_their_lists():
    """Figures of TFDV 1.16.1."""
    rows = [[[1], [2, 3]], None, [[4, 5, 6], [7]], [None, [8]], [[9, 9]]]
    batch = batch_of(a=pa.array(rows, NESTED), w=[1.0, 2.0, 0.5, 4.0, 0.0])
    found = common(statistics_of([batch], WEIGHTED))
    assert (found.num_non_missing, found.num_missing) == (4, 1)
    assert (found.min_num_values, found.max_num_values, found.tot_num_values) == (1, 4, 10)
    assert found.avg_num_values == 2.5
    weighted = found.weighted_common_stats
    assert (weighted.num_non_missing, weighted.num_missing) == (5.5, 2)
    assert (weighted.tot_num_values, weighted.avg_num_values) == (9, pytest.approx(9 / 5.5))
    levels = [
        (each.num_non_missing, each.num_missing, each.tot_num_values, each.avg_num_values)
        for each in found.weighted_presence_and_valency_stats
    ]
    assert levels == [(5.5, 2, 11, 2), (7, 4, 9, pytest.approx(9 / 7))]


LISTS = st.one_of(st.none(), st.lists(st.integers(0, 9), max_size=3))
ROWS = st.lists(
    st.tuples(st.one_of(st.none(), st.lists(LISTS, max_size=3)), st.integers(0, 4)), max_size=5
)


@given(ROWS, ROWS, st.booleans())
def test_parts_merged_are_what_rows_tell(one, other, is_flat):
    """In the first part there may be no lists in lists yet."""
    if is_flat:
        one = [(None if row is None else [[len(row)]], weight) for row, weight in one]

    def collected(rows, is_flat=False):
        lists = [row for row, _ in rows]
        column = pa.array(lists, NESTED)
        if is_flat:
            column = pa.array([row and row[0] for row in lists], NESTED.value_type)
        collector = Collector(WEIGHTED)
        collector.add(batch_of(a=column, w=pa.array([weight for _, weight in rows], pa.float64())))
        return collector.slices()

    made = described(merged([collected(one, is_flat), collected(other)]), WEIGHTED)
    rows = [
        (sum(len(inner or []) for inner in row), weight)
        for row, weight in (*one, *other)
        if row is not None
    ]
    found = common(made)
    assert found.num_missing == len(one) + len(other) - len(rows)
    assert found.num_non_missing == len(rows)
    assert found.tot_num_values == sum(number for number, _ in rows)
    assert found.min_num_values == min((number for number, _ in rows), default=0)
    assert found.max_num_values == max((number for number, _ in rows), default=0)
    weighted = found.weighted_common_stats
    assert weighted.num_non_missing == sum(weight for _, weight in rows)
    assert weighted.tot_num_values == sum(number * weight for number, weight in rows)
    inner = found.presence_and_valency_stats[1]
    nested = other if is_flat else [*one, *other]
    expected = [each for row, _ in nested for each in row or []]
    assert inner.num_missing == sum(each is None for each in expected)
    assert inner.tot_num_values == sum(len(each or []) for each in expected)


def test_lists_in_lists_in_lists():
    rows = [[[[1, 2], []], None, [None, [3]]], [], None, [[[4]]]]
    batch = batch_of(a=pa.array(rows, pa.list_(NESTED)))
    found = common(statistics_of([batch]))
    assert (found.min_num_values, found.max_num_values, found.tot_num_values) == (0, 3, 4)
    assert [each.tot_num_values for each in found.presence_and_valency_stats] == [4, 5, 4]


def test_the_share_of_values_off_the_domain_is_one_of_values():
    schema = schema_of(
        "feature { name: 'a' type: BYTES distribution_constraints { min_domain_mass: 0.7 }"
        " string_domain { value: 'x' } }"
    )
    off = [
        kinds_of(validate_statistics(statistics_of([batch_of(a=rows)]), schema))
        for rows in ([[["x", "x", "x", "y"]]], [[["x", "x", "y", "y"]]])
    ]
    assert off == [{}, {"a": ["ENUM_TYPE_UNEXPECTED_STRING_VALUES"]}]
