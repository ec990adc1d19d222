"""CSV: the rows that pyarrow would read, in whatever parts, and bad lines by number."""

import io
import string
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from hypothesis import given, settings

from tests.support import shared_data
from tests.transforms.files.formats import hostile
from tests.transforms.files.formats.formats import read_lines
from transforms.errors import ConfigError
from transforms.files.format import BrokenFile, File, whole
from transforms.files.formats.csv.format import Csv, Tsv
from transforms.files.formats.text.text import Sizes

SMALL = Csv(sizes=Sizes(block=16, record=1 << 10))
INTS = pa.schema([("a", pa.int64()), ("b", pa.string())])


def rows_of(data: bytes, schema: pa.Schema, format: Csv = SMALL) -> list[dict[str, Any]]:
    kept, lost = read_lines(format, data, schema)
    assert lost == []
    return [row for _, row in kept]


def test_quotes_nulls_blank_lines_and_line_numbers() -> None:
    data = b'\xef\xbb\xbfa,b\r\n1,"x\ny"\r\n\r\n2,"z""z"\r\n3,""\n4,\n"",5\r6,a"b'
    kept, lost = read_lines(SMALL, data, INTS)
    assert lost == []
    assert kept == [
        (2, {"a": 1, "b": "x\ny"}),
        (5, {"a": 2, "b": 'z"z'}),
        (6, {"a": 3, "b": ""}),
        (7, {"a": 4, "b": None}),
        (8, {"a": None, "b": "5"}),
        (9, {"a": 6, "b": 'a"b'}),
    ]


def test_bad_lines_are_rejected_as_they_stand() -> None:
    data = b'a,b\n1,x\n2\n3,y,"z\n"\nfour,w\n5,\xff\n6,v\n7,"u'
    kept, lost = read_lines(Csv(), data, INTS)
    assert kept == [(2, {"a": 1, "b": "x"}), (8, {"a": 6, "b": "v"})]
    assert lost == [
        ("f#line=3", "ragged_line", None, "2"),
        ("f#line=4", "ragged_line", None, '3,y,"z\n"'),
        ("f#line=6", "unparsable", "a", "four,w"),
        ("f#line=7", "invalid_utf8", "b", b"5,\xff"),
        ("f#line=9", "truncated_file", None, '7,"u'),
    ]
    assert read_lines(SMALL, data, INTS) == (kept, lost)


def test_a_reject_says_why_without_a_value() -> None:
    data = b"a,b\n1,x,secret\nsecret,y\n"
    chunks = list(SMALL.read(io.BytesIO(data), whole(File("f", len(data))), INTS, 9, 1 << 20))
    messages = [m for chunk in chunks for m in chunk.rejects.column("errorMessage").to_pylist()]
    assert messages == [
        "the line has not as many cells as the header, 2",
        "a value of column 'a' can't be read as int64",
    ]


def test_projection_order_and_missing_columns() -> None:
    schema = pa.schema([("c", pa.float32()), ("none", pa.list_(pa.int8())), ("a", pa.int8())])
    assert rows_of(b"a,b,c\n1,\xff,2.5\n", schema) == [{"c": 2.5, "none": None, "a": 1}]
    lacking = pa.schema([("x", pa.int64())])
    assert rows_of(b"a,b\n1,2\n\n3,4\n", lacking) == [{"x": None}] * 2


def test_blank_lines_are_the_nulls_of_a_single_column() -> None:
    kept, lost = read_lines(SMALL, b'a\n1\n\n"3"\n', pa.schema([("a", pa.int64())]))
    assert (kept, lost) == ([(2, {"a": 1}), (3, {"a": None}), (4, {"a": 3})], [])


@pytest.mark.parametrize("data", [b"", b"a,b", b"a,b\n", b"\r\n\na,b\r\n\r\n"])
def test_files_without_rows(data: bytes) -> None:
    assert read_lines(SMALL, data, INTS) == ([], [])
    names = SMALL.sample_schema(io.BytesIO(data), "f").names
    assert names == (["a", "b"] if data else [])


