"""DLP's primitive transformations on whole cells, by value."""

import base64
import datetime
import hashlib
import hmac

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.local.redact import redact_batch
from privacy.local.reidentify import reidentify_batch
from tests.privacy.policies import KEY, policy
from transforms.errors import ConfigError

CRYPTO = {"unwrapped": {"key": KEY}}
BOUND = {"integer_value": 0}


def made(values, primitive, others=None):
    batch = pa.record_batch({"v": pa.array(values), **(others or {})})
    rows, rejects = redact_batch(batch, policy(names=[], fields=[("v", primitive)]))
    return rows.column("v").to_pylist(), rejects.num_rows


def fixed(low, high, size):
    return {
        "fixed_size_bucketing_config": {
            "lower_bound": {"float_value": low},
            "upper_bound": {"float_value": high},
            "bucket_size": size,
        }
    }


def test_buckets_of_one_size():
    numbers = [-1, 0, 9.5, 10, 95, 100, 101, None]
    wanted = ["-0", "0:10", "0:10", "10:20", "90:100", "90:100", "100+", None]
    assert made(numbers, fixed(0, 100, 10)) == (wanted, 0)
    assert made(["12", "x", " 7 "], fixed(0, 100, 10)) == (["10:20", "0:10"], 1)
    assert made([10.0, 89.0, 85.0], fixed(10, 89, 10))[0] == ["10:20", "80:89", "80:89"]
    assert made([0.3], fixed(0, 1, 0.25))[0] == ["0.25:0.5"]


@settings(max_examples=25)
@given(st.floats(-1e6, 1e6), st.floats(0.01, 1e3))
def test_a_number_lies_in_its_bucket(number, size):
    (text,), faults = made([number], fixed(-1000, 1000, size))
    assert not faults
    if ":" in text:
        low, high = map(float, text.split(":"))
        assert low - 0.01 - size * 1e-6 <= number <= high + 0.01 + size * 1e-6
    else:
        assert abs(number) >= 1000 - 0.01


def test_buckets_of_any_size():
    config = {
        "bucketing_config": {
            "buckets": [
                {"max": {"integer_value": 18}, "replacement_value": {"string_value": "minor"}},
                {"min": {"integer_value": 18}, "max": {"integer_value": 65}},
                {"min": {"integer_value": 65}, "replacement_value": {"string_value": "old"}},
            ]
        }
    }
    assert made([17, 18, 64.5, 65, None], config)[0] == ["minor", "18-65", "18-65", "old", None]
    days = {"min": {"date_value": {"year": 2000, "month": 1, "day": 1}}}
    since = {**days, "replacement_value": {"string_value": "new"}}
    config = {"bucketing_config": {"buckets": [since]}}
    assert made([datetime.date(2001, 5, 1), datetime.date(1999, 1, 1)], config) == (["new"], 1)
    texts = {"min": {"string_value": "a"}, "max": {"string_value": "m"}}
    assert made(["b", "z"], {"bucketing_config": {"buckets": [texts]}}) == (["a-m"], 1)


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        ("YEAR", "2024"),
        ("MONTH", "2"),
        ("DAY_OF_MONTH", "29"),
        ("DAY_OF_WEEK", "4"),
        ("WEEK_OF_YEAR", "9"),
        ("HOUR_OF_DAY", "13"),
    ],
)
def test_parts_of_times(part, wanted):
    config = {"time_part_config": {"part_to_extract": part}}
    times = ["2024-02-29T13:05:00Z", "02/29/2024 13:05", None]
    assert made(times, config) == ([wanted, wanted, None], 0)
    stamps = pa.array([datetime.datetime(2024, 2, 29, 13, 5)])
    assert made(stamps, config) == ([wanted], 0)
    assert made(["2023-02-29", "soon"], config) == ([], 2)


def shift(low, high, **more):
    return {"date_shift_config": {"lower_bound_days": low, "upper_bound_days": high, **more}}


