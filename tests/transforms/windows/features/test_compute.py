import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.windows.features.naive import naive
from transforms.errors import ConfigError
from transforms.windows.features.compute import window_features
from transforms.windows.features.declare import STATISTICS, Lag, Rolling

NUMBERS = st.none() | st.integers(-1000, 1000).map(lambda n: n / 8)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(["a", "b", None]),
            "shop": st.integers(0, 1),
            "time": st.none() | st.integers(-30, 30).map(lambda s: s * 500_000),
            "v": NUMBERS,
            "name": st.none() | st.sampled_from(["x", "yy", ""]),
        }
    ),
    max_size=40,
)
SIZES = st.sampled_from([0.5, 1, 3.25, 100])
FEATURES = st.one_of(
    st.builds(Lag, st.sampled_from(["v", "name"]), st.integers(1, 4), st.none() | SIZES),
    st.builds(Lag, st.just("v"), st.integers(1, 2), st.none() | st.just(100), SIZES),
    st.builds(
        Rolling,
        SIZES,
        st.sampled_from(STATISTICS),
        st.just("v"),
        st.sampled_from(["left", "right"]),
    ),
    st.builds(Rolling, SIZES, st.just("count"), closed=st.sampled_from(["left", "right"])),
)
TYPES = pa.schema(
    [
        ("key", pa.string()),
        ("shop", pa.int64()),
        ("time", pa.timestamp("us")),
        ("v", pa.float64()),
        ("name", pa.string()),
    ]
)


def batch_of(rows):
    return pa.RecordBatch.from_pylist(rows, TYPES)


def made(rows, features, keys=("key",)):
    return window_features(batch_of(rows), features, keys, "time")


@given(ROWS, FEATURES, st.sampled_from([["key"], ["key", "shop"]]))
def test_each_row_as_row_by_row(rows, feature, keys):
    found = made(rows, {"f": feature}, keys)["f"].to_pylist()
    for row, one, other in zip(rows, found, naive(rows, feature, keys), strict=True):
        expected = None if row["time"] is None else other
        number = isinstance(expected, float)
        assert one == (pytest.approx(expected, rel=1e-12, abs=1e-9) if number else expected)


@given(ROWS, FEATURES, st.randoms(use_true_random=False))
def test_the_bits_do_not_depend_on_the_order_of_rows(rows, feature, random):
    numbered = [row | {"shop": i} for i, row in enumerate(rows)]
    mixed = random.sample(numbered, len(numbered))
    one, other = made(numbered, {"f": feature}), made(mixed, {"f": feature})
    by_number = {row["shop"]: row["f"] for row in other.to_pylist()}
    assert [by_number[i] for i in range(len(rows))] == one["f"].to_pylist()


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60), st.sampled_from(["sum", "mean", "std"])
)
def test_the_bits_do_not_depend_on_rows_outside_the_stretch(values, statistic):
    """A difference of running sums would: what was large once would stay in the rounding."""
    rows = [{"key": "a", "time": i * 10**6, "v": value} for i, value in enumerate(values)]
    feature = {"f": Rolling(5, statistic, "v")}
    whole = made(rows, feature)["f"].to_pylist()
    recent = made(rows[-6:], feature)["f"].to_pylist()
    assert whole[-1] == recent[-1]


@given(ROWS, FEATURES)
def test_no_row_sees_a_later_one(rows, feature):
    later = [row for row in rows if row["time"] is not None and row["time"] > 0]
    before = [row for row in rows if row not in later]
    assert made(before + later, {"f": feature})["f"].to_pylist()[: len(before)] == (
        made(before, {"f": feature})["f"].to_pylist()
    )


def seconds(*at):
    return pa.array([datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=s) for s in at])


def test_a_worked_example():
    trips = pa.RecordBatch.from_pydict(
        {"taxi": ["a", "a", "b", "a"], "at": seconds(0, 60, 60, 90), "fare": [5, 7, 1, 9]}
    )
    features = {
        "last_fare": Lag("fare"),
        "minute_ago": Lag("fare", ago=60),
        "fares": Rolling(90, "mean", "fare"),
        "trips": Rolling(60, "count"),
        "trips_now": Rolling(60, "count", closed="right"),
    }
    found = window_features(trips, features, ["taxi"], "at")
    assert found.select(list(features)).to_pydict() == {
        "last_fare": [None, 5, None, 7],
        "minute_ago": [None, 5, None, 5],
        "fares": [None, 5.0, None, 6.0],
        "trips": [0, 1, 0, 1],
        "trips_now": [1, 1, 1, 2],
    }
    assert found.schema.field("last_fare").type == pa.int64()


