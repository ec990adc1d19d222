import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.batches import row_positions
from transforms.errors import ConfigError
from transforms.files.formats.tfrecord import TfRecord
from transforms.io.file_read import read_batches
from transforms.io.file_source import Source, unite


def _write(path, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def _rows(source):
    return [row for rows, _ in read_batches(source) for row in rows.to_pylist()]


def test_no_files(tmp_path):
    with pytest.raises(ConfigError, match=r"no files match .*nothing"):
        Source.resolve(str(tmp_path / "nothing" / "*.parquet"))


def test_mixed_formats_are_refused(tmp_path):
    _write(tmp_path / "a.parquet", n=[1])
    (tmp_path / "b.csv").write_text("n\n1\n")
    with pytest.raises(ConfigError, match="csv, parquet"):
        Source.resolve(str(tmp_path))


def test_schemas_are_united_with_nulls(tmp_path):
    _write(tmp_path / "a.parquet", n=pa.array([1], pa.int32()), old=["x"])
    _write(tmp_path / "b.parquet", new=[True], n=pa.array([2**40], pa.int64()))
    source = Source.resolve(str(tmp_path))
    assert source.schema == pa.schema(
        [("n", pa.int64()), ("old", pa.string()), ("new", pa.bool_())]
    )
    assert _rows(source) == [
        {"n": 1, "old": "x", "new": None},
        {"n": 2**40, "old": None, "new": True},
    ]


def test_schemas_that_clash_name_file_and_column(tmp_path):
    _write(tmp_path / "a.parquet", n=[1])
    _write(tmp_path / "b.parquet", n=["x"])
    with pytest.raises(ConfigError, match=r"'n' is string in .*b.parquet but int64 in .*a.parquet"):
        Source.resolve(str(tmp_path))


def test_a_column_that_is_null_everywhere_is_text():
    schema = pa.schema([("n", pa.null())])
    assert unite([("a", schema), ("b", schema)]) == pa.schema([("n", pa.string())])


def test_partitions_become_columns(tmp_path):
    for day, part in ((1, "a=01"), (2, "a=__HIVE_DEFAULT_PARTITION__")):
        _write(tmp_path / f"day={day}" / part / "x.parquet", n=[day])
    source = Source.resolve(str(tmp_path))
    assert source.schema == pa.schema([("n", pa.int64()), ("day", pa.int64()), ("a", pa.string())])
    assert _rows(source) == [{"n": 1, "day": 1, "a": "01"}, {"n": 2, "day": 2, "a": None}]


def test_the_path_wins_over_a_column_of_its_name(tmp_path, caplog):
    _write(tmp_path / "day=1" / "x.parquet", day=[7], n=[1])
    assert _rows(Source.resolve(str(tmp_path))) == [{"n": 1, "day": 1}]
    assert "column day is in the files and in their path" in caplog.text


def test_columns_that_can_not_be_told_apart(tmp_path):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(ConfigError, match=r"x.parquet has more than one column a"):
        Source.resolve(str(tmp_path))


def test_a_flipped_byte_is_found(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(
        pa.table({"x": [float(i) for i in range(20_000)]}), path, write_page_checksum=True
    )
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    *_, (_, rejects) = read_batches(Source.resolve(str(path)))
    assert rejects["reason"].to_pylist() == ["truncated_file"]


def test_uneven_partitions_are_refused(tmp_path):
    _write(tmp_path / "day=1" / "x.parquet", n=[1])
    _write(tmp_path / "x.parquet", n=[1])
    with pytest.raises(ConfigError, match="other key=value folders"):
        Source.resolve(str(tmp_path))


def test_declared_types_win_and_misfits_are_rejected(tmp_path):
    _write(tmp_path / "a.parquet", n=[1, 300, None])
    source = Source.resolve(str(tmp_path), schema=pa.schema([("n", pa.int8())]))
    ((rows, rejects),) = read_batches(source)
    assert rows["n"].to_pylist() == [1, None]
    assert rejects["source"].to_pylist() == [f"{tmp_path}/a.parquet#row=2"]


def test_select_and_limit(tmp_path):
    _write(tmp_path / "a.parquet", n=[1, 2], m=[3, 4])
    _write(tmp_path / "b.parquet", n=[5, 6], m=[7, 8])
    source = Source.resolve(str(tmp_path), limit=3).select(["m"])
    assert _rows(source) == [{"m": 3}, {"m": 4}, {"m": 7}]
    with pytest.raises(ConfigError, match="no column z; it has: n, m"):
        Source.resolve(str(tmp_path)).select(["z"])


def test_an_unreadable_file_among_good_ones_is_left_to_read(tmp_path):
    _write(tmp_path / "a.parquet", n=[1])
    (tmp_path / "b.parquet").write_bytes(b"not parquet")
    (_, _), (rows, rejects) = read_batches(Source.resolve(str(tmp_path)))
    assert rows.num_rows == 0
    assert rejects["reason"].to_pylist() == ["unreadable_file"]
    (tmp_path / "a.parquet").unlink()
    with pytest.raises(ConfigError, match=r"no file of .* can be read: .*b.parquet"):
        Source.resolve(str(tmp_path))


def test_a_hint_at_another_delimiter(tmp_path, caplog):
    (tmp_path / "x.csv").write_text("a;b\n1;2\n")
    assert Source.resolve(str(tmp_path / "x.csv")).schema.names == ["a;b"]
    assert "if ';' parts its cells, read it with ?delimiter=%3B" in caplog.text
    caplog.clear()
    assert _rows(Source.resolve(f"{tmp_path}/x.csv?delimiter=%3B")) == [{"a": 1, "b": 2}]
    assert not caplog.text


def test_a_hint_at_a_column_without_values(tmp_path, caplog):
    (tmp_path / "x.csv").write_text("a,b\n1,\n2,\n")
    (tmp_path / "x.jsonl").write_text('{"a": 1, "b": null}\n{"a": 2}\n')
    (tmp_path / "y.jsonl").write_text('{"a": 1, "b": 2}\n')
    for name in ("x.csv", "x.jsonl"):
        caplog.clear()
        assert Source.resolve(str(tmp_path / name)).schema.field("b").type == pa.string()
        assert f"no value of column b in the first rows of {tmp_path}/{name}" in caplog.text
    caplog.clear()
    assert Source.resolve(f"{tmp_path}/*.jsonl").schema.field("b").type == pa.int64()
    assert not caplog.text


def test_wanted_types_leave_lists_lists(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"a": [1, 2], "b": 1}\n')
    wanted = {"a": pa.float32(), "b": pa.float32()}
    schema = Source.resolve(str(tmp_path / "x.jsonl"), types=wanted).schema
    assert schema == pa.schema([("a", pa.list_(pa.float64())), ("b", pa.float64())])


def test_codes_keep_their_zeros(tmp_path):
    (tmp_path / "x.csv").write_text("zip,n\n00123,10\n45678,0\n")
    source = Source.resolve(str(tmp_path / "x.csv"))
    assert _rows(source) == [{"zip": "00123", "n": 10}, {"zip": "45678", "n": 0}]


def test_text_files_of_one_folder_need_not_look_alike(tmp_path):
    """A column that is text in one file is text; the reader's types come first."""
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.csv").write_text("a,b\nx,2\n")
    (tmp_path / "3.csv").write_text("a,b\n")
    schema = Source.resolve(str(tmp_path)).schema
    assert schema == pa.schema([("a", pa.string()), ("b", pa.int64())])
    wanted = Source.resolve(str(tmp_path), types={"a": pa.int64()})
    assert wanted.schema == pa.schema([("a", pa.int64()), ("b", pa.int64())])
    assert _rows(wanted) == [{"a": 1, "b": 2}]


def test_a_file_that_became_shorter_is_truncated(tmp_path):
    (tmp_path / "x.csv").write_text("a\n" + "1\n" * 100)
    source = Source.resolve(str(tmp_path / "x.csv"))
    (tmp_path / "x.csv").write_text("a\n" + "1\n" * 50)
    *_, (_, rejects) = read_batches(source)
    assert rejects["reason"].to_pylist() == ["changed_file"]
    assert "it had 202 bytes when the run began, and has 102 now" in str(rejects["errorMessage"][0])


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    _write(tmp_path / "in" / "x.parquet", n=[1])
    (tmp_path / "in" / "closed").mkdir()
    scan = os.scandir

    def refused(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(ConfigError, match="in/closed: permission denied"):
        Source.resolve(str(tmp_path / "in"))


def test_the_first_rows_know_their_lines_where_cells_span_some(tmp_path):
    (tmp_path / "x.csv").write_text('a\n1\n"2\n2"\n3\n"4\n4"\n5\n')
    ((rows, _),) = read_batches(Source.resolve(str(tmp_path / "x.csv"), limit=3))
    assert row_positions(rows).tolist() == [2, 3, 5]


def test_a_schema_of_kinds_leaves_times_what_they_are(tmp_path):
    (tmp_path / "s.pbtxt").write_text(
        'feature { name: "at" type: INT }\nfeature { name: "n" type: INT }\n'
        'feature { name: "day" type: BYTES }\n'
    )
    (tmp_path / "in.csv").write_text("at,n,day\n2026-01-31 12:00:00,5,2026-01-31\n")
    _write(tmp_path / "in.parquet", at=pa.array([5], pa.timestamp("ms")), n=[5], day=["x"])
    for name in ("in.csv", "in.parquet"):
        type = Source.resolve(str(tmp_path / name)).schema.field("at").type
        assert pa.types.is_timestamp(type)
        source = Source.resolve(str(tmp_path / name), str(tmp_path / "s.pbtxt"))
        assert source.schema == pa.schema([("at", type), ("n", pa.int64()), ("day", pa.string())])
        assert len(_rows(source)) == 1


def test_of_a_file_that_can_not_be_read_a_schema_of_kinds_learns_nothing(tmp_path):
    (tmp_path / "s.pbtxt").write_text('feature { name: "at" type: INT }')
    (tmp_path / "in.parquet").write_bytes(b"PAR1")
    source = Source.resolve(str(tmp_path / "in.parquet"), str(tmp_path / "s.pbtxt"))
    assert source.schema == pa.schema([("at", pa.int64())])


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("x.csv", b"", "is empty: every file has 0 bytes"),
        ("x.jsonl", b"1\n2\n", "hold no JSON object with a key"),
        ("x.json", b"[]", "hold no JSON object with a key"),
    ],
)
def test_files_without_columns_are_told_apart(tmp_path, name, content, why):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=why):
        Source.resolve(str(tmp_path / name))


