"""Slices of a report: beside all rows, beside the same slice of the baseline, and what is wrong."""

import numpy as np
import pyarrow as pa
import pytest

from tests.transforms.reports.pages import report_of
from transforms.schema import infer_schema, validate_slices, validate_statistics
from transforms.statistics.collect import statistics_of
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.slices.text import parse_slices


def stats(slices="s", weight=None, **columns):
    batch = pa.record_batch(columns)
    options = StatisticsOptions(slices=parse_slices(slices, batch.schema), weight=weight)
    return statistics_of([batch], options)


def section(html):
    return html[html.index('id="slices"') :].split("</section>")[0]


BEFORE = stats(s=["a"] * 6 + ["b"] * 3, x=["u"] * 6 + ["v"] * 3, n=[1.0] * 9)
NOW = stats(s=["a"] * 4 + ["c"] * 4, x=["u", "u", "v", "v"] + ["v"] * 4, n=[1.0] * 8)


def test_a_slice_stands_beside_the_same_slice_of_the_baseline():
    page, html = report_of(BEFORE, NOW)
    told = section(html)
    first = told[told.index(">s_a<") : told.index(">s_c<")]
    # Its rows and share, now and before.
    for text in (">4<", ">6<", ">50%<", ">66.7%<"):
        assert text in first
    assert first.index("Changed most") < first.index(">x<")
    assert "Features of s_a, and of the same slice of the baseline" in first
    assert "Features of s_a, and of all rows" in first
    # Half of x was v nowhere before: the divergence of (1/2, 1/2) and (1, 0).
    assert ">0.3113<" in first
    last = told[told.index(">s_c<") :]
    assert "not in the baseline" in last
    assert "Features that changed most" not in last
    assert "In the baseline only:" in page.text
    assert "s_b" in page.text


@pytest.mark.parametrize("baseline", [None, stats("", s=["a"], x=["u"], n=[1.0])])
def test_without_slices_before_there_is_no_word_of_them(baseline):
    _, html = report_of(baseline, NOW)
    told = section(html)
    assert "Changed most" not in told
    assert "baseline" not in told
    assert "Features that differ most" in told


def test_weights_count():
    columns = {"s": ["a", "a"], "x": ["u", "v"]}
    before = stats(weight="w", w=[1.0, 1.0], **columns)
    now = stats(weight="w", w=[9.0, 1.0], **columns)
    told = section(report_of(before, now)[1])
    assert ">10<" in told
    assert ">2<" in told


def judged(before, now, schema):
    whole = validate_statistics(now, schema, previous_span=before)
    return whole, validate_slices(now, schema, previous_span=before, few=0, whole=whole)


def test_anomalies_that_all_rows_have_not():
    schema = infer_schema(BEFORE)
    x = next(each for each in schema.feature if each.name == "x")
    x.drift_comparator.infinity_norm.threshold = 0.45
    # All rows drift less than this; a alone more. All rows have the new s, and so c has it.
    now = stats(
        s=["a"] * 4 + ["c"] * 4 + ["b"] * 8,
        x=["u", "v", "v", "v"] + ["u"] * 4 + ["u"] * 4 + ["v"] * 4,
        n=[1.0] * 16,
    )
    whole, slices = judged(BEFORE, now, schema)
    assert list(whole.anomaly_info) == ["s"]
    page, html = report_of(BEFORE, now, whole, slices=slices)
    faults = html[html.index("Anomalies by slice") :].split("</table>")[0]
    assert faults.count("<tbody") == 2
    assert "COMPARATOR_L_INFTY_HIGH" in faults
    assert ">s_c<" not in faults
    assert "ENUM_TYPE_UNEXPECTED_STRING_VALUES" not in faults
    assert "no slice of the name: s_c." in page.text


