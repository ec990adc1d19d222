"""Texts of more than 1,024 bytes, of which statistics hold a short form."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.schema.builders import kinds_of
from transforms.metadata.long_texts import LONG, as_counted, digest, is_shortened
from transforms.row_checks.checks import Checks
from transforms.schema import infer_schema, update_schema, validate_statistics
from transforms.statistics.collect import statistics_of

LOREM = "lorem " * 300
BATCH = pa.record_batch({"x": [LOREM, LOREM + "z", "short"]})


def with_domain(*values):
    """The schema of the short texts, with a domain of these."""
    schema = infer_schema(statistics_of([BATCH.slice(2)]))
    del schema.string_domain[0].value[:]
    schema.string_domain[0].value.extend(values)
    return schema


def test_no_domain_is_made_of_what_statistics_hold_shortened():
    schema = infer_schema(statistics_of([BATCH]))
    assert not schema.string_domain
    assert not Checks.of(schema).faults(BATCH)


def test_the_texts_of_a_domain_may_be_long():
    schema = with_domain(*BATCH["x"].to_pylist())
    assert not validate_statistics(statistics_of([BATCH]), schema).anomaly_info
    assert not Checks.of(schema).faults(BATCH)


def test_a_long_text_that_is_not_in_the_domain_is_told():
    schema = with_domain(LOREM, "short")
    told = validate_statistics(statistics_of([BATCH]), schema)
    assert kinds_of(told) == {"x": ["ENUM_TYPE_UNEXPECTED_STRING_VALUES"]}
    (fault,) = Checks.of(schema).faults(BATCH)
    assert fault.mask.tolist() == [False, True, False]


def test_an_updated_schema_takes_the_rows():
    statistics = statistics_of([BATCH])
    updated = update_schema(with_domain("short"), statistics)
    assert not Checks.of(updated).faults(BATCH)
    assert not validate_statistics(statistics, updated).anomaly_info
    assert not any(map(is_shortened, updated.string_domain[0].value))


@given(st.text(max_size=3).flatmap(lambda some: st.integers(0, 2000).map(lambda n: some * n)))
def test_a_text_is_short_or_told_by_its_digest(text):
    size = len(text.encode())
    counted = as_counted(text)
    assert is_shortened(counted) == (size > LONG)
    assert counted == (text if size <= LONG else digest(text.encode()).decode())


@pytest.mark.parametrize("size", [LONG, LONG + 1])
def test_statistics_hold_texts_as_they_are_counted(size):
    text = "é" + "x" * (size - 2)
    (feature,) = statistics_of([pa.record_batch({"x": [text]})]).datasets[0].features
    (bucket,) = feature.string_stats.rank_histogram.buckets
    assert bucket.label == as_counted(text)