def test_records_that_are_no_examples_are_told(tmp_path):
    with (tmp_path / "x.tfrecord").open("wb") as stream:
        writer = TfRecord(column="r").writer(stream, pa.schema([("r", pa.binary())]))
        writer.write(pa.RecordBatch.from_arrays([pa.array([b"nothing"])], ["r"]))
    with pytest.raises(ConfigError, match=r"hold no tf\.Example: \?column=NAME reads records"):
        Source.resolve(str(tmp_path / "x.tfrecord"))


def test_a_column_without_a_value_in_the_sample_is_told(tmp_path, caplog):
    (tmp_path / "x.csv").write_text("n,y\n1,\n2,\n")
    assert Source.resolve(str(tmp_path / "x.csv")).schema.field("y").type == pa.string()
    assert "no value of column y in the first rows of" in caplog.text
    caplog.clear()
    Source.resolve(str(tmp_path / "x.csv"), types={"y": pa.int64()})
    assert not caplog.text


def test_schemas_nested_too_deeply_are_told(tmp_path):
    field = {"name": "x", "type": "INT64"}
    for _ in range(150):
        field = {"name": "x", "type": "RECORD", "fields": [field]}
    (tmp_path / "s.json").write_text(json.dumps([field]))
    (tmp_path / "deeper.json").write_text("[" * 100_000)
    (tmp_path / "x.csv").write_text("x\n1\n")
    for name, why in (("s", "column 'x' is nested more than 100 deep"), ("deeper", "too deeply")):
        with pytest.raises(ConfigError, match=why):
            Source.resolve(str(tmp_path / "x.csv"), str(tmp_path / f"{name}.json"))
    (tmp_path / "x.jsonl").write_text('{"a":' * 150 + "1" + "}" * 150)
    with pytest.raises(ConfigError, match="column 'a' is nested more than 100 deep"):
        Source.resolve(str(tmp_path / "x.jsonl"))
