import math
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from tests.support import record_batches, shared_data
from tests.transforms.reports.pages import anomalies_of, report_of
from transforms.errors import ConfigError
from transforms.reports import Example, statistics_report
from transforms.schema import infer_schema, validate_statistics
from transforms.statistics.collect import statistics_of
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.slices.values import SliceBy

EMPTY = statistics_pb2.DatasetFeatureStatisticsList()
MARKS = ["<script>alert(1)</script>", '"><script>', "'", "&amp;", "</style></script>", "<!--"]


def stats(slices=(), **columns):
    options = StatisticsOptions(slices=tuple(map(SliceBy.parse, slices)))
    return statistics_of([pa.record_batch(columns)], options)


def element_of(page, **wanted):
    return [
        (tag, given)
        for tag, given in page.tags
        if all(given.get(name.replace("_", "-")) == value for name, value in wanted.items())
    ]


@settings(max_examples=40)
@given(record_batches(), record_batches())
def test_any_statistics_make_a_page_that_shows_every_feature(baseline, current):
    with np.errstate(over="ignore"):
        before, now = statistics_of([baseline]), statistics_of([current])
    schema = infer_schema(before)
    found = validate_statistics(now, schema, previous_span=before)
    page, _ = report_of(before, now, found)
    names = {".".join(f.path.step) for data in (before, now) for f in data.datasets[0].features}
    assert {given["data-name"] for _, given in page.tags if "data-name" in given} == names
    assert all(name in page.text for name in found.anomaly_info)
    for info in found.anomaly_info.values():
        kinds = (anomalies_pb2.AnomalyInfo.Type.Name(reason.type) for reason in info.reason)
        assert all(kind in page.text for kind in kinds)


@settings(max_examples=40)
@given(st.lists(st.text(max_size=30) | st.sampled_from(MARKS), min_size=1, max_size=6))
def test_no_value_name_or_title_is_markup(texts):
    texts = [text.replace("\x00", "") for text in texts]
    name = texts[0] or "x"
    rows = pa.record_batch({name: texts, "n": list(range(len(texts)))})
    now = statistics_of([rows], StatisticsOptions(slices=(SliceBy((name,)),)))
    found = validate_statistics(now, schema_pb2.Schema())
    examples = {key: rows for key in found.anomaly_info}
    _, html = report_of(now, now, found, title=texts[-1], examples=examples)
    # One script and one style: ours.
    assert html.count("<script") == html.count("</script") == 1
    assert html.count("<style") == html.count("</style") == 1
    assert "<!--" not in html
    html.encode()


