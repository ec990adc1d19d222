import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of
from transforms.drift.counting.cells import NULL, ColumnCells
from transforms.drift.counting.learn import Learner
from transforms.errors import ConfigError

NUMBERS = st.lists(st.none() | st.floats() | st.sampled_from([0.0, 1.0, 2.0]), max_size=60)
AMOUNT = ColumnCells("amount", "numbers", (0.0, 1.0, 2.0), (0.5, 1.5))


def learned(**columns):
    learner = Learner()
    learner.add(batch_of(**columns))
    return {each.name: each for each in learner.cells()}


def told(cells, values, type=None):
    """Each cell that holds something, by its name."""
    array = values if isinstance(values, pa.Array) else pa.array(values, type or pa.float64())
    counts = cells.count(array)
    return {name: int(n) for name, n in zip(cells.names(), counts, strict=True) if n}


def test_every_number_has_its_cell():
    values = [None, float("nan"), -np.inf, -5, 0, 0.99, 1, 1.5, 2, 1e308, np.inf]
    assert told(AMOUNT, values) == {
        "null": 1,
        "NaN": 1,
        "-inf": 1,
        "below 0": 1,
        "0 to 1": 2,
        "1 to 2": 2,
        "above 2": 2,
        "+inf": 1,
    }


@given(NUMBERS, st.sampled_from([(), (0.0, 1.0), (0.0, 1.0, np.nextafter(1.0, 2), 5.0)]))
def test_counts_are_those_of_the_indices(values, edges):
    cells = ColumnCells("x", "numbers", edges, (0.0,) * max(0, len(edges) - 1))
    array = pa.array([0.0, *values, 0.0], pa.float64()).slice(1, len(values))
    expected = np.bincount(cells.index(array), minlength=cells.number)
    assert cells.count(array).tolist() == expected.tolist()
    assert expected.sum() == len(values)
    assert expected[NULL] == sum(value is None for value in values)
    assert len(cells.names()) == cells.number


@given(st.lists(st.none() | st.floats(width=32), max_size=60), st.floats(-10, 10))
def test_numbers_of_32_bits_are_counted_as_those_of_64(values, edge):
    cells = ColumnCells("x", "numbers", (edge, np.nextafter(edge, 20), 20.1, 1e300), (0.0,) * 3)
    given = [*values, float(np.float32(edge)), float(np.float32(20.1))]
    narrow, wide = pa.array(given, pa.float32()), pa.array(given, pa.float32()).cast(pa.float64())
    assert cells.count(narrow).tolist() == cells.count(wide).tolist()
    assert cells.index(narrow).tolist() == cells.index(wide).tolist()


@pytest.mark.parametrize("type", [pa.int8(), pa.uint64(), pa.float32(), pa.bool_(), pa.null()])
def test_types_of_numbers(type):
    values = [None, None] if type == pa.null() else [1, None, 0]
    found = told(AMOUNT, pa.array(values, None if type == pa.null() else pa.int64()).cast(type))
    assert sum(found.values()) == len(values)
    assert found["null"] == values.count(None)


def test_labels():
    cells = ColumnCells("kind", "labels", labels=(b"Cash", b"Card"))
    values = ["Card", "Cash", None, "Coupon", "Card", ""]
    expected = {"null": 1, "Cash": 1, "Card": 2, "other": 2}
    assert told(cells, values, pa.string()) == expected
    assert told(cells, values, pa.large_string()) == expected
    assert told(cells, values, pa.dictionary(pa.int32(), pa.string())) == expected
    assert told(cells, [None], pa.null()) == {"null": 1}


def test_another_type_is_an_error_that_names_the_column():
    with pytest.raises(ConfigError, match="'amount' is string"):
        AMOUNT.count(pa.array(["x"]))
    with pytest.raises(ConfigError, match="'kind' is double"):
        ColumnCells("kind", "labels").count(pa.array([1.0]))


