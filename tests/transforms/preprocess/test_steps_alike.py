"""Each step alike in numpy and in TensorFlow, bit by bit: what is analyzed is what is served."""

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.preprocess.declared.arrays import Arrays
from transforms.preprocess.declared.tensors import Tensors
from transforms.preprocess.declared.values import Many, One
from transforms.preprocess.steps.registry import STEPS, step_named

FLOATS = st.floats(width=32, allow_subnormal=False) | st.just(float("nan"))
TIMES = st.integers(-(10**10), 10**11)
WORDS = st.text(st.sampled_from("abC \tzÄ-"), max_size=9)
NUMBERS = [
    ("scale_by_min_max", {}, (np.float32(-3), np.float32(11.3))),
    ("scale_by_min_max", {}, (np.float32(2), np.float32(2))),
    ("scale_to_z_score", {}, (np.float32(1.7), np.float32(0.277))),
    ("scale_to_z_score", {}, (np.float32(1.7), np.float32(0))),
    ("robust_scale", {}, (np.float32(2.3), np.float32(1.9))),
    ("log", {"offset": 0.5}, None),
    ("log1p", {}, None),
    ("sqrt", {}, None),
    ("clip", {"min": -1.0, "max": 3.3}, None),
    ("apply_buckets", {"boundaries": (-1.0, 0.1, 7.0)}, None),
    ("bucketize", {"num_buckets": 3}, np.array([0.1, 0.1], np.float32)),
    ("fill", {"strategy": "mean"}, np.float32(2.25)),
    ("fill", {"value": 3.5}, None),
    ("cyclic", {"period": 24.0}, None),
]
DATES = [
    ("date_part", {"part": part})
    for part in (
        "year quarter month day day_of_week day_of_year is_weekend hour minute second".split()
    )
] + [("cyclic_time", {"period": each}) for each in "minute hour day week year".split()]
TEXTS = [
    ("lower", {}),
    ("split", {}),
    ("split", {"separator": "-"}),
    ("fill", {"value": "none"}),
]


@pytest.fixture(scope="module")
def tensors(tmp_path_factory):
    return Tensors(str(tmp_path_factory.mktemp("vocabularies")))


COMPILED = {}


def compiled(name, parameters, known, has_missing, dtype, tensors):
    """A step as a function of TensorFlow, traced once."""
    key = (name, repr(parameters), repr(known), has_missing, dtype)
    if key not in COMPILED:
        step, tf = step_named(name)(**parameters), tensors.tf

        def call(values, present):
            made = step.apply(One(values, present if has_missing else None), known, tensors)
            return (made.values, made.rows) if isinstance(made, Many) else made.values

        specs = [tf.TensorSpec([None], dtype), tf.TensorSpec([None], bool)]
        COMPILED[key] = tf.function(call, input_signature=specs)
    return COMPILED[key]


def both(name, parameters, known, value, tensors):
    """What a step makes of a value in numpy, and in a compiled function of TensorFlow."""
    values = value.values
    one = step_named(name)(**parameters).apply(value, known, Arrays())
    if isinstance(values, pa.Array):
        values = np.array([b"" if each is None else each for each in values.to_pylist()], object)
    dtype = "string" if values.dtype == object else values.dtype.name
    has_missing = value.present is not None
    present = value.present if has_missing else np.ones(len(values), bool)
    function = compiled(name, parameters, known, has_missing, dtype, tensors)
    return one, function(tensors.tf.constant(values, dtype), present)


def equal(one, other):
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def number(rows):
    values = np.array([0 if each is None else each for each in rows], np.float32)
    present = np.array([each is not None for each in rows])
    return One(values, present)


@pytest.mark.parametrize(("name", "parameters", "known"), NUMBERS)
@settings(max_examples=20, deadline=None)
@given(rows=st.lists(FLOATS | st.none(), min_size=1, max_size=8))
def test_numbers(name, parameters, known, rows, tensors):
    value = One(number(rows).values) if name == "cyclic" else number(rows)
    if name == "cyclic":
        value = One(np.nan_to_num(value.values, posinf=1, neginf=2) % np.float32(1e6))
    one, other = both(name, parameters, known, value, tensors)
    if name in ("cyclic",):
        np.testing.assert_allclose(one.values, other.numpy(), atol=2e-7)
        return
    there = value.present if one.present is not None else slice(None)
    equal(one.values[there], other.numpy()[there])


@pytest.mark.parametrize(("name", "parameters"), DATES)
@settings(max_examples=20, deadline=None)
@given(rows=st.lists(TIMES, min_size=1, max_size=8))
def test_dates(name, parameters, rows, tensors):
    one, other = both(name, parameters, None, One(np.array(rows, np.int64)), tensors)
    if name == "date_part":
        equal(one.values, other)
    else:
        np.testing.assert_allclose(one.values, other.numpy(), atol=2e-7)