def test_errors_of_slices_are_told_at_the_top():
    schema = infer_schema(BEFORE)
    x = next(each for each in schema.feature if each.name == "x")
    x.drift_comparator.infinity_norm.threshold = 0.45
    now = stats(
        s=["a"] * 4 + ["b"] * 12, x=["u", "v", "v", "v"] + ["u"] * 7 + ["v"] * 5, n=[1.0] * 16
    )
    whole, slices = judged(BEFORE, now, schema)
    page, html = report_of(BEFORE, now, whole, slices=slices)
    assert "With errors 0" in page.text
    faults = html[html.index("Anomalies by slice") :].split("</table>")[0]
    assert faults.count("badge bad") == 2
    assert "Slices with errors 2" in page.text
    assert 'href="#slices">2<' in html
    page, _ = report_of(BEFORE, now, whole)
    assert "Slices with errors" not in page.text
    for each in slices.values():
        for info in each.anomaly_info.values():
            info.severity = info.WARNING
    page, _ = report_of(BEFORE, now, whole, slices=slices)
    assert "Anomalies by slice" in page.text
    assert "Slices with errors" not in page.text


def test_drift_that_all_rows_have_too_is_told_of_slices():
    schema = infer_schema(BEFORE)
    for feature in schema.feature:
        feature.drift_comparator.infinity_norm.threshold = 0.01
    whole, slices = judged(BEFORE, NOW, schema)
    assert "x" in whole.anomaly_info
    _, html = report_of(BEFORE, NOW, whole, slices=slices)
    faults = html[html.index("Anomalies by slice") :].split("</table>")[0]
    assert ">s_a<" in faults
    assert "what differs most: &quot;" in faults


def test_that_rows_are_fewer_is_told_without_a_feature():
    schema = infer_schema(BEFORE)
    schema.dataset_constraints.num_examples_drift_comparator.min_fraction_threshold = 0.8
    _, slices = judged(BEFORE, NOW, schema)
    page, html = report_of(BEFORE, NOW, None, schema, slices=slices)
    faults = html[html.index("Anomalies by slice") :].split("</table>")[0]
    assert "number of rows" in faults
    assert "times the rows" in page.text


def test_where_nothing_is_wrong_there_is_no_table_of_it():
    schema = infer_schema(NOW)
    whole, slices = judged(NOW, NOW, schema)
    page, _ = report_of(NOW, NOW, whole, slices=slices)
    assert "Anomalies by slice" not in page.text


def test_values_in_names_and_anomalies_of_slices_are_redacted():
    before = stats("s; odd: x != 's3cret-two'", s=["s3cret-one"] * 2, x=["s3cret-two"] * 2)
    now = stats("s", s=["s3cret-one", "s3cret-three"], x=["s3cret-four", "s3cret-two"])
    schema = infer_schema(before)
    for feature in schema.feature:
        feature.drift_comparator.infinity_norm.threshold = 0.01
    _, slices = judged(before, now, schema)
    shown, _ = report_of(before, now, None, schema, slices=slices)
    assert "s3cret" in shown.text
    page, html = report_of(
        before, now, None, schema, slices=slices, redact=lambda column, value: f"[{column}]"
    )
    assert "s3cret" not in html
    assert "Anomalies by slice" in page.text


def test_a_long_expression_is_cut_and_told_whole_on_demand():
    text = "x != 'u' and " + " and ".join(f"n != {at}" for at in range(15))
    page, _ = report_of(None, stats(text, x=["v"], n=[99.0], s=["a"]))
    (given,) = [given for _, given in page.tags if given.get("class") == "name"]
    assert given["title"] == text
    assert page.text.count(text[:100]) >= 2
    assert page.text.count(text) == 1


def test_hundreds_of_slices_are_a_page():
    rng = np.random.default_rng(1)
    rows = 6_000
    columns = {f"c{at}": rng.normal(size=rows) for at in range(6)}
    before, now = (
        stats(s=[f"v{each}" for each in rng.integers(0, 300, rows)], **columns) for _ in range(2)
    )
    schema = infer_schema(before)
    for feature in schema.feature:
        feature.drift_comparator.jensen_shannon_divergence.threshold = 0.001
    whole, slices = judged(before, now, schema)
    page, html = report_of(before, now, whole, slices=slices)
    assert all(f"s_v{at}" in page.text for at in range(300))
    assert len(html.encode()) < 800_000
