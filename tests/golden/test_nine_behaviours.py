"""Nine things that TFDV is known to get wrong, each measured on 1.16.1 and 1.21, and ours beside.

The first docstring line of each test says what TFDV does. docs/anomalies.md and docs/statistics.md
list these and lesser differences; `python -m benchmarks.drift` measures the first anew.
"""

import json
import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest
from google.protobuf import json_format

from benchmarks.drift import divergence, kolmogorov_smirnov
from tests.support import batch_of, run_on, shared_data
from tests.transforms.schema.builders import kinds_of, schema_of
from tests.transforms.schema.cases import x
from transforms.row_checks.checks import Checks
from transforms.row_checks.validate import validate_batch
from transforms.schema import infer_schema, validate_statistics
from transforms.statistics.collect import statistics_of
from transforms.statistics.generate import GenerateStatistics
from transforms.statistics.options import StatisticsOptions
from transforms.windows.window_batches import WindowBatches


def taxi(split):
    options = pyarrow.csv.ConvertOptions(strings_can_be_null=True)
    table = pyarrow.csv.read_csv(shared_data("taxi_split", f"{split}.csv"), convert_options=options)
    (batch,) = table.combine_chunks().to_batches()
    return batch


@pytest.fixture(scope="module")
def train():
    return taxi("train")


@pytest.fixture(scope="module")
def evaluation():
    return taxi("eval")


def stats(**columns):
    return statistics_of([pa.record_batch(columns)])


def distances(current, previous, kind):
    """The L-infinity distance and the Jensen-Shannon divergence of a column x from another."""
    asked = "drift_comparator { infinity_norm {} jensen_shannon_divergence {} }"
    schema = schema_of(x(f"type: {kind} {asked}"))
    found = validate_statistics(stats(x=current), schema, previous_span=stats(x=previous))
    return [each.value for each in found.drift_skew_info[0].drift_measurements]


def judged(body, values):
    """The kinds of anomalies of a column x."""
    return kinds_of(validate_statistics(stats(x=values), schema_of(x(body)))).get("x", [])


@pytest.mark.parametrize("column", ["fare", "trip_miles", "trip_seconds", "tips"])
def test_1_numeric_drift_is_what_the_values_say(train, evaluation, column):
    """TFDV: 0.326, 0.707, 0.454 and 0.128 of data that differs by chance."""
    before, now = (np.asarray(part[column].drop_null(), np.float64) for part in (train, evaluation))
    assert kolmogorov_smirnov(now, before) < 0.021, "they differ by chance alone"
    told = distances(now, before, "FLOAT")[1]
    assert told == pytest.approx(divergence(now, before), abs=0.001)
    assert told < 0.003
    # And where there is drift, it is seen, and told as no more than it is.
    exact = divergence(now * 1.3, before)
    assert exact > 0.07
    assert 0.85 * exact < distances(now * 1.3, before, "FLOAT")[1] < 1.001 * exact


@pytest.mark.parametrize(("odd", "share"), [(math.nan, 0.3), (math.inf, 0.01), (-math.inf, 0.01)])
def test_2_a_column_is_no_drift_from_itself(train, odd, share):
    """TFDV: 0.30 where 30 % of a column are NaN, 0.01 where 1 % are infinite."""
    fares = train["fare"].to_numpy().copy()
    rows = int(share * len(fares))
    spoilt = fares.copy()
    spoilt[:rows] = odd
    assert distances(spoilt, spoilt, "FLOAT") == [0, 0]
    # Of the other one, the odd values have a cell of their own, and the rest is as it was.
    assert distances(spoilt, fares, "FLOAT")[0] == pytest.approx(share, rel=0.05)


def test_3_a_least_number_of_distinct_values_sets_no_greatest_one(train):
    """TFDV: unique_constraints.min alone raises "High number of unique values"."""
    companies = train["company"].drop_null()
    different = len(companies.unique())
    assert judged(f"type: BYTES unique_constraints {{ min: {different} }}", companies) == []
    assert judged(f"type: BYTES unique_constraints {{ min: {different + 1} }}", companies) == [
        "FEATURE_TYPE_LOW_UNIQUE"
    ]
    assert judged(f"type: BYTES unique_constraints {{ max: {different - 1} }}", companies) == [
        "FEATURE_TYPE_HIGH_UNIQUE"
    ]


def test_4_integers_are_exact_to_the_last_bit():
    """TFDV: 2^53 + 3 is reported as 2^53 + 4, for it passes through a double."""
    odd = 2**53 + 3
    (feature,) = stats(x=[-odd, odd]).datasets[0].features
    told = {each.name: each.str for each in feature.custom_stats}
    assert (told["min_int64"], told["max_int64"]) == (str(-odd), str(odd))
    body = "type: INT int_domain {{ min: {} max: {} }}"
    assert judged(body.format(-odd, odd), [-odd, odd]) == []
    assert judged(body.format(-odd + 1, odd - 1), [-odd, odd]) == [
        "INT_TYPE_SMALL_INT",
        "INT_TYPE_BIG_INT",
    ]
    checks = Checks.of(schema_of(x(body.format(0, odd - 1))))
    good, bad = validate_batch(batch_of(x=[odd - 1, odd]), checks)
    assert (good["x"].to_pylist(), bad.num_rows) == ([odd - 1], 1)