def test_values_that_are_not_finite():
    rows = [{"key": "a", "time": i, "v": v} for i, v in enumerate([1, np.inf, np.nan, 2, 3, 4])]
    found = made(rows, {s: Rolling(3e-6, s, "v") for s in STATISTICS})
    assert found["max"].to_pylist() == [None, 1, np.inf, np.inf, np.inf, 3]
    assert found["sum"].to_pylist() == [None, 1, np.inf, np.inf, np.inf, 5]
    assert found["count"].to_pylist() == [0, 1, 2, 2, 2, 2]
    assert found["std"].to_pylist()[-1] == pytest.approx(0.5**0.5)


def test_large_numbers_keep_their_spread():
    rows = [{"key": "a", "time": i, "v": 1e9 + i % 2} for i in range(100)]
    found = made(rows, {"std": Rolling(1, "std", "v")})["std"].to_pylist()
    assert found[-1] == pytest.approx(np.std([1e9 + i % 2 for i in range(99)], ddof=1), rel=1e-8)


def test_more_keys_and_years_than_64_bits_hold_at_once():
    days = pa.array(np.tile([-20_000_000_000, 0, 200_000_000_000], 100), pa.timestamp("s"))
    batch = pa.RecordBatch.from_pydict({"k": np.repeat(np.arange(100), 3), "t": days})
    found = window_features(batch, {"n": Rolling(30_000_000_000, "count")}, ["k"], "t")
    assert found["n"].to_pylist() == [0, 1, 0] * 100


def test_other_types():
    batch = pa.RecordBatch.from_pydict(
        {
            "t": seconds(0, 0, 1),
            "flag": [True, None, False],
            "price": pa.array([1, 2, 3], pa.decimal128(5, 2)),
            "none": pa.nulls(3),
            "k": pa.nulls(3),
        }
    )
    features = {
        "share": Rolling(9, "mean", "flag"),
        "price_max": Rolling(9, "max", "price"),
        "price_before": Lag("price"),
        "time_before": Lag("t", 2),
        "flag_before": Lag("flag", 2),
        "nothing": Rolling(9, "sum", "none"),
    }
    found = window_features(batch, features, ["k"], "t").to_pylist()[2]
    assert found["share"] == 1.0
    assert found["price_max"] == 2.0
    assert found["price_before"] == 2
    assert found["time_before"] == datetime.datetime(2026, 1, 1)
    assert found["flag_before"] is True
    assert found["nothing"] is None


def test_an_empty_batch_and_a_slice():
    features = {"lag": Lag("name"), "mean": Rolling(1, "mean", "v"), "n": Rolling(1, "count")}
    rows = [{"key": "a", "time": i, "v": float(i), "name": str(i)} for i in range(9)]
    part = window_features(batch_of(rows).slice(3, 4), features, ["key"], "time")
    assert part["lag"].to_pylist() == [None, "3", "4", "5"]
    empty = window_features(batch_of([]), features, ["key"], "time")
    assert empty.num_rows == 0
    assert empty.schema.equals(part.schema)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"v": Lag("v")}, "feature 'v' has the name of a column"),
        ({"f": Lag("nam")}, "column 'nam' is not in the data; did you mean 'name'"),
        ({"f": Rolling(1, "mean", "name")}, "feature 'f': column 'name' is string"),
    ],
)
def test_columns_are_checked(features, message):
    with pytest.raises(ConfigError, match=message):
        made([], features)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Lag("v", 0), "rows is 0, but at least 1"),
        (lambda: Lag("v", within=0), "within is more than 0"),
        (lambda: Lag("v", within=5, ago=6), "ago is from 0 to within"),
        (lambda: Lag("v", ago=-1), "ago is from 0 to within"),
        (lambda: Lag("v", within=float("inf")), "look back 1000 years at most, not inf"),
        (lambda: Lag("v", ago=1e11), "look back 1000 years at most"),
        (lambda: Rolling(float("nan"), "count"), "look back 1000 years at most, not nan"),
        (lambda: Rolling(0, "count"), "seconds is more than 0"),
        (lambda: Rolling(1, "maen", "v"), "not 'maen'.*mean"),
        (lambda: Rolling(1, "mean"), "mean needs a column"),
        (lambda: Rolling(1, "count", closed="both"), "closed is left or right, not 'both'"),
    ],
)
def test_declarations_are_checked(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["b", "a", None]).dictionary_encode(),
        pa.array(["b", "a", None], pa.string_view()),
        pa.array([b"\xff", b"a", None], pa.binary_view()),
        pa.array([2, 1, None], pa.float16()),
    ],
    ids=lambda values: str(values.type),
)
def test_lags_of_rows_with_one_time(values):
    columns = [pa.array([0, 0, 1], pa.timestamp("s")), pa.array([1, 1, 1]), values]
    rows = pa.RecordBatch.from_arrays(columns, ["t", "k", "v"])
    found = window_features(rows, {"lag": Lag("v")}, ["k"], "t")["lag"]
    assert found.to_pylist() == [None, None, values[0].as_py()]
