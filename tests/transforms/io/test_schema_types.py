"""Text files read as a schema says: one bad cell is one bad row, a wrong column a wrong type."""

import pyarrow as pa
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from transforms.io.file_read import read_batches
from transforms.io.file_source import Source
from transforms.io.schema_types import nearly_numbers, with_schema_types

SCHEMA = text_format.Parse(
    """
    feature { name: "fare" type: FLOAT }
    feature { name: "n" type: INT }
    feature { name: "code" type: BYTES }
    """,
    schema_pb2.Schema(),
)


def source_of(path, text, **more):
    path.write_text(text)
    return with_schema_types(Source.resolve(str(path)), SCHEMA, **more)


def type_of(path, name, cells, **more):
    lines = "".join(f"{cell},x\n" for cell in cells)
    return source_of(path, f"{name},other\n{lines}", **more).schema.field(name).type


@pytest.mark.parametrize(
    ("name", "cells", "type"),
    [
        ("fare", ["1", "2"], pa.float64()),
        ("fare", ["1.5", "abc"], pa.float64()),
        ("fare", ["1.5", "abc", "def"], pa.string()),
        ("fare", ["", ""], pa.float64()),
        ("n", ["1", "abc"], pa.int64()),
        ("n", ["1", "2.5", "3"], pa.int64()),
        ("n", ["1.5", "2.5", "3"], pa.float64()),
        ("n", ["red", "green"], pa.string()),
        ("code", ["001", "2"], pa.string()),
        ("code", ["1", "2"], pa.string()),
        ("code", ["true", "false"], pa.string()),
        ("unknown", ["1", "2"], pa.int64()),
    ],
)
def test_cells(tmp_path, name, cells, type):
    assert type_of(tmp_path / "in.csv", name, cells) == type


def test_a_bad_cell_is_a_bad_row(tmp_path):
    source = source_of(tmp_path / "in.csv", "fare,n\n1.5,1\nabc,2\n3,3\n")
    found = list(read_batches(source))
    assert [row for rows, _ in found for row in rows["fare"].to_pylist()] == [1.5, 3.0]
    assert [why for _, bad in found for why in bad["reason"].to_pylist()] == ["unparsable"]


def test_columns_that_stay(tmp_path):
    assert type_of(tmp_path / "in.csv", "n", ["1.5", "2", "3"], but=("n",)) == pa.float64()


def test_json_tells_numbers_from_texts(tmp_path):
    source = source_of(tmp_path / "in.jsonl", '{"fare": 1, "n": "5", "code": 7}\n')
    assert [field.type for field in source.schema] == [pa.float64(), pa.string(), pa.int64()]


def test_columns_that_are_texts_for_a_few_cells(tmp_path):
    cells = ["1.5"] * 38 + ["abc", "def"]
    lines = "".join(f"{cell},{'x' if at % 2 else at},7\n" for at, cell in enumerate(cells))
    (tmp_path / "in.csv").write_text(f"fare,half,n\n{lines}")
    source = Source.resolve(str(tmp_path / "in.csv"))
    assert nearly_numbers(source) == {"fare": 2}