def test_5_a_rare_value_is_found_among_all():
    """TFDV: of 1,500 values of a domain only 1,000 are looked at, so one outside raises nothing."""
    common = [f"v{number:04}" for number in range(1500)]
    schema = schema_of(
        x("type: BYTES domain: 'd' drift_comparator { infinity_norm { threshold: 0.0001 } }")
    )
    schema.string_domain.add(name="d", value=common)
    previous = common * 2
    assert kinds_of(validate_statistics(stats(x=previous), schema)) == {}
    found = validate_statistics(
        stats(x=[*previous, "rare"]), schema, previous_span=stats(x=previous)
    )
    assert kinds_of(found) == {
        "x": ["ENUM_TYPE_UNEXPECTED_STRING_VALUES", "COMPARATOR_L_INFTY_HIGH"]
    }
    assert '"rare"' in found.anomaly_info["x"].description
    # Drift is of all values too: here only those below the first thousand differ.
    moved = [*common, *common[:1000], *["v1499"] * 500]
    shares = [Counter(each) for each in (moved, previous)]
    exact = max(abs(shares[0][v] / len(moved) - shares[1][v] / len(previous)) for v in common)
    assert distances(moved, previous, "BYTES")[0] == pytest.approx(exact, abs=1e-12)


def test_6_a_batch_of_rows_is_judged_row_by_row(train, evaluation):
    """TFDV: validate_instance says of a batch which columns are wrong, and of rows one at a time.

    What that costs, of both, `python -m benchmarks.validate_rows` measures.
    """
    schema = infer_schema(statistics_of([train]))
    checks = Checks.of(schema)
    good, bad = validate_batch(evaluation, checks)
    rows = evaluation.to_pylist()
    alone = [checks.check_row(row) for row in rows]
    wrong = [place for place, violations in enumerate(alone) if violations]
    assert 0 < len(wrong) == bad.num_rows < 100
    assert [each[0].column for each in alone if each] == bad["column"].to_pylist()
    assert [each[0].reason for each in alone if each] == bad["reason"].to_pylist()
    assert good.equals(evaluation.take(np.setdiff1d(np.arange(len(rows)), wrong)))
    for place in [*wrong, 0, len(rows) - 1]:
        _, rejects = validate_batch(evaluation.slice(place, 1), checks)
        assert rejects.num_rows == (place in wrong)


def test_7_a_sample_is_of_rows():
    """TFDV: half of 10 batches of 100 rows were 300 to 800 rows, for it drops whole batches.

    A number of rows beyond the bounds comes once in 10^9 runs of this test, or a spread beyond
    those: the spread of whole batches would be 25,000.
    """
    batches = [batch_of(n=np.arange(100)) for _ in range(10)]
    options = StatisticsOptions(sample_rate=0.5)
    sizes = [statistics_of(batches, options).datasets[0].num_examples for _ in range(100)]
    assert 390 < min(sizes) <= max(sizes) < 610
    assert 80 < np.var(sizes, ddof=1) < 560, "1,000 / 4 is that of rows"


def test_8_each_window_has_statistics_of_its_own(train):
    """TFDV: GenerateStatistics raises ValueError in any window but the global one."""
    seconds = pc.cast(train["trip_start_timestamp"], pa.timestamp("s"))
    trips = train.append_column("time", pc.cast(seconds, pa.timestamp("us")))
    window = 182 * 24 * 3600
    found = run_on(
        [trips.slice(start, 1000) for start in range(0, trips.num_rows, 1000)],
        lambda rows: rows | WindowBatches(window, event_time_column="time") | GenerateStatistics(),
    )
    times = train["trip_start_timestamp"].to_numpy()
    starts = np.unique(times // window)
    assert len(found) == len(starts) > 3
    expected = [statistics_of([trips.filter(pa.array(times // window == n))]) for n in starts]
    assert sorted(map(rows_of, found)) == sorted(map(rows_of, expected))
    for ours, alone in zip(sorted(found, key=rows_of), sorted(expected, key=rows_of), strict=True):
        assert gist(ours) == gist(alone)


def rows_of(data):
    return data.datasets[0].num_examples


def gist(data):
    """What of statistics doesn't depend on the order of rows to the last bit."""
    told = {}
    for feature in data.datasets[0].features:
        name, kind = feature.path.step[0], feature.WhichOneof("stats")
        common = getattr(feature, kind).common_stats
        told[name] = [kind, common.num_non_missing, common.num_missing]
        if kind == "num_stats":
            numbers = feature.num_stats
            told[name] += [numbers.num_zeros, numbers.min, numbers.median, numbers.max]
            told[name].append(pytest.approx(numbers.mean, rel=1e-12))
        else:
            told[name] += [feature.string_stats.unique, str(feature.string_stats.rank_histogram)]
    return told


def test_9_messages_are_short_and_can_be_read_by_machines(train):
    """TFDV: every value that a domain lacks stands in one line, and nothing but this line tells."""
    unknown = [f"{number:03}" + "long " * 50 for number in range(500)]
    schema = schema_of(x("type: BYTES domain: 'd'") + " string_domain { name: 'd' value: 'known' }")
    found = validate_statistics(stats(x=["known", *unknown]), schema)
    (reason,) = found.anomaly_info["x"].reason
    assert len(reason.description) < 600
    assert reason.description.endswith("and 495 more.")
    told = json_format.MessageToDict(found)["anomalyInfo"]["x"]
    assert told["path"] == {"step": ["x"]}
    assert told["severity"] == "ERROR"
    assert told["reason"][0]["type"] == "ENUM_TYPE_UNEXPECTED_STRING_VALUES"
    # Rows of it, as they came in: each with its place, column and reason, none of its values told.
    _, bad = validate_batch(batch_of(x=["known", *unknown]), Checks.of(schema))
    letters = bad.to_pylist()
    assert {(each["reason"], each["column"]) for each in letters} == {("not_in_domain", "x")}
    assert [json.loads(each["payloadString"])["x"] for each in letters] == unknown
    assert max(len(each["errorMessage"]) for each in letters) < 100
