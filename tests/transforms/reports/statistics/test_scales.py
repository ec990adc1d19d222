"""What the page says of its run, and the figures and scales of its charts."""

import re

import numpy as np
import pyarrow as pa

from tests.transforms.reports.pages import Page
from transforms.reports import statistics_report
from transforms.reports.charts import in_logs, meter
from transforms.schema import infer_schema, validate_statistics
from transforms.statistics.collect import statistics_of
from transforms.statistics.options import StatisticsOptions


def stats(**columns):
    made = pa.record_batch(columns)
    return statistics_of([made], StatisticsOptions(pairs=True))


def test_the_head_says_which_run_it_is_and_by_what_it_was_judged():
    about = (("Run", "r<1>"), ("Schema", "s.pbtxt"), ("Baseline", "d1 (data of before)"))
    html = statistics_report(None, stats(x=[1.0]), title="T", about=about)
    assert "Run r<1> Schema s.pbtxt Baseline d1 (data of before)" in Page(html).text
    assert "r<1>" not in html


def test_distances_stand_on_one_scale_with_their_thresholds():
    before = stats(x=[1.0, 2.0] * 50, y=["a"] * 100)
    now = stats(x=[1.0, 2.0, None, 2.0] * 25, y=["a"] * 80 + ["b"] * 20)
    schema = infer_schema(before)
    for feature in schema.feature:
        feature.drift_comparator.infinity_norm.threshold = 0.1
    found = validate_statistics(now, schema, previous_span=before)
    html = statistics_report(before, now, found, title="T")
    drift = html[html.index('id="drift"') :].split("</section>")[0]
    # x: 1/6 of the values, 1/4 of the rows; y: 1/5. The scale ends a little above the greatest.
    assert 'aria-label="From 0 to 0.2625"' in drift
    widths = [float(each) for each in re.findall(r'class="c" width="([\d.]+)%"', drift)]
    assert sorted(widths) == [63.5, 76.2, 95.2]
    assert drift.count('<rect class="limit" x="38.1%"') == 3
    assert "missing in 25%, in the other data in 0%" in drift


def test_a_meter_without_threshold_has_no_limit():
    assert "limit" not in meter(0.2, None, 1.0)
    assert 'x="25%"' in meter(0.2, 0.25, 1.0)


def test_logarithms_show_what_is_rare():
    made = in_logs((np.array([1.0, 0.01, 0.0, 1e-9]), None), "x", "large")
    (path,) = re.findall(r'<path class="c" d="([^"]*)"', made)
    heights = [int(each) for each in re.findall(r"v-(\d+)h", path)]
    # Of four powers of ten a hundredth is half; what is far below is seen all the same.
    assert heights == [98, 49, 2]


def test_axes_have_figures_of_either_kind():
    html = statistics_report(None, stats(x=[0.0] * 3 + [8.0]), title="T")
    heights = re.findall(r'class="heights".*?</div>', html)
    assert len(heights) == 2, "a linear and a logarithmic scale"
    assert re.findall(r'"percent">([^<]*)', heights[0]) == ["75%", "38%", "0%"]
    assert re.findall(r'"counts">([^<]*)', heights[0]) == ["3", "2", "0"]
    assert re.findall(r'"percent">([^<]*)', heights[1])[:2] == ["75%", "7.5%"]
    axis = re.search(r'class="axis">(.*?)</div>', html)[1]
    assert re.findall(r"<span>([^<]*)", axis) == ["0", "2", "4", "6", "8"]
    assert html.count("data-scale=") - html.count("[data-scale=") == 2


def test_a_matrix_of_correlations():
    x = [1.0, 2.0, 3.0, 4.0]
    html = statistics_report(
        None, stats(x=x, y=[-each for each in x], z=[1.0, -1.0, -1.0, 1.0]), title="T"
    )
    matrix = re.search(r'<table class="matrix">.*?</table>', html)[0]
    cells = re.findall(r'<td class="([^"]*)">([^<]*)', matrix)
    assert cells.count(("self", "1")) == 3
    assert cells.count(("down m5", "-1.00")) == 2
    assert len(cells) == 9
    two = statistics_report(None, stats(x=x, y=x), title="T")
    assert '<table class="matrix">' not in two
