"""Rows against the fields of a table: what the service would refuse is a reject with its reason."""

import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.bigquery.tables import EVERY_TYPE, empty_row, fields, row
from transforms.errors import ConfigError
from transforms.io.bigquery.fit import check_loadable, fit
from transforms.schema.bigquery_types import arrow_schema


def _field(kind, mode="NULLABLE", **more):
    return {"name": "c", "type": kind, "mode": mode, **more}


def _fit(values, type, field):
    """Which values fit, and the reason and column of each that doesn't."""
    rows, rejects = fit(pa.record_batch({"c": pa.array(values, type)}), [field])
    told = zip(rejects["reason"].to_pylist(), rejects["column"].to_pylist(), strict=True)
    return rows["c"].to_pylist(), list(told)


def test_what_a_table_read_holds_fits_it():
    described = fields(EVERY_TYPE)
    rows = [row(EVERY_TYPE), empty_row(EVERY_TYPE)]
    batch = pa.RecordBatch.from_pylist(rows, arrow_schema(described))
    fitted, rejects = fit(batch, described)
    assert fitted.equals(batch)
    assert rejects.num_rows == 0


@pytest.mark.parametrize(
    ("values", "type", "field", "fitting", "rejects"),
    [
        ([1, None], pa.int64(), _field("STRING", "REQUIRED"), ["1"], [("missing_value", "c")]),
        (["a", "bcd"], pa.string(), _field("STRING", maxLength="2"), ["a"], [("oversized", "c")]),
        (["é", "ab"], pa.string(), _field("STRING", maxLength="1"), ["é"], [("oversized", "c")]),
        ([b"\xff", b"ab"], None, _field("BYTES", maxLength=1), [b"\xff"], [("oversized", "c")]),
        (["{}", "{", "NaN"], pa.string(), _field("JSON"), ["{}"], [("unparsable", "c")] * 2),
        ([1, 2**64 - 1], pa.uint64(), _field("INTEGER"), [1], [("overflow", "c")]),
        (["1", "x"], pa.string(), _field("INT64"), [1], [("unparsable", "c")]),
        ([[1], [2, None]], None, _field("INT64", "REPEATED"), [[1]], [("missing_value", "c")]),
        (
            [{"i": 1}, {"i": None}, None],
            pa.struct([("i", pa.int64())]),
            _field("RECORD", fields=[{**_field("INT64", "REQUIRED"), "name": "i"}]),
            [{"i": 1}, None],
            [("missing_value", "c.i")],
        ),
    ],
)
def test_values_that_a_field_refuses(values, type, field, fitting, rejects):
    assert _fit(values, type, field) == (fitting, rejects)


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20))
def test_days_of_the_years_1_to_9999(days):
    first, last = (
        (datetime.date(*day) - datetime.date(1970, 1, 1)).days
        for day in ((1, 1, 1), (9999, 12, 31))
    )
    batch = pa.record_batch({"c": pa.array(days, pa.int32()).view(pa.date32())})
    rows, rejects = fit(batch, [_field("DATE")])
    kept = rows["c"].view(pa.int32()).to_pylist()
    assert kept == [day for day in days if first <= day <= last]
    assert rejects.num_rows == len(days) - len(kept)


def test_moments_of_the_years_1_to_9999():
    ends = [datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)]
    inside = pa.array(ends, pa.timestamp("us")).view(pa.int64()).to_pylist()
    numbers = pa.array([inside[0] - 1, *inside, inside[1] + 1, None])
    for kind, type in (("DATETIME", pa.timestamp("us")), ("TIMESTAMP", pa.timestamp("us", "UTC"))):
        rows, rejects = fit(pa.record_batch({"c": numbers.view(type)}), [_field(kind)])
        assert rows["c"].view(pa.int64()).to_pylist() == [*inside, None]
        assert set(rejects["reason"].to_pylist()) == {"out_of_range"}


def test_a_slice_of_nested_rows_keeps_its_own():
    described = [_field("INT64", "REPEATED")]
    batch = pa.record_batch({"c": [[None], [1, 2], [3], [None, 4], []]})
    rows, rejects = fit(batch.slice(1, 3), described)
    assert rows["c"].to_pylist() == [[1, 2], [3]]
    assert rejects["payloadString"].to_pylist() == ['{"c":[null,4]}']


def test_columns_are_matched_by_name():
    described = [_field("INT64"), {**_field("STRING"), "name": "d"}]
    rows, _ = fit(pa.record_batch({"d": ["x"], "c": [1]}), described)
    assert rows.to_pylist() == [{"c": 1, "d": "x"}]
    rows, _ = fit(pa.record_batch({"d": ["x"]}), described)
    assert rows.schema.names == ["d"]
    with pytest.raises(ConfigError, match=r"no column e; it has: c, d.*--keep_columns"):
        fit(pa.record_batch({"e": [1]}), described)
    with pytest.raises(ConfigError, match="requires a column c"):
        fit(pa.record_batch({"d": ["x"]}), [_field("INT64", "REQUIRED"), described[1]])


def test_types_that_no_load_takes():
    check_loadable(fields(EVERY_TYPE))
    with pytest.raises(ConfigError, match=r"column 'c\.v' is of type INTERVAL"):
        check_loadable([_field("RECORD", fields=[{"name": "v", "type": "INTERVAL"}])])
