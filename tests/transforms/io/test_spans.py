"""Spans by the names of files."""

import pytest

from transforms.errors import ConfigError
from transforms.files.format import File
from transforms.io.spans import glob_of, has_spans, latest, spans_of


def files(*uris):
    return [File(uri, 10, modified=1.0) for uri in uris]


def names(uri, *uris):
    return {span.name: [file.uri for file in span.files] for span in spans_of(uri, files(*uris))}


def test_numbers_are_in_their_order():
    found = names("in/day-{SPAN}/*.csv", "in/day-10/a.csv", "in/day-9/a.csv", "in/day-9/b.csv")
    assert found == {"9": ["in/day-9/a.csv", "in/day-9/b.csv"], "10": ["in/day-10/a.csv"]}
    assert list(found) == ["9", "10"]


def test_dates_and_widths():
    uri = "gs://b/{YYYY}/{MM}/{DD}/"
    assert names(uri, "gs://b/2026/01/31/x/y.parquet", "gs://b/2025/12/01/z") == {
        "2025-12-01": ["gs://b/2025/12/01/z"],
        "2026-01-31": ["gs://b/2026/01/31/x/y.parquet"],
    }
    assert glob_of(uri) == "gs://b/*/*/*/"
    assert list(names("d{SPAN:2}.csv?format=csv", "d07.csv")) == ["7"]


def test_a_span_twice_in_a_name_is_one():
    uri = "in/{SPAN}/rows-{SPAN}.csv"
    assert list(names(uri, "in/3/rows-3.csv")) == ["3"]
    with pytest.raises(ConfigError, match=r"in/3/rows-4\.csv is of no span"):
        names(uri, "in/3/rows-4.csv")


def test_what_is_no_span():
    assert not has_spans("in/*.csv")
    for uri in ("in/{YYYY}.csv", "in/{SPAN}-{YYYY}.csv"):
        with pytest.raises(ConfigError, match=r"spans are \{SPAN\}, or all of"):
            glob_of(uri)
    with pytest.raises(ConfigError, match="day-x is of no span"):
        names("day-{SPAN}", "day-x")


def test_a_file_that_was_changed_is_another_span():
    (one,) = spans_of("d{SPAN}", files("d1"))
    (other,) = spans_of("d{SPAN}", [File("d1", 10, modified=2.0)])
    assert one.digest != other.digest


def test_the_latest():
    spans = spans_of("d{SPAN}", files("d1", "d2", "d3"))
    assert [span.name for span in latest(spans, "last:2")] == ["2", "3"]
    assert latest(spans, "all") == latest(spans, "last:9") == spans
    for text in ("last", "last:0", "last:x", "first:1"):
        with pytest.raises(ConfigError, match="neither all nor last:N"):
            latest(spans, text)