@pytest.mark.parametrize(
    ("text", "type", "value"),
    [
        ("0x1F", pa.int64(), 31),
        (" 12 ", pa.int16(), 12),
        ("+3.0", pa.int64(), 3),
        ("inf", pa.float64(), float("inf")),
        ("TRUE", pa.bool_(), True),
        ("tRue", pa.bool_(), True),
        ("1.5", pa.float16(), 1.5),
        ("1.50", pa.decimal128(5, 2), Decimal("1.50")),
        ("1.5", pa.decimal256(50, 2), Decimal("1.50")),
        ("2026-01-02", pa.date32(), date(2026, 1, 2)),
        ("2026-01-02 03:04", pa.timestamp("us"), datetime(2026, 1, 2, 3, 4)),
        (
            "2026-01-02T03:04:05.5+01:00",
            pa.timestamp("us", "UTC"),
            datetime(2026, 1, 2, 2, 4, 5, 500000, UTC),
        ),
        ("03:04:05.5", pa.time64("us"), time(3, 4, 5, 500000)),
        (" 03:04", pa.time32("s"), time(3, 4)),
        ("90", pa.duration("s"), timedelta(seconds=90)),
        ("AP8=", pa.binary(), b"\x00\xff"),
        ("YWI=", pa.binary(2), b"ab"),
        ('"[1, null,\n2]"', pa.list_(pa.int64()), [1, None, 2]),
        ('"[1,2]"', pa.list_(pa.float32(), 2), [1.0, 2.0]),
        ('"{""x"":1}"', pa.struct([("x", pa.int64()), ("y", pa.string())]), {"x": 1, "y": None}),
        ('"{""k"":1}"', pa.map_(pa.string(), pa.int64()), [("k", 1)]),
    ],
)
@pytest.mark.parametrize("beside", ["0", "bad"])
def test_cells_of_every_type(text: str, type: pa.DataType, value: Any, beside: str) -> None:
    """The same on the fast path and beside a cell that fails."""
    data = f'n,v\n0,{text}\n{beside},{text}\n0,\n0,""\n'.encode()
    kept, lost = read_lines(Csv(), data, pa.schema([("n", pa.int64()), ("v", type)]))
    empty = b"" if type == pa.binary() else None
    rows = [value, *([value] if beside == "0" else []), None, empty]
    assert [row["v"] for _, row in kept] == rows
    assert [reason for _, reason, *_ in lost] == ["unparsable"] * (beside == "bad")


@pytest.mark.parametrize(
    ("text", "type", "reason"),
    [
        ("1e999", pa.float64(), "overflow"),
        ("1e300", pa.float32(), "overflow"),
        ("300", pa.int8(), "overflow"),
        ("9223372036854775808", pa.int64(), "overflow"),
        ("0x10000000000000000", pa.int64(), "unparsable"),
        ("1.5", pa.int64(), "lossy_cast"),
        ("yes", pa.bool_(), "unparsable"),
        ("10", pa.time32("s"), "unparsable"),
        ("2026-02-30", pa.date32(), "unparsable"),
        ("AP8", pa.binary(), "unparsable"),
        ("[1", pa.list_(pa.int64()), "unparsable"),
        ('"[1,""x""]"', pa.list_(pa.int64()), "wrong_type"),
        ('"1],""v"":[2"', pa.list_(pa.int64()), "unparsable"),
    ],
)
def test_cells_that_do_not_fit(text: str, type: pa.DataType, reason: str) -> None:
    kept, lost = read_lines(Csv(), f"n,v\n0,{text}\n1,\n".encode(), pa.schema([("v", type)]))
    assert (kept, lost[0][:3]) == ([(3, {"v": None})], ("f#line=2", reason, "v"))


def test_a_repeated_name_is_refused_with_its_file() -> None:
    data = b"a,b,a\n1,2,3\n"
    with pytest.raises(ConfigError, match=r"f\.csv: its header names 'a' twice"):
        SMALL.sample_schema(io.BytesIO(data), "f.csv")
    with pytest.raises(BrokenFile, match="'a' twice"):
        read_lines(SMALL, data, INTS)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff,b\n1,2\n", "not valid UTF-8"),
        (b'"a,b\n1,2\n', "never closed"),
        (b"a" * 2000 + b"\n1\n", "longer than 1,024 bytes"),
    ],
)
def test_a_header_that_cannot_be_read(data: bytes, why: str) -> None:
    with pytest.raises(BrokenFile, match=why) as error:
        read_lines(SMALL, data, INTS)
    assert error.value.reason == "unreadable_file"


