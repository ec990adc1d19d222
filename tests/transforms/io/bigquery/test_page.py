import pyarrow as pa
import pytest
from google.cloud.bigquery_storage_v1 import types
from hypothesis import given
from hypothesis import strategies as st

from transforms.io.bigquery.page import page_of
from transforms.io.bigquery.read import GROUPS, TOGETHER, in_groups
from transforms.io.bigquery.streams import ReadStream

ANSWERS = st.builds(
    lambda rows, count, schema, start, end, throttle, size: types.ReadRowsResponse(
        arrow_record_batch={"serialized_record_batch": rows, "row_count": count},
        arrow_schema={"serialized_schema": schema},
        row_count=count,
        stats={"progress": {"at_response_start": start, "at_response_end": end}},
        throttle_state={"throttle_percent": throttle},
        uncompressed_byte_size=size,
    ),
    st.binary(max_size=300),
    st.integers(0, 2**40),
    st.binary(max_size=20),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(0, 100),
    st.integers(0, 2**62),
)


@given(ANSWERS)
def test_a_page_has_what_googles_class_finds(answer):
    page = page_of(types.ReadRowsResponse.serialize(answer))
    # A field of nothing is not written at all.
    rows = b"" if page.rows is None else page.rows.to_pybytes()
    assert rows == answer.arrow_record_batch.serialized_record_batch
    assert page.rows is None or not len(page.rows) or page.rows.address % 8 == 0
    assert page.share == answer.stats.progress.at_response_end
    rest = types.ReadRowsResponse.deserialize(page.rest)
    assert rest.row_count == answer.row_count
    assert not rest.arrow_record_batch.serialized_record_batch


@given(ANSWERS, st.data())
def test_one_that_breaks_off_is_no_page(answer, data):
    whole = types.ReadRowsResponse.serialize(answer)
    part = whole[: data.draw(st.integers(0, max(0, len(whole) - 1)))]
    try:
        types.ReadRowsResponse.deserialize(part)
    except Exception:
        with pytest.raises(ValueError, match="ReadRows"):
            page_of(part)
    else:
        page_of(part)


def test_an_answer_with_another_kind_of_field_is_refused():
    with pytest.raises(ValueError, match="unknown kind"):
        page_of(b"\x0b\x01")


def test_rows_are_read_as_they_were():
    batch = pa.record_batch({"n": pa.array(range(1000)), "s": ["ä"] * 1000})
    answer = types.ReadRowsResponse(
        arrow_record_batch={"serialized_record_batch": batch.serialize().to_pybytes()}
    )
    page = page_of(types.ReadRowsResponse.serialize(answer))
    assert pa.ipc.read_record_batch(page.rows, batch.schema).equals(batch)


@given(st.integers(0, 300))
def test_groups_leave_no_worker_idle(number):
    streams = [ReadStream(str(n), 1, n, b"") for n in range(number)]
    groups = in_groups(streams)
    assert [each for group in groups for each in group] == streams
    assert all(len(group) <= TOGETHER for group in groups)
    assert len(groups) >= min(number, GROUPS)