def test_a_report_needs_neither_beam_nor_tensorflow():
    code = (
        "import sys, transforms.reports;"
        "print([m for m in ('apache_beam', 'tensorflow', 'tfx_bsl') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_nothing_at_all():
    page, html = report_of(None, EMPTY)
    assert "Rows 0" in page.text
    assert "<table" not in html
    found = validate_statistics(stats(x=pa.array([], pa.int64())), schema_pb2.Schema())
    page, _ = report_of(EMPTY, EMPTY, found)
    assert "There are no rows to validate." in page.text


def test_a_column_that_is_all_null():
    now = stats(a=pa.array([None, None], pa.string()), b=pa.array([None, None], pa.float64()))
    page, _ = report_of(now, now)
    assert {given["data-name"] for _, given in page.tags if "data-name" in given} == {"a", "b"}
    assert "100%" in page.text
    assert "no values" in page.text


def test_nan_and_infinite_numbers():
    page, _ = report_of(None, stats(x=[math.nan, math.inf, 1.0, -math.inf], y=[math.nan] * 4))
    assert "-∞" in page.text
    assert "NaN" in page.text
    assert "25%" in page.text
    for tag, told in page.tags:
        if tag in ("path", "rect"):
            assert "nan" not in str(told)
            assert "inf" not in str(told)


def test_figures_of_both_stand_side_by_side():
    page, _ = report_of(stats(x=[1.5, 2.5]), stats(x=[10.25, 20.75, None]))
    assert "15.5" in page.text
    assert "33.3%" in page.text
    ((_, cell),) = element_of(page, data_label="Mean")
    assert cell["data-v"] == "15.5"
    assert "Current" in page.text
    assert "baseline" in page.text


def test_without_a_baseline_there_is_no_word_of_it():
    page, _ = report_of(None, stats(x=[1.5], y=["a"]))
    assert "baseline" not in page.text.lower()


def test_features_that_only_one_side_has():
    page, _ = report_of(stats(old=[1]), stats(new=["a"]))
    assert "not in the current data" in page.text
    assert "not in the baseline" in page.text


def test_nested_and_binary_features():
    now = stats(s=[{"inner": 1.5}, None], b=pa.array([b"\xff"] * 2), l=[[1, 2], [3]])
    page, _ = report_of(now, now)
    names = {given["data-name"] for _, given in page.tags if "data-name" in given}
    assert names == {"s", "s.inner", "b", "l"}
    assert "list of int" in page.text
    assert "Other features" in page.text


def test_anomalies_come_by_severity_with_their_reasons():
    schema = infer_schema(stats(a=["x"], b=["y"]))
    found = validate_statistics(
        stats(a=["strange"], b=["y"], c=[1]),
        schema,
        severities={"ENUM_TYPE_UNEXPECTED_STRING_VALUES": "WARNING"},
    )
    page, _ = report_of(None, stats(a=["strange"], b=["y"], c=[1]), found)
    assert page.text.index("SCHEMA_NEW_COLUMN") < page.text.index("Values are not in the schema")
    assert "With warnings" in page.text
    assert [given["class"] for _, given in page.tags if "finding" in given.get("class", "")] == [
        "finding bad",
        "finding warn",
    ]


def test_anomalies_of_the_data_set_and_of_columns_that_are_gone():
    schema = infer_schema(stats(gone=["x"], a=[1]))
    schema.dataset_constraints.min_examples_count = 9
    page, _ = report_of(None, stats(a=[1]), validate_statistics(stats(a=[1]), schema))
    assert "The data set Error" in page.text
    assert "gone Error" in page.text


def test_no_anomalies():
    now = stats(a=[1])
    page, _ = report_of(None, now, validate_statistics(now, infer_schema(now)))
    assert "The data is as the schema says." in page.text


def test_an_anomaly_without_reasons():
    found = anomalies_of(
        'anomaly_info { key: "x" value { path { step: "x" } description: "Odd" } }'
    )
    page, _ = report_of(None, stats(x=[1]), found)
    assert "Odd" in page.text
    page, _ = report_of(None, stats(x=[1]), found, redact=lambda column, value: "#")
    assert "Odd" not in page.text


DRIFT = "normalized_abs_difference {} infinity_norm { threshold: 0.1 } jensen_shannon_divergence {}"


@pytest.mark.parametrize("kind", ["drift", "skew"])
def test_every_distance_with_its_threshold_and_what_differs_most(kind):
    before, now = stats(x=["a", "b", "b", "b"]), stats(x=["a", "a", "a", "b"])
    schema = infer_schema(before)
    comparator = getattr(schema.feature[0], f"{kind}_comparator")
    comparator.infinity_norm.threshold = 0.1
    comparator.jensen_shannon_divergence.threshold = 0.9
    control = {"previous_span" if kind == "drift" else "serving": before}
    found = validate_statistics(now, schema, **control)
    _, html = report_of(before, now, found)
    drift = html[html.index('id="drift"') :].split("</section>")[0]
    assert drift.count("<tbody") == drift.count("&quot;a&quot;") == 2
    assert drift.count("too far") == 1
    assert drift.index("L-infinity") < drift.index("Jensen-Shannon")
    for text in (">0.5<", ">0.1<", ">0.9<", f">{kind}<"):
        assert text in drift
    # Without the data it was compared with, only the anomaly tells of it.
    _, html = report_of(None, now, found)
    assert html[html.index('id="drift"') :].split("</section>")[0].count("&quot;a&quot;") == 1


def test_slices_the_largest_first_with_what_differs():
    now = stats(["s"], s=["a", "b", "b"], x=[1.0, 50.0, 60.0])
    page, _ = report_of(None, now)
    assert page.text.index("s_b") < page.text.index("s_a")
    assert "66.7%" in page.text
    assert "Features of s_b" in page.text
    # The numbers of the features are those of all rows.
    ((_, cell),) = [each for each in element_of(page, data_label="Mean") if "data-v" in each[1]]
    assert cell["data-v"] == "37"


def test_of_many_slices_only_the_largest_are_told_of():
    names = [f"n{at:03}" for at in range(40)]
    page, _ = report_of(None, stats(["s"], s=[*names, *names[:3]], x=range(43)))
    assert all(f"s_{name}" in page.text for name in names)
    assert page.text.count("Features that differ most") == 30
    assert "Features of s_n000" in page.text
    assert "Features of s_n039" not in page.text


def test_slices_alone_are_no_data_set():
    now = stats(["s"], s=["a", "b"])
    del now.datasets[0]
    with pytest.raises(ConfigError, match="slices only"):
        statistics_report(None, now, title="x")


def test_example_rows_show_the_column_at_fault_first_and_few_rows():
    rows = pa.record_batch(
        {**{f"c{at}": [at] * 9 for at in range(20)}, "x": [f"row{at}" for at in range(9)]}
    )
    now = stats(x=["strange"])
    found = validate_statistics(now, infer_schema(stats(x=["a"])))
    page, _ = report_of(None, now, found, examples={"x": rows})
    assert "5 example rows" in page.text
    assert "row4" in page.text
    assert "row5" not in page.text
    assert page.text.index("row0") > page.text.index("c10")
    assert "Not shown: 9 columns, c11, c12, c13, c14, c15, c16, c17, c18, c19." in page.text


def cells(html, column):
    """How the cells of a column of example rows look."""
    rows = html[html.index('class="rows"') :].split("</table>")[0]
    heads = re.findall(r"<th .*?>(.*?)</th>", rows)
    line = rows.split("<tbody>")[1].split("</tr>")[0]
    return re.findall(r"<td([^>]*)>", line)[heads.index(column)]


BROKEN = """anomaly_info { key: "rule a <= b" value { severity: ERROR
  reason { type: CUSTOM_VALIDATION short_description: "Broken" description: "By 1 row." } } }"""
OF_RULE = pa.record_batch({"c": ["Aaa"], "b": [1], "(row)": ["/x/part.csv:7"], "a": [2]})


def test_all_columns_of_a_rule_are_marked_and_the_others_look_masked():
    now, found = stats(a=[2], b=[1], c=["Ada"]), anomalies_of(BROKEN)
    example = {"rule a <= b": Example(OF_RULE, ("a", "b"))}
    page, html = report_of(None, now, found, examples=example, examples_note="a is a letter")
    assert page.text.count("a is a letter") == 1
    assert page.text.index("a is a letter") < page.text.index("rule a <= b")
    looks = {each: cells(html, each) for each in OF_RULE.schema.names}
    assert looks["a"] == looks["b"] == ' class="mark"'
    assert looks["c"] == ' class="soft"'
    assert "class" not in looks["(row)"]
    # The columns at fault stand first after the place, as the rule names them.
    heads = re.findall(r'<th scope="col" class="(mark|soft)">(.)<', html)
    assert heads == [("mark", "a"), ("mark", "b"), ("soft", "c")]


def test_examples_that_are_shown_as_they_are_do_not_look_masked():
    now, found = stats(a=[2], b=[1], c=["Ada"]), anomalies_of(BROKEN)
    example = {"rule a <= b": Example(OF_RULE, ("a", "b"))}
    _, html = report_of(None, now, found, examples=example)
    assert cells(html, "c") == ""
    # Of a rule whose columns are not told, none is known to be masked.
    _, html = report_of(None, now, found, examples={"rule a <= b": OF_RULE}, examples_note="x")
    assert {cells(html, each) for each in "abc"} == {""}


def test_without_examples_nothing_is_said_of_them():
    for examples in (None, {"z": OF_RULE}):
        found = anomalies_of(BROKEN)
        page, _ = report_of(None, stats(a=[2]), found, examples=examples, examples_note="masked")
        assert "masked" not in page.text


def test_a_column_at_fault_is_marked_by_its_path():
    now = stats(x=["strange"], y=["a"])
    found = validate_statistics(now, infer_schema(stats(x=["a"], y=["a"])))
    rows = pa.record_batch({"y": ["a"], "x": ["strange"]})
    for example in (rows, Example(rows)):
        _, html = report_of(None, now, found, examples={"x": example}, examples_note="masked")
        assert (cells(html, "x"), cells(html, "y")) == (' class="mark"', ' class="soft"')


def test_data_without_rows_is_an_error_beside_what_else_is_wrong():
    none = pa.array([], pa.int64())
    found = validate_statistics(stats(x=none), infer_schema(stats(x=[1])))
    assert found.data_missing
    page, _ = report_of(None, stats(x=none), found)
    assert "With errors 1" in page.text
    assert "Anomalies 1" in page.text
    assert "The data set Error There are no rows to validate." in page.text
    told = 'key: "(rows)" value { severity: ERROR description: "12 rows could not be read." }'
    found.MergeFrom(anomalies_of(f"anomaly_info {{ {told} }}"))
    page, _ = report_of(None, stats(x=none), found)
    assert "With errors 2" in page.text
    assert "Anomalies 2" in page.text
    assert "There are no rows to validate." in page.text
    assert "Rows Error 12 rows could not be read." in page.text


def test_long_rules_are_headings_as_a_whole():
    name = "rule " + " and ".join(f"mean(column_{at}) > {at}" for at in range(15))
    assert len(name) > 300
    found = anomalies_of(BROKEN.replace("rule a <= b", name))
    page, _ = report_of(None, stats(a=[2]), found)
    assert name in page.text
    page, _ = report_of(None, stats(a=[2]), anomalies_of(BROKEN.replace("a <= b", "a" * 5_000)))
    assert "a" * 2_000 not in page.text


def test_long_figures_are_whole_and_may_be_broken_after_commas_only():
    extremes = [-(2**63), 2**63 - 1]
    page, html = report_of(None, stats(x=extremes, at=[1_769_022_003_123_456] * 2))
    for text in (
        "-9,223,372,036,854,775,808",
        "9,223,372,036,854,775,807",
        "1,769,022,003,123,456",
    ):
        assert text in page.text
        assert text.replace(",", ",<wbr>") in html


def test_integers_that_doubles_do_not_tell_apart():
    for some in ([2**54 - 1], [2**60, 2**60 + 20], [-(2**63)], [2**63 - 1, 2**63 - 3], [2**53 + 1]):
        page, _ = report_of(stats(x=some), stats(x=some))
        assert f"{max(some):,}" in page.text
        assert "current 100%" in page.text


def test_every_value_is_redacted():
    secrets = ["s3cret-one", "s3cret-two", "s3cret-two"]
    numbers, floats = [771771, 883883, 995998], [771771.5, 883883.25, 995998.125]
    columns = {"t": secrets, "i": numbers, "f": floats, "one": [771771] * 3, "b": [b"s3cret"] * 3}
    now = stats(["t", "i"], **columns)
    before = stats(t=["z"], i=[1], f=[771771.5], one=[1], b=[b"z"])
    schema = infer_schema(before)
    for feature in schema.feature:
        if feature.name != "b":
            feature.drift_comparator.infinity_norm.threshold = 0.01
        if feature.name in ("i", "one"):
            feature.int_domain.max = 771770
        if feature.name == "f":
            feature.float_domain.max = 883883
    found = validate_statistics(now, schema, previous_span=before)
    assert len(found.anomaly_info) == 5
    examples = dict.fromkeys(found.anomaly_info, pa.record_batch(columns))
    shown, _ = report_of(before, now, found, examples=examples)
    page, html = report_of(before, now, found, examples=examples, redact=lambda c, v: f"[{c}]")
    for secret in ("s3cret", "771771", "771,771", "883883", "883,883", "995998", "995,998"):
        assert secret in shown.text
        assert secret not in html
    for column in columns:
        assert f"[{column}]" in page.text
    assert "[]" in page.text


def test_a_thousand_columns_are_a_few_megabytes():
    rng = np.random.default_rng(0)
    makers = [
        lambda: rng.normal(0, 1, 400),
        lambda: rng.integers(0, 90, 400),
        lambda: [f"value {each}" for each in rng.zipf(1.5, 400) % 50],
        lambda: [f"user-{each}" for each in rng.integers(0, 10**6, 400)],
    ]
    before, now = (
        stats(**{f"feature_{at:04}": makers[at % 4]() for at in range(1000)}) for _ in range(2)
    )
    found = validate_statistics(now, infer_schema(before))
    page, html = report_of(before, now, found)
    assert len({given["data-name"] for _, given in page.tags if "data-name" in given}) == 1000
    assert len(html.encode()) < 4_000_000


def test_long_texts_are_cut():
    _, html = report_of(None, stats(x=["long" * 10_000, "b"]))
    assert len(html) < 40_000


def test_charts_are_named_and_tables_have_heads():
    page, _ = report_of(stats(x=[1.5], y=["a"]), stats(["y"], x=[1.5, 9], y=["a", "b"]))
    for tag, told in page.tags:
        if tag == "svg" and told.get("class") != "bar":
            assert told["role"] == "img"
            assert told["aria-label"]
        if tag == "th":
            assert told["scope"] in ("col", "row")
    counts = [sum(tag == name for tag, _ in page.tags) for name in ("table", "caption", "thead")]
    assert len(set(counts)) == 1
    assert [tag for tag, _ in page.tags if tag in ("h1", "main", "footer")] == [
        "h1",
        "main",
        "footer",
    ]


def test_weighted_statistics_say_so():
    rows = pa.record_batch({"x": [1.0, 5.0], "w": [3.0, 1.0]})
    page, _ = report_of(None, statistics_of([rows], StatisticsOptions(weight="w")))
    assert "Rows, by weight" in page.text
    means = [cell["data-v"] for _, cell in element_of(page, data_label="Mean")]
    assert sorted(means) == ["2", "2.5"], "of x, and of the weights themselves"


@pytest.mark.parametrize("split", ["train", "eval"])
def test_the_statistics_and_anomalies_that_tfdv_wrote(split):
    from google.protobuf import text_format

    golden = shared_data("tfdv_goldens", "1.16.1")

    def read(name, message):
        return text_format.Parse((golden / f"{name}.pbtxt").read_text(), message)

    now = read(f"stats_{split}", statistics_pb2.DatasetFeatureStatisticsList())
    found = read("anomalies_eval_vs_inferred", anomalies_pb2.Anomalies())
    page, _ = report_of(now, now, found)
    assert "Prcard" in page.text
    assert len([given for _, given in page.tags if "data-name" in given]) == 18