def test_too_long_records_are_rejected_by_their_head() -> None:
    format = Csv(sizes=Sizes(block=8, record=20, head=5))
    data = b"a,b\n1,x\n2," + b"y" * 30 + b'\n3,z\n"' + b"4\n" * 30 + b'",u\n5,v\n'
    kept, lost = read_lines(format, data, INTS)
    assert kept == [(2, {"a": 1, "b": "x"}), (4, {"a": 3, "b": "z"}), (36, {"a": 5, "b": "v"})]
    assert lost == [
        ("f#line=3", "oversized", None, "2,yyy"),
        ("f#line=5", "truncated_file", None, '"4\n4\n'),
    ]


@pytest.mark.parametrize("rows", [3, 100])
def test_a_quote_that_is_never_closed_loses_rows_without_number(rows) -> None:
    """Nobody knows how many: it stands for a part of the file, and the run is refused."""
    data = b"a,b\n1,x\n2," + b'"y\n' + b"3,z\n" * rows
    format = Csv(sizes=Sizes(block=16, record=200, head=5))
    kept, ((source, reason, _, payload),) = read_lines(format, data, INTS)
    assert kept == [(2, {"a": 1, "b": "x"})]
    assert (source, reason) == ("f#line=3", "truncated_file")
    assert payload == (data[8:].decode() if rows == 3 else '2,"y\n')


def test_chunks_keep_to_rows_and_bytes() -> None:
    data = b"a,b\n" + b"1,xxxxxxxxxxxx\n" * 100
    split = whole(File("f", len(data)))
    by_rows = list(Csv().read(io.BytesIO(data), split, INTS, 30, 1 << 20))
    assert [(c.rows.num_rows, c.first[0]) for c in by_rows] == [
        (30, 2),
        (30, 32),
        (30, 62),
        (10, 92),
    ]
    by_bytes = list(Csv().read(io.BytesIO(data), split, INTS, 1000, 1 << 10))
    assert sum(chunk.rows.num_rows for chunk in by_bytes) == 100
    assert max(chunk.rows.nbytes for chunk in by_bytes) <= 1 << 10


def test_schema_from_a_sample() -> None:
    data = (
        b"int,float,bool,date,at,zoned,nothing,text,mixed,big,bytes,clock\n"
        b"1,1,true,2026-01-02,2026-01-02,2026-01-02T00:00:00Z,,x,1,12345678901234567890,a,10:00\n"
        b"ragged,line\n"
        b'"",2.5,false,2026-01-03,2026-01-02 03:04:05.6,2026-01-02 00:00+01:00,'
        b'"",1,x,1,\xff,11:00\n'
        b"3,NaN,"
    )
    schema = Csv().sample_schema(io.BytesIO(data), "f")
    zoned = pa.timestamp("us", "UTC")
    assert dict(zip(schema.names, schema.types, strict=True)) == {
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "date": pa.date32(),
        "at": pa.timestamp("us"),
        "zoned": zoned,
        "nothing": pa.null(),
        **dict.fromkeys(["text", "mixed", "big", "bytes", "clock"], pa.string()),
    }


def test_delimiters() -> None:
    assert rows_of(b'a\tb\n1\t"x,\ty"\n', INTS, Tsv()) == [{"a": 1, "b": "x,\ty"}]
    assert rows_of(b"a;b\n1;x,y\n", INTS, Csv(delimiter=";")) == [{"a": 1, "b": "x,y"}]
    for wrong in ("", ",,", '"', "\n", "a", "."):
        with pytest.raises(ConfigError, match="delimiter="):
            Csv(delimiter=wrong)