@given(when=st.datetimes(datetime.datetime(1, 1, 2), datetime.datetime(9999, 12, 30)))
def test_dates_are_those_of_the_calendar(when):
    when = when.replace(microsecond=0, tzinfo=datetime.UTC)
    value = One(np.array([int(when.timestamp())]))
    expected = {
        "year": when.year,
        "quarter": (when.month + 2) // 3,
        "month": when.month,
        "day": when.day,
        "day_of_week": when.weekday(),
        "day_of_year": when.timetuple().tm_yday,
        "is_weekend": int(when.weekday() >= 5),
        "hour": when.hour,
        "minute": when.minute,
        "second": when.second,
    }
    found = {
        part: int(step_named("date_part")(part=part).apply(value, None, Arrays()).values[0])
        for part in expected
    }
    assert found == expected


def test_the_end_of_a_year_is_near_its_beginning():
    ends = [
        datetime.datetime(year, 12, 31, 23, 59, 59, tzinfo=datetime.UTC) for year in (2023, 2024)
    ]
    value = One(np.array([int(end.timestamp()) for end in ends]))
    for period in ("minute", "hour", "day", "year"):
        made = step_named("cyclic_time")(period=period).apply(value, None, Arrays()).values
        back = {"minute": 60, "hour": 3600, "day": 86400, "year": 86400 * 365}[period]
        np.testing.assert_allclose(made, [[-2 * np.pi / back, 1]] * 2, atol=6e-3)
    monday = One(np.array([int(datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC).timestamp())]))
    assert step_named("cyclic_time")(period="week").apply(
        monday, None, Arrays()
    ).values.tolist() == [[0, 1]]


def text(rows):
    array = pa.array([None if each is None else each.encode() for each in rows], pa.binary())
    return One(array, np.array([each is not None for each in rows]))


@pytest.mark.parametrize(("name", "parameters"), TEXTS)
@settings(max_examples=20, deadline=None)
@given(rows=st.lists(WORDS | st.none(), min_size=1, max_size=6))
def test_texts(name, parameters, rows, tensors):
    one, other = both(name, parameters, None, text(rows), tensors)
    if isinstance(one, Many):
        assert one.values.to_pylist() == other[0].numpy().tolist()
        assert one.rows.tolist() == other[1].numpy().tolist()
        return
    found = [b"" if each is None else each for each in one.values.to_pylist()]
    assert found == other.numpy().tolist()


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.lists(WORDS, max_size=5), min_size=1, max_size=5))
def test_ngrams(rows, tensors):
    words = [word.encode() for row in rows for word in row]
    parents = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    step = step_named("ngrams")(ngram_range=(1, 3), separator="_")
    one = step.apply(Many(pa.array(words, pa.binary()), parents, len(rows)), None, Arrays())
    tf = tensors.tf
    value = Many(
        tf.constant(words, tf.string, [len(words)]), tf.constant(parents, tf.int64), len(rows)
    )
    other = step.apply(value, None, tensors)
    assert one.values.to_pylist() == other.values.numpy().tolist()
    assert one.rows.tolist() == other.rows.numpy().tolist()


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.tuples(WORDS | st.none(), st.integers(-99, 99)), min_size=1, max_size=6))
def test_crosses_and_categories(rows, tensors):
    tf = tensors.tf
    words, numbers = text([word for word, _ in rows]), np.array([number for _, number in rows])
    step = step_named("cross")()
    one = step.apply((words, One(numbers)), None, Arrays())
    plain = tf.constant([b"" if each is None else each for each in words.values.to_pylist()])
    other = step.apply((One(plain, words.present), One(tf.constant(numbers))), None, tensors)
    there = [value for value in one.values.to_pylist() if value is not None]
    assert there == other.values.numpy()[words.present].tolist()
    hot = step_named("one_hot")(num_buckets=7)
    equal(
        hot.apply(One(numbers, words.present), None, Arrays()).values,
        hot.apply(One(tf.constant(numbers), words.present), None, tensors).values,
    )


def test_each_step_that_numpy_can_do_is_compared():
    here = {name for name, *_ in [*NUMBERS, *DATES, *TEXTS]} | {"ngrams", "cross", "one_hot"}
    # Vocabularies and projections are compared with tf.Transform's: test_steps_as_tft.
    others = {"compute_and_apply_vocabulary", "pca"}
    assert here | others == {step.name for step in STEPS if step.traced}
