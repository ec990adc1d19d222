"""What statistics_of takes, and which columns it tells of."""

import pyarrow as pa
import pytest

from tests.support import batch_of, run_on
from tests.support_streams import at, run_stream, stream, timed
from transforms.errors import ConfigError
from transforms.statistics.collect import Collector, statistics_of
from transforms.statistics.dataset import described, merged
from transforms.statistics.generate import GenerateStatistics
from transforms.statistics.options import StatisticsOptions
from transforms.windows.window_batches import WindowBatches

ROWS = {"fare": [1.0, 2.0, 3.0], "tips": [0.0, 1.0, None]}
WANTED = statistics_of([batch_of(**ROWS)])


def names(statistics):
    return [feature.path.step[0] for feature in statistics.datasets[0].features]


@pytest.mark.parametrize(
    "rows",
    [
        batch_of(**ROWS),
        pa.table(ROWS),
        pa.concat_tables([pa.table(ROWS).slice(0, 1), pa.table(ROWS).slice(1)]),
        pa.table(ROWS).to_batches(),
        pa.table(ROWS).to_reader(),
        (batch for batch in pa.table(ROWS).to_batches()),
    ],
)
def test_tables_and_batches(rows):
    assert statistics_of(rows) == WANTED


def test_a_table_without_rows_has_columns():
    assert names(statistics_of(pa.table(ROWS).schema.empty_table())) == ["fare", "tips"]


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (pa.table(ROWS).to_pandas(), r"pandas\.\S*DataFrame"),
        ("train.csv", "builtins.str"),
        (None, "builtins.NoneType"),
        ([ROWS], "builtins.dict"),
        ([pa.table(ROWS)], "pyarrow.lib.Table"),
    ],
)
def test_what_holds_no_batches(rows, kind):
    why = rf"takes a pyarrow.Table.*, not a {kind}: .* pass pa.Table.from_pandas\(frame\)"
    with pytest.raises(ConfigError, match=why):
        statistics_of(rows)


def test_a_column_that_no_batch_has():
    options = StatisticsOptions(columns=("fare", "tip"))
    with pytest.raises(
        ConfigError, match=r"columns: there is no column 'tip'; did you mean 'tips'"
    ):
        statistics_of(pa.table(ROWS), options)
    with pytest.raises(
        ConfigError, match=r"columns: there is no column 'tip'; did you mean 'tips'"
    ):
        options.check(pa.table(ROWS).schema)
    with pytest.raises(Exception, match="there is no column 'tip'; did you mean 'tips'"):
        run_on([batch_of(**ROWS)], lambda rows: rows | GenerateStatistics(options))


def test_a_column_that_some_batch_has():
    options = StatisticsOptions(columns=("tip",))
    batches = [batch_of(**ROWS), batch_of(tip=[1.0])]
    (feature,) = statistics_of(batches, options).datasets[0].features
    assert (feature.path.step[0], feature.num_stats.common_stats.num_missing) == ("tip", 3)
    assert names(statistics_of([], options)) == []
    parts = []
    for batch in batches:
        parts.append(Collector(options))
        parts[-1].add(batch)
    assert names(described(merged(part.slices() for part in parts), options)) == ["tip"]


def test_a_column_that_a_window_lacks():
    options = StatisticsOptions(columns=("time", "more"))
    given = stream().add_elements(at(timed(1, 2))).advance_watermark_to_infinity()
    window = WindowBatches(60, event_time_column="time")
    out, _ = run_stream(given, lambda rows: rows | window | GenerateStatistics(options))
    assert [names(made) for made in out] == [["time"]]


def test_one_name_is_no_tuple_of_names():
    with pytest.raises(ConfigError, match="columns is a tuple of names"):
        StatisticsOptions(columns="fare")


def test_the_column_of_weights_has_statistics_too():
    """TFDV 1.16.1 has them: fare weighted by itself has the mean (1 + 4 + 9) / 6."""
    made = statistics_of(pa.table(ROWS), StatisticsOptions(weight="fare"))
    assert names(made) == ["fare", "tips"]
    fare = made.datasets[0].features[0].num_stats
    assert (fare.mean, fare.weighted_numeric_stats.mean) == (2, pytest.approx(14 / 6))
    assert fare.common_stats.weighted_common_stats.num_non_missing == 6


def test_maps_are_lists_of_structs():
    maps = pa.array([[("a", 1), ("b", None)], None, []], pa.map_(pa.string(), pa.int64()))
    lists = pa.array(
        [[{"key": "a", "value": 1}, {"key": "b", "value": None}], None, []],
        pa.list_(pa.struct([("key", pa.string()), ("value", pa.int64())])),
    )
    made = statistics_of(batch_of(m=maps))
    assert made == statistics_of(batch_of(m=lists))
    assert [list(each.path.step) for each in made.datasets[0].features] == [
        ["m"],
        ["m", "key"],
        ["m", "value"],
    ]
