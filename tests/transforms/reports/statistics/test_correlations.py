"""Correlations in the report: the strongest pairs first, each beside what it was before."""

import re

import pyarrow as pa

from transforms.reports import statistics_report
from transforms.statistics.collect import statistics_of
from transforms.statistics.options import StatisticsOptions


def made(pairs=True, **columns):
    options = StatisticsOptions(pairs=pairs)
    return statistics_of([pa.RecordBatch.from_pydict(columns)], options)


def section(page):
    found = re.search(r'<section[^>]*id="correlations".*?</section>', page, re.DOTALL)
    return re.sub(r"<[^>]+>", " ", found[0]) if found else None


def test_the_strongest_pairs_come_first_with_what_they_were():
    now = made(a=[1.0, 2, 3, 4], b=[2.0, 4, 6, 8.5], c=[1.0, 0, 0, 1], d=[5.0] * 4)
    before = made(a=[1.0, 2, 3, 4], b=[2.0, 4, 6, 8.5], c=[4.0, 3, 2, 1], d=[5.0] * 4)
    told = " ".join(section(statistics_report(before, now, title="t")).split())
    assert "Of 6 pairs" in told
    rows = re.findall(r"([abcd]) ([abcd]) ([+-]\d\.\d{3}) ([+-]\d\.\d{3})", told)
    assert rows[0] == ("a", "c", "+0.000", "-1.000")
    assert rows[1][:2] in {("a", "b"), ("b", "c")}
    assert ("a", "d", "+0.000", "+0.000") in rows, "a constant goes with nothing"


def test_without_pairs_there_is_no_such_section():
    assert section(statistics_report(None, made(False, a=[1.0], b=[2.0]), title="t")) is None
