"""Replies read from their bytes are what protobuf reads."""

import pyarrow as pa
import pytest
from google.cloud.dlp_v2 import types
from hypothesis import given
from hypothesis import strategies as st

from privacy.cloud.cells import make_table
from privacy.cloud.decode import Unusual, read_texts
from privacy.cloud.joining import join_bytes, join_reply

Response = types.DeidentifyContentResponse.pb()
cells = st.none() | st.text(max_size=200)


def response(columns, numbers):
    names = [*(f"c{i}" for i in range(len(columns))), "millrace_row"]
    table = make_table(names, [*columns, pa.array(numbers, pa.int64())])
    made = Response(item={"table": table})
    made.overview.transformed_bytes = 7
    return made


@given(st.lists(st.tuples(cells, cells), max_size=30))
def test_equals_protobuf(rows):
    columns = [pa.array([row[at] for row in rows], pa.string()) for at in (0, 1)]
    made = response(columns, list(range(len(rows))))
    kinds = [pa.string(), pa.string()]
    joined, _ = join_bytes(made.SerializeToString(), Response, ["c0", "c1"], kinds, len(rows))
    slow = join_reply(made.item.table, made.overview, ["c0", "c1"], kinds, len(rows))
    assert joined.columns == slow.columns == columns
    assert joined.rows.tolist() == slow.rows.tolist() == list(range(len(rows)))


def test_many_rows():
    column = pa.array(["x" * (i % 300) for i in range(20_000)])
    made = response([column], list(range(20_000)))
    names, columns, numbers, _ = read_texts(made.SerializeToString(), 1)
    assert names == ["c0", "millrace_row"]
    assert columns[0].equals(column)
    assert numbers.tolist() == list(range(20_000))


def test_other_values_are_left_to_protobuf():
    made = response([pa.array([1, 2])], [0, 1])
    with pytest.raises(Unusual):
        read_texts(made.SerializeToString(), 1)
    joined, _ = join_bytes(made.SerializeToString(), Response, ["c0"], [pa.string()], 2)
    assert joined.columns[0].to_pylist() == ["1", "2"]


@pytest.mark.parametrize("numbers", [[1, 0], [0, 2], [0, 0]])
def test_rows_out_of_order_are_refused(numbers):
    made = response([pa.array(["a", "b"])], numbers)
    with pytest.raises(ValueError, match="out of order"):
        join_bytes(made.SerializeToString(), Response, ["c0"], [pa.string()], 2)


def test_missing_rows_are_refused():
    made = response([pa.array(["a"])], [0])
    with pytest.raises(ValueError, match="lacks rows"):
        join_bytes(made.SerializeToString(), Response, ["c0"], [pa.string()], 2)