def test_dates_are_shifted_by_their_context():
    config = shift(-30, 30, context={"name": "who"}, crypto_key=CRYPTO)
    days = ["2024-03-01", "2024-03-11 07:30:00", "03/01/2024"]
    moved, _ = made(days, config, {"who": ["ann", "ann", "ann"]})
    first, second = (datetime.datetime.fromisoformat(each) for each in moved[:2])
    assert second - first == datetime.timedelta(days=10, hours=7, minutes=30)
    assert datetime.datetime.strptime(moved[2], "%m/%d/%Y") == first
    assert abs((first - datetime.datetime(2024, 3, 1)).days) <= 30
    other, _ = made(days[:1] * 20, config, {"who": [str(i) for i in range(20)]})
    assert len(set(other)) > 5
    assert made(days[:1], config, {"who": pa.array([None], pa.string())}) == ([], 1)


@given(st.dates(datetime.date(1000, 1, 1), datetime.date(9000, 1, 1)), st.integers(-999, 999))
def test_a_fixed_shift(day, days):
    moved, faults = made([day.isoformat()], shift(days, days))
    assert not faults
    assert moved == [(day + datetime.timedelta(days)).isoformat()]


def test_hashes_are_hmac():
    config = {"crypto_hash_config": {"crypto_key": CRYPTO}}
    digest = hmac.digest(base64.b64decode(KEY), b"ann", hashlib.sha256)
    assert made(["ann", None], config)[0] == [base64.b64encode(digest).decode(), None]
    assert made([7], config)[0] == made(["7"], config)[0]


def test_words_of_a_list():
    config = {"replace_dictionary_config": {"word_list": {"words": ["x", "y", "z"]}}}
    words, _ = made([*map(str, range(60)), None, "7"], config)
    assert set(words[:60]) == {"x", "y", "z"}
    assert words[60] is None
    assert words[61] == words[7]


KINDS = {
    "crypto_deterministic_config": {},
    "crypto_replace_ffx_fpe_config": {"common_alphabet": "ALPHA_NUMERIC"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("surrogate", ["", "TOKEN"])
@pytest.mark.parametrize("context", ["", "who"])
@given(st.lists(st.text("abcXYZ019", min_size=4, max_size=20), min_size=1, max_size=8))
def test_there_and_back_by_context(kind, surrogate, context, texts):
    config = {"crypto_key": CRYPTO, **KINDS[kind]}
    if surrogate:
        config["surrogate_info_type"] = {"name": surrogate}
    if context:
        config["context"] = {"name": context}
    rules = policy(names=[], fields=[("v", {kind: config})])
    who = [i % 3 for i in range(len(texts))]
    batch = pa.record_batch({"v": texts, "who": who})
    hidden, rejects = redact_batch(batch, rules)
    assert rejects.num_rows == 0
    assert all(a != b for a, b in zip(hidden.column("v").to_pylist(), texts, strict=True))
    back, rejects = reidentify_batch(hidden, rules)
    assert rejects.num_rows == 0
    assert back.column("v").to_pylist() == texts
    if context and kind.startswith("crypto_det"):
        moved = hidden.set_column(1, "who", pa.array([each + 1 for each in who]))
        assert reidentify_batch(moved, rules)[1].num_rows == len(texts)


@pytest.mark.parametrize(
    ("primitive", "message"),
    [
        ({"fixed_size_bucketing_config": {"bucket_size": 0}}, "bounds must be|a bound must"),
        (fixed(5, 1, 2), "upper_bound above"),
        ({"bucketing_config": {}}, "need bounds"),
        ({"time_part_config": {}}, "needs a part_to_extract"),
        (shift(1, 2, context={"name": "who"}), "go together"),
        (shift(5, 2), "is above"),
        ({"replace_dictionary_config": {}}, "needs a word_list"),
        ({"crypto_hash_config": {"crypto_key": {"unwrapped": {"key": "YWE="}}}}, "has 2 bytes"),
        (shift(1, 2, context={"name": "whom"}, crypto_key=CRYPTO), "no column 'whom'"),
    ],
)
def test_what_is_incomplete_is_told_at_launch(primitive, message):
    with pytest.raises(ConfigError, match=message):
        made(["x"], primitive, {"who": ["y"]})
