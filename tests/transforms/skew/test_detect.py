import json
import logging

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from hypothesis import given
from hypothesis import strategies as st

from tests.support import Collect, batch_of, local_pipeline, shared_data
from transforms.errors import ConfigError
from transforms.skew.detect import DetectFeatureSkew
from transforms.skew.join import FeatureSkew, SideCounts, SkewReport, skew_of

BASE = batch_of(
    id=[1, 2, 3, 4, 4, None, 9],
    x=[1.0, 2.0, None, 4.0, 4.0, 0.0, 9.0],
    s=["a", "b", "c", "d", "d", "", "i"],
    gone=[1, 1, 1, 1, 1, 1, 1],
)
TEST = batch_of(
    id=[3, 2, 1, 4, 5, 9, 9],
    x=[3.0, 2.004, 1.0, 4.0, 5.0, 9.0, 9.0],
    s=["c", "B", None, "d", "d", "d", "d"],
)


def test_counts():
    report = skew_of([BASE], [TEST], ["id"])
    assert report.joined == 3
    assert report.features == {
        "x": FeatureSkew(match=1, mismatch=1, test_only=1),
        "s": FeatureSkew(match=1, mismatch=1, base_only=1),
        "gone": FeatureSkew(base_only=3),
    }
    assert report.base == SideCounts(unmatched=1, duplicates=2, without_id=1)
    assert report.test == SideCounts(unmatched=2, duplicates=2, without_id=0)
    assert report.pairs.num_rows == 0
    assert report.features["x"].skewed == 2


def test_floats_are_rounded():
    report = skew_of([BASE], [TEST], ["id"], ["x"], float_digits=2)
    assert report.features == {"x": FeatureSkew(match=2, test_only=1)}


def test_a_sample_of_pairs():
    report = skew_of([BASE], [TEST], ["id"], ["x", "s"], sample=5)
    pairs = report.pairs.drop_columns(["rank"]).to_pylist()
    assert sorted(pairs, key=lambda pair: (pair["feature"], pair["id"])) == [
        {"feature": "s", "id": '{"id":1}', "base": '"a"', "test": None},
        {"feature": "s", "id": '{"id":2}', "base": '"b"', "test": '"B"'},
        {"feature": "x", "id": '{"id":2}', "base": "2", "test": "2.004"},
        {"feature": "x", "id": '{"id":3}', "base": None, "test": "3"},
    ]
    ranks = [p["rank"] for p in report.pairs.to_pylist() if p["feature"] == "s"]
    (pair,) = skew_of([BASE], [TEST], ["id"], ["s"], sample=1).pairs.to_pylist()
    assert pair["rank"] == min(ranks)


def test_ids_of_two_types():
    with pytest.raises(ConfigError, match="'id' is int64 on the base side and string on the test"):
        skew_of([batch_of(id=[1])], [batch_of(id=["1"])], ["id"])
    wide = skew_of([batch_of(id=pa.array([1], pa.int8()))], [batch_of(id=[1])], ["id"])
    assert wide.joined == 1
    none = skew_of([batch_of(id=pa.nulls(1))], [batch_of(id=["1"])], ["id"])
    assert (none.joined, none.base.without_id) == (0, 1)


def test_a_feature_that_is_nowhere():
    with pytest.raises(
        ConfigError, match="feature 'gonee' is on neither side; did you mean 'gone'"
    ):
        skew_of([BASE], [TEST], ["id"], ["gonee"])
    assert skew_of([BASE], [TEST], ["id"], ["gone"]).features["gone"].base_only == 3


def test_windows_are_joined_apart():
    collect = Collect()
    with local_pipeline() as root:
        sides = []
        for name, batch in (("Training", BASE), ("Serving", TEST)):
            stamped = [TimestampedValue(batch.slice(i, 1), 60 * i) for i in range(4)]
            side = (
                root
                | name >> beam.Create(stamped)
                | f"W{name}" >> beam.WindowInto(FixedWindows(120))
            )
            side.element_type = pa.RecordBatch
            sides.append(side)
        _ = (
            tuple(sides)
            | DetectFeatureSkew(["id"], shards=2)
            | beam.Map(lambda r, w=beam.DoFn.WindowParam: (int(w.start), r.joined))
            | collect
        )
    # Ids 1 and 2 against 3 and 2; then 3 and 4 against 1 and 4.
    assert sorted(collect.found) == [(0, 1), (120, 1)]


def test_nothing():
    assert skew_of([], [], ["id"]) == SkewReport(pairs=SkewReport().pairs)
    report = skew_of([], [TEST], ["id"])
    assert (report.joined, report.test.unmatched) == (0, 5)


IDS, NUMBERS = st.none() | st.integers(0, 6), st.none() | st.integers(0, 2)
ROWS = st.lists(st.tuples(IDS, NUMBERS, st.none() | st.sampled_from("ab")), max_size=12)


def _batch(rows):
    types = {"id": pa.int64(), "x": pa.int64(), "s": pa.string()}
    columns = zip(*rows, strict=True) if rows else [[], [], []]
    return pa.RecordBatch.from_pydict(
        {n: pa.array(list(c), t) for (n, t), c in zip(types.items(), columns, strict=True)}
    )