def test_what_is_learned_of_types():
    day = datetime.datetime(2026, 1, 1)
    cells = learned(
        tags=[["a"], ["a", "b"], None],
        when=[day] * 3,
        empty=pa.nulls(3),
        is_new=[True, False, None],
    )
    assert {name: each.kind for name, each in cells.items()} == {
        "tags": "list_lengths",
        "when": "presence",
        "empty": "presence",
        "is_new": "numbers",
    }
    assert told(cells["tags"], [["x"], [], None], pa.list_(pa.string())) == {
        "null": 1,
        "1": 1,
        "below 1": 1,
    }
    assert told(cells["when"], [day, None], pa.timestamp("us")) == {"null": 1, "any value": 1}


def test_bins_hold_equal_shares():
    values = np.random.default_rng(1).normal(size=20_000)
    cells = learned(x=values)["x"]
    counts = cells.count(pa.array(values))
    bins = counts[counts > 0]
    assert len(bins) == 20
    assert np.abs(bins / 1000 - 1).max() < 0.1
    assert counts.sum() == 20_000
    means = np.array(cells.centers)
    assert (np.diff(means) > 0).all()
    assert abs(float(means @ bins) / 20_000 - values.mean()) < 0.01


def test_a_number_that_holds_much_gets_a_cell_of_its_own():
    draw = np.random.default_rng(2)
    values = np.where(draw.random(20_000) < 0.6, 0.0, draw.exponential(size=20_000))
    cells = learned(tip=values)["tip"]
    names, counts = cells.names(), cells.count(pa.array(values))
    assert counts[names.index("0")] == (values == 0).sum()


def test_few_numbers_get_a_cell_each():
    cells = learned(hour=[*range(12)] * 3)["hour"]
    assert told(cells, [0, 0, 11, 5.5, 12]) == {"0": 2, "11": 1, "5 to 6": 1, "above 11": 1}


def test_like_an_id():
    rows = 4000
    cells = learned(
        key=[f"user-{i}" for i in range(rows)],
        number=np.arange(rows),
        amount=np.random.default_rng(0).normal(size=rows),
        name=[f"n{i % 300}" for i in range(rows)],
    )
    assert {name: each.kind for name, each in cells.items()} == {
        "key": "text_lengths",
        "number": "digits",
        "amount": "numbers",
        "name": "labels",
    }
    assert len(cells["name"].labels) == 255
    assert told(cells["number"], [-5, 123, None], pa.int64()) == {"null": 1, "1": 1, "3": 1}


def test_a_kind_that_is_asked_for():
    learner = Learner({"number": "numbers"})
    learner.add(batch_of(number=np.arange(4000)))
    assert learner.cells()[0].kind == "numbers"
    with pytest.raises(ConfigError, match="no labels"):
        Learner({"number": "labels"}).add(batch_of(number=[1]))
    missing = Learner({"other": "numbers"})
    missing.add(batch_of(number=[1]))
    with pytest.raises(ConfigError, match="no column 'other'"):
        missing.cells()


@given(NUMBERS, st.integers(0, 60))
def test_learned_in_parts(values, at):
    array = pa.array(values, pa.float64())
    parts = [Learner(), Learner()]
    for learner, part in zip(parts, (array[:at], array[at:]), strict=True):
        learner.add(batch_of(x=part))
    (whole,) = learned(x=array).values()
    assert parts[0].merge(parts[1]).cells()[0].edges == whole.edges
    assert np.isfinite(whole.edges).all()


def test_a_column_without_values_has_no_type():
    """Nulls of a CSV file are texts, and of a Parquet file numbers: no rows of theirs are odd."""
    nothing = pa.nulls(2000, pa.string())
    cells = learned(x=nothing)["x"]
    assert (cells.kind, cells.names()[1:]) == ("presence", ["null", "any value"])
    assert cells.count(pa.nulls(3, pa.float64())).tolist() == [0, 3, 0]
    assert cells.count(pa.array([1.0, None])).tolist() == [0, 1, 1]
    one, other = Learner(), Learner()
    one.add(batch_of(x=nothing))
    other.add(batch_of(x=pa.array([1.5] * 5)))
    other.add(batch_of(x=pa.nulls(4)))
    for whole in (Learner().merge(one).merge(other), Learner().merge(other).merge(one)):
        (cells,) = whole.cells()
        assert cells.kind == "numbers"
    one.add(batch_of(x=pa.array([1.5] * 5)))
    assert one.cells()[0].kind == "numbers"
