"""Values go to DLP's cells and come back as they were, of every type."""

from datetime import UTC, date, datetime, time

import pyarrow as pa
import pytest
from google.cloud.dlp_v2 import types

from privacy.cloud.cells import column_of, kind_of, make_table, plain_text
from privacy.cloud.encode import with_table
from transforms.errors import ConfigError

Request = types.DeidentifyContentRequest.pb()

COLUMNS = [
    pa.array(["a", "", None, "é"]),
    pa.array([1, -(2**62), None, 0], pa.int64()),
    pa.array([1, 0, None, 7], pa.int8()),
    pa.array([1.5, 0.0, None, -2.25]),
    pa.array([True, False, None, False]),
    pa.array([datetime(2026, 1, 2, 3, 4, 5, 6), datetime(1970, 1, 1), None, None]).cast(
        pa.timestamp("us")
    ),
    pa.array([datetime(2026, 1, 2, tzinfo=UTC), None, None, None]).cast(pa.timestamp("ms", "UTC")),
    pa.array([date(2026, 1, 2), date(1, 1, 1), None, None]),
    pa.array([time(1, 2, 3, 4), time(0), None, None], pa.time64("us")),
    pa.array([None] * 4, pa.string()),
    pa.array(["a", "", None, "é"], pa.large_string()),
]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: str(column.type))
def test_there_and_back(column):
    table = make_table(["x"], [column])
    again = type(table).FromString(table.SerializeToString())
    back, other = column_of([row.values[0] for row in again.rows], column.type)
    assert back.equals(column)
    assert not other.any()


def test_what_became_text_is_text():
    table = make_table(["x"], [pa.array([7, None])])
    table.rows[0].values[0].string_value = "*"
    cells = [row.values[0] for row in table.rows]
    assert column_of(cells, pa.string())[0].to_pylist() == ["*", None]
    numbers, other = column_of(cells, pa.int64())
    assert (numbers.to_pylist(), other.tolist()) == ([None, None], [True, False])


def test_texts_of_other_kinds():
    columns = [pa.array([True]), pa.array([1.5]), pa.array([date(2026, 1, 2)]), pa.array([7])]
    table = make_table(list("abcd"), columns)
    assert [plain_text(cell) for cell in table.rows[0].values] == ["true", "1.5", "2026-01-02", "7"]


def test_types_without_cells_are_refused():
    with pytest.raises(ConfigError, match=r"column 'x' of type list.*paths"):
        kind_of(pa.list_(pa.int64()), "x")


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: str(column.type))
@pytest.mark.parametrize("start", [0, 1])
def test_bytes_are_what_protobuf_writes(column, start):
    columns = [column.slice(start), pa.array(["x" * 200, None, "", "y"]).slice(start)]
    table = make_table(["a", "b"], columns)
    plain = Request(parent="p", item={"table": table})
    made = with_table(Request(parent="p"), 4, ["a", "b"], columns, numbered=False)
    assert Request.FromString(made) == plain
    assert len(made) == plain.ByteSize()
    numbered = with_table(Request(parent="p"), 4, ["a", "b"], columns, numbered=True)
    again = Request.FromString(numbered).item.table
    assert [row.values[2].integer_value for row in again.rows] == list(range(len(column) - start))
    assert again.headers[2].name == "millrace_row"