def _slow(base, test, place):
    """Counts by dicts."""
    counts = dict.fromkeys(("match", "mismatch", "base_only", "test_only"), 0)
    sides = []
    for rows in (base, test):
        ids = [row[0] for row in rows]
        sides.append({row[0]: row[place] for row in rows if ids.count(row[0]) == 1})
    for key in set(sides[0]) & set(sides[1]) - {None}:
        one, other = sides[0][key], sides[1][key]
        if one is None and other is None:
            continue
        if one is None or other is None:
            counts["test_only" if one is None else "base_only"] += 1
        else:
            counts["match" if one == other else "mismatch"] += 1
    return FeatureSkew(**counts)


@given(ROWS, ROWS, st.integers(1, 4))
def test_against_plain_python(base, test, size):
    left, right = _batch(base), _batch(test)
    cut = [left.slice(i, size) for i in range(0, max(len(base), 1), size)]
    report = skew_of(cut, [right], ["id"], sample=2)
    assert report.features == {"x": _slow(base, test, 1), "s": _slow(base, test, 2)}
    for rows, side in ((base, report.base), (test, report.test)):
        assert report.joined + side.unmatched + side.duplicates + side.without_id == len(rows)
    for name, skew in report.features.items():
        shown = report.pairs["feature"].to_pylist().count(name)
        assert shown == min(2, skew.skewed)


def _run(base, test, **settings):
    collect = Collect()
    with local_pipeline() as root:
        sides = []
        for name, batches in (("training", base), ("serving", test)):
            side = root | name >> beam.Create(batches, reshuffle=False)
            side.element_type = pa.RecordBatch
            sides.append(side)
        _ = tuple(sides) | DetectFeatureSkew(["id"], **settings) | collect
    return collect.found


def test_the_verb_gives_what_the_function_gives(caplog):
    rng = np.random.default_rng(3)
    ids = rng.permutation(3000)
    base = batch_of(id=ids, x=ids * 0.5, s=[f"secret-{i}" for i in ids])
    wrong = base.set_column(1, "x", pa.array(np.where(ids % 10 == 0, -1, ids * 0.5)))
    test = wrong.take(pa.array(np.arange(3000)[::-1]))
    whole = skew_of([base], [test], ["id"], sample=3)
    assert whole.features["x"].mismatch == 300
    with caplog.at_level(logging.INFO):
        (report,) = _run(
            [base.slice(i, 700) for i in range(0, 3000, 700)], [test], sample=3, shards=4
        )
    assert report.features == whole.features
    assert (report.joined, report.base, report.test) == (whole.joined, whole.base, whole.test)
    ranked = whole.pairs.sort_by("rank").slice(0, 3).to_pylist()
    assert report.pairs.sort_by("rank").to_pylist() == ranked
    assert "secret-" not in caplog.text


def test_without_rows():
    (report,) = _run([], [])
    assert report == SkewReport(pairs=report.pairs)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"identifiers": []}, "DetectFeatureSkew: identifiers is a list"),
        ({"identifiers": "trip_id"}, "DetectFeatureSkew: identifiers is a list"),
        ({"identifiers": ["id", "id"]}, "DetectFeatureSkew: identifiers names one twice"),
        ({"identifiers": ["id"], "features": "fare"}, "DetectFeatureSkew: features is a list"),
        ({"identifiers": ["id"], "sample": -1}, "sample is 0 pairs or more"),
        ({"identifiers": ["id"], "shards": 0}, "shards is 0"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ConfigError, match=message):
        DetectFeatureSkew(**settings)


def test_it_needs_two_sides():
    with pytest.raises(ConfigError, match=r"apply it to \(training, serving\)"):
        _ = [BASE] | DetectFeatureSkew(["id"])


def test_real_rows_with_a_fault_in_serving():
    """The taxi rows, served with miles in kilometres and one company misspelt."""
    import pyarrow.compute as pc
    from pyarrow import csv

    (base,) = csv.read_csv(shared_data("taxi_split", "eval.csv")).combine_chunks().to_batches()
    base = base.append_column("id", pa.array(range(base.num_rows)))
    company = pc.replace_substring(base["company"], "Top Cab Affiliation", "Top Cab")
    test = base.set_column(base.schema.get_field_index("company"), "company", company)
    miles = pc.multiply(base["trip_miles"], 1.609)
    test = test.set_column(base.schema.get_field_index("trip_miles"), "trip_miles", miles)
    report = skew_of([base], [test], ["id"], float_digits=3)
    skewed = {name: found.skewed for name, found in report.features.items() if found.skewed}
    assert set(skewed) == {"company", "trip_miles"}
    assert skewed["company"] == pc.sum(pc.equal(base["company"], "Top Cab Affiliation")).as_py()
    assert skewed["trip_miles"] == pc.sum(pc.greater(base["trip_miles"], 0)).as_py()
    assert report.joined == base.num_rows == 5000
    json.dumps({name: found.match for name, found in report.features.items()})