@settings(max_examples=150)
@given(hostile.CSV)
def test_the_same_records_as_pyarrow(body: bytes) -> None:
    """Of files without a fault, pyarrow reads the same rows in one piece."""
    data = b"a,b\n" + body
    schema = pa.schema([("a", pa.string()), ("b", pa.string())])
    kept, lost = read_lines(SMALL, data, schema)
    assert all(reason in ("ragged_line", "truncated_file") for _, reason, *_ in lost)
    if not lost:
        table = pa_csv.read_csv(
            io.BytesIO(data),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=schema,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        assert [row for _, row in kept] == table.to_pylist()


@given(hostile.CSV)
def test_no_record_is_lost(body: bytes) -> None:
    """Every line that is not blank is in one row or one reject, whose payload is its text."""
    data = b"a,b\n" + body
    kept, lost = read_lines(SMALL, data, INTS)
    lines = [line for line, _ in kept] + [int(source[7:]) for source, *_ in lost]
    assert len(set(lines)) == len(lines)
    texts = data.decode()
    assert all(payload in texts and payload for *_, payload in lost)


def test_a_writer_of_no_rows_writes_the_header() -> None:
    stream = io.BytesIO()
    Csv(delimiter=";").writer(stream, INTS).close()
    assert stream.getvalue() == b'"a";"b"\n'


def test_real_files_in_parts() -> None:
    path = shared_data("taxi_split", "train.csv")
    data = path.read_bytes()
    format = Csv(sizes=Sizes(block=1 << 16))
    schema = format.sample_schema(io.BytesIO(data), str(path))
    kept, lost = read_lines(format, data, schema, 200_000)
    assert (len(kept), lost) == (10_000, [])
    assert [line for line, _ in kept] == list(range(2, 10_002))
    options = pa_csv.ConvertOptions(column_types=schema, null_values=[""], strings_can_be_null=True)
    expected = pa_csv.read_csv(path, convert_options=options)
    assert [row for _, row in kept] == expected.to_pylist()


def test_a_file_of_bad_lines_in_bounded_batches() -> None:
    bad = "".join(f"{letter},x\n" for letter in string.ascii_letters).encode()
    data = b"a,b\n" + bad * 4000
    chunks = list(Csv().read(io.BytesIO(data), whole(File("f", len(data))), INTS, 8192, 1 << 20))
    assert sum(chunk.rejects.num_rows for chunk in chunks) == 52 * 4000
    assert sum(chunk.rows.num_rows for chunk in chunks) == 0


def read_csv(data, schema=None, **settings):
    """The schema, rows and reasons of a text."""
    format = Csv(**settings)
    schema = schema or format.sample_schema(io.BytesIO(data), "f")
    kept, lost = read_lines(format, data, schema, target=8)
    return schema, [row for _, row in kept], [reason for _, reason, *_ in lost]


def test_words_for_null_are_null_unless_quoted():
    data = b'n,t,d\n1,NA,2026-01-02\nNULL,"NA",NA\n,x,\n'
    schema, rows, lost = read_csv(data, null="NA,NULL")
    assert schema.field("n").type == pa.int64()
    assert schema.field("d").type == pa.date32()
    assert [row["n"] for row in rows] == [1, None, None]
    assert [row["t"] for row in rows] == [None, "NA", "x"]
    assert not lost


def test_words_for_null_beside_a_bad_cell():
    rows = read_csv(b"n\nNA\nx\n7\n", pa.schema([("n", pa.int64())]), null="NA")[1:]
    assert rows == ([{"n": None}, {"n": 7}], ["unparsable"])


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le"])
def test_other_encodings(encoding):
    data = "\n".join(["n,ort", *[f"{n},Z\u00fcrich \u00e9" for n in range(50)]]).encode(encoding)
    schema, rows, lost = read_csv(data, encoding=encoding)
    assert schema.names == ["n", "ort"]
    assert rows == [{"n": n, "ort": "Z\u00fcrich \u00e9"} for n in range(50)]
    assert not lost


def test_bytes_that_the_encoding_lacks_cost_their_row():
    data = b"t\na\n\x81\n\xe9\n"
    rows = read_csv(data, pa.schema([("t", pa.string())]), encoding="cp1252")[1:]
    assert rows == ([{"t": "a"}, {"t": "\u00e9"}], ["invalid_utf8"])


def test_settings_that_can_not_be():
    with pytest.raises(ConfigError, match="encoding='klingon' is not known"):
        Csv(encoding="klingon")
    with pytest.raises(ConfigError, match="encoding='hex' is not known"):
        Csv(encoding="hex")
    with pytest.raises(ConfigError, match="null= and encoding= are for reading"):
        Csv(null="NA").writer(io.BytesIO(), pa.schema([("n", pa.int64())]))
