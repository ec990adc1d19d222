"""SliceBy: slices by values of columns."""

import pickle

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of, run_on
from tests.transforms.statistics.test_feature import alike
from transforms.errors import ConfigError
from transforms.statistics import state
from transforms.statistics.collect import HELD_BYTES, Collector, statistics_of
from transforms.statistics.dataset import merged
from transforms.statistics.generate import GenerateStatistics
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.slices.values import SliceBy


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


WORDS = st.sampled_from(["a", "b", "a_b", "", "ü"])


@given(
    st.lists(
        st.tuples(
            WORDS | st.none(), st.lists(WORDS | st.none(), max_size=3) | st.none(), st.booleans()
        )
    )
)
def test_every_combination_has_just_its_rows(rows):
    texts, lists, flags = (list(each) for each in zip(*rows, strict=True)) if rows else ([],) * 3
    batch = batch_of(
        n=pa.array(range(len(rows)), pa.int64()),
        t=pa.array(texts, pa.string()),
        l=pa.array(lists, pa.list_(pa.string())),
        f=pa.array(flags, pa.bool_()),
    )
    wanted = {}
    for n, (text, held, flag) in enumerate(rows):
        for value in dict.fromkeys(held or []):
            if text is not None and value is not None:
                name = f"t_{text}_l_{value}_f_{str(flag).lower()}"
                wanted.setdefault(name, []).append(n)
    found = {name: part["n"].to_pylist() for name, part in SliceBy(("t", "l", "f"))(batch)}
    assert found == wanted


def test_rows_of_two_slices_of_one_name_are_not_added_up():
    options = StatisticsOptions(slices=(SliceBy(("a",)), SliceBy(("a_b",))))
    apart = statistics_of([batch_of(a=["x"], a_b=["y"])], options)
    assert [data.name for data in apart.datasets] == ["All Examples", "a_x", "a_b_y"]
    with pytest.raises(ConfigError, match="by 'a' and by 'a_b' have a name in common") as error:
        statistics_of([batch_of(a=["b_secret"], a_b=["secret"])], options)
    assert "secret" not in str(error.value)


def test_nor_where_two_workers_found_them():
    options = StatisticsOptions(slices=(SliceBy(("a",)), SliceBy(("a_b",))))
    found = []
    for batch in (batch_of(a=["b_c"], a_b=["x"]), batch_of(a=["x"], a_b=["c"])):
        collector = Collector(options)
        collector.add(batch)
        # What is stored still knows.
        found.append(state.from_batches(state.to_batches(collector.slices())))
    with pytest.raises(ConfigError, match="have a name in common"):
        merged(found)


def test_values_that_look_like_columns():
    columns = {"n": [1, 2], "a": ["1_c_2", "1"], "c": ["3", "2_c_3"]}
    assert len(slices("a", **columns)) == 2
    with pytest.raises(ConfigError, match="can't be told apart by their names"):
        slices("a,c", **columns)


def test_all_rows_are_no_slice_of_another():
    options = StatisticsOptions(slices=(lambda batch: iter([("All Examples", batch)]),))
    with pytest.raises(ConfigError, match="have a name in common"):
        statistics_of([batch_of(n=[1])], options)


def test_days_of_which_one_knew_nothing_of_slicers_merge():
    collector = Collector(StatisticsOptions(slices=(SliceBy(("a",)),)))
    collector.add(batch_of(a=["x"]))
    new = collector.slices()
    old = pickle.loads(pickle.dumps(new))
    for data in old.values():
        data.slicer = ""
    assert merged([old, new])["a_x"].rows == 2


def test_more_slices_than_can_be_in_all_parts_together():
    options = StatisticsOptions(slices=(SliceBy(("n",)),))
    parts = []
    for start in (0, 600):
        collector = Collector(options)
        collector.add(batch_of(n=list(range(start, start + 600))))
        parts.append(collector.slices())
    assert len(merged(parts[:1])) == 601
    with pytest.raises(ConfigError, match="more than 1,000 slices"):
        merged(parts)


def test_slices_are_the_same_however_rows_are_held(monkeypatch):
    batches = [batch_of(t=["a", "b", "a"], x=[at, at + 1, None]) for at in range(40)]
    options = StatisticsOptions(slices=(SliceBy(("t",)),))
    whole = statistics_of(batches, options).datasets
    monkeypatch.setattr("transforms.statistics.collect.CHUNK", 5)
    parts = [statistics_of(batches, options).datasets]
    monkeypatch.setattr("transforms.statistics.collect.HELD_BYTES", 1500)
    parts.append(statistics_of(batches, options).datasets)
    assert HELD_BYTES > 1500
    for made in parts:
        assert [each.name for each in made] == [each.name for each in whole]
        for mine, expected in zip(made, whole, strict=True):
            for pair in zip(mine.features, expected.features, strict=True):
                alike(*pair)


def test_slices_of_batches_with_other_columns():
    options = StatisticsOptions(slices=(SliceBy(("t",)),))
    found = statistics_of([batch_of(t=["a"], x=[1]), batch_of(t=["a"], y=["z"])], options)
    part = found.datasets[1]
    assert part.num_examples == 2
    missing = {each.path.step[0]: each for each in part.features}
    assert missing["x"].num_stats.common_stats.num_missing == 1
    assert missing["y"].string_stats.common_stats.num_missing == 1


def test_in_a_pipeline():
    options = StatisticsOptions(slices=(SliceBy(("t",)),))
    batches = [batch_of(t=["a", "b"]), batch_of(t=["a"])]
    (found,) = run_on(batches, lambda rows: rows | GenerateStatistics(options))
    assert {data.name: data.num_examples for data in found.datasets} == {
        "All Examples": 3,
        "t_a": 2,
        "t_b": 1,
    }


def test_slices_of_long_names_are_told_by_a_digest():
    long = ["x" * 1000, "x" * 999 + "y", "x" * 198]
    batch = batch_of(t=long)
    named = {name for name, _ in SliceBy.parse("t")(batch)}
    options = StatisticsOptions(slices=(SliceBy.parse("t"), _by_value))
    found = [data.name for data in statistics_of([batch, batch], options).datasets]
    assert len(set(found)) == len(found) == 1 + 2 * len(named)
    assert f"t_{long[2]}" in found
    assert all(len(name) <= 200 for name in found)
    assert sum(name.startswith("t_" + "x" * 62 + "... (1002 bytes, ") for name in found) == 2


def _by_value(batch):
    for row, value in enumerate(batch["t"].to_pylist()):
        yield f"python_{value}", batch.slice(row, 1)


def test_the_state_of_many_slices_of_long_names_is_small():
    columns = {f"c{place}": [1.0] * 50 for place in range(20)}
    batch = batch_of(t=[f"{place:03}" * 300 for place in range(50)], **columns)
    collector = Collector(StatisticsOptions(slices=(SliceBy.parse("t"),)))
    collector.add(batch)
    stored = list(state.to_batches(collector.slices()))
    assert sum(each.nbytes for each in stored) < 5_000 * 50 * 21
    assert state.from_batches(stored).keys() == collector.slices().keys()
